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


class Folders:
    """Which files and folders a folder has. Each is listed once, however many names are sought."""

    def __init__(self) -> None:
        self._entries: dict[str, frozenset[str]] = {}

    def has(self, folder: str, entry: str) -> bool:
        """Whether `folder` exists and holds something called `entry`."""
        if folder not in self._entries:
            try:
                self._entries[folder] = frozenset(os.listdir(folder))  # noqa: PTH208
            except OSError:
                self._entries[folder] = frozenset()
        return entry in self._entries[folder]


@dataclass(frozen=True, slots=True)
class Module:
    """A local module: its file ('' for a package without __init__.py), the path to show for it,
    the folder of its submodules ('' if it is no package) and the package its imports stand in.
    """

    file: str
    shown: str
    folder: str
    package: str


class Finder:
    """Finds local modules below the roots as Python would; remembers what it has looked up."""

    def __init__(self, roots: Sequence[Path], folders: Folders | None = None) -> None:
        self.roots = [str(root) for root in roots]
        self.folders = folders or Folders()
        self._found: dict[str, Module | None] = {}

    def is_file(self, name: str) -> bool:
        """Whether `name` is a module or a package with an __init__.py below the roots.

        Such a one hides what is installed under its name; a mere folder does not.
        """
        module = self._module(name)
        return module is not None and bool(module.file)

    def files(self, name: str) -> Iterator[Module]:
        """The modules with a file that importing `name` executes.

        Importing `a.b.c` executes a/__init__.py, a/b/__init__.py and a/b/c.py, where they exist.
        """
        end = 0
        while end >= 0:
            end = name.find(".", end + 1)
            module = self._module(name if end < 0 else name[:end])
            if module is None:
                return
            if module.file:
                yield module

    def _module(self, name: str) -> Module | None:
        if name not in self._found:
            self._found[name] = self._search(name)
        return self._found[name]

    def _search(self, name: str) -> Module | None:
        above, _, last = name.rpartition(".")
        parent = self._module(above) if above else None
        if above and (parent is None or not parent.folder):
            return None
        plain = None
        for root in [parent.folder] if parent else self.roots:
            shown = f"{parent.shown.rpartition('/')[0]}/{last}" if parent else last
            folder = f"{root}{os.sep}{last}"
            if self.folders.has(root, last):
                if self.folders.has(folder, "__init__.py"):
                    init = f"{folder}{os.sep}__init__.py"
                    return Module(init, f"{shown}/__init__.py", folder, name)
                plain = plain or Module("", f"{shown}/", folder, name)
            if self.folders.has(root, f"{last}.py"):
                return Module(f"{folder}.py", f"{shown}.py", "", above)
        return plain
