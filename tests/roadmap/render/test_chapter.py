"""Chapters: what the directives put on a page, on the site and on paper."""

from datetime import date
from pathlib import Path

import pytest
from fixture_book import FixtureBook

from roadmap.diagnostics import BuildError
from roadmap.load import load
from roadmap.model import Band, CellOutput, Outcome
from roadmap.render.blocks import duration
from roadmap.render.chapter import chapter_html
from roadmap.render.math import Math
from roadmap.render.notebook import notebook
from roadmap.run.words import band_text, number

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><path stroke="#0b0c0d"/></svg>'


def outcome(figures: tuple[str, ...] = (), **results: float) -> Outcome:
    cell = CellOutput("double", "out < put\n", "", figures, tuple(results.items()), 0.1)
    return Outcome("first", "ok", {}, "cpu", (cell,), 0.25, 50 * 2**20, date(2026, 1, 2))


def html(book: FixtureBook, medium="site", track=None, node="first", **results: float) -> str:
    roadmap, found = load(book.root)
    assert roadmap is not None, found
    outcomes = {"first": outcome(**results)} if results else {}
    with Math() as math:
        return chapter_html(roadmap.node(node), roadmap, outcomes, medium, math=math, track=track)


def faults(book: FixtureBook, **results: float) -> list[tuple[str, int]]:
    with pytest.raises(BuildError) as caught:
        html(book, **results)
    return [(d.rule, d.span.line) for d in caught.value.diagnostics if d.span]


def test_links_lead_to_pages_on_the_site_and_to_anchors_on_paper(book: FixtureBook):
    site, paper = html(book, answer=42), html(book, "print", answer=42)
    assert '<a href="../node/second.html#a-plan">the second step</a>' in site
    assert '<a href="#first--doubling">' in paper
    assert '<a href="#node-second">the second step</a>' in paper  # planned: paper has no body
    assert '<a href="../stage/basics.html">the stage</a>' in site
    assert '<a href="#stage-basics">the stage</a>' in paper
    assert '<a href="https://example.org/small/track/beginner.html" rel="external">' in paper
    assert 'id="doubling"' in site
    assert 'id="first--doubling"' in paper


def test_a_link_without_text_shows_the_title_of_its_target(book: FixtureBook):
    book.edit(book.chapter, "[](#doubling)", "[](node:third) and [](node:second#a-plan)")
    page = html(book, answer=42)
    assert '<a href="../node/third.html">The third step</a>' in page
    assert '<a href="../node/second.html#a-plan">A plan</a>' in page


def test_on_paper_a_link_to_a_step_that_the_track_skips_leads_to_the_site(book: FixtureBook):
    book.edit(book.third, "beginner: {minutes: 5}", "beginner: skip")
    book.edit(book.chapter, "[](#doubling)", "[](node:third#a-plan)")
    skipped = html(book, "print", "beginner", answer=42)
    assert 'href="https://example.org/small/node/third.html#a-plan" rel="external"' in skipped
    assert 'href="#node-third"' in html(book, "print", "researcher", answer=42)


@pytest.mark.parametrize(
    ("track", "care", "rigour"),
    [("beginner", False, False), ("practitioner", True, False), ("researcher", True, True)],
)
def test_on_paper_a_track_leaves_out_what_is_deeper(book, track, care, rigour):
    page = html(book, "print", track, answer=42)
    assert ("With care." in page, "With rigour." in page) == (care, rigour)
    assert "Twice 21" in page


def test_on_the_site_every_depth_is_there_and_labelled(book: FixtureBook):
    page = html(book, answer=42)
    assert '<section class="depth" data-depth="practitioner">' in page
    assert "Practitioner and deeper" in page
    assert '<p class="depth-label">Researcher</p>' in page


@pytest.mark.parametrize(
    ("written", "shown"), [("answer", "42"), ("answer|.2f", "42.00"), ("first/answer|.0%", "4200%")]
)
def test_a_value_is_the_result_in_the_format_asked_for(book: FixtureBook, written, shown):
    book.edit(book.chapter, "answer|.0f", written)
    assert f">{shown}</span>" in html(book, answer=42)


def test_without_a_run_values_and_cells_say_so(book: FixtureBook):
    page = html(book)
    assert '<span class="value missing"' in page
    assert page.count("Not run in this build.") == 2


def test_a_result_stands_beside_its_band_with_the_verdict(book: FixtureBook):
    assert "42 ± 0.5" in html(book, answer=42)
    assert "in band" in html(book, answer=42)
    assert "out of band" in html(book, answer=43)
    book.edit(book.chapter, "answer|.0f", "other|.0f")
    assert "not held" in html(book, other=1)


def test_output_is_escaped(book: FixtureBook):
    assert '<pre class="output" tabindex="0">out &lt; put</pre>' in html(book, answer=42)


@pytest.mark.parametrize(
    ("show", "code", "output"),
    [("both", True, True), ("code", True, False), ("output", False, True)],
)
def test_a_cell_shows_what_is_asked_for(book: FixtureBook, show, code, output):
    book.edit(
        book.chapter, ":::{cell} double\n", f":::{{cell}} double\n:show: {show}\n:caption: C\n"
    )
    cell = html(book, answer=42).split('data-cell="double"')[1].split("</figure>")[0]
    assert ('class="code"' in cell, 'class="output"' in cell) == (code, output)
    assert "<figcaption>C</figcaption>" in cell


