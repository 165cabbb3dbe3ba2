"""One fault planted in a valid book, and the one finding that must come of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fixture_book import FixtureBook

from roadmap.diagnostics import Diagnostic


@dataclass(frozen=True, slots=True)
class Fault:
    """`plant` spoils a book. `under` is the text that the caret must stand under, if any is shown.

    The line is the first that holds `near`, or else `under`.
    """

    name: str
    plant: Callable[[FixtureBook], object]
    rule: str
    file: str
    under: str
    near: str = ""
    hint: str = ""

    def assert_only(self, found: Sequence[Diagnostic], book: FixtureBook) -> None:
        """The one finding has the right rule, place and hint."""
        assert [d.rule for d in found] == [self.rule], found
        (only,) = found
        assert only.span is not None
        assert only.span.path == book.path(self.file)
        place = self.near or self.under
        assert only.span.line == (book.line(self.file, place) if place else 1)
        if self.under:
            text = only.span.path.read_bytes().decode("utf-8-sig", errors="replace")
            line = text.split("\n")[only.span.line - 1]
            begin = only.span.column - 1
            assert line[begin : begin + only.span.length] == self.under
        assert self.hint in only.hint


def edit(file: str, old: str, new: str) -> Callable[[FixtureBook], None]:
    """Plants a fault by replacing text that stands once in a file."""
    return lambda book: book.edit(file, old, new)


def append(file: str, text: str) -> Callable[[FixtureBook], None]:
    """Plants a fault at the end of a file."""
    return lambda book: book.write(file, book.read(file) + text)
