"""Percent-format scripts: `# %% name` begins a code cell, `# %% [markdown] name` a text cell.

Cells run one by one, so each must be valid Python by itself.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Sequence
from pathlib import Path

from roadmap.diagnostics import Diagnostic, Span
from roadmap.model import CODE_COLUMNS, ID, Cell, CellKind

_MARKER = re.compile(r"^# ?%%[ \t]*(\[markdown\])?[ \t]*(.*?)[ \t]*$", re.MULTILINE)


def read_cells(text: str) -> tuple[Cell, ...]:
    """The cells of a script, in order; their sources end without blank lines."""
    marks = list(_MARKER.finditer(text))
    ends = [*(mark.start() for mark in marks), len(text)][1:]
    cells = []
    line, before = 1, 0
    for mark, end in zip(marks, ends, strict=True):
        line += text.count("\n", before, mark.start())
        before = mark.start()
        kind: CellKind = "markdown" if mark[1] else "code"
        cells.append(Cell(mark[2], kind, text[mark.end() + 1 : end].rstrip(), line))
    return tuple(cells)


def check_script(text: str, cells: Sequence[Cell], path: Path) -> list[Diagnostic]:
    """What is wrong with a script: its cells' names, its syntax, its width."""
    lines = text.split("\n")
    if not cells:
        message, hint = "The experiment has no cells.", "Begin each with a `# %% name` line."
        return [Diagnostic("cell-invalid", message, Span(path), hint)]
    found = [*_preamble(lines[: cells[0].line - 1], path), *_names(cells, lines, path)]
    for cell in cells:
        if cell.kind == "code":
            found += _syntax(cell.source, cell.line, lines, path)
        else:
            found += _prose(cell, path)
    for number, line in enumerate(lines, 1):
        if len(line) > CODE_COLUMNS:
            span = Span(path, number, CODE_COLUMNS + 1, len(line) - CODE_COLUMNS)
            message = f"{len(line)} columns of code; a page holds {CODE_COLUMNS}."
            found.append(Diagnostic("code-too-wide", message, span, "Break the line."))
    return found


def _preamble(lines: Sequence[str], path: Path) -> list[Diagnostic]:
    """Before the first cell a script may only say what it is."""
    found = _syntax("\n".join(lines), 0, lines, path)
    if found:
        return found
    body = ast.parse("\n".join(lines)).body
    if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        body = body[1:]
    if not body:
        return []
    line = lines[body[0].lineno - 1]
    span = Span(path, body[0].lineno, body[0].col_offset + 1, len(line) - body[0].col_offset)
    message = "This code stands before the first cell, so it would never run."
    return [Diagnostic("cell-invalid", message, span, "Put a `# %% name` line above it.")]


def _names(cells: Sequence[Cell], lines: Sequence[str], path: Path) -> list[Diagnostic]:
    found = []
    first: dict[str, int] = {}
    for cell in cells:
        line = lines[cell.line - 1]
        if not re.fullmatch(ID, cell.name):
            what = f"The cell's name `{cell.name}` is not" if cell.name else "This cell has no name"
            message = f"{what} lower-case words joined by hyphens." if cell.name else f"{what}."
            hint = "Write it as in `# %% train-the-model`."
        elif cell.name in first:
            message = f"There is a cell `{cell.name}` already, on line {first[cell.name]}."
            hint = "Give this one another name."
        else:
            first[cell.name] = cell.line
            continue
        column = line.rfind(cell.name) + 1 if cell.name else 1
        span = Span(path, cell.line, column, len(cell.name) or len(line))
        found.append(Diagnostic("cell-invalid", message, span, hint))
    return found


def _prose(cell: Cell, path: Path) -> list[Diagnostic]:
    """A text cell is comments alone: as a script the file must still run."""
    for number, line in enumerate(cell.source.split("\n"), cell.line + 1):
        if line.strip() and not line.startswith("#"):
            message = f"This line of the text cell `{cell.name}` is not a comment."
            hint = "Begin it with `# `."
            return [Diagnostic("cell-invalid", message, Span(path, number, 1, len(line)), hint)]
    return []


def _syntax(source: str, before: int, lines: Sequence[str], path: Path) -> list[Diagnostic]:
    """`before` is how many lines of the file stand above `source`."""
    try:
        _compile(source)
    except SyntaxError as error:
        line = before + (error.lineno or 1)
        column = max(1, error.offset or 1)
        same = error.end_lineno == error.lineno and error.end_offset is not None
        length = max(1, (error.end_offset or 0) - column) if same else 1
        if line > len(lines):
            line, column = len(lines), 1
        message = f"This is not Python: {error.msg}."
        return [Diagnostic("experiment-syntax", message, Span(path, line, column, length))]
    except (RecursionError, MemoryError):
        message = "This is nested too deeply for Python."
        return [Diagnostic("experiment-syntax", message, Span(path, before + 1))]
    return []


def _compile(source: str) -> None:
    # Parsing alone would let a `return` outside a function pass.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the run will show them
        compile(source, "experiment.py", "exec", dont_inherit=True)
