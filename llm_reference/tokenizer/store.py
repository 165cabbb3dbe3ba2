"""A tokenizer on disk: one JSON file, which a person can read and which cannot run code."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from llm_reference.tokenizer.tokenizer import Tokenizer

FORMAT = "byte-level-bpe"
VERSION = 1


def write(tokenizer: Tokenizer, path: Path) -> None:
    """Write `tokenizer` to `path`: first whole and synced beside it, then renamed over it."""
    document = {
        "format": FORMAT,
        "version": VERSION,
        "pattern": tokenizer.pattern,
        "special": tokenizer.special,
        "byte_order": list(tokenizer.byte_order),
        "merges": [list(pair) for pair in tokenizer.merges],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    staged = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as out:
            json.dump(document, out, ensure_ascii=False)
            out.write("\n")
            out.flush()
            os.fsync(out.fileno())
        staged.chmod(0o644)
        staged.replace(path)
    except BaseException:
        staged.unlink(missing_ok=True)
        raise


def read(path: Path) -> Tokenizer:
    """The tokenizer in the file at `path`. Raises ValueError naming the file and the reason."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return _tokenizer(document)
    except RecursionError:
        raise ValueError(f"{path}: not a tokenizer file: nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"{path}: not a tokenizer file: {error}") from error


def _tokenizer(document: Any) -> Tokenizer:
    _require(isinstance(document, dict), "the top level must be an object")
    _require(document.get("format") == FORMAT, f'it does not say "format": "{FORMAT}"')
    version = document.get("version")
    _require(version == VERSION, f"it has version {version!r}, and only {VERSION} can be read")
    pattern, special, byte_order, merges = (
        document.get(key) for key in ("pattern", "special", "byte_order", "merges")
    )
    _require(isinstance(pattern, str), '"pattern" must be a string')
    _require(
        isinstance(special, dict) and all(map(_is_id, special.values())),
        '"special" must map each token to its id',
    )
    _require(
        isinstance(byte_order, list) and all(_is_id(byte) and byte < 256 for byte in byte_order),
        '"byte_order" must be a list of bytes',
    )
    _require(isinstance(merges, list), '"merges" must be a list of pairs of ids')
    for rank, pair in enumerate(merges):
        is_pair = isinstance(pair, list) and len(pair) == 2 and all(map(_is_id, pair))
        _require(is_pair, f"merge {rank} is {pair!r}, not a pair of ids")
    return Tokenizer(tuple((a, b) for a, b in merges), pattern, special, bytes(byte_order))


def _require(condition: bool, problem: str) -> None:
    if not condition:
        raise ValueError(problem)


def _is_id(value: object) -> bool:
    return type(value) is int and value >= 0
