"""axe-core finds nothing on any kind of page: light and dark, narrow and wide, open and closed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

AXE = Path(__file__).with_name("vendor") / "axe.min.js"
PAGES = (
    "index.html",
    "progress.html",
    "node/attention.html",
    "node/sharded.html",
    "stage/model.html",
    "track/beginner.html",
)
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def violations(page: Page) -> list[str]:
    """What axe-core finds on the page as it now stands."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate(
        "tags => axe.run(document, {runOnly: tags, resultTypes: ['violations'], preload: false})",
        RULES,
    )
    return [
        f"{v['id']}: {node['html'][:200]} {node['failureSummary']}"
        for v in found["violations"]
        for node in v["nodes"]
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_axe_finds_nothing_on_any_page(
    browser: Browser, site_folder: Path, theme: str, width: int
) -> None:
    context = browser.new_context(
        color_scheme=theme,  # type: ignore[arg-type]
        viewport={"width": width, "height": 900},
        reduced_motion="reduce",
    )
    page = context.new_page()
    for path in PAGES:
        page.goto((site_folder / path).as_uri())
        assert violations(page) == [], path
    context.close()


def test_axe_finds_nothing_in_what_opens(page: Page, site_folder: Path) -> None:
    page.set_viewport_size({"width": 360, "height": 800})
    page.goto((site_folder / "node" / "attention.html").as_uri())
    page.get_by_role("button", name="Contents").click()
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.get_by_role("button", name="On this page").click()
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Search").click()
    page.keyboard.type("the")
    page.locator("#search-results a").first.wait_for()
    assert violations(page) == []
    page.goto((site_folder / "progress.html").as_uri())
    page.get_by_role("button", name="Reset").click()
    assert violations(page) == []


def test_the_checker_would_find_a_fault(page: Page, site_folder: Path) -> None:
    page.goto((site_folder / "index.html").as_uri())
    page.evaluate("document.querySelector('#theme').innerHTML = ''")
    assert any(found.startswith("button-name") for found in violations(page))
