"""The site in a real browser: reading, tracks, theme, search, keyboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sample_site import PLANTED

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser


def shown(page: Page, selector: str) -> list[str]:
    """The text of what a person sees of `selector`."""
    return [e.inner_text() for e in page.locator(selector).all() if e.is_visible()]


def choose(page: Page, track: str) -> None:
    """Press a track in the header."""
    page.locator(f'#tracks input[value="{track}"]').check(force=True)


def test_without_scripts_everything_can_be_read_and_followed(browser: Browser, root: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(root + "node/attention.html")
    assert shown(page, ".depth-label") == ["PRACTITIONER AND DEEPER", "RESEARCHER"]
    assert shown(page, ".turn a") == ["PREVIOUS\nEmbeddings", "NEXT\nThe block"]
    assert shown(page, ".needs-js") == []
    page.get_by_role("link", name="Next The block").click()
    assert page.locator("h1").inner_text() == "The block"
    assert "not written yet" in page.locator(".banner.planned").inner_text()
    page.goto(root + "index.html")
    assert len(shown(page, "#map a.node")) == 6
    page.set_viewport_size({"width": 360, "height": 800})
    page.get_by_role("button", name="Contents").click()
    assert page.get_by_role("link", name="The map").is_visible()
    context.close()


def test_a_track_hides_what_is_deeper_and_says_its_own_times(page: Page, root: str) -> None:
    page.goto(root + "node/attention.html")
    assert len(shown(page, ".depth")) == 2
    for track, depths, time in (
        ("beginner", 0, "45 min"),
        ("practitioner", 1, "1 h"),
        ("researcher", 2, "1 h 35 min"),
        ("all", 2, "45 min – 1 h 35 min"),
    ):
        choose(page, track)
        assert len(shown(page, ".depth")) == depths, track
        assert len(shown(page, ".toc li")) == 3 + depths, track
        assert page.locator(".facts li").first.inner_text().endswith(time), track
        assert f"track={track}" in page.url


def test_the_url_decides_the_track_and_the_track_is_remembered(page: Page, root: str) -> None:
    page.goto(root + "node/attention.html?track=practitioner")
    assert len(shown(page, ".depth")) == 1
    page.goto(root + "node/attention.html")
    assert len(shown(page, ".depth")) == 1
    assert page.locator('#tracks input[value="practitioner"]').is_checked()
    page.goto(root + "node/attention.html?track=beginner")
    assert shown(page, ".depth") == []
    page.goto(root + "node/attention.html?track=nonsense")
    assert shown(page, ".depth") == []


def test_previous_and_next_stay_within_the_track(page: Page, root: str) -> None:
    page.goto(root + "node/block.html?track=beginner")
    assert shown(page, ".turn .next a") == ["NEXT\nServing"]
    choose(page, "practitioner")
    assert shown(page, ".turn .next a") == ["NEXT\nSharded training"]
    page.goto(root + "node/sharded.html?track=beginner")
    assert "Not in the beginner track." in shown(page, ".banner")[1]
    assert shown(page, ".turn a") == ["PREVIOUS\nThe block", "NEXT\nServing"]


def test_a_link_into_a_hidden_part_shows_that_part(page: Page, root: str) -> None:
    page.goto(root + "node/attention.html?track=beginner#open-questions")
    assert [text.split("\n")[0] for text in shown(page, ".depth")] == ["RESEARCHER"]


def test_without_storage_the_track_travels_in_the_links(browser: Browser, root: str) -> None:
    context = browser.new_context()
    context.add_init_script(
        "Object.defineProperty(window, 'localStorage', "
        "{get() { throw new DOMException('no', 'SecurityError') }})"
    )
    page = context.new_page()
    page.goto(root + "node/attention.html?track=beginner")
    page.get_by_role("link", name="Next The block").click()
    page.wait_for_url("**/block.html?track=beginner")
    assert shown(page, ".turn .next a") == ["NEXT\nServing"]
    page.goto(root + "progress.html")
    assert "does not let the page keep anything" in page.locator("#storage-note").inner_text()
    context.close()


@pytest.mark.parametrize("system", ["light", "dark"])
def test_the_theme_follows_the_system_until_the_reader_chooses(
    browser: Browser, root: str, system: str
) -> None:
    context = browser.new_context(color_scheme=system)  # type: ignore[arg-type]
    page = context.new_page()

    def dark() -> bool:
        background = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        return sum(map(int, background.removeprefix("rgb(").removesuffix(")").split(","))) < 200

    page.goto(root + "index.html")
    assert dark() == (system == "dark")
    page.get_by_role("button", name="Dark mode").click()
    assert dark() == (system == "light")
    page.goto(root + "node/attention.html")
    assert dark() == (system == "light")
    pressed = page.get_by_role("button", name="Dark mode").get_attribute("aria-pressed")
    assert pressed == str(system == "light").lower()
    context.close()


def test_search_finds_a_planted_word_and_leads_to_its_section(page: Page, root: str) -> None:
    page.goto(root + "progress.html")
    page.keyboard.press("/")
    page.keyboard.type(PLANTED)
    page.get_by_text("1 result").wait_for()
    assert page.locator("#search-results mark").inner_text() == PLANTED
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/node/attention.html#in-practice")
    assert page.get_by_role("heading", name="In practice").is_visible()


def test_search_forgives_a_slip_and_says_when_there_is_nothing(page: Page, root: str) -> None:
    page.goto(root + "node/block.html")
    page.get_by_role("button", name="Search").click()
    page.keyboard.type("atention")
    page.locator("#search-results a").first.wait_for()
    assert "attention" in page.locator("#search-results a").first.inner_text().lower()
    page.locator("#search-input").fill("qqqqqqqq")
    page.get_by_text("No results").wait_for()
    page.keyboard.press("Escape")
    assert not page.locator("#search").is_visible()


def test_the_search_key_can_be_switched_off_and_spares_fields(page: Page, root: str) -> None:
    page.goto(root + "index.html")
    page.keyboard.press("/")
    page.keyboard.type("a/b")
    assert page.locator("#search-input").input_value() == "a/b"
    page.get_by_label("Open with the / key").uncheck()
    page.keyboard.press("Escape")
    page.reload()
    page.keyboard.press("/")
    assert not page.locator("#search").is_visible()


def test_the_keyboard_reaches_the_text_first_and_focus_is_never_covered(
    page: Page, root: str
) -> None:
    page.goto(root + "node/attention.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the text"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    seen = 0
    for _ in range(40):
        page.keyboard.press("Tab")
        place = page.evaluate(
            """() => {
              const active = document.activeElement;
              if (!active.closest("main")) return null;
              const box = active.getBoundingClientRect();
              const bar = document.querySelector(".bar").getBoundingClientRect();
              return [box.bottom > bar.bottom, box.top < innerHeight, active.outerHTML];
            }"""
        )
        if place is None:
            break
        assert place[:2] == [True, True], place[2]
        seen += 1
    assert seen > 15


@pytest.mark.parametrize("width", [360, 768, 1440])
def test_no_page_is_wider_than_the_screen(page: Page, root: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    for path in ("index", "progress", "node/attention", "stage/model", "track/beginner"):
        page.goto(f"{root}{path}.html")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_code_copies_as_it_stands(browser: Browser, served: str) -> None:
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(served + "node/attention.html")
    page.locator(".codebox").first.hover()
    page.get_by_role("button", name="Copy").first.click()
    page.get_by_text("Copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.locator("pre.code").first.text_content()
    assert copied.startswith(
        "# the weights of one head\nimport torch\ndef attend(q, k, v):\n    '''"
    )
    context.close()


def test_printing_leaves_the_text_and_drops_the_controls(page: Page, root: str) -> None:
    page.goto(root + "node/attention.html")
    page.get_by_role("button", name="Dark mode").click()
    page.emulate_media(media="print")
    ink = page.evaluate("getComputedStyle(document.querySelector('h1')).color")
    assert ink == "rgb(31, 30, 27)"
    for control in (".bar", ".contents", ".toc", ".progress", ".turn"):
        assert shown(page, control) == [], control
    assert page.locator("h1").is_visible()
    assert len(shown(page, ".depth")) == 2
