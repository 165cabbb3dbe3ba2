"""Which installed distribution a module comes from, and its version: from the folders' names."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path


class Packages:
    """The distributions on the import path. Reads only what it is asked for."""

    def __init__(self, path: Sequence[str] | None = None) -> None:
        self.path = list(sys.path if path is None else path)
        self._modules: dict[str, tuple[str, str] | None] = {}

    def of_module(self, name: str) -> tuple[str, str] | None:
        """Name and version of the distribution that has the top-level module `name`."""
        if name not in self._modules:
            self._modules[name] = self._find(name)
        return self._modules[name]

    @cached_property
    def _distributions(self) -> dict[str, tuple[str, str, str]]:
        """Normalised name -> (name, version, .dist-info folder); the first on the path counts."""
        found: dict[str, tuple[str, str, str]] = {}
        for folder in self.path:
            try:
                entries = os.listdir(folder or ".")  # noqa: PTH208 (hundreds of entries)
            except OSError:
                continue
            for entry in sorted(entries):
                if entry.endswith(".dist-info"):
                    name, _, version = entry.removesuffix(".dist-info").partition("-")
                    found.setdefault(_normal(name), (name, version, f"{folder}/{entry}"))
        return found

    def _find(self, module: str) -> tuple[str, str] | None:
        # Nearly every distribution is named as its module. The others (PyYAML has `yaml`) are
        # looked for in the lists of files, the short ones first.
        known = self._distributions.get(_normal(module))
        if known is None:
            wanted = re.compile(rf"^{re.escape(module)}(/__init__)?(\.[^/,]*)?(,|$)", re.MULTILINE)
            for distribution in self._distributions.values():
                if any(wanted.search(text) for text in _contents(Path(distribution[2]))):
                    known = distribution
                    break
        return None if known is None else known[:2]


def _contents(folder: Path) -> Iterator[str]:
    for name in ("top_level.txt", "RECORD"):
        try:
            yield (folder / name).read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue


def _normal(name: str) -> str:
    """PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()
