"""Text comes in as LF without a mark, and no path leads out of the book."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roadmap.diagnostics import Diagnostic
from roadmap.load.files import decode, escapes, read_text, relative_path

PATH = Path("/book/x.md")
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"))


@given(TEXT, st.sampled_from(["\n", "\r\n", "\r"]), st.booleans())
def test_line_ends_and_the_byte_order_mark_change_nothing(text: str, end: str, bom: bool) -> None:
    text = text.lstrip("\ufeff")
    raw = (codecs.BOM_UTF8 if bom else b"") + text.replace("\n", end).encode()
    assert decode(raw, PATH) == text


@given(TEXT, st.sampled_from(["\n", "\r\n"]), st.booleans(), st.sampled_from([b"\xff", b"\0"]))
def test_a_bad_byte_is_found_at_its_line_and_column(
    text: str, end: str, bom: bool, bad: bytes
) -> None:
    text = text.lstrip("\ufeff")
    raw = (codecs.BOM_UTF8 if bom else b"") + text.replace("\n", end).encode() + bad + b"rest\n"
    found = decode(raw, PATH)
    assert isinstance(found, Diagnostic)
    assert found.rule == "file-encoding"
    assert found.span is not None
    assert found.span.line == text.count("\n") + 1
    assert found.span.column == len(text.split("\n")[-1]) + 1


@pytest.mark.parametrize(
    "name", ["../../out.txt", "../..", "/etc/hosts", "~/x", "", "a\\b", "a/../../../x", "link/x"]
)
def test_no_relative_path_leads_out(tmp_path: Path, name: str) -> None:
    node = tmp_path / "book" / "node"
    node.mkdir(parents=True)
    (tmp_path / "away").mkdir()
    (node / "link").symlink_to(tmp_path / "away")
    assert relative_path(name, node, tmp_path / "book") is None


@pytest.mark.parametrize("name", ["x.svg", "./x.svg", "../other/x.svg", "ä ö.svg", "near/x.svg"])
def test_paths_inside_are_followed(tmp_path: Path, name: str) -> None:
    book = tmp_path / "book"
    node = book / "node"
    (book / "other").mkdir(parents=True)
    node.mkdir()
    (node / "near").symlink_to(book / "other")
    found = relative_path(name, node, book)
    assert found is not None
    assert found.resolve().is_relative_to(book.resolve())


def test_a_book_that_is_itself_a_link_is_inside_itself(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "x.md").write_text("text", encoding="utf-8")
    (tmp_path / "book").symlink_to(tmp_path / "real")
    book = tmp_path / "book"
    assert not escapes(book / "x.md", book)
    assert read_text(book / "x.md", book) == "text"


def test_a_sibling_with_the_same_beginning_is_outside(tmp_path: Path) -> None:
    assert escapes(tmp_path / "book-two" / "x", tmp_path / "book")
