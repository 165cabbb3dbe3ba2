"""What the search finds: the text of every section of every page, as a script.

A record is `[id, title, planned, sections]` and a section `[anchor, heading, text, code]`. The
browser indexes them with MiniSearch when the reader first searches. They come as JavaScript since
a page opened from a disk may load a script but may not fetch a file: that rules Pagefind out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import unescape

from roadmap.model import Node
from roadmap.render.templates import script_json

Section = tuple[str, str, str, str]
Record = tuple[str, str, bool, tuple[Section, ...]]

_HEADING = re.compile(r'<h([2-4])\b[^>]*?\bid="([^"]*)"[^>]*>(.*?)</h\1>', re.DOTALL)
# What nobody searches for: outputs, drawings, formulas, the script (its cells are in the chapter).
_SILENT = re.compile(
    r'<details class="script">.*?</details>|<pre class="(?:output|stderr)".*?</pre>'
    r"|<svg\b.*?</svg>|<math\b.*?</math>",
    re.DOTALL,
)
_CODE = re.compile(r'<pre class="code".*?</pre>', re.DOTALL)
_INLINE = re.compile(r"</?(?:a|abbr|b|code|em|i|kbd|mark|span|strong|sub|sup)\b[^>]*>")
_TAG = re.compile(r"<[^>]+>")


def search_record(node: Node, body_html: str) -> Record:
    """The searchable text of a page, section by section; the first stands above any heading."""
    html = _SILENT.sub(" ", body_html)
    parts = _HEADING.split(html)
    summary = f"{node.summary} {' '.join(node.teaches)}"
    sections = [_section("", "", parts[0], summary)]
    for anchor, heading, content in zip(parts[2::4], parts[3::4], parts[4::4], strict=True):
        sections.append(_section(anchor, _text(heading), content))
    return node.id, node.title, node.status == "planned", tuple(sections)


def search_js(records: Iterable[Record]) -> str:
    """`assets/search-index.js`: the records of all pages."""
    return f"window.roadmapSearch = {script_json(list(records))};\n"


def _section(anchor: str, heading: str, html: str, before: str = "") -> Section:
    code = " ".join(_text(block) for block in _CODE.findall(html))
    text = _text(_CODE.sub(" ", html))
    return anchor, heading, f"{before} {text}".strip(), code


def _text(html: str) -> str:
    return " ".join(unescape(_TAG.sub(" ", _INLINE.sub("", html))).split())
