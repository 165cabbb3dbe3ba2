"""Code that chapters show or name: found by reading the project's files, never by importing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from roadmap.diagnostics import Diagnostic, Span, did_you_mean
from roadmap.load.cache import Cache, digest
from roadmap.load.symbols import find_symbol, module_file, symbol_names
from roadmap.model import Node, Roadmap


def check_sources(roadmap: Roadmap, cache: Cache) -> Iterator[Diagnostic]:
    """Every `{source}` and every entry of `source:` names code that is there."""
    project = roadmap.root.parent
    modules: dict[str, tuple[Path, str] | None] = {}
    for node in roadmap:
        for reference, span in _references(node):
            module = reference.partition(":")[0]
            if module not in modules:
                modules[module] = _read(project, module)
            known = modules[module]
            if known is None:
                yield _no_module(module, span)
                continue
            path, text_digest = known
            key = f"{text_digest}:{reference}"
            if cache.get("symbol", key) is None:
                fault = _fault(project, path, reference, span)
                if fault:
                    yield fault
                else:
                    cache.put("symbol", key, "found")


def _references(node: Node) -> Iterator[tuple[str, Span]]:
    for number, reference in enumerate(node.source):
        yield reference, node.span(f"source.{number}")
    for use in node.chapter.uses:
        if use.name == "source" and use.argument:
            yield use.argument, use.span


def _read(project: Path, module: str) -> tuple[Path, str] | None:
    path = module_file(project, module)
    if path is None:
        return None
    return path, digest(path.read_text(encoding="utf-8", errors="replace"))


def _fault(project: Path, path: Path, reference: str, span: Span) -> Diagnostic | None:
    where = path.relative_to(project).as_posix()
    try:
        if find_symbol(project, reference) is not None:
            return None
        names = symbol_names(path)
    except (SyntaxError, ValueError) as error:
        return Diagnostic("source-missing", f"{where} cannot be read: {error}.", span)
    symbol = reference.partition(":")[2]
    hint = (
        did_you_mean(symbol, names)
        or "Name the code where it is defined, not where it is imported."
    )
    return Diagnostic("source-missing", f"{where} defines no `{symbol}`.", span, hint)


def _no_module(module: str, span: Span) -> Diagnostic:
    message = f"There is no module `{module}` in this project."
    hint = "Write `package.module:Class.method`."
    return Diagnostic("source-missing", message, span, hint)
