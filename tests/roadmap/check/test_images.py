"""An image is what its name says, and as part of a page does nothing but show."""

from __future__ import annotations

from pathlib import Path

import pytest
from fixture_book import BOX, FixtureBook

from roadmap.check import check
from roadmap.diagnostics import Diagnostic
from roadmap.load import load

SVG = "00-basics/first/box.svg"
HEAD = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'
# The smallest images that Pillow writes.
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55"
    "0000000a49444154789c6360000000020001e221bc330000000049454e44ae426082"
)


def findings(book: FixtureBook, cache: Path | None = None) -> list[Diagnostic]:
    roadmap, found = load(book.root)
    assert found == []
    assert roadmap is not None
    return check(roadmap, cache)


@pytest.mark.parametrize(
    "text",
    [
        BOX,
        f'<?xml version="1.0" encoding="utf-8"?>\n{BOX}',
        "\ufeff" + BOX,
        f'{HEAD}<defs><g id="a"/></defs><use href="#a"/><use xlink:href="#a"/></svg>',
        f'{HEAD}<title>größe</title><text fill="currentColor">on</text></svg>',
        f'{HEAD}<image href="data:image/png;base64,AAAA"/></svg>',
    ],
)
def test_pictures_are_silent(book: FixtureBook, text: str) -> None:
    book.write(SVG, text)
    assert findings(book) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<svg></svg>", "not an SVG"),
        ('<html xmlns="http://www.w3.org/1999/xhtml"/>', "not an SVG"),
        (f"{HEAD}<script>alert(1)</script></svg>", "<script> runs code"),
        (f"{HEAD}<g><foreignObject/></g></svg>", "<foreignObject> holds HTML"),
        (f"{HEAD}<style>*{{color:red}}</style></svg>", "<style>"),
        (f'{HEAD}<g onclick="x()"/></svg>', "<g onclick> runs code"),
        (f'{HEAD}<use href="https://example.org/x.svg#a"/></svg>', "leads to"),
        (f'{HEAD}<a xlink:href="javascript:x()"/></svg>', "leads to"),
        (f'<!DOCTYPE svg [<!ENTITY a "aaaa">]>{HEAD}</svg>', "document type"),
    ],
)
def test_what_would_do_more_than_show_is_refused(book: FixtureBook, text: str, said: str) -> None:
    book.write(SVG, text)
    (only,) = findings(book)
    assert only.rule == "image-invalid"
    assert said in only.message
    assert only.span is not None
    assert only.span.line == book.line(book.chapter, "box.svg")


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [("", 1, 1), (f"{HEAD}\n<path</svg>", 2, 6), (f"{HEAD}\n\n</g>", 3, 3), ("nothing", 1, 1)],
)
def test_what_is_not_xml_is_found_at_its_place(
    book: FixtureBook, text: str, line: int, column: int
) -> None:
    book.write(SVG, text)
    (only,) = findings(book)
    assert only.rule == "image-invalid"
    assert only.span is not None
    assert (only.span.path, only.span.line, only.span.column) == (book.path(SVG), line, column)


@pytest.mark.parametrize("raw", [BOX.encode("utf-16"), BOX.replace("M1", "\xe9").encode("latin1")])
def test_what_is_not_utf_8_is_refused(book: FixtureBook, raw: bytes) -> None:
    book.path(SVG).write_bytes(raw)
    (only,) = findings(book)
    assert only.rule == "file-encoding"
    assert only.span is not None
    assert only.span.path == book.path(SVG)


def test_an_image_that_may_not_be_read_is_a_finding(
    book: FixtureBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    roadmap, _ = load(book.root)
    assert roadmap is not None
    read = Path.read_bytes

    def refuse(path: Path) -> bytes:
        if path.suffix == ".svg":
            raise PermissionError(13, "Permission denied", str(path))
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    (only,) = check(roadmap)
    assert only.rule == "image-invalid"
    assert "Permission denied" in only.message


@pytest.mark.parametrize("name", ["x.png", "x.jpg", "x.jpeg"])
def test_a_photo_is_known_by_its_first_bytes(book: FixtureBook, name: str) -> None:
    book.edit(book.chapter, "(box.svg)", f"({name})")
    book.write(f"00-basics/first/{name}", "no image")
    assert [d.rule for d in findings(book)] == ["image-invalid"]
    good = PNG if name == "x.png" else b"\xff\xd8\xff\xe0\x00\x10JFIF"
    book.path(f"00-basics/first/{name}").write_bytes(good)
    assert findings(book) == []


def test_the_cache_tells_images_apart(book: FixtureBook, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    assert findings(book, cache) == []
    book.write(SVG, "<svg/>")
    assert [d.rule for d in findings(book, cache)] == ["image-invalid"]
    assert [d.rule for d in findings(book, cache)] == ["image-invalid"]
    book.write(SVG, BOX)
    assert findings(book, cache) == []
    book.path("00-basics/first/box.png").write_bytes(BOX.encode())
    book.edit(book.chapter, "(box.svg)", "(box.png)")
    assert [d.rule for d in findings(book, cache)] == ["image-invalid"]
