"""A real Chromium, the sample site on disk, and the same site behind a server."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sample_site import write_site

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium, driven by playwright.

    Not for the session: beside the event loop that playwright runs, V8 takes no time limit.
    """
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next((path for name in names if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("no Chromium is installed: `apt install chromium` to run the browser tests")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def site_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample's site on disk."""
    return write_site(tmp_path_factory.mktemp("site with spaces"))


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="session")
def served(site_folder: Path) -> Iterator[str]:
    """The address of the sample's site behind a server, below a path."""
    handler = partial(Quiet, directory=str(site_folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(params=["file", "http"])
def root(request: pytest.FixtureRequest, site_folder: Path) -> str:
    """The site's address: once from the disk, once from a server."""
    if request.param == "file":
        return site_folder.as_uri() + "/"
    return str(request.getfixturevalue("served"))


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh profile's page. An uncaught error or a missing file fails the test."""
    context = browser.new_context(
        viewport={"width": 1440, "height": 900}, reduced_motion="reduce", color_scheme="light"
    )
    tab = context.new_page()
    faults: list[str] = []
    tab.on("pageerror", lambda error: faults.append(str(error)))
    tab.on("requestfailed", lambda r: r.failure != "net::ERR_ABORTED" and faults.append(r.url))
    tab.on("response", lambda r: r.status >= 400 and faults.append(f"{r.status} {r.url}"))
    tab.set_default_timeout(10_000)
    yield tab
    context.close()
    assert faults == []
