"""A ready chapter that lacks any one part is told which."""

from __future__ import annotations

import re

import pytest
from fixture_book import FixtureBook

from roadmap.check import check
from roadmap.load import load


def _lacks(book: FixtureBook) -> list[str]:
    roadmap, found = load(book.root)
    assert found == []
    assert roadmap is not None
    said = [d.message for d in check(roadmap) if d.rule == "chapter-incomplete"]
    return [message.partition("lacks ")[2].rstrip(".") for message in said]


@pytest.mark.parametrize("key", ["source", "tools", "compliance", "expect"])
def test_a_missing_key_is_named(book: FixtureBook, key: str) -> None:
    text = re.sub(rf"(?m)^{key}:.*\n((  ).*\n)*", "", book.read(book.chapter), count=1)
    book.write(book.chapter, text)
    assert _lacks(book) == [f"`{key}:`"]


@pytest.mark.parametrize("name", ["experiment", "cell", "source", "estimate", "compliance"])
def test_a_missing_directive_is_named(book: FixtureBook, name: str) -> None:
    text = re.sub(rf":::\{{{name}\}}.*\n:::\n", "", book.read(book.chapter), count=1)
    book.write(book.chapter, text)
    assert _lacks(book) == [f"{{{name}}}"]


@pytest.mark.parametrize("track", ["practitioner", "researcher"])
def test_a_missing_depth_is_named(book: FixtureBook, track: str) -> None:
    book.edit(book.chapter, f":::{{depth}} {track}\n", ":::{note}\n")
    assert _lacks(book) == [f"{{depth}} {track}"]


def test_a_track_that_skips_the_node_needs_no_depth(book: FixtureBook) -> None:
    for file in (book.chapter, book.second, book.third):
        book.write(file, re.sub(r"researcher: \{.*\}", "researcher: skip", book.read(file)))
    book.edit(book.chapter, ":::{depth} researcher\n", ":::{note}\n")
    assert _lacks(book) == []


def test_a_missing_experiment_is_named(book: FixtureBook) -> None:
    book.path(book.experiment).unlink()
    assert _lacks(book) == ["experiment.py"]


def test_a_planned_chapter_may_lack_everything(book: FixtureBook) -> None:
    book.edit(book.chapter, "id: first\n", "id: first\nstatus: planned\n")
    book.write(book.chapter, book.read(book.chapter).partition("## Doubling")[0])
    assert _lacks(book) == []


def test_a_chapter_that_lacks_two_parts_has_one_finding(book: FixtureBook) -> None:
    book.edit(book.chapter, ":::{estimate}\n:::\n", "")
    book.edit(book.chapter, ":::{cell} double\n:::\n", "")
    assert _lacks(book) == ["{cell}, {estimate}"]
