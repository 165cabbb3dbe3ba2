"""The map's markup: what browsers, screen readers and the PDF are given."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pikepdf
import pytest
from pdfminer.high_level import extract_pages
from pdfminer.layout import LTChar

from roadmap.model import Node, Roadmap
from roadmap.render.graph import graph
from roadmap.render.layout import layout
from roadmap.render.map import map_html, map_list

TEMPLATES = Path(__file__).resolve().parents[3] / "templates"
CSS = (TEMPLATES / "assets" / "css" / "map.css").read_text(encoding="utf-8")
FONTS = TEMPLATES / "fonts"
FACES = "".join(
    f'@font-face{{font-family:"Source Sans 3";font-weight:{weight};'
    f"src:url({(FONTS / name).as_uri()})}}"
    for weight, name in ((400, "SourceSans3-Regular.ttf"), (600, "SourceSans3-SemiBold.ttf"))
)


class Reader(HTMLParser):
    """Notes every element with its attributes and parent, and the text of each link."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str], str]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        parent = self.open[-1] if self.open else ""
        self.elements.append((tag, {k: v or "" for k, v in attrs}, parent))
        self.open.append(tag)
        if tag == "a":
            self.texts.append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "a" in self.open:
            self.texts[-1] += data

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attrs for name, attrs, _ in self.elements if name == tag]


@pytest.fixture(scope="session")
def roadmap(road: Any) -> Roadmap:
    made: Roadmap = road(
        {"a": [], "b": ["a"], "c": ["a", "b"], "d": ["c"], "e": ["b"]},
        recommends={"e": ["d"]},
        titles={
            "a": "What is a language model?",
            "b": 'Tags <b> & "quotes"',
            "c": "Learning rate and clipping",
            "d": "LoRA",
            "e": "Multi-head attention and GQA",
        },
        stages={"d": "second", "e": "second"},
        planned=["b", "e"],
        optional=["d", "e"],
    )
    return made


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("layouts")


def href(node: Node) -> str:
    return f"#node-{node.id}"


def test_every_node_is_one_link_of_bare_text_in_rows_from_top_to_bottom(
    roadmap: Roadmap, cache: Path
) -> None:
    placed = layout(roadmap, cache)
    for medium in ("site", "print"):
        read = Reader(map_html(roadmap, placed, href, medium))
        links = read.all("a")
        assert [a["data-node"] for a in links] == [b.node for b in placed.boxes]
        assert [a["href"] for a in links] == [f"#node-{b.node}" for b in placed.boxes]
        assert "a" not in {parent for _, _, parent in read.elements}
        for link, text in zip(links, read.texts, strict=True):
            assert text.replace("\n", " ") == roadmap.node(link["data-node"]).title
        places = [re.findall(r"(?:top|height):([\d.]+)%", link["style"]) for link in links]
        rows = [round(float(top) + float(height) / 2, 1) for top, height in places]
        assert rows == sorted(rows)


def test_planned_and_optional_nodes_say_so_in_class_and_in_name(
    roadmap: Roadmap, cache: Path
) -> None:
    for link in Reader(map_html(roadmap, layout(roadmap, cache), href, "site")).all("a"):
        node, classes = roadmap.node(link["data-node"]), link["class"].split()
        for word, holds in (("planned", node.status == "planned"), ("optional", node.optional)):
            assert (word in classes) == holds
            assert (f", {word}" in link["aria-label"]) == holds
        assert link["aria-label"].startswith(node.title)
        assert roadmap.stage(node.stage).title in link["aria-label"]


def test_the_site_draws_each_reduced_edge_with_its_ends_in_data(
    roadmap: Roadmap, cache: Path
) -> None:
    read = Reader(map_html(roadmap, layout(roadmap, cache), href, "site"))
    drawn = {(e.source, e.target, e.kind) for e in graph(roadmap).drawn}
    for tag in ("path", "polygon"):
        found = [(e["data-from"], e["data-to"], e["data-kind"]) for e in read.all(tag)]
        assert len(found) == len(drawn)
        assert set(found) == drawn
    (svg,) = read.all("svg")
    assert svg["aria-hidden"] == "true"


