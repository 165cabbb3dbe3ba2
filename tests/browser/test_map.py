"""The map in a real browser: what a step needs and leads to, filters, zoom, keyboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sample_site import sample_roadmap

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def classed(page: Page, name: str) -> set[str]:
    """The steps whose box has a class."""
    return set(
        page.locator(f"#map-frame a.{name}").evaluate_all("all => all.map(e => e.dataset.node)")
    )


def reach(start: str, edges: set[tuple[str, str]]) -> set[str]:
    """All that can be reached from `start`, by fixed point."""
    found = {start}
    while new := {target for source, target in edges if source in found} - found:
        found |= new
    return found - {start}


REQUIRES = {(e.source, e.target) for e in sample_roadmap().edges if e.kind == "requires"}


@pytest.mark.parametrize("node", [n.id for n in sample_roadmap()])
def test_pointing_lights_up_exactly_what_a_step_needs_and_leads_to(
    page: Page, served: str, node: str
) -> None:
    page.goto(served + "index.html")
    page.locator(f'#map-frame a[data-node="{node}"]').hover()
    needs = reach(node, {(b, a) for a, b in REQUIRES})
    leads = reach(node, REQUIRES)
    assert classed(page, "lit-needs") == needs
    assert classed(page, "lit-leads") == leads
    lit = page.locator("#map-frame path.lit-needs, #map-frame path.lit-leads")
    edges = {(a, b) for a, b in REQUIRES if {a, b} <= needs | {node} or {a, b} <= leads | {node}}
    pairs = lit.evaluate_all("all => all.map(e => [e.dataset.from, e.dataset.to])")
    assert {tuple(pair) for pair in pairs} == edges
    page.mouse.move(0, 0)
    assert classed(page, "lit-needs") == set()


def test_focus_lights_up_as_pointing_does_says_so_and_escape_clears(page: Page, root: str) -> None:
    page.goto(root + "index.html")
    page.locator("[data-zoom=fit]").focus()
    order = []
    for _ in range(6):
        page.keyboard.press("Tab")
        order.append(page.evaluate("document.activeElement.dataset.node"))
    assert order == [n.id for n in sample_roadmap()]
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    assert classed(page, "lit-self") == {"attention"}
    said = "Scaled dot-product attention needs 2 chapters (solid outline) and leads to 3 chapters"
    assert said in page.locator("#map-says").inner_text()
    page.keyboard.press("Escape")
    assert classed(page, "lit-self") == set()
    page.keyboard.press("Enter")
    page.wait_for_url("**/node/*.html")


def test_the_two_directions_differ_by_more_than_colour(page: Page, root: str) -> None:
    page.goto(root + "index.html")
    page.locator('#map-frame a[data-node="attention"]').hover()
    style = "e => getComputedStyle(e).outlineStyle"
    needs = page.locator('#map-frame a[data-node="embeddings"]').evaluate(style)
    leads = page.locator('#map-frame a[data-node="block"]').evaluate(style)
    assert (needs, leads) == ("solid", "dashed")


def test_filters_take_out_other_tracks_and_stages(page: Page, root: str) -> None:
    page.goto(root + "index.html")
    page.get_by_role("button", name="Beginner").click()
    assert classed(page, "out") == {"sharded"}
    assert page.locator('#tracks input[value="beginner"]').is_checked()
    page.get_by_role("button", name="Model", exact=True).click()
    assert classed(page, "out") == {"bytes-and-bpe", "sharded", "serving"}
    page.get_by_role("button", name="Tokens", exact=True).click()
    assert classed(page, "out") == {"sharded", "serving"}
    page.locator("[data-zoom=fit]").focus()
    reached = []
    for _ in range(5):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.dataset.node ?? ''"))
    assert reached == ["bytes-and-bpe", "embeddings", "attention", "block", ""]
    page.get_by_role("button", name="All tracks").click()
    page.get_by_role("button", name="Model", exact=True).click()
    page.get_by_role("button", name="Tokens", exact=True).click()
    assert classed(page, "out") == set()


def test_zoom_buttons_change_the_size_and_fit_shows_the_whole(page: Page, root: str) -> None:
    page.set_viewport_size({"width": 480, "height": 800})
    page.goto(root + "index.html")
    width = "() => document.querySelector('#map-frame .map').getBoundingClientRect().width"
    first = page.evaluate(width)
    page.get_by_role("button", name="Zoom in").click()
    assert page.evaluate(width) > first
    page.get_by_role("button", name="Fit").click()
    frame = page.locator("#map-frame")
    assert frame.evaluate("e => e.scrollWidth <= e.clientWidth + 1")


def test_the_list_says_the_map_in_words(page: Page, root: str) -> None:
    page.goto(root + "index.html")
    page.get_by_text("The map as a list").click()
    page.locator("details.map-list").get_by_role("link", name="Sharded training").click()
    page.wait_for_url("**/node/sharded.html")
