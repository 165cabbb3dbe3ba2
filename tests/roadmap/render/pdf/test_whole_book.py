"""The PDFs of the built book itself, read with tools that did not write them.

They look at `site/` of this checkout and are skipped where it is absent or older than the book.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from roadmap.load import load
from roadmap.load.symbols import find_symbol
from roadmap.model import Node, Roadmap
from tests.roadmap.render.pdf.pdf_reading import Char, characters, links, page_text, squeezed
from tests.roadmap.render.pdf.ua_rules import check

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[4]
SITE = ROOT / "site"
CODE_SIZES = (7.5, 7.4)  # of templates/print/print.css: code in the text, code in a {depth}


@dataclass(frozen=True)
class Edition:
    """The PDF of one track, and the book that it was made from."""

    path: Path
    track: str
    roadmap: Roadmap

    def titles(self) -> dict[str, str]:
        return {f"node-{n.id}": n.title for n in self.roadmap.in_track(self.track)}


@pytest.fixture(scope="module")
def editions() -> list[Edition]:
    """The PDF of every track."""
    pdfs = sorted(SITE.glob("*.pdf"))
    if not pdfs:
        pytest.skip("there is no site/ with PDFs here: run `make roadmap` first")
    book = [p for p in (ROOT / "content").rglob("*") if p.is_file()]
    if max(p.stat().st_mtime for p in book) > min(p.stat().st_mtime for p in pdfs):
        pytest.skip("site/ is older than content/: run `make roadmap` first")
    roadmap, found = load(ROOT / "content")
    assert roadmap is not None, found
    made = [Edition(path, path.stem.rpartition("-")[2], roadmap) for path in pdfs]
    assert {e.track for e in made} == {t.id for t in roadmap.tracks}
    return made


@pytest.mark.skipif(shutil.which("qpdf") is None, reason="qpdf is absent")
def test_qpdf_finds_nothing(editions: list[Edition]) -> None:
    for edition in editions:
        ran = subprocess.run(["qpdf", "--check", edition.path], capture_output=True, text=True)
        assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_rules_of_pdf_ua_find_nothing(editions: list[Edition]) -> None:
    for edition in editions:
        assert check(edition.path) == [], edition.track


def test_each_map_link_covers_its_label_and_lands_on_the_page_with_its_title(
    editions: list[Edition],
) -> None:
    for edition in editions:
        path, titles, seen = edition.path, edition.titles(), links(edition.path)
        [map_page] = {link.target for link in seen if link.name == "map"}
        on_map = [a for a in seen if a.page == map_page and a.name.startswith("node-")]
        assert sorted(a.name for a in on_map) == sorted(titles)
        for link in on_map:
            label = "".join(c.text for c in characters(path)[map_page] if c.inside(link.rectangle))
            assert squeezed(label) == squeezed(titles[link.name])
            assert squeezed(titles[link.name]) in squeezed(page_text(path, link.target))


def test_every_link_inside_has_words_below_it_that_can_be_clicked(editions: list[Edition]) -> None:
    for edition in editions:
        for link in links(edition.path):
            page = characters(edition.path)[link.page]
            assert any(c.inside(link.rectangle) for c in page), (edition.track, link)


def test_printed_page_numbers_are_the_pages_that_the_links_lead_to(editions: list[Edition]) -> None:
    for edition in editions:
        checked = 0
        for link in links(edition.path):
            page = characters(edition.path)[link.page]
            label = "".join(c.text for c in page if c.inside(link.rectangle))
            if number := re.search(r"p\.(\d+)", "".join(label.split())):
                assert int(number[1]) == link.target + 1, (edition.track, link)
                checked += 1
        assert checked >= 20


def test_links_out_of_the_document_are_addresses_on_the_web(editions: list[Edition]) -> None:
    for edition in editions:
        with pikepdf.open(edition.path) as pdf:
            for page in pdf.pages:
                for a in page.get("/Annots", []):
                    if a.Subtype == "/Link" and "/A" in a:
                        assert re.match(r"https?://[^/\s]+\.", str(a.A.URI)), str(a.A.URI)


def test_the_outline_names_every_stage_and_step(editions: list[Edition]) -> None:
    def titles(items: Any) -> Iterator[str]:
        for item in items:
            yield str(item.title)
            yield from titles(item.children)

    for edition in editions:
        with pikepdf.open(edition.path) as pdf, pdf.open_outline() as outline:
            found = {title.removesuffix(" (planned)") for title in titles(outline.root)}
        assert set(edition.titles().values()) <= found
        assert {stage.title for stage in edition.roadmap.stages} <= found


def test_attachments_are_the_downloads_of_the_site_byte_for_byte(editions: list[Edition]) -> None:
    for edition in editions:
        with pikepdf.open(edition.path) as pdf:
            files = {name: spec.get_file().read_bytes() for name, spec in pdf.attachments.items()}
        wanted = [n.id for n in edition.roadmap.in_track(edition.track) if n.experiment]
        assert sorted(files) == sorted(f"{n}{end}" for n in wanted for end in (".py", ".ipynb"))
        for name, data in files.items():
            assert data == (SITE / "downloads" / name).read_bytes(), (edition.track, name)


def test_no_line_runs_off_its_page_and_no_page_is_all_but_empty(editions: list[Edition]) -> None:
    for edition in editions:
        for number, page in enumerate(characters(edition.path), 1):
            assert all(c.right < 595 - 30 and c.left > 30 for c in page if c.text.strip()), number
            body = "".join(c.text for c in page if 60 < c.bottom < 780)
            assert len(squeezed(body)) > 40, (edition.track, number, body)


@dataclass(frozen=True)
class Line:
    """A line of code as it is drawn: its page, the column it begins at and its signs from there."""

    page: int
    column: float
    text: str


@cache
def drawn(path: Path, size: float) -> list[Line]:
    """The lines that are set in the code's font at exactly `size`, top to bottom."""
    lines = []
    for number, page in enumerate(characters(path)):
        exact = [c for c in page if abs(c.size - size) < 0.004]
        rows: dict[int, list[Char]] = {}
        for c in exact:
            if "JetBrains" in c.font:
                rows.setdefault(round(c.bottom), []).append(c)
        for c in exact:  # a sign that only another font has
            near = min(rows, key=lambda row: abs(row - c.bottom), default=None)
            if "JetBrains" not in c.font and near is not None and abs(near - c.bottom) < size / 2:
                rows[near].append(c)
        for _, row in sorted(rows.items(), reverse=True):
            row.sort(key=lambda c: c.left)
            advance, text = max(c.right - c.left for c in row), ""
            for c in row:
                text = text.ljust(round((c.left - row[0].left) / advance)) + c.text
            blank = len(text) - len(text.lstrip())
            lines.append(Line(number, row[0].left / advance + blank, text.strip()))
    return [line for line in lines if line.text]


