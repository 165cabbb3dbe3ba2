"""Finds the code of a symbol by reading it, never by importing it."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Symbol:
    """The source text of a module or of a class or function in it. Lines count from 1."""

    path: Path
    line: int
    source: str
    docstring_lines: tuple[int, int] | None

    def text(self, *, docstring: bool) -> str:
        """The source, with or without its own docstring."""
        if docstring or self.docstring_lines is None:
            return self.source
        first, last = (line - self.line for line in self.docstring_lines)
        lines = self.source.split("\n")
        return "\n".join(lines[:first] + lines[last + 1 :])


def find_symbol(root: Path, reference: str) -> Symbol | None:
    """The symbol that `module.path:Class.method` (or `module.path`) names below `root`.

    None when the module's file or the symbol does not exist.
    """
    module, _, qualified = reference.partition(":")
    path = module_file(root, module)
    if path is None:
        return None
    text = path.read_text(encoding="utf-8")
    node: ast.AST = ast.parse(text, filename=str(path))
    for name in qualified.split(".") if qualified else []:
        found = next((n for n in ast.iter_child_nodes(node) if name in _names(n)), None)
        if found is None:
            return None
        node = found
    lines = text.removesuffix("\n").split("\n")  # a form feed ends no line
    begin, end = _extent(node, len(lines))
    block = lines[begin - 1 : end]
    indent = min((len(s) - len(s.lstrip()) for s in block if s.strip()), default=0)
    return Symbol(path, begin, "\n".join(s[indent:] for s in block), _docstring(node))


def symbol_names(path: Path) -> list[str]:
    """The dotted names that the file `path` defines, classes' members included."""
    tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    found = [(name, node) for node in tree.body for name in sorted(_names(node))]
    return [
        *(name for name, _ in found),
        *(
            f"{name}.{member}"
            for name, node in found
            if isinstance(node, ast.ClassDef)
            for below in node.body
            for member in sorted(_names(below))
        ),
    ]


def module_file(root: Path, module: str) -> Path | None:
    """The file of `module.path` below `root`, if there is one."""
    if not module or not all(part.isidentifier() for part in module.split(".")):
        return None
    stem = root.joinpath(*module.split("."))
    for path in (stem.with_suffix(".py"), stem / "__init__.py"):
        if path.is_file():
            return path
    return None


def _names(node: ast.AST) -> set[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Assign):
        return {t.id for t in node.targets if isinstance(t, ast.Name)}
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return {node.target.id}
    return set()


def _extent(node: ast.AST, last_line: int) -> tuple[int, int]:
    if isinstance(node, ast.Module):
        return 1, last_line
    decorators = getattr(node, "decorator_list", [])
    begin = min([node.lineno, *(d.lineno for d in decorators)])  # type: ignore[attr-defined]
    return begin, node.end_lineno  # type: ignore[attr-defined]


def _docstring(node: ast.AST) -> tuple[int, int] | None:
    """First and last line of the docstring in the file."""
    body = getattr(node, "body", None)
    if not body or not isinstance(body[0], ast.Expr):
        return None
    value = body[0].value
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        return value.lineno, value.end_lineno or value.lineno
    return None