def test_a_figure_takes_its_alt_text_and_the_text_s_colour(book: FixtureBook):
    book.edit(book.chapter, ":::{cell} double\n", ":::{cell} double\n:alt: two lines\n")
    roadmap, _ = load(book.root)
    assert roadmap is not None
    two = {"first": outcome((SVG, SVG), answer=42)}
    with Math() as math:
        page = chapter_html(roadmap.node("first"), roadmap, two, "site", math=math)
    assert 'aria-label="two lines (1 of 2)"' in page
    assert 'aria-label="two lines (2 of 2)"' in page
    assert 'stroke="currentColor"' in page


def test_a_figure_without_alt_text_is_a_fault_of_its_cell(book: FixtureBook):
    roadmap, _ = load(book.root)
    assert roadmap is not None
    with Math() as math, pytest.raises(BuildError) as caught:
        chapter_html(
            roadmap.node("first"), roadmap, {"first": outcome((SVG,), answer=42)}, "site", math=math
        )
    (found,) = caught.value.diagnostics
    assert found.rule == "figure-without-alt"
    assert found.span is not None
    assert found.span.line == book.line(book.chapter, ":::{cell} double")


def test_source_is_the_code_as_it_stands(book: FixtureBook):
    page = html(book, answer=42)
    assert "lab.py:4" in page
    assert "Twice the number." in page
    book.edit(
        book.chapter, ":::{source} lab:double\n", ":::{source} lab:double\n:docstring: hide\n"
    )
    assert "Twice the number." not in html(book, answer=42)
    book.edit(book.chapter, ":::{source} lab:double\n", ":::{source} lab:Machine.crank\n")
    assert 'class="nf">crank</span>' in html(book, answer=42)


def test_pictures_are_part_of_the_page(book: FixtureBook):
    assert '<svg role="img" aria-label="A box"' in html(book, answer=42)
    assert '<img alt="A box" src="data:image/svg+xml;base64,' in html(book, "print", answer=42)


def test_compliance_notes_carry_date_sources_and_check(book: FixtureBook):
    page = html(book, answer=42)
    for text in (
        "Numbers may be wrong.",
        "2026-06-01",
        "https://example.org/numbers",
        "lab --check",
    ):
        assert text in page


def test_markdown_of_every_kind_comes_through(book: FixtureBook):
    text = (
        "## Doubling\n\n:::{note} Look\n$x^2$ and `code`[^n]\n:::\n\n$$\\frac{a}{b}$$\n\n"
        ":::{dropdown} More\n| a | b |\n|---|---:|\n| 1 | 2 |\n:::\n\n~~old~~\n\n"
        "    indented\n\n[^n]: A note.\n\n"
    )
    book.edit(book.chapter, "## Doubling\n", text)
    site, paper = html(book, answer=42), html(book, "print", answer=42)
    assert '<div class="admonition note"><p class="admonition-title">Look</p>' in site
    assert site.count("<math") == 2
    assert paper.count('class="math') >= 2
    assert "Formula: " in paper
    assert '<details class="dropdown"><summary>More</summary>' in site
    assert '<th scope="col" style="text-align:right">b</th>' in site
    assert "<s>old</s>" in site
    assert 'id="fn1"' in site
    assert 'id="fn-first-1"' in paper


def test_every_fault_of_a_chapter_is_reported_at_its_line(book: FixtureBook):
    book.edit(book.chapter, "## Doubling\n", "## Doubling\n\n$\\frac{a}$\n\n{value}`answer|zz`\n")
    book.edit(book.chapter, "[the track](track:beginner)", "{value}`nothing`")
    expected = [
        ("math-invalid", book.line(book.chapter, "\\frac")),
        ("value-missing", book.line(book.chapter, "answer|zz")),
        ("value-missing", book.line(book.chapter, "Twice 21")),
    ]
    assert faults(book, answer=42) == expected


def test_the_notebook_s_code_is_the_script_s_code_and_is_valid(book: FixtureBook):
    import nbformat

    roadmap, _ = load(book.root)
    assert roadmap is not None
    node = roadmap.node("first")
    assert node.experiment is not None
    text = notebook(node, node.experiment, outcome((SVG,), answer=42), roadmap.url)
    document = nbformat.reads(text, as_version=4)
    nbformat.validate(document)
    code = [c.source for c in document.cells if c.cell_type == "code"]
    assert code == [c.source.strip("\n") for c in node.experiment.cells if c.kind == "code"]
    assert [c.source for c in document.cells if c.cell_type == "markdown"][1] == "Twice a number."
    outputs = next(c for c in document.cells if c.cell_type == "code").outputs
    assert [o.output_type for o in outputs] == ["stream", "display_data"]
    assert notebook(node, node.experiment, None, "").count('"outputs": []') == 1


@pytest.mark.parametrize(
    ("quantity", "text"),
    [
        (42.0, "42"),
        (1234567, "1,234,567"),
        (0.123456789, "0.12346"),
        (-1.5, "−1.5"),
        (2e12, "2e+12"),
    ],
)
def test_numbers_are_short_and_plain(quantity, text):
    assert number(quantity) == text


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"value": 1.62, "atol": 0.05}, "1.62 ± 0.05"),
        ({"value": 100, "rtol": 0.1}, "100 ± 10"),
        ({"value": 3}, "exactly 3"),
        ({"low": 2}, "at least 2"),
        ({"high": 2.5}, "at most 2.5"),
        ({"low": 1, "high": 2}, "1 to 2"),
    ],
)
def test_a_band_reads_as_words(fields, text):
    from roadmap.diagnostics import Span

    assert band_text(Band("x", "cpu", Span(Path("a")), **fields)) == text


@pytest.mark.parametrize(("seconds", "text"), [(0.25, "0.25 s"), (12.4, "12 s"), (150, "2.5 min")])
def test_durations_read_as_a_person_would_say_them(seconds, text):
    assert duration(seconds) == text
