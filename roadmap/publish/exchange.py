"""Exchanges two folders in one step, so that no moment has neither."""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
from pathlib import Path

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
_RENAME_SWAP = 2


def exchange(new: Path, current: Path) -> None:
    """Afterwards `current` holds what `new` held and the reverse. Raises OSError.

    Uses renameat2(RENAME_EXCHANGE) on Linux and renamex_np(RENAME_SWAP) on macOS. Where the file
    system has neither, two renames, undone if the second fails.
    """
    if _exchange_atomically(os.fsencode(new), os.fsencode(current)):
        return
    aside = current.with_name(f".{current.name}.old")
    shutil.rmtree(aside, ignore_errors=True)  # left by a process that was killed right here
    current.rename(aside)
    try:
        new.rename(current)
    except OSError:
        aside.rename(current)
        raise
    aside.rename(new)


def _exchange_atomically(new: bytes, current: bytes) -> bool:
    libc = ctypes.CDLL(None, use_errno=True)
    if sys.platform == "linux" and hasattr(libc, "renameat2"):
        return libc.renameat2(_AT_FDCWD, new, _AT_FDCWD, current, _RENAME_EXCHANGE) == 0
    if sys.platform == "darwin" and hasattr(libc, "renamex_np"):
        return libc.renamex_np(new, current, _RENAME_SWAP) == 0
    return False
