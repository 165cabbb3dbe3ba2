"""The notes of a chapter that a track shows: those that its text still refers to, numbered anew."""

from __future__ import annotations

import re

_REFERENCE = re.compile(
    r'<sup class="footnote-ref"><a href="#(?P<note>[^"]+)" id="(?P<id>[^"]+)">\[[^\]]*\]</a></sup>'
)
_NOTE = re.compile(
    r'<li id="(?P<note>[^"]+)" class="footnote-item">.*?</li>\n(?=<li id="|</ol>\n</section>)',
    re.DOTALL,
)
_BACK = re.compile(r'\s*<a href="#(?P<id>[^"]+)" class="footnote-backref">.*?</a>')
_SECTION = re.compile(
    r'<hr class="footnotes-sep" ?/?>\s*<section class="footnotes">.*?</section>\n?', re.DOTALL
)


def cited(html: str) -> str:
    """Leave out the notes whose references are in a part that the track leaves out.

    `html` is a chapter's body as mdit-py-plugins' footnotes render it.
    """
    references = {m["id"] for m in _REFERENCE.finditer(html)}
    order = list(dict.fromkeys(m["note"] for m in _REFERENCE.finditer(html)))
    if not order:
        return _SECTION.sub("", html)

    def renumbered(match: re.Match[str]) -> str:
        number = order.index(match["note"]) + 1
        return (
            f'<sup class="footnote-ref"><a href="#{match["note"]}" id="{match["id"]}">'
            f"[{number}]</a></sup>"
        )

    html = _REFERENCE.sub(renumbered, html)
    notes = {m["note"]: m[0] for m in _NOTE.finditer(html)}
    listed = iter([notes[name] for name in order] + [""] * (len(notes) - len(order)))
    html = _NOTE.sub(lambda _: next(listed), html)
    return _BACK.sub(lambda back: back[0] if back["id"] in references else "", html)
