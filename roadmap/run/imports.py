"""Which modules a piece of Python imports, and which files of the project those are."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Import:
    """One import statement: `from {dots}{module} import {names}`, or `import {module}`."""

    level: int
    module: str
    names: tuple[str, ...] = ()


def import_roots(script: Path, root: Path) -> list[Path]:
    """The folders from which an experiment may import local modules, as Python searches them.

    The script's own folder, the project's, and the one that holds the press itself (which differs
    from the project's only when that is not a checkout of ours).
    """
    home = Path(__file__).resolve().parents[2]
    roots = [script.parent, root]
    if home.name not in ("site-packages", "dist-packages") and home != root:
        roots.append(home)
    return roots


def find_imports(tree: ast.AST) -> Iterator[Import]:
    """Every import in the tree, those inside functions too, and import_module("a.b")."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(0, alias.name)
        elif isinstance(node, ast.ImportFrom):
            yield Import(node.level, node.module or "", tuple(a.name for a in node.names))
        elif isinstance(node, ast.Call) and _name(node.func) in ("import_module", "__import__"):
            first = node.args[0] if node.args else None
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield Import(0, first.value)


def _name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def absolute(found: Import, package: str) -> Iterator[str]:
    """The dotted names that an import in `package` may load; not all need be modules."""
    module = found.module
    if found.level:
        parts = package.split(".") if package else []
        kept = parts[: len(parts) - (found.level - 1)]
        module = ".".join([*kept, module] if module else kept)
    if module:
        yield module
    for name in found.names:
        if name != "*":
            yield f"{module}.{name}" if module else name


class Finder:
    """Finds local modules below the roots; remembers what it has looked up."""

    def __init__(self, roots: Sequence[Path]) -> None:
        self.roots = [str(root) for root in roots]
        self._found: dict[str, tuple[str, str, bool] | None] = {}

    def is_file(self, name: str) -> bool:
        """Whether `name` is a module or a package with an __init__.py below the roots.

        Such a one hides what is installed under its name; a mere folder does not.
        """
        base = self._base(name)
        return base is not None and bool(base[0])

    def files(self, name: str) -> Iterator[tuple[str, str, str]]:
        """The files that importing `name` executes: (file, shown path, package it belongs to).

        Importing `a.b.c` executes a/__init__.py, a/b/__init__.py and a/b/c.py, where they exist.
        """
        parts = name.split(".")
        for length in range(1, len(parts) + 1):
            prefix = ".".join(parts[:length])
            base = self._base(prefix)
            if base is None:
                return
            file, root, is_package = base
            if file:
                shown = os.path.relpath(file, root).replace(os.sep, "/")
                package = prefix if is_package else prefix.rpartition(".")[0]
                yield file, shown, package

    def _base(self, name: str) -> tuple[str, str, bool] | None:
        """File ('' for a package without __init__.py), root, and whether it is a package."""
        if name not in self._found:
            self._found[name] = self._search(name)
        return self._found[name]

    def _search(self, name: str) -> tuple[str, str, bool] | None:
        relative = name.replace(".", os.sep)
        plain: str | None = None
        for root in self.roots:
            stem = os.path.join(root, relative)  # noqa: PTH118 (a tenth of the time of pathlib)
            if os.path.isfile(package := os.path.join(stem, "__init__.py")):  # noqa: PTH113, PTH118
                return package, root, True
            if os.path.isfile(module := stem + ".py"):  # noqa: PTH113
                return module, root, False
            if plain is None and os.path.isdir(stem):  # noqa: PTH112
                plain = root
        return None if plain is None else ("", plain, True)