def printed(code: str, path: Path) -> bool:
    """Whether the PDF shows `code`, line by line, sign by sign, with its indentation.

    Empty lines draw nothing. A block may go on over pages whose margins differ.
    """
    wanted = [line.rstrip() for line in code.split("\n") if line.strip()]
    texts = [line.strip() for line in wanted]
    indents = [len(line) - len(line.lstrip()) for line in wanted]
    for lines in (drawn(path, size) for size in CODE_SIZES):
        for start in range(len(lines) - len(wanted) + 1):
            block = lines[start : start + len(wanted)]
            if [line.text for line in block] == texts:
                shifts = [(b.page, b.column - i) for b, i in zip(block, indents, strict=True)]
                return all(abs(a - b) < 0.5 or p != q for (p, a), (q, b) in pairwise(shifts))
    return False


def quoted(node: Node, roadmap: Roadmap, track: str) -> Iterator[tuple[str, str]]:
    """What the chapter shows of code on a track: what it is called and its text."""
    order = [t.id for t in roadmap.tracks]
    open_at: list[tuple[int, bool]] = []
    hidden: set[int] = set()
    for number, line in enumerate(node.chapter.body.split("\n"), node.chapter.body_line):
        if fence := re.match(r"(:{3,})\{(\w+)\}\s*(\w*)", line):
            deeper = fence[2] == "depth" and order.index(fence[3]) > order.index(track)
            open_at.append((len(fence[1]), deeper))
        elif (close := re.fullmatch(r"(:{3,})\s*", line)) and open_at:
            while open_at and open_at[-1][0] <= len(close[1]):
                if open_at.pop()[0] == len(close[1]):
                    break
        if any(deeper for _, deeper in open_at):
            hidden.add(number)
    for use in node.chapter.uses:
        if use.span.line in hidden:
            continue
        if use.name == "cell" and use.options.get("show", "both") != "output":
            assert node.experiment is not None
            cell = node.experiment.cell(use.argument)
            assert cell is not None
            yield use.argument, cell.source
        elif use.name == "source":
            symbol = find_symbol(ROOT, use.argument)
            assert symbol is not None
            yield use.argument, symbol.text(docstring=use.options.get("docstring") != "hide")


def test_all_code_copied_out_of_a_pdf_equals_its_source(editions: list[Edition]) -> None:
    for edition in editions:
        ready = [n for n in edition.roadmap.in_track(edition.track) if n.status == "ready"]
        shown = [block for n in ready for block in quoted(n, edition.roadmap, edition.track)]
        assert len(shown) > 10
        missing = [name for name, code in shown if not printed(code, edition.path)]
        assert missing == [], edition.track
