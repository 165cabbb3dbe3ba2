"""What a person sees while a build runs: one line per stage, and what is running now."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from roadmap.model import Node, Outcome, Roadmap
    from roadmap.pipeline import Event, Observer, Options, Report

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
    """For logs: a line when an experiment begins or ends, and one for the PDFs."""

    def observe(self, event: Event) -> None:
        if event.stage == "run" and event.kind == "started" and event.step:
            print(f"run {event.step}", file=sys.stderr, flush=True)
        elif event.stage == "run" and event.kind == "finished":
            print(f"run {event.step}: {event.seconds:.1f} s", file=sys.stderr, flush=True)
        elif (event.stage, event.step) == ("render", "pdf"):
            print("render the PDFs", file=sys.stderr, flush=True)


class _Display:
    """For terminals: what is running, for how long, and how long it took last time."""

    def __init__(self) -> None:
        self.start = time.monotonic()
        self.progress: Progress | None = None
        self.overall: TaskID | None = None
        self.tasks: dict[str, TaskID] = {}
        self.expected: dict[str, float | None] = {}

    def observe(self, event: Event) -> None:
        if event.kind == "planned":
            self.expected[event.step] = event.expected
        if self.progress is None:
            slow = event.kind == "planned" or event.step == "pdf"
            if not slow and time.monotonic() - self.start < _PATIENCE:
                return
            self._open(event.stage)
        assert self.progress is not None
        assert self.overall is not None
        if not event.step:
            self.progress.update(
                self.overall, description=event.stage, total=event.total or None, completed=0
            )
        elif event.stage == "run":
            self._experiment(event)
        else:
            what = "render the PDFs" if event.step == "pdf" else f"render {event.step}"
            self.progress.update(self.overall, description=what)

    def _experiment(self, event: Event) -> None:
        assert self.progress is not None
        assert self.overall is not None
        name = event.step
        if event.kind == "started":
            expected = self.expected.get(name)
            note = f"of about {expected:.0f} s" if expected else ""
            self.tasks[name] = self.progress.add_task(f"  {name}", total=None, note=note)
        elif event.kind == "cell" and name in self.tasks:
            self.progress.update(self.tasks[name], description=f"  {name}: {event.cell}")
        elif event.kind == "finished" and name in self.tasks:
            self.progress.remove_task(self.tasks.pop(name))
            self.progress.advance(self.overall)

    def _open(self, stage: str) -> None:
        from rich.console import Console
        from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        self.progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}"),
            console=Console(stderr=True),
            transient=True,
        )
        self.overall = self.progress.add_task(stage, total=None, note="")
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
    from roadmap.run.words import band_text, number

    lines = []
    for cell in outcome.cells:
        lines.append(f"--- {cell.name} ({cell.seconds:.2f} s)")
        lines += [text.rstrip("\n") for text in (cell.stdout, cell.stderr) if text.strip()]
        if cell.figures:
            lines.append(f"[{len(cell.figures)} figure(s)]")
    width = max((len(name) for name in outcome.results), default=0)
    bands = node.bands_on(outcome.machine)
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