def test_print_has_the_same_edges_as_a_background_and_no_svg_element(
    roadmap: Roadmap, cache: Path
) -> None:
    placed = layout(roadmap, cache)
    read = Reader(map_html(roadmap, placed, href, "print"))
    assert not read.all("svg")
    (nav,) = read.all("nav")
    data = re.search(r"base64,([A-Za-z0-9+/=]+)", nav["style"])
    assert data
    svg = ET.fromstring(base64.b64decode(data[1]))
    paths = svg.findall(".//{http://www.w3.org/2000/svg}path")
    site = Reader(map_html(roadmap, placed, href, "site"))
    assert [p.get("d") for p in paths] == [p["d"] for p in site.all("path")]


def test_nodes_that_are_not_asked_for_are_drawn_but_lead_nowhere(
    roadmap: Roadmap, cache: Path
) -> None:
    read = Reader(map_html(roadmap, layout(roadmap, cache), href, "site", ["a", "c"]))
    assert {a["data-node"] for a in read.all("a")} == {"a", "c"}
    assert {s["data-node"] for s in read.all("span")} == {"b", "d", "e"}


def test_a_map_in_focus_marks_what_lies_outside(roadmap: Roadmap, cache: Path) -> None:
    placed = layout(roadmap, cache, focus=["d", "e"])
    html = map_html(roadmap, placed, href, "site", focus=["d", "e"])
    marked = {a["data-node"] for a in Reader(html).all("a") if "outside" in a["class"].split()}
    assert marked == {"a", "b", "c"}
    assert "in another stage" in html


def test_the_list_says_every_node_and_every_edge_in_words(roadmap: Roadmap) -> None:
    html = map_list(roadmap, href)
    read = Reader(html)
    assert [a["href"] for a in read.all("a")] == [href(n) for n in roadmap]
    items = {i.split('"')[1]: i for i in html.split("<li><a href=")[1:]}
    for node in roadmap:
        said = unescape(items[href(node)].split("</a>")[1].split("</li>")[0])
        for other in roadmap:
            assert (other.title in said) == (other.id in (*node.requires, *node.recommends))
        assert ("planned" in said) == (node.status == "planned")
        assert ("optional" in said) == node.optional


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_text_and_borders_have_enough_contrast_in_light_dark_and_print() -> None:
    tokens = (TEMPLATES / "assets" / "css" / "tokens.css").read_text(encoding="utf-8")
    paper = re.search(r"--paper: light-dark\((#\w{6}), (#\w{6})\)", tokens)
    ink = re.search(r"color: light-dark\((#\w{6}), (#\w{6})\)", CSS)
    assert paper
    assert ink
    fills = re.findall(r"--stage-fill: light-dark\((#\w{6}), (#\w{6})\)", CSS)
    lines = re.findall(r"--stage-line: light-dark\((#\w{6}), (#\w{6})\)", CSS)
    assert len(fills) == len(lines) == 9
    for theme in (0, 1):
        for fill, line in zip(fills, lines, strict=True):
            assert contrast(fill[theme], ink[theme + 1]) >= 4.5
            assert contrast(fill[theme], line[theme]) >= 3
            assert contrast(paper[theme + 1], line[theme]) >= 3
    printed = re.findall(r"--stage-fill: (#\w{6}); --stage-line: (#\w{6})", CSS)
    assert printed == [(f[0], line[0]) for f, line in zip(fills, lines, strict=True)]
    edges = re.findall(r"(?<!-)(?:stroke|fill): light-dark\((#\w{6}), (#\w{6})\)", CSS)
    for theme in (0, 1):
        assert all(contrast(paper[theme + 1], edge[theme]) >= 3 for edge in edges)


