"""The cache key of an experiment, by parts, so that a stale record can say which part changed.

    cells               the names of the code cells, in order
    cell NAME           what the cell's code means
    seed, threads       conditions of the run that change its numbers
    file PATH           a file that the experiment `needs`
    module PATH         a module of the project that is imported, directly or by another module
    package NAME        the version of an installed distribution that any of these import
    figures             how figures look, if matplotlib is among these
    python              3.11
    worker              the version of what the worker does

Not in it: prose, comments, layout, tags, limits of time and memory, expectations.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from roadmap.model import Experiment
from roadmap.run import figures
from roadmap.run.code import Code, Codes
from roadmap.run.imports import Finder, Folders, absolute, import_roots
from roadmap.run.packages import Packages

# Raise it when the worker changes what an experiment prints, draws or computes.
WORKER_VERSION = "1"


@dataclass(frozen=True, slots=True)
class Sources:
    """What has been read of the project and its environment: share it between experiments."""

    codes: Codes = field(default_factory=Codes)
    folders: Folders = field(default_factory=Folders)
    packages: Packages = field(default_factory=Packages)


def components(
    experiment: Experiment, root: Path, sources: Sources | None = None
) -> dict[str, str]:
    """The parts of the key. `root` is the project's folder."""
    sources = sources or Sources()
    cells = [c for c in experiment.cells if c.kind == "code"]
    meanings = [sources.codes.text(cell.source.encode()) for cell in cells]
    parts = {"cells": " ".join(cell.name for cell in cells)}
    for cell, code in zip(cells, meanings, strict=True):
        parts[f"cell {cell.name}"] = code.digest
    parts["seed"] = str(experiment.options.seed)
    parts["threads"] = str(experiment.options.threads)
    for need in experiment.options.needs:
        parts[f"file {_shown(need, root)}"] = _content(need)
    parts |= _imported(meanings, import_roots(experiment.path, root), sources)
    if "package matplotlib" in parts:
        parts["figures"] = sources.codes.of_file(figures.__file__).digest
    parts["python"] = f"{sys.version_info.major}.{sys.version_info.minor}"
    parts["worker"] = WORKER_VERSION
    return parts


def _imported(meanings: list[Code], roots: list[Path], sources: Sources) -> dict[str, str]:
    """Modules of the project, transitively, and the distributions that they all import."""
    finder = Finder(roots, sources.folders)
    modules: dict[str, str] = {}
    versions: dict[str, str] = {}
    waiting = [(code, "") for code in meanings]
    seen: set[str] = set()
    while waiting:
        code, package = waiting.pop()
        for name in (n for found in code.imports for n in absolute(found, package)):
            if name in seen:
                continue
            seen.add(name)
            top = name.partition(".")[0]
            if not finder.is_file(top):
                if top in sys.stdlib_module_names:
                    continue
                distribution = sources.packages.of_module(top)
                if distribution is not None:
                    versions[f"package {distribution[0]}"] = distribution[1]
                    continue
            for module in finder.files(name):
                if f"module {module.shown}" not in modules:
                    inner = sources.codes.of_file(module.file)
                    modules[f"module {module.shown}"] = inner.digest
                    waiting.append((inner, module.package))
    return dict(sorted(modules.items())) | dict(sorted(versions.items()))


def _shown(path: Path, root: Path) -> str:
    return os.path.relpath(path, root).replace(os.sep, "/")


def _content(path: Path) -> str:
    """The digest of a file, or of all files below a folder with their names."""
    digest = sha256()
    try:
        for name, file in _files(path):
            content = sha256(file.read_bytes()).hexdigest()
            digest.update(f"{name}\0{content}\n".encode())
    except OSError:
        return "unreadable"
    return digest.hexdigest()


def _files(path: Path) -> Iterator[tuple[str, Path]]:
    if not path.is_dir():
        yield "", path
        return
    for file in sorted(path.rglob("*")):
        if file.is_file():
            yield file.relative_to(path).as_posix(), file
