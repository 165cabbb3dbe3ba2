from __future__ import annotations

from fixture_book import FixtureBook

from roadmap.check import check
from roadmap.load import load


def test_the_fixture_book_has_no_fault(book: FixtureBook) -> None:
    roadmap, found = load(book.root)
    assert found == []
    assert roadmap is not None
    assert check(roadmap) == []
