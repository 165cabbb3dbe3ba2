"""Reads the book's text files, and keeps every path inside the book."""

from __future__ import annotations

import os
from pathlib import Path

from roadmap.diagnostics import Diagnostic, Span


def read_text(path: Path, book: Path, asked: Span | None = None) -> str | Diagnostic:
    """The text of `path` without a byte order mark and with LF line ends, or what is wrong.

    The file's folder is known to lie in the book; the file may yet be a link. `asked` is the place
    that names the file, for the case that there is none.
    """
    try:
        if path.is_symlink() and escapes(path, book):
            message = f"{path.name} is a link that leads outside the book."
            hint = "Copy the file into the book."
            return Diagnostic("path-escapes-book", message, Span(path), hint)
        raw = path.read_bytes()
    except FileNotFoundError:
        return Diagnostic(
            "file-missing",
            f"{path.relative_to(book.parent).as_posix()} does not exist.",
            asked or Span(path),
            "Create the file, or take its name out.",
        )
    except OSError as error:
        message = f"{path.name} cannot be read: {error.strerror}."
        return Diagnostic("file-unreadable", message, Span(path))
    return decode(raw, path)


def decode(raw: bytes, path: Path) -> str | Diagnostic:
    """Bytes of the file `path` as text, or the place of the first byte that is none."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # The BOM's three bytes are not in `error.object`.
        before = error.object[: error.start].decode("utf-8", errors="replace")
        message = f"Byte 0x{error.object[error.start]:02x} is not valid UTF-8."
        hint = "Save the file as UTF-8."
        return Diagnostic("file-encoding", message, _end_of(before, path), hint)
    if "\0" in text:
        span = _end_of(text[: text.index("\0")], path)
        hint = "Save it as UTF-8 text; UTF-16 files begin like this."
        return Diagnostic("file-encoding", "The file holds a NUL byte.", span, hint)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text


def escapes(path: Path, root: Path) -> bool:
    """Whether `path` lies outside the folder `root`, itself or by a symbolic link below `root`."""
    top, here = str(root), str(path)
    if os.path.commonpath([top, here]) != top:
        return True
    while here != top:
        if os.path.islink(here):  # noqa: PTH114 (called for every node: Path is slow)
            inside = os.path.realpath(top)
            return os.path.commonpath([inside, os.path.realpath(path)]) != inside
        here = os.path.dirname(here)  # noqa: PTH120
    return False


def relative_path(name: str, folder: Path, root: Path) -> Path | None:
    """The path that `name` means in `folder`; None where it is absolute or leaves `root`."""
    if not name or name.startswith(("/", "~")) or "\\" in name or Path(name).is_absolute():
        return None
    path = Path(os.path.normpath(folder / name))
    return None if escapes(path, root) else path


def _end_of(before: str, path: Path) -> Span:
    lines = before.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return Span(path, len(lines), len(lines[-1]) + 1)
