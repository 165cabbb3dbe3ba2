"""A remembered book is the book: same values, same findings, fewer imports."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from fixture_book import FixtureBook
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from roadmap.check import check
from roadmap.diagnostics import Span
from roadmap.load import load
from roadmap.model import Roadmap

HEAVY = ("yaml", "pydantic", "markdown_it", "networkx", "torch", "numpy")


def loaded(book: FixtureBook, cache: Path | None) -> tuple[Roadmap, list[dict[str, Span]]]:
    """The roadmap, and the places that its comparison leaves out."""
    roadmap, found = load(book.root, cache)
    assert found == []
    assert roadmap is not None
    return roadmap, [dict(node.spans) for node in roadmap]


def imported(book: FixtureBook, cache: Path) -> set[str]:
    """Which of the heavy packages a process imports that loads and checks the book."""
    program = (
        "import sys; from pathlib import Path; from roadmap.load import load\n"
        "from roadmap.check import check\n"
        "book, cache = map(Path, sys.argv[1:3])\n"
        "check(load(book, cache)[0], cache); print(*sys.modules)"
    )
    arguments = [sys.executable, "-c", program, str(book.root), str(cache)]
    printed = subprocess.run(arguments, check=True, capture_output=True, text=True).stdout
    return set(HEAVY) & set(printed.split())


def test_cold_warm_and_uncached_are_equal(book: FixtureBook, tmp_path: Path) -> None:
    plain = loaded(book, None)
    assert loaded(book, tmp_path / "cache") == plain
    assert loaded(book, tmp_path / "cache") == plain


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        (FixtureBook.chapter, "With care.", "With much care."),
        (FixtureBook.chapter, "minutes: 10", "minutes: 11"),
        (FixtureBook.experiment, "2 * 21", "21 * 2"),
        ("roadmap.yaml", "A small book", "A tiny book"),
    ],
)
def test_an_edit_is_seen(book: FixtureBook, tmp_path: Path, file: str, old: str, new: str) -> None:
    before = loaded(book, tmp_path / "cache")
    book.edit(file, old, new)
    after = loaded(book, tmp_path / "cache")
    assert after == loaded(book, None)
    assert after != before


def test_a_line_more_in_the_front_matter_moves_every_place(
    book: FixtureBook, tmp_path: Path
) -> None:
    loaded(book, tmp_path / "cache")
    book.edit(book.chapter, "teaches:", "# a comment\nteaches:")
    assert loaded(book, tmp_path / "cache") == loaded(book, None)


def test_an_unchanged_book_imports_no_parser(book: FixtureBook, tmp_path: Path) -> None:
    assert {"yaml", "pydantic", "markdown_it"} <= imported(book, tmp_path / "cache")
    assert imported(book, tmp_path / "cache") == set()


def test_an_edited_body_imports_the_markdown_parser_alone(
    book: FixtureBook, tmp_path: Path
) -> None:
    loaded(book, tmp_path / "cache")
    book.edit(book.chapter, "With care.", "With much care.")
    assert imported(book, tmp_path / "cache") == {"markdown_it"}


def test_faults_are_found_again_from_a_warm_cache(book: FixtureBook, tmp_path: Path) -> None:
    loaded(book, tmp_path / "cache")
    book.edit(book.chapter, "{experiment}\n", "{experimant}\n")
    book.edit(book.second, "status: planned", "status: plan")
    book.write(book.experiment, book.read(book.experiment) + "x = = 1\n")
    first = load(book.root, tmp_path / "cache")[1]
    assert load(book.root, tmp_path / "cache")[1] == first
    assert sorted(d.rule for d in first) == [
        "directive-unknown",
        "experiment-syntax",
        "field-invalid",
    ]


@settings(
    max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(st.data())
def test_a_damaged_cache_is_as_good_as_none(
    book: FixtureBook, tmp_path: Path, data: st.DataObject
) -> None:
    cache = tmp_path / "cache"
    plain = loaded(book, cache)
    file = cache / "load.txt"
    raw = bytearray(file.read_bytes())
    if data.draw(st.booleans()):
        del raw[data.draw(st.integers(0, len(raw) - 1)) :]
    else:
        raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    file.write_bytes(raw)
    assert loaded(book, cache) == plain


def test_a_cache_that_cannot_be_written_is_as_good_as_none(
    book: FixtureBook, tmp_path: Path
) -> None:
    (tmp_path / "cache").write_text("a file in the folder's place", encoding="utf-8")
    assert loaded(book, tmp_path / "cache") == loaded(book, None)


def test_what_is_gone_is_forgotten(book: FixtureBook, tmp_path: Path) -> None:
    loaded(book, tmp_path / "cache")
    lines = (tmp_path / "cache" / "load.txt").read_text(encoding="utf-8").count("\n")
    book.edit(book.chapter, "With care.", "With much care.")
    loaded(book, tmp_path / "cache")
    assert (tmp_path / "cache" / "load.txt").read_text(encoding="utf-8").count("\n") == lines
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["load.txt"]


@pytest.mark.parametrize(
    ("spoil", "rule"),
    [
        (lambda book: book.edit("../lab.py", "def double", "def treble"), "source-missing"),
        (lambda book: book.path("../lab.py").unlink(), "source-missing"),
        (lambda book: book.edit("../lab.py", "def crank(", "def crank(("), "source-missing"),
    ],
)
def test_code_that_goes_away_is_missed(
    book: FixtureBook, tmp_path: Path, spoil: Callable[[FixtureBook], None], rule: str
) -> None:
    roadmap, _ = loaded(book, None)
    assert check(roadmap, tmp_path / "cache") == []
    spoil(book)
    found = check(roadmap, tmp_path / "cache")
    assert {d.rule for d in found} == {rule}
    assert len(found) == 2  # the front matter and the directive
