"""The book as one HTML document for paper: cover, guide, map, contents, stages, chapters."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from roadmap.model import Node, Outcome, Roadmap, Stage, Track
from roadmap.render.templates import duration

_NOTES = '<hr class="footnotes-sep"'
ChapterHtml = Callable[[Node], str]
MapHtml = Callable[[Stage | None], str]


@dataclass(frozen=True, slots=True)
class Edition:
    """When the book was made, in seconds since 1970, and the commit it was made from, or ''."""

    epoch: int
    commit: str = ""

    @property
    def date(self) -> date:
        """The day, in UTC."""
        return datetime.fromtimestamp(self.epoch, UTC).date()


@dataclass(frozen=True, slots=True)
class Step:
    """A node as this track's book shows it. `number` is its place, such as `3.2`.

    `body` is its chapter as HTML, without the footnotes, which are in `notes`.
    """

    node: Node
    number: str
    minutes: int
    needs: tuple[Node, ...]
    helps: tuple[Node, ...]
    opens: tuple[Node, ...]
    body: str
    notes: str


@dataclass(frozen=True, slots=True)
class Part:
    """A stage and the steps of it that the track takes; `map_html` shows how they hang together."""

    stage: Stage
    steps: tuple[Step, ...]
    map_html: str

    @property
    def minutes(self) -> int:
        """The time that the whole stage takes."""
        return sum(step.minutes for step in self.steps)


def edition(project: Path, environ: Mapping[str, str] | None = None) -> Edition:
    """The edition that is being made: SOURCE_DATE_EPOCH, else the last commit's time, else now."""
    environ = os.environ if environ is None else environ
    log = ["git", "-C", str(project), "log", "-1", "--format=%ct %h"]
    try:
        stamp = subprocess.run(log, capture_output=True, text=True, check=False).stdout.split()
    except OSError:
        stamp = []
    commit = stamp[1] if len(stamp) == 2 else ""
    given = environ.get("SOURCE_DATE_EPOCH", "")
    if given.isdigit():
        return Edition(int(given), commit)
    if stamp:
        return Edition(int(stamp[0]), commit)
    return Edition(int(datetime.now(UTC).timestamp()))


def book_html(
    roadmap: Roadmap,
    outcomes: Mapping[str, Outcome],
    track: Track,
    chapter: ChapterHtml,
    map_of: MapHtml,
    edition: Edition,
    templates: Path,
) -> str:
    """The whole book of one track.

    `chapter` gives a node's body; `map_of` the map of a stage, or of the whole track for None, each
    of whose boxes links to `#node-<id>`. Raises what they raise.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(templates),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["duration"] = duration
    environment.globals["shown"] = lambda node: track.id in node.minutes
    parts = _parts(roadmap, track, chapter, map_of)
    nodes = roadmap.in_track(track.id)
    return environment.get_template("print/book.html").render(
        roadmap=roadmap,
        track=track,
        parts=parts,
        columns=_halves(parts),
        map=map_of(None),
        written=sum(node.status == "ready" for node in nodes),
        steps=len(nodes),
        minutes=sum(part.minutes for part in parts),
        results=sum(len(outcomes[node.id].results) for node in nodes if node.id in outcomes),
        edition=edition,
    )


def destinations(roadmap: Roadmap) -> dict[str, str]:
    """In words, where each of the book's own anchors leads."""
    titles = {"map": "Back to the map", "contents": "Contents", "guide": "How to use this book"}
    titles |= {f"stage-{stage.id}": f"Stage: {stage.title}" for stage in roadmap.stages}
    return titles | {f"node-{node.id}": node.title for node in roadmap}


def _halves(parts: tuple[Part, ...]) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    """Two columns of contents, as near as can be to one length; a heading counts as two lines."""
    lengths = [len(part.steps) + 2 for part in parts]
    cut = min(
        range(len(parts) + 1), key=lambda i: abs(sum(lengths[:i]) - sum(lengths[i:])), default=0
    )
    return parts[:cut], parts[cut:]


def _parts(
    roadmap: Roadmap, track: Track, chapter: ChapterHtml, map_of: MapHtml
) -> tuple[Part, ...]:
    parts = []
    for stage in roadmap.stages:
        nodes = tuple(n for n in roadmap.in_stage(stage.id) if track.id in n.minutes)
        steps = tuple(
            _step(roadmap, track, node, f"{stage.number}.{place}", chapter)
            for place, node in enumerate(nodes, 1)
        )
        if steps:
            parts.append(Part(stage, steps, map_of(stage)))
    return tuple(parts)


def _step(roadmap: Roadmap, track: Track, node: Node, number: str, chapter: ChapterHtml) -> Step:
    body, rule, notes = (chapter(node) if node.status == "ready" else "").partition(_NOTES)
    return Step(
        node=node,
        number=number,
        minutes=node.minutes[track.id],
        needs=tuple(roadmap.node(i) for i in node.requires),
        helps=tuple(roadmap.node(i) for i in node.recommends),
        opens=tuple(n for n in roadmap.in_track(track.id) if node.id in n.requires),
        body=body,
        notes=rule + notes,
    )
