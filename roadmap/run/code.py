"""What a piece of Python means and imports, remembered by its content.

Two texts that differ only in comments, blank lines or layout mean the same: the digest is taken
of the syntax tree without positions. (Not of bytecode, which changes with Python's version.)
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from roadmap.run.imports import Import

_SCHEMA = 1
_KEPT = 4000


@dataclass(frozen=True, slots=True)
class Code:
    """`digest` is the same for all texts that mean the same; `imports` are what it may load."""

    digest: str
    imports: tuple[Import, ...]


class Codes:
    """Reads code, each text once, and keeps what it learnt in a file between builds.

    An entry is named by the SHA-256 of the text itself, so it can never be out of date.
    """

    def __init__(self, file: Path | None = None) -> None:
        self.file = file
        self._known: dict[str, list[object]] = {}
        self._read: dict[str, Code] = {}
        self._files: dict[str, Code] = {}
        self._learnt = False
        if file is not None:
            self._known = _load(file)

    def text(self, text: bytes) -> Code:
        """What `text` means."""
        name = sha256(text).hexdigest()
        if name not in self._read:
            entry = self._known.get(name)
            if entry is None:
                entry, self._learnt = _parse(text), True
                self._known[name] = entry
            self._read[name] = _code(entry)
        return self._read[name]

    def of_file(self, path: str) -> Code:
        """What the file means. Raises OSError."""
        if path not in self._files:
            with open(path, "rb") as file:  # noqa: PTH123 (many small files: a third of the time)
                self._files[path] = self.text(file.read())
        return self._files[path]

    def save(self) -> None:
        """Keep what was learnt for the next build; a full or read-only disk only costs time."""
        if self.file is None or not self._learnt:
            return
        from roadmap.files import write_atomically

        kept = self._known if len(self._known) <= _KEPT else {n: self._known[n] for n in self._read}
        text = json.dumps({"schema": _stamp(), "codes": kept}, sort_keys=True)
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(self.file, text)
        except OSError:
            return
        self._learnt = False


def _stamp() -> list[object]:
    import sys

    return [_SCHEMA, sys.version_info.major, sys.version_info.minor]


def _load(file: Path) -> dict[str, list[object]]:
    try:
        data = json.loads(file.read_bytes())
        return data["codes"] if data["schema"] == _stamp() else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _parse(text: bytes) -> list[object]:
    import ast
    import warnings

    from roadmap.run.imports import find_imports

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
        digest = sha256(ast.dump(tree, annotate_fields=False).encode()).hexdigest()
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return [sha256(text).hexdigest(), []]  # the run will say what is wrong with it
    return [digest, [[i.level, i.module, list(i.names)] for i in find_imports(tree)]]


def _code(entry: list[object]) -> Code:
    from roadmap.run.imports import Import

    digest, imports = entry
    assert isinstance(imports, list)
    return Code(str(digest), tuple(Import(lv, mod, tuple(names)) for lv, mod, names in imports))
