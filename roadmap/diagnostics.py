"""What is wrong, where, and what to do: the one form in which every stage reports trouble.

A diagnostic names a rule. Rules are declared here, once, with a stable id, a severity and one
sentence; an undeclared rule cannot be reported. `render` prints them for people and machines.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Severity = Literal["error", "warning"]
Format = Literal["text", "json", "github", "sarif"]

MAX_EXCERPT = 120

RULES: dict[str, tuple[Severity, str]] = {
    # load: files
    "book-missing": ("error", "The book's roadmap.yaml cannot be found."),
    "file-missing": ("error", "A file that the book names does not exist."),
    "file-unreadable": ("error", "A file cannot be read."),
    "file-encoding": ("error", "A file is not valid UTF-8."),
    "path-escapes-book": ("error", "A path leads outside the book's folder."),
    # load: front matter and roadmap.yaml
    "front-matter-missing": ("error", "A chapter does not begin with front matter."),
    "yaml-syntax": ("error", "The YAML cannot be parsed."),
    "yaml-duplicate-key": ("error", "A key is given twice."),
    "field-unknown": ("error", "A key is not one that the schema knows."),
    "field-missing": ("error", "A required key is absent."),
    "field-invalid": ("error", "A value does not have the form that the schema asks."),
    # load: Markdown and experiments
    "directive-unknown": ("error", "A directive or role has a name that nothing renders."),
    "directive-invalid": ("error", "A directive's argument, option or nesting is wrong."),
    "math-invalid": ("error", "A formula cannot be typeset."),
    "experiment-syntax": ("error", "An experiment is not valid Python."),
    "cell-invalid": ("error", "A cell of an experiment has no name, or a name used twice."),
    # check: the graph
    "node-duplicate": ("error", "Two nodes, or a node and an alias, share an id."),
    "node-unknown": ("error", "A node id is named that no node has."),
    "node-unlisted": ("error", "A node's folder is not listed in roadmap.yaml."),
    "stage-mismatch": ("error", "A node's stage is not the stage that lists it."),
    "track-unknown": ("error", "A track is named that roadmap.yaml does not declare."),
    "track-undecided": ("error", "A node says nothing about a track: give minutes, or skip."),
    "graph-cycle": ("error", "Nodes require one another in a circle."),
    "prerequisite-hidden": ("error", "A track shows a node but skips one that it requires."),
    "requires-optional": ("error", "A node that is not optional requires one that is."),
    "node-order": ("error", "roadmap.yaml lists a node before one that it requires."),
    # check: what a chapter points to
    "link-dead": ("error", "A link's target does not exist."),
    "anchor-dead": ("error", "A link's anchor is not on the page it points to."),
    "anchor-duplicate": ("error", "Two headings of one page have the same anchor."),
    "heading-jump": ("error", "A heading skips a level."),
    "source-missing": ("error", "A {source} names a module or symbol that does not exist."),
    "cell-missing": ("error", "A {cell} names a cell that the experiment does not have."),
    "experiment-missing": ("error", "A chapter refers to an experiment but has no experiment.py."),
    "value-missing": ("error", "A {value} names a result that no experiment reports."),
    "figure-without-alt": ("error", "A cell draws a figure, but its {cell} gives no alt text."),
    "image-invalid": ("error", "An image cannot be shown, or would do more than be shown."),
    "image-without-alt": ("error", "An image has no alt text."),
    "compliance-undated": (
        "error",
        "A compliance note's facts are dated in the future or long ago.",
    ),
    "chapter-incomplete": ("error", "A node that is not planned lacks a part every chapter has."),
    "code-too-wide": ("error", "A line of code is wider than a printed page."),
    # run
    "experiment-failed": ("error", "An experiment raised an error."),
    "experiment-timeout": ("error", "An experiment ran past its time limit."),
    "experiment-memory": ("error", "An experiment went past its memory limit."),
    "experiment-network": ("error", "An experiment tried to reach the network."),
    "experiment-crashed": ("error", "An experiment's process died."),
    "experiment-output": ("error", "An experiment printed or drew more than a page can hold."),
    "result-invalid": ("error", "A reported result is not a finite number, or is reported twice."),
    "result-unbanded": ("error", "A reported result has no band in the chapter's `expect`."),
    "result-unreported": ("error", "The chapter's `expect` names a result that was not reported."),
    "result-out-of-band": ("error", "A result lies outside its band."),
    "experiment-not-run": ("warning", "An experiment has no record, and execution is off."),
    "record-stale": ("warning", "An experiment's record is older than its code; execution is off."),
    "cache-corrupt": ("warning", "A cached record cannot be read; the experiment runs again."),
    "record-unwritable": ("warning", "A record cannot be kept; the experiment runs again."),
    # render and publish
    "template-error": ("error", "A template cannot be rendered."),
    "layout-failed": ("error", "The map cannot be laid out."),
    "glyph-missing": ("error", "The book's fonts lack a character that the text uses."),
    "pdf-warning": ("error", "The PDF engine reported trouble."),
    "pdf-libraries": ("error", "The system libraries that WeasyPrint needs are absent."),
    "publish-failed": ("error", "The site cannot be written."),
    "port-unusable": ("error", "The server cannot have the port that it is to listen on."),
    "progress-unreadable": ("error", "A PDF holds no progress that can be read."),
}


@dataclass(frozen=True, slots=True)
class Span:
    """A place in a file. `line` and `column` count from 1; `length` is in characters."""

    path: Path
    line: int = 1
    column: int = 1
    length: int = 1


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding. `hint` says what to do; `notes` are further lines, such as a traceback."""

    rule: str
    message: str
    span: Span | None = None
    hint: str = ""
    notes: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        if self.rule not in RULES:
            raise KeyError(f"no rule {self.rule!r} is declared in roadmap/diagnostics.py")

    @property
    def severity(self) -> Severity:
        """`error` stops the build; `warning` does not."""
        return RULES[self.rule][0]


