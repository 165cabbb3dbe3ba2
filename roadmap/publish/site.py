"""Writes a site as one step: a reader sees the last good site or the new one, never a mixture.

A site is made of units. A unit is a few files made from one set of inputs; its key is a digest of
those inputs. A unit whose key is known keeps its files. The new site is staged beside the old one,
with hard links for what did not change, and the two folders are exchanged.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from roadmap.diagnostics import BuildError, Diagnostic, Span
from roadmap.parallel import call_all
from roadmap.publish.exchange import exchange

MANIFEST = ".roadmap.json"
LAST = "last"
_VERSION = 1

Read = Callable[[str], bytes]
Make = Callable[[Read], Mapping[str, bytes | str]]


@dataclass(frozen=True, slots=True)
class Unit:
    """Files made together. `make` gives path -> content; `read` shows it earlier units' files.

    `make` is None for a unit that is kept as long as its key holds, and left out afterwards. Units
    of one `group` are made by one process; those of the group `last`, after all others.
    """

    name: str
    key: str
    make: Make | None
    group: str = ""


@dataclass(frozen=True, slots=True)
class Published:
    """What a publication did: paths relative to the site."""

    written: tuple[str, ...]
    kept: int
    removed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a site holds: the fingerprint of everything it came from, and each unit's files.

    A file is recorded with its size in bytes and its modification time in nanoseconds, so that
    one changed by hand is noticed and made again.
    """

    fingerprint: str
    units: Mapping[str, tuple[str, Mapping[str, tuple[int, int]]]]

    def files(self) -> dict[str, tuple[int, int]]:
        """Every file of the site."""
        return {path: stat for _, files in self.units.values() for path, stat in files.items()}


