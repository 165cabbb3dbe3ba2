"""Reading a PDF with tools that did not write it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pikepdf
from pdfminer.high_level import extract_pages
from pdfminer.layout import LAParams, LTChar


@dataclass(frozen=True)
class Char:
    """One drawn character: its text, where its box lies, its size in points and its font."""

    text: str
    left: float
    bottom: float
    right: float
    top: float
    size: float
    font: str

    def inside(self, rectangle: tuple[float, float, float, float]) -> bool:
        x, y = (self.left + self.right) / 2, (self.bottom + self.top) / 2
        return rectangle[0] <= x <= rectangle[2] and rectangle[1] <= y <= rectangle[3]


@dataclass(frozen=True)
class Link:
    """A link inside the document: where it can be clicked and where it leads, pages from 0."""

    page: int
    rectangle: tuple[float, float, float, float]
    name: str
    target: int
    says: str


@cache
def characters(path: Path) -> tuple[tuple[Char, ...], ...]:
    """The characters of each page, in the order in which they are drawn."""

    def walk(item: Any) -> Iterator[Char]:
        if isinstance(item, LTChar):
            yield Char(
                item.get_text(), item.x0, item.y0, item.x1, item.y1, item.size, item.fontname
            )
        elif hasattr(item, "__iter__"):
            for inner in item:
                yield from walk(inner)

    pages = extract_pages(path, laparams=LAParams(all_texts=True, boxes_flow=None))
    return tuple(tuple(walk(page)) for page in pages)


def page_text(path: Path, page: int) -> str:
    return "".join(c.text for c in characters(path)[page])


def squeezed(text: str) -> str:
    """Letters and digits alone, in lower case: how a title reads whatever its line breaks."""
    return "".join(c for c in text.lower() if c.isalnum())


def links(path: Path) -> list[Link]:
    with pikepdf.open(path) as pdf:
        places = {page.objgen: number for number, page in enumerate(pdf.pages)}
        names = pdf.Root.Names.Dests.Names
        named = {str(names[i]): names[i + 1] for i in range(0, len(names), 2)}
        found = []
        for number, page in enumerate(pdf.pages):
            for a in page.get("/Annots", []):
                if a.Subtype == "/Link" and "/Dest" in a:
                    x1, y1, x2, y2 = (float(v) for v in a.Rect)
                    name = str(a.Dest)
                    target = places[named[name][0].objgen]
                    found.append(Link(number, (x1, y1, x2, y2), name, target, str(a.Contents)))
        return found


def mono_lines(path: Path, size: float) -> list[str]:
    """The lines set in the code's font at `size`, with the indentation that their places show."""
    lines: list[str] = []
    for page in characters(path):
        code = [c for c in page if "JetBrains" in c.font and abs(c.size - size) < 0.05]
        rows: dict[int, list[Char]] = {}
        for c in code:
            rows.setdefault(round(c.bottom), []).append(c)
        left = min((c.left for c in code), default=0.0)
        for _, row in sorted(rows.items(), reverse=True):
            advance = max(c.right - c.left for c in row)
            text = ""
            for c in sorted(row, key=lambda c: c.left):
                text = text.ljust(round((c.left - left) / advance)) + c.text
            lines.append(text.rstrip())
    return lines
