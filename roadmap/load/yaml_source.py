"""YAML as plain data, with the place of every key and value.

A key path joins keys and list indices with dots: `compliance.0.refs.1`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from roadmap.diagnostics import Diagnostic, Span

Place = tuple[int, int, int]
"""Line, column and length; the file is known from elsewhere."""

MAX_DEPTH = 32


@dataclass(frozen=True, slots=True)
class Source:
    """A document's data; `keys` and `values` map key paths to the places of the two."""

    data: Any
    keys: dict[str, Place]
    values: dict[str, Place]


def read_yaml(text: str, path: Path, first_line: int = 1) -> tuple[Source | None, list[Diagnostic]]:
    """Parse the one document in `text`, which begins on line `first_line` of the file `path`.

    None when it is not YAML at all. A key given twice is reported and its first value kept.
    """
    reader = _Reader(text, path, first_line)
    loader = yaml.CSafeLoader(text)
    try:
        root = loader.get_single_node()
        data = None if root is None else reader.value(root, loader, ())
    except yaml.MarkedYAMLError as error:
        return None, [*reader.diagnostics, reader.syntax(error)]
    except yaml.reader.ReaderError:
        return None, [reader.unprintable()]
    finally:
        loader.dispose()
    return Source(data, reader.keys, reader.values), reader.diagnostics


class _Reader:
    def __init__(self, text: str, path: Path, first_line: int) -> None:
        self.text, self.path, self.first_line = text, path, first_line
        self.lines = text.split("\n")
        self.keys: dict[str, Place] = {}
        self.values: dict[str, Place] = {}
        self.diagnostics: list[Diagnostic] = []

    def value(self, node: yaml.Node, loader: Any, at: tuple[str, ...]) -> Any:
        if len(at) > MAX_DEPTH:
            problem = f"this is nested more than {MAX_DEPTH} levels deep, or refers to itself"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)
        if isinstance(node, yaml.MappingNode):
            return dict(self._items(node, loader, at))
        if isinstance(node, yaml.SequenceNode):
            return [self._child(item, loader, (*at, str(n))) for n, item in enumerate(node.value)]
        try:
            return loader.construct_object(node)
        except ValueError as error:  # a date such as 2026-13-45
            raise yaml.MarkedYAMLError(problem=str(error), problem_mark=node.start_mark) from error

    def _items(
        self, node: yaml.MappingNode, loader: Any, at: tuple[str, ...]
    ) -> Iterator[tuple[str, Any]]:
        seen: dict[str, int] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                problem = "a key must be a word"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
            # The text itself: a result may well be called `no` or `on`.
            name, place = str(key.value), self._place(key)
            if name in seen:
                message = f"The key `{name}` is given twice; the first time on line {seen[name]}."
                span = Span(self.path, *place)
                hint = "Keep one of them."
                self.diagnostics.append(Diagnostic("yaml-duplicate-key", message, span, hint))
                continue
            seen[name] = place[0]
            below = (*at, name)
            self.keys[".".join(below)] = place
            yield name, self._child(value, loader, below)

    def _child(self, node: yaml.Node, loader: Any, at: tuple[str, ...]) -> Any:
        self.values[".".join(at)] = self._place(node)
        return self.value(node, loader, at)

    def _place(self, node: yaml.Node) -> Place:
        start, end = node.start_mark, node.end_mark
        last = len(self.lines[start.line]) if start.line < len(self.lines) else start.column
        stop = end.column if end.line == start.line else last
        return self.first_line + start.line, start.column + 1, max(1, stop - start.column)

    def syntax(self, error: yaml.MarkedYAMLError) -> Diagnostic:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line, mark.column) if mark else (0, 0)
        if line >= len(self.lines) or not self.lines[line].strip():
            # The end of the text: show the end of the last line that says something.
            line = max((n for n, s in enumerate(self.lines[:line]) if s.strip()), default=0)
            column = len(self.lines[line])
        span = Span(self.path, self.first_line + line, column + 1)
        problem = error.problem or error.context or "it is not valid"
        message = f"This is not YAML: {problem}."
        return Diagnostic("yaml-syntax", message, span, self._hint(problem, line))

    def _hint(self, problem: str, line: int) -> str:
        shown = self.lines[line] if line < len(self.lines) else ""
        if "\t" in shown[: len(shown) - len(shown.lstrip())] or "cannot start any token" in problem:
            return "Indent with spaces; begin no plain value with a tab, `@`, `` ` `` or `%`."
        if "mapping values are not allowed" in problem:
            return "Quote a value that holds `: `, and align keys of one level."
        if "alias" in problem:
            return "Quote a value that begins with `*` or `&`."
        if "end of stream" in problem or "node content" in problem:
            return "Close what is open: a quotation mark or a bracket."
        return "Check the indentation and the quotation marks of this line and the one above."

    def unprintable(self) -> Diagnostic:
        place = next(
            (n, c, char)
            for n, line in enumerate(self.lines)
            for c, char in enumerate(line)
            if yaml.reader.Reader.NON_PRINTABLE.match(char)
        )
        span = Span(self.path, self.first_line + place[0], place[1] + 1)
        message = f"This is not YAML: it holds the control character U+{ord(place[2]):04X}."
        return Diagnostic("yaml-syntax", message, span, "Delete the character.")