def digest(*parts: object) -> str:
    """A key: the SHA-256 of the parts' JSON."""
    text = json.dumps(parts, ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def read_manifest(out: Path) -> Manifest | None:
    """The manifest of the site at `out`; None where there is no site of ours, or a broken one."""
    try:
        data = json.loads((out / MANIFEST).read_text(encoding="utf-8"))
        if data["version"] != _VERSION:
            return None
        units = {
            name: (key, {path: (size, mtime) for path, (size, mtime) in files.items()})
            for name, (key, files) in data["units"].items()
        }
        return Manifest(data["fingerprint"], units)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def is_current(out: Path, fingerprint: str) -> bool:
    """Whether the site at `out` was made from exactly these inputs and is untouched since."""
    manifest = read_manifest(out)
    if manifest is None or manifest.fingerprint != fingerprint:
        return False
    return all(_stat(out / path) == stat for path, stat in manifest.files().items())


def publish(
    units: Sequence[Unit],
    out: Path,
    fingerprint: str,
    on_unit: Callable[[Unit], None] = lambda _: None,
    prepare: Callable[[], object] = lambda: None,
    jobs: int = 1,
) -> Published:
    """Bring the site at `out` up to date with `units`, in `jobs` processes where that pays.

    `prepare` is called before these part, to load what all of them need.

    Raises BuildError when a unit cannot be made or the disk refuses; `out` is then as it was.
    """
    _refuse_foreign(out)
    old = read_manifest(out) or Manifest("", {})
    staging = out.with_name(f".{out.name}.staging")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir()
        published, record = _stage(units, out, old, staging, on_unit, prepare, jobs)
        _write_manifest(staging, fingerprint, record)
        if out.exists():
            exchange(staging, out)
        else:
            staging.rename(out)
    except OSError as error:
        where = error.filename or out
        message = f"The site cannot be written: {error.strerror or error} ({where})."
        hint = "The last good site is untouched. Free the disk or choose another folder with --out."
        raise BuildError(Diagnostic("publish-failed", message, Span(out), hint)) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return published


def _refuse_foreign(out: Path) -> None:
    if not out.exists() and not out.is_symlink():
        return
    if not out.is_dir() or out.is_symlink():
        message = f"{out} is not a folder."
    elif read_manifest(out) is None and any(out.iterdir()) and not (out / MANIFEST).exists():
        message = f"{out} holds files that this program did not write."
    else:
        return
    hint = "Choose another folder with --out, or move it away."
    raise BuildError(Diagnostic("publish-failed", message, Span(out), hint))


_Record = dict[str, tuple[str, dict[str, tuple[int, int]]]]


def _stage(
    units: Sequence[Unit],
    out: Path,
    old: Manifest,
    staging: Path,
    on_unit: Callable[[Unit], None],
    prepare: Callable[[], object],
    jobs: int,
) -> tuple[Published, _Record]:
    written: list[str] = []
    kept = 0
    record: _Record = {}
    owner: dict[str, str] = {}

    def read(path: str) -> bytes:
        return (staging / path).read_bytes()

    def keep(path: str, stat: tuple[int, int]) -> None:
        _parent(staging / path)
        _link(out / path, staging / path)
        record[name][1][path] = stat

    def holds(unit: Unit) -> bool:
        key, files = old.units.get(unit.name, ("", {}))
        return key == unit.key and all(_stat(out / path) == s for path, s in files.items())

    held = {unit.name for unit in units if holds(unit)}
    stale = [unit for unit in units if unit.name not in held and unit.make is not None]
    made = _make(stale, read, on_unit, prepare, jobs)
    for unit in units:
        name = unit.name
        files = old.units.get(name, ("", {}))[1]
        if name in held:
            record[name] = (unit.key, {})
            for path, stat in files.items():
                keep(path, stat)
            kept += len(files)
            continue
        if unit.make is None:
            continue
        record[name] = (unit.key, {})
        if name not in made:
            on_unit(unit)
            made[name] = unit.make(read)
        for path, content in made[name].items():
            data = content.encode("utf-8") if isinstance(content, str) else content
            if path in owner:
                raise ValueError(f"units {owner[path]} and {name} both write {path}")
            owner[path] = name
            before = files.get(path)
            if before and before == _stat(out / path) and (out / path).read_bytes() == data:
                keep(path, before)
                kept += 1
                continue
            _parent(staging / path)
            (staging / path).write_bytes(data)
            status = (staging / path).stat()
            record[name][1][path] = (status.st_size, status.st_mtime_ns)
            written.append(path)
    now = {path for _, files in record.values() for path in files}
    removed = tuple(sorted(set(old.files()) - now))
    return Published(tuple(written), kept, removed), record


def _make(
    stale: Sequence[Unit],
    read: Read,
    on_unit: Callable[[Unit], None],
    prepare: Callable[[], object],
    jobs: int,
) -> dict[str, Mapping[str, bytes | str]]:
    """The files of all stale units but the last ones, made side by side."""
    groups: dict[str, list[Unit]] = {}
    for unit in stale:
        if unit.group != LAST:
            on_unit(unit)
            groups.setdefault(unit.group or f" {unit.name}", []).append(unit)

    def task(group: list[Unit]) -> dict[str, Mapping[str, bytes | str]]:
        return {unit.name: unit.make(read) for unit in group if unit.make is not None}

    together = sorted(groups.values(), key=len, reverse=True)
    parts = call_all([partial(task, group) for group in together], jobs, prepare)
    return {name: files for part in parts for name, files in part.items()}


def _write_manifest(staging: Path, fingerprint: str, record: _Record) -> None:
    data: dict[str, Any] = {"version": _VERSION, "fingerprint": fingerprint, "units": record}
    with (staging / MANIFEST).open("w", encoding="utf-8") as file:
        json.dump(data, file, separators=(",", ":"))
        file.flush()
        os.fsync(file.fileno())


def _parent(path: Path) -> None:
    if not path.parent.is_dir():
        path.parent.mkdir(parents=True, exist_ok=True)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _stat(path: Path) -> tuple[int, int] | None:
    with contextlib.suppress(OSError):
        stat = path.stat()
        return stat.st_size, stat.st_mtime_ns
    return None
