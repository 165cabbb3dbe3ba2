"""What a person reads, and what machines read, of a finding."""

from __future__ import annotations

import json
import re
from pathlib import Path
from unicodedata import east_asian_width

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roadmap.diagnostics import (
    RULES,
    BuildError,
    Diagnostic,
    Span,
    has_errors,
    ordered,
    render,
    shown_path,
)

CHAPTER = """\
---
id: attention
stage: modle
---
\tSee [it](node:atention), 注意 and [that](node:blok).
"""

GOLDEN = """\
error[pdf-libraries] Pango is absent.
      help: Run `apt install libpango-1.0-0`.

book/chapter.md:3:8: error[stage-mismatch] The stage is `modle`.
    3 | stage: modle
      |        ^^^^^
      help: Write `stage: model`.

book/chapter.md:5:11: error[link-dead] There is no node `atention`.
    5 |  See [it](node:atention), 注意 and [that](node:blok).
      |           ^^^^^^^^^^^^^
      help: Did you mean `attention`?

book/chapter.md:5:40: warning[record-stale] There is no node `blok`.
    5 |  See [it](node:atention), 注意 and [that](node:blok).
      |                                          ^^^^^^^^^
      a note
      and another

book/chapter.md:99:1: error[node-order] Past the end.

book/gone.md:1:1: error[file-missing] It is not there."""


@pytest.fixture
def found(tmp_path: Path) -> list[Diagnostic]:
    chapter = tmp_path / "book" / "chapter.md"
    chapter.parent.mkdir()
    chapter.write_text(CHAPTER, encoding="utf-8")
    return [
        Diagnostic("file-missing", "It is not there.", Span(tmp_path / "book" / "gone.md")),
        Diagnostic("node-order", "Past the end.", Span(chapter, 99)),
        Diagnostic(
            "record-stale",
            "There is no node `blok`.",
            Span(chapter, 5, 40, 9),
            notes=("a note", "and another"),
        ),
        Diagnostic(
            "link-dead",
            "There is no node `atention`.",
            Span(chapter, 5, 11, 13),
            "Did you mean `attention`?",
        ),
        Diagnostic(
            "stage-mismatch",
            "The stage is `modle`.",
            Span(chapter, 3, 8, 5),
            "Write `stage: model`.",
        ),
        Diagnostic("pdf-libraries", "Pango is absent.", None, "Run `apt install libpango-1.0-0`."),
    ]


def test_text_shows_place_line_caret_and_help(found: list[Diagnostic], tmp_path: Path) -> None:
    assert render(found, "text", tmp_path) == GOLDEN


def test_colour_adds_escapes_and_nothing_else(found: list[Diagnostic], tmp_path: Path) -> None:
    coloured = render(found, "text", tmp_path, colour=True)
    assert coloured != GOLDEN
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == GOLDEN


def test_findings_are_in_order_and_once(found: list[Diagnostic]) -> None:
    assert ordered([*found, *reversed(found)]) == ordered(found)
    assert [d.span.line for d in ordered(found) if d.span] == [3, 5, 5, 99, 1]


LINE = st.text(st.characters(exclude_categories=["Cc", "Cs", "Mn", "Cf", "Zl", "Zp"]), min_size=1)


