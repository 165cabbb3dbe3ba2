"""What the front matter says is what the node says."""

from __future__ import annotations

from datetime import date

import pytest
from fixture_book import FixtureBook

from roadmap.check import check
from roadmap.load import load
from roadmap.model import ComplianceNote, Node, Tool


def node(book: FixtureBook, node_id: str) -> Node:
    roadmap, found = load(book.root)
    assert found == []
    assert roadmap is not None
    return roadmap.node(node_id)


def test_the_fixture_book_has_no_fault(book: FixtureBook) -> None:
    roadmap, found = load(book.root)
    assert found == []
    assert roadmap is not None
    assert check(roadmap) == []


def test_every_key_arrives(book: FixtureBook) -> None:
    first = node(book, "first")
    assert (first.title, first.stage, first.status) == ("The first step", "basics", "ready")
    assert (first.summary, first.teaches) == ("Doubling a number.", ("doubling",))
    assert first.aliases == ("once-first",)
    assert first.minutes == {"beginner": 10, "practitioner": 20, "researcher": 30}
    assert first.compute == "none"
    assert first.source == ("lab:double",)
    assert first.tools == (Tool("abacus", "https://example.org/abacus", "MIT", "It counts."),)
    (note,) = first.compliance
    assert note == ComplianceNote(
        "first-risk",
        "Numbers may be wrong.",
        "Check them.",
        ("https://example.org/numbers",),
        date(2026, 6, 1),
        "lab --check",
        note.span,
    )
    assert not first.optional
    assert (node(book, "second").status, node(book, "second").experiment) == ("planned", None)


def test_a_skipped_track_has_no_minutes(book: FixtureBook) -> None:
    book.edit(book.third, "beginner: {minutes: 5}", "beginner: skip")
    assert set(node(book, "third").minutes) == {"practitioner", "researcher"}


@pytest.mark.parametrize(
    ("written", "meant"),
    [("1 GiB", 2**30), ("1.5 GiB", 3 * 2**29), ("512MiB", 2**29), ("2048 KiB", 2**21)],
)
def test_memory_is_in_bytes(book: FixtureBook, written: str, meant: int) -> None:
    book.edit(book.chapter, "memory: 2 GiB", f"memory: {written}")
    experiment = node(book, "first").experiment
    assert experiment is not None
    assert experiment.options.memory == meant


def test_what_an_experiment_needs_is_a_path_of_the_book(book: FixtureBook) -> None:
    book.edit(book.chapter, "2 GiB}", "2 GiB, needs: [box.svg, ../second/chapter.md]}")
    experiment = node(book, "first").experiment
    assert experiment is not None
    assert experiment.options.needs == (
        book.path("00-basics/first/box.svg"),
        book.path(book.second),
    )


def test_the_body_begins_after_the_front_matter(book: FixtureBook) -> None:
    chapter = node(book, "second").chapter
    assert chapter.body == "## A plan\n\nSoon.\n"
    assert chapter.body_line == book.line(book.second, "## A plan")


@pytest.mark.parametrize("end", ["---", "---\n"])
def test_a_planned_chapter_may_have_no_body(book: FixtureBook, end: str) -> None:
    head = book.read(book.third).rpartition("---\n")[0]
    book.write(book.third, head + end)
    chapter = node(book, "third").chapter
    assert chapter.body == ""
    assert load(book.root)[1] == []


def test_a_rule_in_the_body_does_not_end_the_front_matter_again(book: FixtureBook) -> None:
    book.write(book.third, book.read(book.third) + "\n---\n\nAfter.\n")
    assert node(book, "third").chapter.body.endswith("\n---\n\nAfter.\n")


def test_stages_are_numbered_in_order(book: FixtureBook) -> None:
    roadmap, _ = load(book.root)
    assert roadmap is not None
    assert [(s.id, s.number, s.folder) for s in roadmap.stages] == [
        ("basics", 0, "00-basics"),
        ("further", 1, "01-further"),
    ]
    assert roadmap.root == book.root


@pytest.mark.parametrize("end", ["", "/", "//"])
def test_the_address_of_the_site_ends_with_one_slash_however_it_is_written(
    book: FixtureBook, end: str
) -> None:
    book.edit("roadmap.yaml", "https://example.org/small/", f"https://example.org/small{end}")
    roadmap, found = load(book.root)
    assert (found, roadmap and roadmap.url) == ([], "https://example.org/small/")
