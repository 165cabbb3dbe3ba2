"""What a person sees while a build runs: one line per stage, and what is running now."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from roadmap.model import Node, Outcome, Roadmap
from roadmap.pipeline import Event, Observer, Options, Report

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

# A build that ends sooner than this shows no progress: rich costs 50 ms to import.
_PATIENCE = 0.7


@contextmanager
def progress(quiet: bool = False) -> Iterator[Observer]:
    """An observer that draws a live display on a terminal, and plain lines elsewhere."""
    if quiet:
        yield lambda _: None
    elif sys.stderr.isatty():
        display = _Display()
        try:
            yield display.observe
        finally:
            display.close()
    else:
        yield _Lines().observe


class _Lines:
    """For logs: a line when a step that takes time begins or ends."""

    def __init__(self) -> None:
        self.done = 0
        self.total = 0

    def observe(self, event: Event) -> None:
        if not event.step:
            self.done, self.total = 0, event.total
        elif event.stage == "run" and event.state == "begin":
            expected = f", about {event.expected:.0f} s" if event.expected else ""
            print(f"run {event.step}: started{expected}", file=sys.stderr, flush=True)
        elif event.stage == "run" and event.state in ("end", "fresh"):
            self.done += 1
            how = "fresh" if event.state == "fresh" else f"{event.elapsed:.1f} s"
            count = f"[{self.done}/{self.total}]"
            print(f"run {event.step}: {how} {count}", file=sys.stderr, flush=True)
        elif event.stage == "pdf":
            took = f": {event.elapsed:.1f} s" if event.state == "end" else ": started"
            print(f"pdf {event.step}{took}", file=sys.stderr, flush=True)


class _Display:
    """For terminals: a spinner per running step, with elapsed and expected time."""

    def __init__(self) -> None:
        self.start = time.monotonic()
        self.progress: Progress | None = None
        self.overall: TaskID | None = None
        self.tasks: dict[tuple[str, str], TaskID] = {}

    def observe(self, event: Event) -> None:
        slow = event.stage in ("run", "pdf") and event.state == "begin" and event.step
        if self.progress is None:
            if not slow and time.monotonic() - self.start < _PATIENCE:
                return
            self._open()
        assert self.progress is not None
        assert self.overall is not None
        if not event.step:
            self.progress.update(
                self.overall, description=event.stage, total=event.total or None, completed=0
            )
        elif event.state == "begin" and event.stage in ("run", "pdf"):
            cell = f"  {event.stage} {event.step}"
            self.tasks[event.stage, event.step] = self.progress.add_task(
                cell, total=event.expected or None
            )
        elif event.state == "cell":
            name = event.step.partition(" ")[0]
            if (task := self.tasks.get((event.stage, name))) is not None:
                self.progress.update(task, description=f"  {event.stage} {event.step}")
        else:
            if (task := self.tasks.pop((event.stage, event.step), None)) is not None:
                self.progress.remove_task(task)
            self.progress.advance(self.overall)

    def _open(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            Progress,
            SpinnerColumn,
            TextColumn,
            TimeElapsedColumn,
        )

        self.progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}"),
            console=Console(stderr=True),
            transient=True,
        )
        self.overall = self.progress.add_task("load", total=None, note="")
        self.progress.start()

    def close(self) -> None:
        if self.progress is not None:
            self.progress.stop()


def summary(report: Report, options: Options) -> str:
    """How a build ended, in a line."""
    seconds = f"{report.seconds:.2f} s"
    if report.failed:
        errors = sum(d.severity == "error" for d in report.diagnostics)
        plural = "error" if errors == 1 else "errors"
        return f"{errors} {plural} in {seconds}; nothing was published"
    if report.unchanged:
        return f"nothing has changed ({seconds}): {options.out / 'index.html'}"
    assert report.published is not None
    written, kept = len(report.published.written), report.published.kept
    return f"{written} files written, {kept} kept in {seconds}: {options.out / 'index.html'}"


def outcome_text(node: Node, outcome: Outcome) -> str:
    """What an experiment printed, cell by cell, and its results beside their bands."""
    from roadmap.render.blocks import band_text, number

    lines = []
    for cell in outcome.cells:
        lines.append(f"--- {cell.name} ({cell.seconds:.2f} s)")
        lines += [text.rstrip("\n") for text in (cell.stdout, cell.stderr) if text.strip()]
        if cell.figures:
            lines.append(f"[{len(cell.figures)} figure(s)]")
    width = max((len(name) for name in outcome.results), default=0)
    bands = {b.result: b for b in node.bands if b.machine == outcome.machine}
    lines.append(f"--- results ({outcome.seconds:.1f} s, {outcome.peak_bytes / 2**20:.0f} MiB)")
    for name, result in outcome.results.items():
        band = bands.get(name)
        mark = "?" if band is None else "ok" if band.contains(result) else "OUT OF BAND"
        expected = "no band" if band is None else band_text(band)
        lines.append(f"{name:<{width}}  {number(result):>12}  {mark:<3} {expected}")
    return "\n".join(lines)


def nodes_text(roadmap: Roadmap, nodes: Sequence[Node]) -> str:
    """A line per node, under its stage."""
    lines = []
    width = max((len(n.id) for n in nodes), default=0)
    for stage in roadmap.stages:
        inside = [n for n in nodes if n.stage == stage.id]
        if inside:
            lines.append(f"{stage.number} {stage.title}")
        for node in inside:
            times = " ".join(
                f"{node.minutes[t.id]:>4}" if t.id in node.minutes else "   -"
                for t in roadmap.tracks
            )
            optional = ", optional" if node.optional else ""
            lines.append(f"  {node.id:<{width}}  {times} min  {node.status}{optional}")
    planned = sum(n.status == "planned" for n in nodes)
    tracks = ", ".join(t.id for t in roadmap.tracks)
    lines.append(f"{len(nodes)} nodes, {planned} planned (minutes: {tracks})")
    return "\n".join(lines)


def nodes_json(nodes: Sequence[Node]) -> str:
    """The nodes for programs."""
    return json.dumps(
        [
            {
                "id": n.id,
                "title": n.title,
                "stage": n.stage,
                "status": n.status,
                "optional": n.optional,
                "minutes": dict(n.minutes),
                "requires": list(n.requires),
                "recommends": list(n.recommends),
            }
            for n in nodes
        ],
        indent=2,
        ensure_ascii=False,
    )