@given(LINE, st.data())
def test_the_caret_stands_under_what_the_span_covers(line: str, data: st.DataObject) -> None:
    """Measured in columns of a terminal, also on lines too long for one."""
    import tempfile

    line = line * data.draw(st.sampled_from([1, 1, 40]))
    begin = data.draw(st.integers(0, len(line) - 1))
    length = data.draw(st.integers(1, min(20, len(line) - begin)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.md"
        path.write_text(f"first\n{line}\n", encoding="utf-8")
        text = render(
            [Diagnostic("link-dead", "m", Span(path, 2, begin + 1, length))], "text", path
        )
    _, shown, caret = text.split("\n")
    column = 0
    covered = ""
    for character in shown:
        if column < len(caret) and caret[column] == "^":
            covered += character
        column += 2 if east_asian_width(character) in "WF" else 1
    assert covered == line[begin : begin + length]


def test_a_form_feed_does_not_end_a_line(tmp_path: Path) -> None:
    path = tmp_path / "x.md"
    path.write_bytes("\ufeffone\x0c\u2028two\r\nthree\rfour\r\n".encode())
    found = [Diagnostic("link-dead", "m", Span(path, 2, 1, 5)), Diagnostic("link-dead", "n")]
    assert "    2 | three\n      | ^^^^^" in render(found, "text", tmp_path)


def test_json_says_the_same(found: list[Diagnostic], tmp_path: Path) -> None:
    entries = json.loads(render(found, "json", tmp_path))
    assert [(e["rule"], e.get("path"), e.get("line")) for e in entries] == [
        ("pdf-libraries", None, None),
        ("stage-mismatch", "book/chapter.md", 3),
        ("link-dead", "book/chapter.md", 5),
        ("record-stale", "book/chapter.md", 5),
        ("node-order", "book/chapter.md", 99),
        ("file-missing", "book/gone.md", 1),
    ]
    stale = entries[3]
    assert stale["severity"] == "warning"
    assert (stale["column"], stale["length"], stale["notes"]) == (40, 9, ["a note", "and another"])


def _unescape(text: str) -> str:
    """As GitHub's runner reads a workflow command (actions/runner, ActionCommand.cs)."""
    for code, character in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        text = text.replace(code, character)
    return text


@given(st.text(st.characters(exclude_categories=["Cs"])), st.sampled_from(sorted(RULES)))
def test_github_reads_back_what_was_said(message: str, rule: str) -> None:
    diagnostic = Diagnostic(rule, message, Span(Path("/b/a,b:c%.md"), 4, 2, 3), "do this")
    line = render([diagnostic], "github", Path("/b"))
    assert "\n" not in line
    assert "\r" not in line
    command, properties, text = re.fullmatch(r"::(\w+) ([^:]*)::(.*)", line, re.S).groups()  # type: ignore[union-attr]
    fields = dict(field.split("=", 1) for field in properties.split(","))
    assert command == diagnostic.severity
    assert {key: _unescape(value) for key, value in fields.items()} == {
        "file": "a,b:c%.md",
        "line": "4",
        "col": "2",
        "endColumn": "5",
        "title": rule,
    }
    assert _unescape(text) == f"{message}\nhelp: do this"


def test_sarif_has_what_its_schema_requires(found: list[Diagnostic], tmp_path: Path) -> None:
    """The required properties of SARIF 2.1.0, sections 3.13, 3.14, 3.18, 3.19, 3.27, 3.30, 3.49."""
    log = json.loads(render(found, "sarif", tmp_path))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert run["tool"]["driver"]["name"]
    assert len(set(rules)) == len(rules)
    assert len(run["results"]) == len(found)
    for result in run["results"]:
        assert result["ruleId"] in rules
        assert result["level"] in ("error", "warning")
        assert result["message"]["text"]
        for location in result.get("locations", []):
            place = location["physicalLocation"]
            uri = place["artifactLocation"]["uri"]
            assert not uri.startswith("/")
            assert re.fullmatch(r"[A-Za-z0-9._~/%-]+", uri)
            region = place["region"]
            assert region["startLine"] >= 1
            assert region["endColumn"] > region["startColumn"] >= 1


def test_sarif_paths_are_uris(tmp_path: Path) -> None:
    path = tmp_path / "ein büch" / "a#b.md"
    log = json.loads(render([Diagnostic("link-dead", "m", Span(path))], "sarif", tmp_path))
    place = log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "ein%20b%C3%BCch/a%23b.md"


def test_nothing_found_is_valid_in_every_form(tmp_path: Path) -> None:
    assert render([], "text", tmp_path) == ""
    assert render([], "github", tmp_path) == ""
    assert json.loads(render([], "json", tmp_path)) == []
    assert json.loads(render([], "sarif", tmp_path))["runs"][0]["results"] == []


def test_a_path_elsewhere_is_shown_whole(tmp_path: Path) -> None:
    assert shown_path(Path("/elsewhere/x.md"), tmp_path) == "/elsewhere/x.md"


def test_an_undeclared_rule_cannot_be_reported() -> None:
    with pytest.raises(KeyError, match="no-such-rule"):
        Diagnostic("no-such-rule", "m")


def test_only_errors_stop_a_build(found: list[Diagnostic]) -> None:
    warnings = [d for d in found if d.severity == "warning"]
    assert has_errors(found)
    assert warnings
    assert not has_errors(warnings)
    assert BuildError(*found).diagnostics == tuple(found)