def page(roadmap: Roadmap, cache: Path, medium: Any) -> str:
    placed = layout(roadmap, cache)
    chapters = "".join(
        f'<section style="break-before:page"><h2 id="node-{n.id}">'
        f"{n.title.replace('&', '&amp;').replace('<', '&lt;')}</h2></section>"
        for n in roadmap
    )
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Map</title><style>'
        f"{FACES}{CSS}@page{{size:A4;margin:16mm}}</style></head><body><main><h1>Map</h1>"
        f"{map_html(roadmap, placed, href, medium)}{chapters}</main></body></html>"
    )


def characters(item: Any) -> Iterator[LTChar]:
    if isinstance(item, LTChar):
        yield item
    elif hasattr(item, "__iter__"):
        for part in item:
            yield from characters(part)


def letters(text: str) -> str:
    return "".join(c for c in text if c.isalnum())


def test_in_the_pdf_each_link_covers_its_label_and_lands_on_the_page_with_its_title(
    roadmap: Roadmap, cache: Path, tmp_path: Path
) -> None:
    from weasyprint import HTML

    out = tmp_path / "map.pdf"
    HTML(string=page(roadmap, cache, "print")).write_pdf(out, pdf_variant="pdf/ua-1")
    found = [list(characters(p)) for p in extract_pages(out)]
    text = ["".join(c.get_text() for c in chars) for chars in found]
    seen = []
    with pikepdf.open(out) as pdf:
        number = {p.objgen: i for i, p in enumerate(pdf.pages)}
        names = pdf.Root.Names.Dests.Names
        where = {str(names[i]): names[i + 1] for i in range(0, len(names), 2)}
        for annotation in pdf.pages[0].Annots:
            x0, y0, x1, y1 = (float(v) for v in annotation.Rect)
            low, high = sorted((y0, y1))
            under = "".join(
                c.get_text()
                for c in found[0]
                if x0 <= (c.x0 + c.x1) / 2 <= x1 and low <= (c.y0 + c.y1) / 2 <= high
            )
            name = str(annotation.Dest)
            title = roadmap.node(name.removeprefix("node-")).title
            assert letters(under) == letters(title)
            assert letters(title) in letters(text[number[where[name][0].objgen]])
            seen.append(name)
    assert sorted(seen) == sorted(f"node-{n.id}" for n in roadmap)


@pytest.mark.browser
def test_in_the_browser_each_label_lies_inside_its_box_and_boxes_are_where_graphviz_put_them(
    roadmap: Roadmap, cache: Path, tmp_path: Path
) -> None:
    playwright = pytest.importorskip("playwright.sync_api")
    chromium = Path("/usr/bin/chromium")
    if not chromium.exists():
        pytest.skip("no Chromium at /usr/bin/chromium")
    file = tmp_path / "map.html"
    file.write_text(page(roadmap, cache, "site"), encoding="utf-8")
    measure = """() => {
      const box = (r) => [r.left, r.top, r.right, r.bottom];
      const map = box(document.querySelector(".map").getBoundingClientRect());
      return [map, [...document.querySelectorAll(".map a")].map((a) => {
        const range = document.createRange();
        range.selectNodeContents(a);
        return [a.dataset.node, box(a.getBoundingClientRect()), box(range.getBoundingClientRect())];
      })];
    }"""
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=str(chromium), args=["--no-sandbox", "--disable-gpu", "--no-first-run"]
        )
        tab = browser.new_page()
        tab.goto(file.as_uri())
        tab.evaluate("() => document.fonts.ready")
        (left, top, right, _), boxes = tab.evaluate(measure)
        browser.close()
    placed = layout(roadmap, cache)
    scale = (right - left) / placed.width
    for (node, box, text), expected in zip(boxes, placed.boxes, strict=True):
        assert node == expected.node
        assert box[0] - left == pytest.approx(expected.left * scale, abs=0.5)
        assert box[1] - top == pytest.approx(expected.top * scale, abs=0.5)
        assert box[0] <= text[0] <= text[2] <= box[2]
        assert box[1] <= text[1] <= text[3] <= box[3]
