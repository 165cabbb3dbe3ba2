"""From HTML to PDF files: one fresh process per book, as many at once as there are cores."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from html import escape
from importlib.metadata import version
from pathlib import Path

from roadmap.diagnostics import Diagnostic
from roadmap.files import keep, kept
from roadmap.render.pdf.libraries import missing
from roadmap.render.pdf.post import Attachment

_FONTCONFIG = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>{fonts}</dir>
  <cachedir>{cache}</cachedir>
  <alias><family>serif</family><prefer><family>Source Serif 4</family></prefer></alias>
  <alias><family>sans-serif</family><prefer><family>Source Sans 3</family></prefer></alias>
  <alias><family>monospace</family><prefer><family>JetBrains Mono</family></prefer></alias>
</fontconfig>
"""
_HERE = Path(__file__).resolve().parent
_PACKAGES = ("weasyprint", "pikepdf", "pydyf", "fonttools")
_MISSING_GLYPH = ".notdef glyph rendered"


@dataclass(frozen=True, slots=True)
class Book:
    """One PDF to make: its HTML, where it goes, and what travels inside.

    `titles` says in words where a destination (an HTML id) leads. `base_url` is where relative
    links point. `epoch` is the edition's time in seconds since 1970.
    """

    name: str
    html: str
    out: Path
    titles: Mapping[str, str]
    files: tuple[Attachment, ...]
    base_url: str
    epoch: int


def make(books: Sequence[Book], fonts: Path, cache: Path, jobs: int) -> list[Diagnostic]:
    """Make every book, at most `jobs` at once. A book that is unchanged is copied from `cache`.

    Nothing is left at `out` of a book that could not be made; a PDF that was there stays.
    """
    cache.mkdir(parents=True, exist_ok=True)
    config = cache / "fonts.conf"
    config.write_text(
        _FONTCONFIG.format(fonts=escape(str(fonts)), cache=escape(str(cache / "fontconfig"))),
        encoding="utf-8",
    )
    with ThreadPoolExecutor(max(1, jobs)) as pool:
        found = pool.map(lambda book: _make_one(book, fonts, config, cache), books)
        return [diagnostic for diagnostics in found for diagnostic in diagnostics]


def _make_one(book: Book, fonts: Path, config: Path, cache: Path) -> list[Diagnostic]:
    made = cache / f"{book.name}-{_digest(book, fonts)}.pdf"
    checksum = made.with_suffix(".sha256")
    if not _is_whole(made, checksum):
        diagnostics = _print(book, made, config, cache)
        if diagnostics:
            made.unlink(missing_ok=True)
            return diagnostics
        keep(checksum, hashlib.sha256(made.read_bytes()).hexdigest())
        for old in set(cache.glob(f"{book.name}-{'[0-9a-f]' * 16}.*")) - {made, checksum}:
            old.unlink(missing_ok=True)
    try:
        book.out.parent.mkdir(parents=True, exist_ok=True)
        staged = book.out.with_name(f".{book.out.name}.part")
        shutil.copyfile(made, staged)
        staged.replace(book.out)
    except OSError as error:
        return [_not_written(book, str(error))]
    return []


def _is_whole(made: Path, checksum: Path) -> bool:
    """Whether a kept PDF is there, and as it was written."""
    known = kept(checksum)
    try:
        return known == hashlib.sha256(made.read_bytes()).hexdigest()
    except OSError:
        return False


def _print(book: Book, made: Path, config: Path, cache: Path) -> list[Diagnostic]:
    source = cache / f"{book.name}.html"
    source.write_text(book.html, encoding="utf-8")
    request = {
        "html": str(source),
        "out": str(made),
        "base_url": book.base_url,
        "titles": dict(book.titles),
        "files": [asdict(file) for file in book.files],
        "epoch": book.epoch,
    }
    # -P: the folder that the build is started in must not shadow the standard library
    done = subprocess.run(
        [sys.executable, "-P", "-m", "roadmap.render.pdf.worker"],
        input=json.dumps(request),
        capture_output=True,
        encoding="utf-8",
        env=_environment(config, book.epoch),
        check=False,
    )
    if done.returncode != 0:
        return [_died(book, done)]
    reply = json.loads(done.stdout)
    if "library" in reply:
        return [missing(reply["library"])]
    if "os" in reply:
        return [_not_written(book, reply["os"])]
    return [_reported(book, message) for message in dict.fromkeys(reply["messages"])]


def _environment(config: Path, epoch: int) -> dict[str, str]:
    package_root = str(_HERE.parents[2])
    path = os.pathsep.join(filter(None, [package_root, os.environ.get("PYTHONPATH", "")]))
    return {
        **os.environ,
        "FONTCONFIG_FILE": str(config),
        "SOURCE_DATE_EPOCH": str(epoch),
        "PYTHONPATH": path,
        "PYTHONIOENCODING": "utf-8",
        "TZ": "UTC",
    }


def _digest(book: Book, fonts: Path) -> str:
    """Of everything that the bytes of the PDF depend on."""
    state = hashlib.sha256()
    parts = [book.html, json.dumps(dict(book.titles)), book.base_url, str(book.epoch)]
    parts += [f"{name} {version(name)}" for name in _PACKAGES]
    parts += [text for file in book.files for text in (file.name, file.description, file.text)]
    parts += [path.read_text(encoding="utf-8") for path in sorted(_HERE.glob("*.py"))]
    parts += [f"{font.name} {font.stat().st_size}" for font in sorted(fonts.glob("*.ttf"))]
    for part in parts:
        state.update(part.encode() + b"\0")
    return state.hexdigest()[:16]


def _reported(book: Book, message: str) -> Diagnostic:
    if message.startswith(_MISSING_GLYPH):
        sign, _, code = message.partition('"')[2].rpartition('" ')
        return Diagnostic(
            "glyph-missing",
            f"No font of the book has the character “{sign}” {code}",
            hint="write it in words, or with a character that templates/fonts/README.md lists",
        )
    return Diagnostic("pdf-warning", f"{book.name}: {message}")


def _died(book: Book, done: subprocess.CompletedProcess[str]) -> Diagnostic:
    how = f"signal {-done.returncode}" if done.returncode < 0 else f"exit code {done.returncode}"
    return Diagnostic(
        "pdf-warning",
        f"The process that makes {book.name} died ({how})",
        notes=tuple(done.stderr.strip().splitlines()[-12:]),
    )


def _not_written(book: Book, why: str) -> Diagnostic:
    return Diagnostic("publish-failed", f"{book.out.name} cannot be written: {why}")
