"""Progress in a real browser: kept without an account, moved as a file, never lost in silence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sample_site import sample_roadmap, write_site

from roadmap.render.pages_site import content_digest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

KEY = "sample-road:progress"
DIGEST = content_digest(sample_roadmap().node("attention"))


def stored(page: Page) -> dict[str, dict[str, str]]:
    """What the browser keeps."""
    text = page.evaluate(f"localStorage.getItem('{KEY}')")
    return json.loads(text)["nodes"] if text else {}


def progress_file(nodes: object, **fields: object) -> str:
    """A progress file as text."""
    return json.dumps({"format": "llm-roadmap-progress", "version": 1, "nodes": nodes} | fields)


def bring(page: Page, text: str) -> str:
    """Import a file on the progress page and return what the page says."""
    file = {"name": "p.json", "mimeType": "application/json", "buffer": text.encode()}
    page.locator("#progress-said").evaluate("e => { e.textContent = '' }")
    page.locator("#progress-file").set_input_files(file)  # type: ignore[arg-type]
    page.locator("#progress-said:not(:empty)").wait_for()
    return page.locator("#progress-said").inner_text()


def test_a_pressed_state_is_kept_shown_everywhere_and_can_be_taken_back(
    page: Page, root: str
) -> None:
    page.goto(root + "node/attention.html")
    done = page.get_by_role("button", name="Done").first
    done.click()
    assert [b.get_attribute("aria-pressed") for b in page.get_by_role("button", name="Done").all()]
    assert stored(page)["attention"]["state"] == "done"
    assert stored(page)["attention"]["digest"] == DIGEST
    for path in ("node/block.html", "stage/model.html", "track/beginner.html", "index.html"):
        page.goto(root + path)
        link = page.locator('main a[data-node="attention"]').first
        assert link.get_attribute("data-state") == "done", path
        name = link.get_attribute("aria-label") or link.text_content() or ""
        assert name.endswith(", done"), path
    page.goto(root + "node/attention.html")
    assert page.locator('[data-tally="model"]').inner_text() == "1/3"
    page.get_by_role("button", name="Done").first.click()
    assert stored(page) == {}
    page.goto(root + "index.html")
    assert page.locator('main a[data-node="attention"]').first.get_attribute("data-state") is None


def test_the_sums_count_minutes_per_track_and_leave_out_what_is_skipped(
    page: Page, root: str
) -> None:
    page.goto(root + "progress.html")
    assert page.locator('[data-sum-text="beginner"]').inner_text() == (
        "0 of 5 chapters, 2 h 45 min to go"
    )
    page.get_by_label("State of Scaled dot-product attention").select_option("done")
    page.get_by_label("State of Embeddings").select_option("skipped")
    assert page.locator('[data-sum-text="beginner"]').inner_text() == (
        "1 of 4 chapters, 1 h 30 min to go"
    )
    bar = page.locator('[data-sum="beginner"]')
    assert bar.evaluate("e => [e.value, e.max]") == [45, 135]


def test_a_renamed_chapter_keeps_its_progress(page: Page, root: str) -> None:
    page.goto(root + "progress.html")
    entry = {"state": "done", "digest": DIGEST, "changed": "2026-01-02"}
    text = progress_file({"self-attention": entry})
    page.evaluate("([key, text]) => localStorage.setItem(key, text)", [KEY, text])
    page.reload()
    assert page.get_by_label("State of Scaled dot-product attention").input_value() == "done"
    page.get_by_label("State of Embeddings").select_option("doing")
    assert stored(page)["attention"] == entry
    assert "self-attention" not in stored(page)


def test_a_changed_chapter_asks_to_be_read_again(
    browser: Browser, tmp_path: Path, page: Page
) -> None:
    folder = write_site(tmp_path / "site", body="First edition.")
    address = (folder / "node" / "attention.html").as_uri()
    page.goto(address)
    page.get_by_role("button", name="Done").first.click()
    other = write_site(tmp_path / "new", body="Second edition.")
    (folder / "assets" / "data.js").write_bytes((other / "assets" / "data.js").read_bytes())
    page.goto(address)
    assert "Changed since you finished" in page.locator(".changed").first.inner_text()
    page.get_by_role("button", name="I have read the change").first.click()
    assert not page.locator(".changed").first.is_visible()
    page.reload()
    assert not page.locator(".changed").first.is_visible()


def test_an_export_imports_into_an_empty_browser_as_it_was(
    browser: Browser, page: Page, root: str
) -> None:
    page.goto(root + "progress.html")
    page.get_by_label("State of Scaled dot-product attention").select_option("done")
    page.get_by_label("State of The block").select_option("skipped")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    text = Path(download.value.path()).read_text(encoding="utf-8")
    assert json.loads(text)["format"] == "llm-roadmap-progress"
    assert json.loads(text)["nodes"] == stored(page)
    before = stored(page)
    context = browser.new_context()
    fresh = context.new_page()
    fresh.goto(root + "progress.html")
    assert bring(fresh, text) == "Imported 2 chapters."
    assert stored(fresh) == before
    context.close()


def test_an_import_keeps_the_newer_state_and_unknown_chapters(page: Page, root: str) -> None:
    page.goto(root + "progress.html")
    page.get_by_label("State of Embeddings").select_option("done")
    old = {"state": "doing", "digest": "", "changed": "2020-01-01"}
    new = {"state": "skipped", "changed": "2999-01-01"}
    said = bring(page, progress_file({"embeddings": old, "block": new, "not-ours": old}))
    assert said == "Imported 2 chapters. 1 that this book does not have are kept."
    found = {name: entry["state"] for name, entry in stored(page).items()}
    assert found == {"embeddings": "done", "block": "skipped", "not-ours": "doing"}


def test_a_tick_without_a_digest_does_not_forget_which_text_was_read(page: Page, root: str) -> None:
    page.goto(root + "progress.html")
    page.get_by_label("State of Scaled dot-product attention").select_option("done")
    tick = {"state": "done", "digest": "", "changed": "2999-01-01"}
    bring(page, progress_file({"attention": tick, "block": tick}))
    assert stored(page) == {"attention": {**tick, "digest": DIGEST}, "block": tick}


GOOD = {"state": "done", "digest": "", "changed": "2026-01-01"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "it is not JSON"),
        ("[]", 'its "format" is not'),
        (progress_file({}, format="other"), 'its "format" is not'),
        (progress_file({}, version=2), "version 2"),
        (progress_file([]), 'no "nodes"'),
        (progress_file({"embeddings": {**GOOD, "state": "finished"}}), 'at "embeddings"'),
        (progress_file({"embeddings": {**GOOD, "changed": "today"}}), "YYYY-MM-DD"),
        (progress_file({"embeddings": {**GOOD, "digest": 5}}), "digest"),
        (progress_file({"a b<script>": GOOD}), "no chapter's id"),
        (progress_file({"block": GOOD, "embeddings": None}), 'at "embeddings"'),
    ],
)
def test_a_malformed_import_says_why_and_changes_nothing(
    page: Page, site_folder: Path, text: str, message: str
) -> None:
    page.goto((site_folder / "progress.html").as_uri())
    page.get_by_label("State of Scaled dot-product attention").select_option("done")
    before = stored(page)
    said = bring(page, text)
    assert message in said
    assert said.endswith("Nothing was changed.")
    assert stored(page) == before


def test_reset_asks_first(page: Page, root: str) -> None:
    page.goto(root + "progress.html")
    page.get_by_label("State of Embeddings").select_option("done")
    page.get_by_role("button", name="Reset").click()
    page.get_by_role("button", name="Keep it").click()
    assert "embeddings" in stored(page)
    page.get_by_role("button", name="Reset").click()
    page.keyboard.press("Escape")
    assert "embeddings" in stored(page)
    page.get_by_role("button", name="Reset").click()
    page.get_by_role("button", name="Forget it").click()
    page.get_by_text("All progress is forgotten.").wait_for()
    assert stored(page) == {}
    assert page.get_by_label("State of Embeddings").input_value() == ""


def test_damaged_storage_is_taken_for_empty(page: Page, root: str) -> None:
    page.goto(root + "progress.html")
    page.evaluate(f"localStorage.setItem('{KEY}', '{{broken')")
    page.reload()
    page.get_by_label("State of Embeddings").select_option("done")
    assert list(stored(page)) == ["embeddings"]


def test_the_first_page_goes_on_where_the_reader_stands(page: Page, root: str) -> None:
    page.goto(root + "index.html")
    start = page.locator("[data-continue]")
    assert start.inner_text() == "Start with Scaled dot-product attention"
    page.goto(root + "node/attention.html")
    page.get_by_role("button", name="In progress").first.click()
    page.goto(root + "index.html")
    assert start.inner_text() == "Continue with Scaled dot-product attention"
