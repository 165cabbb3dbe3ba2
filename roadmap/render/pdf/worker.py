"""The process that makes one PDF: request on standard input, reply on standard output, as JSON.

WeasyPrint keeps what it has loaded until its process ends, and fontconfig reads its configuration
once, so every book gets a fresh process whose environment names the book's fonts.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from roadmap.render.pdf import weasyprint_fixes
from roadmap.render.pdf.post import Attachment, finish

_OPTIONS = {"pdf_variant": "pdf/ua-1", "pdf_forms": True}


class _Collector(logging.Handler):
    """Keeps what WeasyPrint would only log."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


def main() -> None:
    """Serve one request."""
    request = json.load(sys.stdin)
    try:
        reply = _make(request)
    except OSError as error:
        if error.filename is None and error.errno is None:
            reply = {"library": str(error)}  # cffi's dlopen failed
        else:
            reply = {"os": str(error)}
    print(json.dumps(reply), flush=True)
    os._exit(0)  # the answer is given: taking Pango's libraries down can only add a crash


def _make(request: dict[str, Any]) -> dict[str, Any]:
    from weasyprint import HTML
    from weasyprint.logger import LOGGER
    from weasyprint.urls import URLFetcher

    weasyprint_fixes.apply()
    collector = _Collector()
    LOGGER.addHandler(collector)
    LOGGER.setLevel(logging.WARNING)
    gc.disable()  # a third of the time otherwise; the process is short-lived
    html = HTML(
        string=Path(request["html"]).read_text(encoding="utf-8"),
        base_url=request["base_url"],
        url_fetcher=URLFetcher(allowed_protocols=("data",)),
    )
    document = html.render(**_OPTIONS)
    titles = {**dict(_link_texts(document)), **request["titles"]}
    raw = BytesIO()
    document.write_pdf(raw, **_OPTIONS)
    target = Path(request["out"])
    staged = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        finish(
            raw,
            staged,
            titles,
            [Attachment(**file) for file in request["files"]],
            request["epoch"],
        )
        with staged.open("rb") as file:
            os.fsync(file.fileno())
        staged.replace(target)
    finally:
        staged.unlink(missing_ok=True)
    return {"pages": len(document.pages), "messages": collector.messages}


def _link_texts(document: Any) -> Iterator[tuple[str, str]]:
    """Where each link leads, with its own words; the first of several links wins."""
    links = [link for page in document.pages for link in page.links]
    for _, target, _, box in reversed(links):
        if box.element is not None:
            text = " ".join("".join(box.element.itertext()).split())
            if text:
                yield target, text


if __name__ == "__main__":
    main()
