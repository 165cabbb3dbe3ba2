"""What the cells of a running experiment have said so far."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from roadmap.model import CellOutput

# More than this a page cannot hold: characters of all cells together, and bytes of SVG.
TEXT_LIMIT = 256 * 1024
FIGURE_LIMIT = 16 * 2**20


@dataclass(slots=True)
class _Cell:
    name: str
    stdout: bytearray = field(default_factory=bytearray)
    stderr: bytearray = field(default_factory=bytearray)
    figures: tuple[str, ...] = ()
    results: tuple[tuple[str, float], ...] = ()
    began: float = field(default_factory=time.monotonic)
    seconds: float = 0.0
    finished: bool = False


class Transcript:
    """Collects the cells of one run. `report` is the file that results are appended to.

    Text that comes before the first cell belongs to a cell called ''.
    """

    def __init__(self, report: Path) -> None:
        self.report = report
        self.excess = ""
        self._cells: list[_Cell] = []
        self._text = self._svg = 0

    @property
    def cell(self) -> str:
        """The name of the cell that runs, or ran last."""
        return self._cells[-1].name if self._cells else ""

    @property
    def between_cells(self) -> bool:
        """Whether the last cell has finished, and no other has started."""
        return bool(self._cells) and self._cells[-1].finished

    def start(self, name: str) -> None:
        """From here on, the cell called `name` speaks."""
        self._cells.append(_Cell(name))

    def write(self, stream: Literal["stdout", "stderr"], data: bytes) -> None:
        """Add text; what goes beyond the limit is dropped, and `excess` says so."""
        if not self._cells:
            self.start("")
        cell = self._cells[-1]
        room = TEXT_LIMIT - self._text
        text = cell.stdout if stream == "stdout" else cell.stderr
        text += data[:room]
        self._text += min(room, len(data))
        if len(data) > room:
            self.excess = f"printed more than {TEXT_LIMIT // 1024} KiB"

    def finish(self, message: Mapping[str, Any]) -> None:
        """The running cell has ended: take in its figures, results and time."""
        cell = self._cells[-1]
        cell.finished, cell.seconds = True, message["seconds"]
        cell.results = tuple((name, value) for name, value in message["results"])
        self._svg += sum(map(len, message["figures"]))
        if self._svg > FIGURE_LIMIT:
            self.excess = f"drew more than {FIGURE_LIMIT // 2**20} MiB of figures"
        else:
            cell.figures = tuple(message["figures"])

    def outputs(self, folders: Mapping[Path, str]) -> tuple[CellOutput, ...]:
        """The cells as values. Names of `folders` in their text give way to what they map to.

        They exist on this machine only, some in this run only: no page should depend on them.
        """
        names = {
            spelling + os.sep: name
            for folder, name in folders.items()
            for spelling in (str(folder), os.path.realpath(folder))
        }

        def text(raw: bytearray) -> str:
            text = raw.decode("utf-8", "replace")
            for folder, name in names.items():
                text = text.replace(folder, name)
            return text

        return tuple(
            CellOutput(
                name=cell.name,
                stdout=text(cell.stdout),
                stderr=text(cell.stderr),
                figures=cell.figures,
                results=cell.results if cell.finished else self._unfinished_results(),
                seconds=cell.seconds if cell.finished else time.monotonic() - cell.began,
            )
            for cell in self._cells
        )

    def _unfinished_results(self) -> tuple[tuple[str, float], ...]:
        """What a cell that never finished had reported: the lines that no cell has claimed."""
        lines = self.report.read_bytes().splitlines() if self.report.exists() else []
        found = []
        for line in lines[sum(len(cell.results) for cell in self._cells) :]:
            with contextlib.suppress(ValueError, KeyError, TypeError):
                entry = json.loads(line)
                found.append((str(entry["name"]), float(entry["value"])))
        return tuple(found)