class BuildError(Exception):
    """A stage cannot go on. Carries the diagnostics that say why."""

    def __init__(self, *diagnostics: Diagnostic) -> None:
        super().__init__(*diagnostics)  # what pickle makes it from again, in another process
        self.diagnostics = diagnostics

    def __str__(self) -> str:
        return "; ".join(d.message for d in self.diagnostics)


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    """Whether any diagnostic is an error."""
    return any(d.severity == "error" for d in diagnostics)


def ordered(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """By file, line, column and rule, each finding once: the same list on every run."""

    def key(d: Diagnostic) -> tuple[str, int, int, str, str]:
        if d.span is None:
            return ("", 0, 0, d.rule, d.message)
        return (str(d.span.path), d.span.line, d.span.column, d.rule, d.message)

    return sorted(set(diagnostics), key=key)


def render(
    diagnostics: Sequence[Diagnostic], form: Format, root: Path, colour: bool = False
) -> str:
    """Print diagnostics as `form`; paths are shown relative to `root` where they lie below it."""
    found = ordered(diagnostics)
    if form == "json":
        return json.dumps([_as_json(d, root) for d in found], indent=2, ensure_ascii=False)
    if form == "sarif":
        return json.dumps(_as_sarif(found, root), indent=2, ensure_ascii=False)
    if form == "github":
        return "\n".join(_as_github(d, root) for d in found)
    return "\n\n".join(_as_text(d, root, colour) for d in found)


def did_you_mean(name: str, known: Iterable[str], quote: str = "`{}`") -> str:
    """`Did you mean ...?`, or nothing where no known name is close."""
    from difflib import get_close_matches  # only where there is a fault

    near = get_close_matches(name, sorted(set(known)), n=1)
    return f"Did you mean {quote.format(near[0])}?" if near else ""


def shown_path(path: Path, root: Path) -> str:
    """`path` as a person would type it from `root`."""
    for inside, above in ((path, root), (path.resolve(), root.resolve())):
        if inside.is_relative_to(above):
            return inside.relative_to(above).as_posix()
    return path.as_posix()


def _as_text(d: Diagnostic, root: Path, colour: bool) -> str:
    def paint(code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if colour else text

    head = paint("1;31" if d.severity == "error" else "1;33", f"{d.severity}[{d.rule}]")
    lines = []
    if d.span is None:
        lines.append(f"{head} {d.message}")
    else:
        where = f"{shown_path(d.span.path, root)}:{d.span.line}:{d.span.column}"
        lines.append(f"{paint('1', where)}: {head} {d.message}")
        excerpt = _excerpt(d.span)
        if excerpt is not None:
            source, caret = excerpt
            lines.append(paint("2", f"{d.span.line:>5} | ") + source)
            lines.append(paint("2", "      | ") + paint("1;31", caret))
    lines += [f"      {note}" for note in d.notes]
    if d.hint:
        lines.append(paint("1;36", "      help: ") + d.hint)
    return "\n".join(lines)


def _excerpt(span: Span) -> tuple[str, str] | None:
    """The line that a span is on, cut to a screen's width, and carets for the line below it."""
    line = _source_line(span)
    if line is None:
        return None
    begin = min(span.column - 1, len(line))
    end = max(begin + 1, min(begin + span.length, len(line)))
    left = max(0, begin - MAX_EXCERPT // 2) if len(line) > MAX_EXCERPT else 0
    right = left + MAX_EXCERPT
    before, marked, after = line[left:begin], line[begin:end][: right - begin], line[end:right]
    head, tail = "…" if left else "", "…" if right < len(line) else ""
    caret = " " * _width(head + before) + "^" * max(1, _width(marked))
    return f"{head}{before}{marked}{after}{tail}".expandtabs(1), caret


def _width(text: str) -> int:
    """Columns of a terminal that `text` takes."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def _source_line(span: Span) -> str | None:
    try:
        # Not splitlines(): it also cuts at form feeds, which are part of a line here.
        lines = span.path.read_text(encoding="utf-8-sig", errors="replace").split("\n")
    except OSError:
        return None
    return lines[span.line - 1] if 0 < span.line <= len(lines) else None


def _as_json(d: Diagnostic, root: Path) -> dict[str, Any]:
    place = {}
    if d.span is not None:
        place = {
            "path": shown_path(d.span.path, root),
            "line": d.span.line,
            "column": d.span.column,
            "length": d.span.length,
        }
    return {
        "rule": d.rule,
        "severity": d.severity,
        "message": d.message,
        **place,
        "hint": d.hint,
        "notes": list(d.notes),
    }


def _as_github(d: Diagnostic, root: Path) -> str:
    def escape(text: str) -> str:
        return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")

    def escape_property(text: str) -> str:
        return escape(text).replace(":", "%3A").replace(",", "%2C")

    place = ""
    if d.span is not None:
        file = escape_property(shown_path(d.span.path, root))
        end = d.span.column + d.span.length
        place = f"file={file},line={d.span.line},col={d.span.column},endColumn={end},"
    text = escape("\n".join([d.message, *d.notes, *([f"help: {d.hint}"] if d.hint else [])]))
    return f"::{d.severity} {place}title={escape_property(d.rule)}::{text}"


def _as_sarif(diagnostics: Sequence[Diagnostic], root: Path) -> dict[str, Any]:
    from urllib.parse import quote

    used = sorted({d.rule for d in diagnostics})
    results = []
    for d in diagnostics:
        result: dict[str, Any] = {
            "ruleId": d.rule,
            "level": d.severity,
            "message": {"text": "\n".join([d.message, *d.notes, *([d.hint] if d.hint else [])])},
        }
        if d.span is not None:
            region = {
                "startLine": d.span.line,
                "startColumn": d.span.column,
                "endColumn": d.span.column + d.span.length,
            }
            location = {"uri": quote(shown_path(d.span.path, root))}
            result["locations"] = [
                {"physicalLocation": {"artifactLocation": location, "region": region}}
            ]
        results.append(result)
    driver = {
        "name": "roadmap",
        "rules": [{"id": r, "shortDescription": {"text": RULES[r][1]}} for r in used],
    }
    return {
        "version": "2.1.0",
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "runs": [{"tool": {"driver": driver}, "results": results}],
    }
