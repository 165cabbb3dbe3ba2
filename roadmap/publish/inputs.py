"""Everything that a build is made from, as digests: has anything changed since the last one?"""

from __future__ import annotations

import hashlib
import os
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from roadmap.publish.site import digest

# Fonts and vendored bundles are megabytes that never change in place: size and time will do.
_LARGE = 100_000


@dataclass(frozen=True, slots=True)
class Inputs:
    """Digests of the book's files, of the code beside it and of the press itself.

    `subject` is all that experiments can import from the project: its packages and modules.
    `environment` stands for the Python version and the installed distributions.
    """

    book: Mapping[str, str]
    subject: Mapping[str, str]
    press: str
    environment: str

    def fingerprint(self, *options: object) -> str:
        """One digest of all inputs, the build's options and the day: notes age by the calendar."""
        return digest(
            self.book, self.subject, self.press, self.environment, date.today().isoformat(), options
        )


def read_inputs(book: Path) -> Inputs:
    """Digest the inputs of the book in the folder `book`.

    What cannot be read counts as such: reading it, `load` and `run` say what is wrong and where.
    """
    project = book.parent
    press = Path(__file__).resolve().parents[2]
    code = {**tree(press / "roadmap"), **tree(press / "templates", "templates/")}
    return Inputs(tree(book), _importable(project, press), digest(code), _environment())


def _importable(project: Path, press: Path) -> dict[str, str]:
    """The project's modules and packages, by path from the project; the press counts elsewhere."""
    found: dict[str, str] = {}
    for entry in sorted(os.scandir(project), key=lambda e: e.name):
        path = Path(entry.path)
        if entry.name.endswith(".py"):
            found |= {entry.name: _file_digest(entry.path, *_size_and_time(entry))}
        elif (path / "__init__.py").is_file() and path != press / "roadmap":
            found |= tree(path, entry.name + "/")
    return found


def tree(folder: Path, prefix: str = "") -> dict[str, str]:
    """Relative path -> digest of every file below `folder`, in order of path."""
    root = os.fspath(folder)
    return {
        prefix + os.path.relpath(path, root): _file_digest(path, size, mtime)
        for path, size, mtime in sorted(_walk(root))
    }


def _walk(folder: str) -> Iterator[tuple[str, int, int]]:
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        if entry.name == "__pycache__" or entry.name.startswith("."):
            continue  # what tools leave behind
        if entry.is_dir():
            yield from _walk(entry.path)
        elif entry.is_file():
            yield entry.path, *_size_and_time(entry)


def _size_and_time(entry: os.DirEntry[str]) -> tuple[int, int]:
    try:
        stat = entry.stat()
    except OSError:  # an editor's file that has just gone
        return 0, 0
    return stat.st_size, stat.st_mtime_ns


def _file_digest(path: str, size: int, mtime: int) -> str:
    if size > _LARGE:
        return f"{size}-{mtime}"
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError:
        return "unreadable"


def _environment() -> str:
    packages = sorted(
        {
            name
            for key in ("purelib", "platlib")
            for name in os.listdir(sysconfig.get_path(key))  # noqa: PTH208 (names alone)
            if name.endswith((".dist-info", ".egg-link", ".pth"))
        }
    )
    return digest(sys.version_info[:3], packages)
