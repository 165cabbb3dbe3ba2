"""Formulas: LaTeX in; MathML for the site and a picture with its text for the PDF out.

MathJax typesets each formula once: results are kept on disk by the digest of the bundle, and V8
starts only for a formula that is new.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from html import escape
from pathlib import Path
from typing import Literal

from roadmap.files import keep, kept
from roadmap.render.engine_js import MATHJAX, Engine, ScriptError, digest
from roadmap.render.mathml import core_mathml

Form = Literal["mathml", "svg"]
UNITS_PER_EM = 1000 * 0.442 / 0.475
"""MathJax's units in one em of text: its x-height, 442 of 1000, becomes that of Source Serif 4."""
VERSION = "1"
"""Part of the key of what is kept: to be raised when this file or mathml.py changes its results."""


class Math:
    """Typesets formulas. Use it in a `with` statement, or call `close`."""

    def __init__(self, cache: Path | None = None) -> None:
        """`cache` is a folder that keeps results from build to build."""
        self._cache = cache
        self._engine = Engine(MATHJAX)
        self._made: dict[tuple[Form, str, bool], str] = {}
        self._bundle = ""

    def mathml(self, tex: str, display: bool) -> str:
        """The formula as a `<math>` element. Raises ValueError with MathJax's message."""
        return self._get("mathml", tex, display)

    def svg(self, tex: str, display: bool) -> str:
        """The formula as an `<img>` that reads as its LaTeX. Raises ValueError like `mathml`."""
        return self._get("svg", tex, display)

    def close(self) -> None:
        """End MathJax, if it was started."""
        self._engine.close()

    def __enter__(self) -> Math:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _get(self, form: Form, tex: str, display: bool) -> str:
        key = form, tex, display
        if key not in self._made:
            path = self._path(key)
            html = kept(path) if path else None
            if html is None:
                html = self._typeset(form, tex, display)
                if path:
                    keep(path, html)
            self._made[key] = html
        return self._made[key]

    def _path(self, key: tuple[Form, str, bool]) -> Path | None:
        if self._cache is None:
            return None
        if not self._bundle:
            self._bundle = digest(MATHJAX)
        name = hashlib.sha256(repr((VERSION, self._bundle, key)).encode()).hexdigest()
        return self._cache / f"{name}.html"

    def _typeset(self, form: Form, tex: str, display: bool) -> str:
        try:
            made = self._engine.call(form, tex, display)
        except ScriptError as error:
            raise ValueError(str(error)) from None
        return core_mathml(made) if form == "mathml" else _image(made, tex)


def _image(svg: str, tex: str) -> str:
    box = re.search(r'<svg [^>]*viewBox="([^"]+)"', svg)
    if box is None or 'width="100%"' in svg:
        raise ValueError("equation numbers (\\tag) are not supported")
    _, top, width, height = (float(number) / UNITS_PER_EM for number in box[1].split())
    bare = re.sub(r' (?:data-[\w-]+|role|focusable)="[^"]*"', "", svg)
    bare = re.sub(r'^<svg style="[^"]*"', "<svg", bare).replace("currentColor", "#000")
    alt = "Formula: " + " ".join(tex.split())
    return (
        f'<img class="math" alt="{escape(alt)}"'
        f' src="data:image/svg+xml;base64,{b64encode(bare.encode()).decode()}"'
        f' style="width:{width:.3f}em;height:{height:.3f}em;vertical-align:{-top - height:.3f}em">'
    )
