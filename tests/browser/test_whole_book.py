"""The built book itself in a real browser: every page, every link, the whole map.

It looks at `site/` of this checkout and is skipped where it is absent or older than the book.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urldefrag

import networkx as nx
import pytest

from tests.browser.test_accessibility import violations

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "site"


@pytest.fixture(scope="module")
def pages() -> list[Path]:
    """Every page of the built site."""
    found = sorted(SITE.rglob("*.html"))
    if not found:
        pytest.skip("there is no site/ here: run `make roadmap` first")
    book = [p for p in (ROOT / "content").rglob("*") if p.is_file()]
    if max(p.stat().st_mtime for p in book) > (SITE / ".roadmap.json").stat().st_mtime:
        pytest.skip("site/ is older than content/: run `make roadmap` first")
    return found


@pytest.fixture(scope="module")
def needed(pages: list[Path]) -> nx.DiGraph:
    """The `requires` edges, read from the data that the site ships."""
    text = (SITE / "assets" / "data.js").read_text(encoding="utf-8")
    data = json.loads(text[text.index("{") : text.rindex("}") + 1])
    graph = nx.DiGraph((a, b) for a, b, kind in data["edges"] if kind == "requires")
    graph.add_nodes_from(data["nodes"])
    return graph


@pytest.mark.parametrize(("width", "theme"), [(360, "dark"), (1440, "light")])
def test_every_page_is_accessible_silent_and_no_wider_than_the_screen(
    browser: Browser, pages: list[Path], width: int, theme: str
) -> None:
    context = browser.new_context(
        color_scheme=theme,  # type: ignore[arg-type]
        viewport={"width": width, "height": 900},
        reduced_motion="reduce",
    )
    page, faults = context.new_page(), []
    page.on("pageerror", lambda error: faults.append(f"{page.url}: {error}"))
    page.on("console", lambda m: m.type == "error" and faults.append(f"{page.url}: {m.text}"))
    page.on("requestfailed", lambda request: faults.append(f"{page.url}: {request.url}"))
    for path in pages:
        page.goto(path.as_uri())
        if page.evaluate("document.documentElement.scrollWidth") > width:
            faults.append(f"{path}: wider than {width} px")
        faults += [f"{path}: {found}" for found in violations(page)]
    context.close()
    assert faults == []


def test_every_link_leads_to_a_file_and_an_anchor_that_exist(pages: list[Path]) -> None:
    def anchors(path: Path) -> set[str]:
        return set(re.findall(r'\sid="([^"]+)"', path.read_text(encoding="utf-8")))

    known = {path: anchors(path) for path in pages}
    dead = []
    for path in pages:
        html = path.read_text(encoding="utf-8")
        for link in re.findall(r'\s(?:href|src)="([^"]*)"', html):
            if re.match(r"[a-z]+:", link):
                continue
            target, anchor = urldefrag(unquote(unescape(link)))
            file = (path.parent / target.partition("?")[0]).resolve() if target else path.resolve()
            file = SITE.resolve() / file.relative_to(SITE.resolve())
            if not file.is_file():
                dead.append(f"{path.relative_to(SITE)}: {link}")
            elif anchor and file.suffix == ".html":
                [here] = [ids for page, ids in known.items() if page.resolve() == file]
                if anchor not in here:
                    dead.append(f"{path.relative_to(SITE)}: {link}")
    assert dead == []


def test_pointing_at_any_step_lights_up_its_ancestors_and_descendants(
    page: Page, needed: nx.DiGraph
) -> None:
    def classed(name: str) -> set[str]:
        boxes = page.locator(f"#map-frame a.{name}")
        return set(boxes.evaluate_all("all => all.map(e => e.dataset.node)"))

    page.goto((SITE / "index.html").as_uri())
    for node in needed:
        page.locator(f'#map-frame a[data-node="{node}"]').hover()
        assert classed("lit-needs") == nx.ancestors(needed, node), node
        assert classed("lit-leads") == nx.descendants(needed, node), node


def test_the_map_begins_on_the_first_screen(page: Page, pages: list[Path]) -> None:
    page.set_viewport_size({"width": 1440, "height": 1000})
    page.goto((SITE / "index.html").as_uri())
    top = "e => e.getBoundingClientRect().top"
    assert page.locator("#map-title").evaluate(top) <= 420
    assert page.locator("#map-frame").evaluate(top) <= 500


def headings(pages: list[Path]) -> Iterator[tuple[str, str, str]]:
    """Page, anchor and text of a section of each written chapter."""
    for path in pages:
        html = path.read_text(encoding="utf-8")
        body = html[html.find('class="prose') :]
        if path.parent.name == "node" and (h := re.search(r'<h2 id="([^"]+)">([^<]{12,}?)<', body)):
            yield path.stem, h[1], unescape(h[2]).strip()


def test_searching_for_a_heading_leads_to_its_section(page: Page, pages: list[Path]) -> None:
    wanted = list(headings(pages))
    assert len(wanted) >= 5
    for name, anchor, heading in wanted:
        page.goto((SITE / "index.html").as_uri())
        page.keyboard.press("/")
        page.keyboard.type(heading)
        link = page.locator(f'#search-results a[href$="node/{name}.html#{anchor}"]')
        link.wait_for()
        assert heading in link.inner_text()
        link.click()
        page.wait_for_url(f"**/node/{name}.html#{anchor}")
        bar, place = (
            page.locator(selector).bounding_box() for selector in (".bar", f'[id="{anchor}"]')
        )
        assert bar is not None
        assert place is not None
        assert bar["y"] + bar["height"] <= place["y"] <= 900, heading
