"""A track's book has the notes that its own text refers to, and no others."""

from __future__ import annotations

import re
from pathlib import Path

from roadmap.load.markdown import parse, parser
from roadmap.render.pdf.footnotes import cited

TEXT = """\
Hidden[^deep] and twice[^both].

Shown[^late], and again[^both], and once more[^both].

[^deep]: Only for the patient.
[^both]: First line.

    - a list
    - in a note
[^late]: The [last](https://example.org/).
"""


def rendered() -> str:
    parsed = parse(TEXT, Path("chapter.md"), 1)
    return str(parser().renderer.render(parsed.tokens, parser().options, dict(parsed.env)))


def shown(html: str) -> str:
    return html[html.index("</p>") + len("</p>") :]


def test_notes_without_a_reference_are_left_out_and_the_rest_numbered_in_order() -> None:
    html = cited(shown(rendered()))
    assert re.findall(r">\[(.*?)\]</a></sup>", html) == ["1", "2", "2"]
    assert "patient" not in html
    assert html.index("The <a") < html.index("First line")


def test_every_link_between_reference_and_note_has_its_other_end() -> None:
    html = cited(shown(rendered()))
    ids = re.findall(r' id="([^"]+)"', html)
    targets = re.findall(r' href="#([^"]+)"', html)
    assert len(ids) == len(set(ids)) == 5
    assert set(targets) == set(ids)
    assert "in a note" in html


def test_a_chapter_without_references_has_no_section_of_notes() -> None:
    html = rendered()
    notes = html[html.index("<hr") :]
    assert cited("<p>None.</p>\n" + notes) == "<p>None.</p>\n"
    assert cited("<p>None.</p>") == "<p>None.</p>"


def test_a_chapter_that_is_shown_whole_keeps_all_notes() -> None:
    html = cited(rendered())
    assert re.findall(r">\[(.*?)\]</a></sup>", html) == ["1", "2", "3", "2", "2"]
    assert html.count('class="footnote-item"') == 3
    assert html.count('class="footnote-backref"') == 5
