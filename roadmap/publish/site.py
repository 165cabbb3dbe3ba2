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


_Files = dict[str, tuple[int, int]]
_Record = dict[str, tuple[str, _Files]]


def _stage(
    units: Sequence[Unit],
    out: Path,
    old: Manifest,
    staging: Path,
    on_unit: Callable[[Unit], None],
    prepare: Callable[[], object],
    jobs: int,
) -> tuple[Published, _Record]:
    """Lay out the new site: links to what is kept, and what is made anew, side by side."""
    site = _Staging(out, staging)
    kept: dict[str, _Files] = {}
    groups: dict[str, list[Unit]] = {}
    last: list[Unit] = []
    for unit in units:
        key, files = old.units.get(unit.name, ("", {}))
        if key == unit.key and all(_stat(out / path) == stat for path, stat in files.items()):
            kept[unit.name] = {path: site.link(path, stat) for path, stat in files.items()}
        elif unit.make is not None and unit.group == LAST:
            last.append(unit)
        elif unit.make is not None:
            on_unit(unit)
            groups.setdefault(unit.group or f" {unit.name}", []).append(unit)

    def task(group: Sequence[Unit]) -> dict[str, _Files]:
        return {unit.name: site.write(unit, old) for unit in group}

    together = sorted(groups.values(), key=len, reverse=True)
    made: dict[str, _Files] = {}
    for part in call_all([partial(task, group) for group in together], jobs, prepare):
        made |= part
    for unit in last:
        on_unit(unit)
        made[unit.name] = site.write(unit, old)

    record: _Record = {}
    owner: dict[str, str] = {}
    for unit in units:
        if unit.name not in kept and unit.name not in made:
            continue
        record[unit.name] = (unit.key, kept.get(unit.name) or made.get(unit.name) or {})
        for path in record[unit.name][1]:
            if owner.setdefault(path, unit.name) != unit.name:
                raise ValueError(f"units {owner[path]} and {unit.name} both write {path}")
    before = old.files()
    now = {path: stat for _, files in record.values() for path, stat in files.items()}
    written = tuple(path for path, stat in now.items() if before.get(path) != stat)
    removed = tuple(sorted(before.keys() - now.keys()))
    return Published(written, len(now) - len(written), removed), record


@dataclass(frozen=True, slots=True)
class _Staging:
    """The folder `staging`, in which the site that replaces the one at `out` grows."""

    out: Path
    staging: Path

    def read(self, path: str) -> bytes:
        """A file that is there already."""
        return (self.staging / path).read_bytes()

    def link(self, path: str, stat: tuple[int, int]) -> tuple[int, int]:
        """Keep a file of the old site."""
        target = self._target(path)
        try:
            os.link(self.out / path, target)
        except OSError:
            shutil.copy2(self.out / path, target)
        return stat

    def write(self, unit: Unit, old: Manifest) -> _Files:
        """Make a unit. A file whose bytes are those of the old one is kept, with its time."""
        assert unit.make is not None
        before = old.units.get(unit.name, ("", {}))[1]
        files: _Files = {}
        for path, content in unit.make(self.read).items():
            data = content.encode("utf-8") if isinstance(content, str) else content
            known = before.get(path)
            if known and known == _stat(self.out / path) and (self.out / path).read_bytes() == data:
                files[path] = self.link(path, known)
                continue
            target = self._target(path)
            target.write_bytes(data)
            status = target.stat()
            files[path] = status.st_size, status.st_mtime_ns
        return files

    def _target(self, path: str) -> Path:
        target = self.staging / path
        if not target.parent.is_dir():
            target.parent.mkdir(parents=True, exist_ok=True)
        return target


def _write_manifest(staging: Path, fingerprint: str, record: _Record) -> None:
    data: dict[str, Any] = {"version": _VERSION, "fingerprint": fingerprint, "units": record}
    with (staging / MANIFEST).open("w", encoding="utf-8") as file:
        json.dump(data, file, separators=(",", ":"))
        file.flush()
        os.fsync(file.fileno())


def _stat(path: Path) -> tuple[int, int] | None:
    with contextlib.suppress(OSError):
        stat = path.stat()
        return stat.st_size, stat.st_mtime_ns
    return None
