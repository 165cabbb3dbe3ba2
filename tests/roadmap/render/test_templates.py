"""Templates: what cannot be filled is one finding at its line; times read back as minutes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roadmap.diagnostics import BuildError
from roadmap.render.templates import duration, environment, fill

FAULTS = {
    "unknown value": ("page.html", "<p>\n{{ nothing }}\n", 2, "'nothing' is undefined"),
    "unknown attribute": ("page.html", "\n\n{{ title.colour }}\n", 3, "colour"),
    "unknown filter": ("page.html", "\n{{ title | shout }}\n", 2, "shout"),
    "syntax": ("page.html", "<p>\n\n\n{% if %}\n", 4, "Expected"),
    "missing part": ("page.html", "\n{% include 'gone.html' %}\n", 2, "gone.html"),
    "fault in a part": ("part.html", "\n\n{{ nothing }}\n", 3, "'nothing' is undefined"),
}


@pytest.mark.parametrize("again", [False, True], ids=["compiled now", "compiled before"])
@pytest.mark.parametrize("name", FAULTS)
def test_a_template_that_cannot_be_filled_is_one_finding_at_its_line(
    name: str, again: bool, tmp_path: Path
) -> None:
    file, text, line, said = FAULTS[name]
    folder = tmp_path / "templates"
    folder.mkdir()
    (folder / "page.html").write_text("<h1>{{ title }}</h1>\n{% include 'part.html' %}\n")
    (folder / "part.html").write_text("sound\n")
    (folder / file).write_text(text)
    for _ in range(1 + again):
        with pytest.raises(BuildError) as caught:
            fill(environment(folder, tmp_path / "cache"), "page.html", title="A title")
    (found,) = caught.value.diagnostics
    assert found.rule == "template-error"
    assert found.span is not None
    assert (found.span.path, found.span.line) == (folder / file, line)
    assert said in found.message


def test_a_page_that_has_no_template_is_a_finding_without_a_place(tmp_path: Path) -> None:
    with pytest.raises(BuildError) as caught:
        fill(environment(tmp_path), "page.html")
    (found,) = caught.value.diagnostics
    assert (found.rule, found.span, "page.html" in found.message) == ("template-error", None, True)


def test_what_is_filled_in_is_text_and_no_markup(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("{{ title }}")
    assert fill(environment(tmp_path), "page.html", title="<b>&") == "&lt;b&gt;&amp;"


@given(st.integers(0, 10_000))
def test_a_duration_reads_back_as_its_minutes(minutes: int) -> None:
    text = duration(minutes)
    parts = dict(reversed(part.split()) for part in re.findall(r"\d+ (?:h|min)", text))
    assert 60 * int(parts.get("h", 0)) + int(parts.get("min", 0)) == minutes
    assert int(parts.get("min", 0)) < 60
    assert re.search(r"\b0 (h|min)", text) is None or minutes == 0
