"""Markdown: what a chapter's body says to other stages, and where its faults are."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roadmap.load.markdown import parse, slug

PATH = Path("book/chapter.md")


def faults(text: str, first_line: int = 1) -> list[tuple[str, int, int]]:
    found = parse(text, PATH, first_line).diagnostics
    return [(d.rule, d.span.line, d.span.column) for d in found if d.span]


def test_lines_count_from_the_first_line_of_the_file_inside_nested_directives():
    text = "para\n\n::::{depth} researcher\n:::{note}\n## Deep\n:::\n::::\n"
    parsed = parse(text, PATH, 20)
    assert not parsed.diagnostics
    assert [(u.name, u.span.line) for u in parsed.uses] == [("depth", 22), ("note", 23)]
    assert [(h.text, h.span.line, h.depth) for h in parsed.headings] == [("Deep", 24, "researcher")]


def test_a_heading_after_a_depth_section_belongs_to_every_track():
    parsed = parse(":::{depth} researcher\n## A\n:::\n\n## B\n", PATH, 1)
    assert [h.depth for h in parsed.headings] == ["researcher", ""]


def test_options_are_read_and_are_no_part_of_the_body():
    use = parse(":::{cell} train\n:alt: a falling curve\n:show: output\n:::\n", PATH, 1).uses[0]
    assert (use.name, use.argument) == ("cell", "train")
    assert use.options == {"alt": "a falling curve", "show": "output"}


def test_colons_inside_a_code_fence_do_not_close_a_directive():
    text = ":::{note}\n```text\n:::\n```\nstill inside\n:::\n\noutside\n"
    tokens = parse(text, PATH, 1).tokens
    closing = next(i for i, t in enumerate(tokens) if t.type == "directive_close")
    inside = [t.content for t in tokens[:closing] if t.type == "inline"]
    assert inside == ["still inside"]


def test_links_and_values_are_found_at_their_column():
    text = "See [this](node:attention#mask): {value}`loss|.2f`.\n"
    parsed = parse(text, PATH, 7)
    link, use = parsed.links[0], parsed.uses[0]
    assert (link.target, link.span.line, link.span.column) == ("node:attention#mask", 7, 12)
    assert text[use.span.column - 1 :].startswith("{value}`loss|.2f`")


@pytest.mark.parametrize(
    ("text", "rule", "line"),
    [
        ("# Title\n", "heading-jump", 1),
        ("## A\n\n#### B\n", "heading-jump", 3),
        ("## A\n\n## A\n", "anchor-duplicate", 3),
        (":::{nope}\nx\n:::\n", "directive-unknown", 1),
        ("```{code-cell} python\nx\n```\n", "directive-unknown", 1),
        ("a {vlaue}`x` b\n", "directive-unknown", 1),
        (":::{note}\nnever closed\n", "directive-invalid", 1),
        (":::{cell}\n:::\n", "directive-invalid", 1),
        (":::{experiment} extra\n:::\n", "directive-invalid", 1),
        (":::{cell} a\n:nope: x\n:::\n", "directive-invalid", 2),
        (":::{cell} a\nstray words\n:::\n", "directive-invalid", 2),
        (
            "::::{depth} researcher\n:::{depth} researcher\nx\n:::\n::::\n",
            "directive-invalid",
            2,
        ),
        ("text\n\n![](a.png)\n", "image-without-alt", 3),
        ("a claim[^source]\n", "directive-invalid", 1),
        ("| a |\n|---|\n| {value}`x|.2f` |\n", "directive-invalid", 3),
        ("```text\n" + "x" * 97 + "\n```\n", "code-too-wide", 2),
    ],
)
def test_each_fault_is_reported_once_at_its_line(text: str, rule: str, line: int):
    assert [(r, n) for r, n, _ in faults(text)] == [(rule, line)]


def test_a_code_line_of_96_columns_still_fits():
    assert faults("```text\n" + "x" * 96 + "\n```\n") == []


def test_a_misspelt_directive_gets_the_right_one_as_hint():
    (found,) = parse(":::{experimnet}\n:::\n", PATH, 1).diagnostics
    assert found.hint == "Did you mean {experiment}?"


def test_dollars_of_money_are_not_mathematics():
    tokens = parse("It costs $5 to $6 a day, or $x^2$.\n", PATH, 1).tokens
    kinds = [(c.type, c.content) for t in tokens for c in t.children or [] if "math" in c.type]
    assert kinds == [("math_inline", "x^2")]


def test_raw_html_stays_text():
    (inline,) = [t for t in parse("a <b>c</b>\n", PATH, 1).tokens if t.type == "inline"]
    assert {c.type for c in inline.children or []} == {"text"}


@given(st.text(max_size=200))
def test_no_text_makes_the_parser_fail(text: str):
    parse(text.replace("\r", ""), PATH, 1)


@given(st.text(min_size=1))
def test_a_slug_has_no_space_and_is_its_own_slug(text: str):
    assert not any(c.isspace() for c in slug(text))
    assert slug(slug(text)) == slug(text)


def test_a_target_is_found_as_it_was_written() -> None:
    lines = ["![a](größe.svg)", "![b](<a b.svg>)", "[c](#größe)", "[d](https://x.org/%C3%A9)"]
    parsed = parse("\n\n".join(lines) + "\n", Path("/book/c.md"), 1)
    shown = [
        lines[(link.span.line - 1) // 2][link.span.column - 1 :][: link.span.length]
        for link in parsed.links
    ]
    assert shown == ["größe.svg", "<a b.svg>", "#größe", "https://x.org/%C3%A9"]
