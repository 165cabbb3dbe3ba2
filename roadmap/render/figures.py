"""Pictures that read well on paper, on white and in the dark: SVGs that take the text's colour.

On the site an SVG is part of the page, so that `currentColor` follows the theme. In print it is an
image, black on white.
"""

from __future__ import annotations

import base64
import re
from html import escape

from roadmap.model import INK

_PROLOG = re.compile(r"^\s*(?:<\?xml.*?\?>|<!DOCTYPE.*?>|<!--.*?-->|\s)*", re.DOTALL)
_METADATA = re.compile(r"\s*<metadata>.*?</metadata>", re.DOTALL)
_ROOT = re.compile(r"<svg\b[^>]*>")
_ID = re.compile(r'\bid="([^"]+)"')
_REFERENCE = re.compile(r'(url\(#|href="#)([^")]+)')
_PAPER_INK = "#111111"


def site_svg(svg: str, alt: str, prefix: str) -> str:
    """The SVG as an element of the page. `prefix` keeps its ids apart from other pictures'."""
    svg = _bare(svg).replace(INK, "currentColor")
    used = set(_REFERENCE.findall(svg))
    names = {name for _, name in used}
    svg = _ID.sub(lambda m: f'id="{prefix}-{m[1]}"' if m[1] in names else "", svg)
    svg = _REFERENCE.sub(rf"\g<1>{prefix}-\g<2>", svg)
    root = _ROOT.search(svg)
    assert root is not None
    opening = re.sub(r'\s(?:role|aria-label)="[^"]*"', "", root[0])
    opening = opening.replace("<svg", f'<svg role="img" aria-label="{escape(alt)}"', 1)
    return svg[: root.start()] + opening + svg[root.end() :]


def print_svg(svg: str, alt: str) -> str:
    """The SVG as an `<img>` for paper."""
    svg = _bare(svg).replace(INK, _PAPER_INK).replace("currentColor", _PAPER_INK)
    data = base64.b64encode(svg.encode()).decode()
    return f'<img alt="{escape(alt)}" src="data:image/svg+xml;base64,{data}">'


def notebook_svg(svg: str) -> str:
    """The SVG for a notebook, which has no theme of ours: ink on white paper."""
    return _bare(svg).replace(INK, _PAPER_INK)


def _bare(svg: str) -> str:
    svg = _PROLOG.sub("", svg.replace("\r\n", "\n"), count=1)
    return _METADATA.sub("", svg).strip()
