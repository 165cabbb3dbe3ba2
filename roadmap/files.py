"""Writes one file whole, or not at all; keeps texts in caches that notice when they are damaged."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path


def write_atomically(path: Path, text: str) -> None:
    """Replace the content of `path`. Raises OSError; the old content then stands.

    What is no file, such as a terminal or a pipe, is written to and never replaced.
    """
    if path.exists() and not path.is_file():
        path.write_text(text, encoding="utf-8", newline="\n")
        return
    path = path.resolve()
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            os.chmod(name, path.stat().st_mode)  # noqa: PTH101 (mkstemp gives a name)
        else:
            os.chmod(name, 0o644)  # noqa: PTH101
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def keep(path: Path, text: str) -> None:
    """Put a text into a cache, with its checksum. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(f".{os.getpid()}.new")
    new.write_text(f"{_checksum(text)}\n{text}", encoding="utf-8", newline="\n")
    new.replace(path)


def kept(path: Path) -> str | None:
    """The text that `keep` put there; None where there is none, or one that has been damaged."""
    try:
        checksum, _, text = path.read_bytes().decode("utf-8").partition("\n")
    except (OSError, ValueError):
        return None
    return text if checksum == _checksum(text) else None


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
