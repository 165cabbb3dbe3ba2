"""The values that pass through the stages: frozen, made once, never changed on the way.

`load` makes a `Roadmap`; `run` makes one `Outcome` per experiment; `render` reads both.
Paths are absolute. Times are in seconds unless a name says minutes; memory is in bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Literal

from roadmap.diagnostics import Span

EdgeKind = Literal["requires", "recommends"]
Status = Literal["ready", "planned"]
ComputeKind = Literal["none", "data", "train", "evaluate", "serve"]
CellKind = Literal["code", "markdown"]
# How ids of nodes, tracks, stages and cells are written: lower-case words joined by hyphens.
ID = r"[a-z0-9]+(-[a-z0-9]+)*"
# What a page holds of a line of code or of output.
CODE_COLUMNS = 96
# The one colour of axes, text and ticks in figures, which rendering swaps for the text's colour.
INK = "#0b0c0d"

OutcomeStatus = Literal["ok", "failed", "timeout", "memory", "network", "crashed", "output"]


@dataclass(frozen=True, slots=True)
class Track:
    """A way through the book for one kind of reader. Tracks are ordered from shallow to deep."""

    id: str
    title: str
    summary: str


@dataclass(frozen=True, slots=True)
class Stage:
    """A group of nodes, such as `model`. `number` counts from 0; `folder` is its name on disk."""

    id: str
    title: str
    summary: str
    number: int
    folder: str


@dataclass(frozen=True, slots=True)
class Tool:
    """Software that practitioners use for a step, and why."""

    name: str
    url: str
    licence: str
    why: str


@dataclass(frozen=True, slots=True)
class ComplianceNote:
    """A legal, safety or security risk of a step. `check` is a command that looks for it, or ''."""

    id: str
    risk: str
    note: str
    refs: tuple[str, ...]
    facts_as_of: date
    check: str
    span: Span


@dataclass(frozen=True, slots=True)
class Band:
    """Where one result of an experiment must lie on one class of machine.

    Either `value` with `atol` (absolute) and `rtol` (relative to `value`), or `low` and/or `high`.
    """

    result: str
    machine: str
    span: Span
    value: float | None = None
    atol: float = 0.0
    rtol: float = 0.0
    low: float | None = None
    high: float | None = None

    @property
    def slack(self) -> float:
        """How far a result may be from `value`; 0 for a band without one."""
        return max(self.atol, self.rtol * abs(self.value or 0.0))

    @property
    def limits(self) -> tuple[float, float]:
        """The lowest and the highest value allowed, both inclusive; infinite where open."""
        if self.value is not None:
            return self.value - self.slack, self.value + self.slack
        low = float("-inf") if self.low is None else self.low
        high = float("inf") if self.high is None else self.high
        return low, high

    def contains(self, result: float) -> bool:
        """Whether `result` lies in the band; NaN never does."""
        low, high = self.limits
        return low <= result <= high


@dataclass(frozen=True, slots=True)
class Cell:
    """One `# %%` cell. `line` is that of its marker; `source` is the text below the marker."""

    name: str
    kind: CellKind
    source: str
    line: int


@dataclass(frozen=True, slots=True)
class RunOptions:
    """Limits and conditions of a run. `needs` are files whose content the experiment reads."""

    timeout: float = 60.0
    memory: int = 4 * 2**30
    threads: int = 1
    seed: int = 0
    needs: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Experiment:
    """A percent-format script. `source` is the file's whole text, exactly as it is downloaded."""

    node: str
    path: Path
    source: str
    cells: tuple[Cell, ...]
    options: RunOptions

    def cell(self, name: str) -> Cell | None:
        """The cell called `name`, if there is one."""
        return next((c for c in self.cells if c.name == name), None)


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of a chapter. `depth` is the track from which on it is shown, '' for all."""

    level: int
    text: str
    anchor: str
    depth: str
    span: Span


@dataclass(frozen=True, slots=True)
class Link:
    """A link or image as written: `node:attention#mask`, `#anchor`, a URL or a path."""

    target: str
    span: Span


@dataclass(frozen=True, slots=True)
class Use:
    """One use of a directive or role: `{cell} train`, `{source} module:Symbol`, `{value} loss`."""

    name: str
    argument: str
    options: Mapping[str, str]
    span: Span


@dataclass(frozen=True, slots=True)
class Chapter:
    """A chapter's Markdown after its front matter, and what other stages need to know of it.

    `body_line` is the line of the file on which `body` begins; `digest` is the SHA-256 of the file.
    """

    path: Path
    body: str
    body_line: int
    digest: str
    headings: tuple[Heading, ...] = ()
    links: tuple[Link, ...] = ()
    uses: tuple[Use, ...] = ()


@dataclass(frozen=True, slots=True)
class Node:
    """One step of the road, with everything its folder says about it.

    `minutes` maps a track to its reading and working time; a track that skips the node is absent.
    `spans` gives the place in the front matter of a key path such as `requires.0`.
    """

    id: str
    title: str
    stage: str
    summary: str
    status: Status
    folder: Path
    chapter: Chapter
    minutes: Mapping[str, int]
    aliases: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    recommends: tuple[str, ...] = ()
    optional: bool = False
    compute: ComputeKind = "none"
    teaches: tuple[str, ...] = ()
    source: tuple[str, ...] = ()
    tools: tuple[Tool, ...] = ()
    compliance: tuple[ComplianceNote, ...] = ()
    bands: tuple[Band, ...] = ()
    experiment: Experiment | None = None
    spans: Mapping[str, Span] = field(default_factory=dict, compare=False, repr=False)

    def bands_on(self, machine: str) -> dict[str, Band]:
        """The band of each result that has one for this class of machine."""
        return {band.result: band for band in self.bands if band.machine == machine}

    def span(self, key: str) -> Span:
        """Where the front matter says `key`, or the nearest key above it."""
        while key:
            if key in self.spans:
                return self.spans[key]
            key = key.rpartition(".")[0]
        return Span(self.chapter.path)


@dataclass(frozen=True, slots=True)
class Edge:
    """`target` requires or recommends `source`: the arrow runs the way the reader walks."""

    source: str
    target: str
    kind: EdgeKind


@dataclass(frozen=True, slots=True)
class Roadmap:
    """The whole book. `nodes` are in reading order: by stage, then as roadmap.yaml lists them.

    `url` is the site's public address and ends with a slash. `broken` are the ids of nodes with
    faults in their files, of which `load` has told; those that could not be read at all are not
    among `nodes`.
    """

    title: str
    summary: str
    url: str
    repository: str
    root: Path
    tracks: tuple[Track, ...]
    stages: tuple[Stage, ...]
    nodes: tuple[Node, ...]
    broken: frozenset[str] = frozenset()

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    def node(self, node_id: str) -> Node:
        """The node with this id or, failing that, this alias. Raises KeyError."""
        for node in self.nodes:
            if node.id == node_id:
                return node
        for node in self.nodes:
            if node_id in node.aliases:
                return node
        raise KeyError(node_id)

    def stage(self, stage_id: str) -> Stage:
        """The stage with this id. Raises KeyError."""
        for stage in self.stages:
            if stage.id == stage_id:
                return stage
        raise KeyError(stage_id)

    def in_stage(self, stage_id: str) -> tuple[Node, ...]:
        """The nodes of a stage, in reading order."""
        return tuple(n for n in self.nodes if n.stage == stage_id)

    def in_track(self, track_id: str) -> tuple[Node, ...]:
        """The nodes that a track shows, in reading order."""
        return tuple(n for n in self.nodes if track_id in n.minutes)

    def depth(self, track_id: str) -> int:
        """How deep a track goes: 0 for the first. Raises KeyError."""
        for depth, track in enumerate(self.tracks):
            if track.id == track_id:
                return depth
        raise KeyError(track_id)

    @property
    def edges(self) -> tuple[Edge, ...]:
        """All edges, in reading order of their targets."""
        return tuple(
            edge
            for node in self.nodes
            for edge in (
                *(Edge(source, node.id, "requires") for source in node.requires),
                *(Edge(source, node.id, "recommends") for source in node.recommends),
            )
        )


@dataclass(frozen=True, slots=True)
class CellOutput:
    """What one code cell did. `figures` are SVG documents; `results` are in order of report."""

    name: str
    stdout: str
    stderr: str
    figures: tuple[str, ...]
    results: tuple[tuple[str, float], ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a run ended early: the cell, the line of experiment.py (0 if unknown) and the reason."""

    cell: str
    line: int
    message: str
    traceback: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The record of one run, the same for HTML, PDF and notebook.

    `components` are the parts of the cache key, by name, so that a stale record can say which part
    changed. `machine` is the class that bands are keyed on: `cpu` or `cuda`.
    """

    node: str
    status: OutcomeStatus
    components: Mapping[str, str]
    machine: str
    cells: tuple[CellOutput, ...]
    seconds: float
    peak_bytes: int
    ran_on: date
    failure: Failure | None = None

    @property
    def results(self) -> dict[str, float]:
        """Every named result, in order of report."""
        return {name: value for cell in self.cells for name, value in cell.results}

    def cell(self, name: str) -> CellOutput | None:
        """The output of the cell called `name`, if it ran."""
        return next((c for c in self.cells if c.name == name), None)
