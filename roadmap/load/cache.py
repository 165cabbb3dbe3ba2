"""Remembers what files meant, so that a file that did not change is not parsed again.

One text file: a line `version checksum`, then one line `kind/digest JSON` per remembered value.
Lines are decoded when asked for and written back as they were. Only values of files without
faults are remembered. A cache that is old, damaged or cannot be written is as good as none.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any


class Cache:
    """What was read last time. With `folder` None it remembers nothing."""

    def __init__(self, folder: Path | None, name: str) -> None:
        self._file = None if folder is None else folder / f"{name}.txt"
        self._version = "" if folder is None else _version()
        self._before = self._read()
        self._decode = json.JSONDecoder().raw_decode  # lighter than loads() by a third
        self._now: dict[str, str] = {}
        self._learnt = False

    def get(self, kind: str, digest: str) -> Any:
        """What was put under this kind and digest, or None."""
        key = f"{kind}/{digest}"
        line = self._before.get(key)
        if line is None:
            return None
        self._now[key] = line
        return self._decode(line)[0]

    def put(self, kind: str, digest: str, value: Any) -> None:
        """Remember a value made of dicts, lists, strings, numbers, booleans and None."""
        self._now[f"{kind}/{digest}"] = json.dumps(value, separators=(",", ":"))

    def __len__(self) -> int:
        return len(self._before)

    def news(self) -> dict[str, str]:
        """What was put since the start, in a form that `learn` takes."""
        return {key: line for key, line in self._now.items() if key not in self._before}

    def learn(self, news: dict[str, str]) -> None:
        """Take over what another process put."""
        self._before = {**news, **self._before}
        self._learnt = self._learnt or bool(news)

    def save(self) -> None:
        """Write what was asked for or put since the start, and forget the rest."""
        if self._file is None:
            return
        if self._now.keys() == self._before.keys() and not self._learnt:
            return
        body = "".join(f"{key} {self._now[key]}\n" for key in sorted(self._now)).encode()
        staged = self._file.with_suffix(f".{os.getpid()}")
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            staged.write_bytes(self._head(body) + body)
            staged.replace(self._file)
        except OSError:
            with suppress(OSError):
                staged.unlink()

    def _read(self) -> dict[str, str]:
        try:
            head, _, body = self._file.read_bytes().partition(b"\n") if self._file else (b"",) * 3
        except OSError:
            return {}
        if not body or head + b"\n" != self._head(body):
            return {}
        pairs = (line.partition(" ") for line in body.decode().splitlines())
        return {key: value for key, _, value in pairs}

    def _head(self, body: bytes) -> bytes:
        return f"{self._version} {zlib.crc32(body):08x}\n".encode()


def digest(content: str | bytes) -> str:
    """SHA-256 of a text or of bytes."""
    raw = content.encode() if isinstance(content, str) else content
    return hashlib.sha256(raw).hexdigest()


def _version() -> str:
    """Changes with this package, the model and the Markdown parser."""
    here = Path(__file__).parent
    parsers = ("markdown_it/__init__.py", "mdit_py_plugins/__init__.py")
    found = (Path(folder, parser) for parser in parsers for folder in sys.path)
    sources = [
        *sorted(here.glob("*.py")),
        here.parent / "model.py",
        *(path for path in found if path.is_file()),
    ]
    content = hashlib.sha256(sys.version.encode())
    for source in sources:
        content.update(source.read_bytes())
    return content.hexdigest()
