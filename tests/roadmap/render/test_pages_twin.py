"""Markdown twins say what the page says, in plain CommonMark."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from fixture_book import FixtureBook
from markdown_it import MarkdownIt

from roadmap.load import load
from roadmap.model import CellOutput, Node, Outcome
from roadmap.render.pages_site import Site, site_context
from roadmap.render.twin import twin

OUTCOME = Outcome(
    node="first",
    status="ok",
    components={},
    machine="cpu",
    cells=(CellOutput("double", "fine ```\n", "", ("<svg/>",), (("answer", 42.0),), 0.1),),
    seconds=0.25,
    peak_bytes=2**28,
    ran_on=date(2026, 11, 20),
)


def loaded(book: FixtureBook) -> tuple[Site, Node]:
    roadmap, diagnostics = load(book.root)
    assert roadmap is not None, diagnostics
    return site_context(roadmap), roadmap.node("first")


def test_nothing_of_our_own_syntax_is_left(book: FixtureBook) -> None:
    site, node = loaded(book)
    (text,) = twin(site, node, {"first": OUTCOME}).values()
    assert text.startswith("# The first step\n\n> Doubling a number.\n")
    for own in (":::", "{value}", "{cell}", "node:", "stage:", "track:", ".html", "box.svg"):
        assert own not in text, own


def test_values_links_and_figures_are_filled_in(book: FixtureBook) -> None:
    site, node = loaded(book)
    (text,) = twin(site, node, {"first": OUTCOME}).values()
    assert "Twice 21 is 42. See [the second step](../node/second.md#a-plan)" in text
    assert "[Doubling](#doubling)" in text
    assert "[the stage](../stage/basics.md)" in text
    assert "*Figure: A box*" in text
    assert "| `answer` | 42 | 42 ± 0.5 |" in text
    assert "**Practitioner and deeper**" in text
    assert "**Researcher**" in text
    assert "- **Numbers may be wrong.** Check them." in text


def test_code_blocks_are_the_code_that_ran_and_what_it_printed(book: FixtureBook) -> None:
    site, node = loaded(book)
    (text,) = twin(site, node, {"first": OUTCOME}).values()
    fences = {
        token.info: token.content
        for token in MarkdownIt().parse(text)
        if token.type == "fence" and "def double" not in token.content
    }
    assert node.experiment is not None
    cell = node.experiment.cell("double")
    assert cell is not None
    assert fences["python"].strip() == cell.source.strip()
    assert fences["text"] == "fine ```\n"


@pytest.mark.parametrize("kind", ["note", "warning"])
def test_admonitions_become_quotes_with_their_blocks_inside(book: FixtureBook, kind: str) -> None:
    body = (
        f"Twice 21 is\n\n::::{{{kind}}} Mind\nOne.\n\n:::{{cell}} double\n:::\n::::\n\nAfter\n\nof"
    )
    book.edit(book.chapter, "Twice 21 is", body)
    site, node = loaded(book)
    (text,) = twin(site, node, {"first": OUTCOME}).values()
    tokens = MarkdownIt().parse(text)
    opened = [i for i, t in enumerate(tokens) if t.type == "blockquote_open"][1]
    closed = [i for i, t in enumerate(tokens) if t.type == "blockquote_close"][1]
    inside = [t.content for t in tokens[opened:closed] if t.content]
    assert inside[0] == "**Mind**"
    assert inside[1] == "One."
    assert any("report(answer" in content for content in inside)
    assert "After" not in inside


def test_code_that_looks_like_our_syntax_is_left_alone(book: FixtureBook) -> None:
    sample = "```markdown\n:::{note}\n{value}`answer`\n[x](node:second)\n:::\n```"
    book.edit(book.chapter, "Twice 21 is", f"{sample}\n\nTwice 21 is")
    site, node = loaded(book)
    (text,) = twin(site, node, {"first": OUTCOME}).values()
    assert sample in text


def test_without_a_run_the_twin_says_so(book: FixtureBook) -> None:
    site, node = loaded(book)
    (text,) = twin(site, node, {}).values()
    assert "Not run in this build." in text


def test_a_planned_step_says_that_it_is_planned(book: FixtureBook) -> None:
    site, _ = loaded(book)
    node = site.roadmap.node("second")
    (text,) = twin(site, replace(node, recommends=("first",)), {}).values()
    assert "**Planned: this chapter is not written yet.**" in text
    assert "- Needs: [The first step](first.md)" in text
    assert "- Helpful: [The first step](first.md)" in text
