"""Where every step stands on a map: Graphviz places boxes whose sizes we measure ourselves.

The text of each box is measured with the font the book ships, so a layout does not depend on the
machine. It is kept by the digest of its DOT text; Graphviz starts only when that text is new.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import textwrap
from collections.abc import Callable, Collection
from dataclasses import dataclass
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

from roadmap.diagnostics import BuildError, Diagnostic
from roadmap.files import keep, kept
from roadmap.model import EdgeKind, Roadmap
from roadmap.render.engine_js import GRAPHVIZ, Engine, ScriptError, digest
from roadmap.render.graph import graph

FONT = Path(__file__).resolve().parents[2] / "templates" / "fonts" / "SourceSans3-SemiBold.ttf"
FONT_SIZE = 11.0
LINE_HEIGHT = 1.15
PADDING = (4.5, 2.5)
"""Between text and edge of a box, in points: left and right, above and below."""
WRAP = 14
"""A title is broken into as few lines as a width of this many characters allows."""
USE_DOT = "ROADMAP_DOT"
"""The environment variable that, when set, asks for the machine's own `dot`."""

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Box:
    """The place of a node: its left upper corner and its size in points, and its label's lines."""

    node: str
    lines: tuple[str, ...]
    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Curve:
    """A drawn edge: its start, three points for each cubic Bézier piece, then the arrow's tip."""

    source: str
    target: str
    kind: EdgeKind
    points: tuple[Point, ...]
    tip: Point


@dataclass(frozen=True, slots=True)
class Layout:
    """A map in points, y downwards. `boxes` are in reading order: by row, then left to right."""

    width: float
    height: float
    font_size: float
    boxes: tuple[Box, ...]
    curves: tuple[Curve, ...]


def layout(
    roadmap: Roadmap,
    cache: Path,
    *,
    nodes: Collection[str] | None = None,
    focus: Collection[str] | None = None,
    engine: Engine | None = None,
    use_dot: bool | None = None,
) -> Layout:
    """Place these nodes (all, if None): at the top what a reader can begin with.

    With a `focus`, such as the steps of one stage, only edges that touch it are drawn.
    `cache` is a folder that keeps layouts. `engine` is a running Graphviz to use for several
    layouts. `use_dot` runs the machine's own `dot` in its place; None asks the environment
    variable ROADMAP_DOT. Raises BuildError if the map cannot be laid out.
    """
    source = dot(roadmap, nodes, focus)
    if use_dot is None:
        use_dot = bool(os.environ.get(USE_DOT))
    maker = "dot" if use_dot else digest(GRAPHVIZ)
    path = cache / (hashlib.sha256(f"{maker}\n{source}".encode()).hexdigest() + ".json")
    known = kept(path)
    if known is None:
        made = _run_dot(source) if use_dot else _run(source, engine)
        known = json.dumps(_geometry(json.loads(made)))
        keep(path, known)
    geometry = json.loads(known)
    titles = {n.id: n.title for n in roadmap}
    return Layout(
        width=geometry["width"],
        height=geometry["height"],
        font_size=FONT_SIZE,
        boxes=tuple(Box(**b, lines=wrap(titles[b["node"]])) for b in geometry["boxes"]),
        curves=tuple(
            Curve(**{**c, "points": tuple(map(tuple, c["points"])), "tip": tuple(c["tip"])})
            for c in geometry["curves"]
        ),
    )


def dot(
    roadmap: Roadmap,
    nodes: Collection[str] | None = None,
    focus: Collection[str] | None = None,
) -> str:
    """The map as DOT text: boxes of fixed size without text, and the edges that `graph` draws."""
    shown = [n for n in roadmap if nodes is None or n.id in nodes]
    edges = [
        e
        for e in graph(roadmap, nodes).drawn
        if focus is None or e.source in focus or e.target in focus
    ]
    reached = {e.target for e in edges}
    first = "; ".join(f'"{n.id}"' for n in shown if focus is None and n.id not in reached)
    measure = _ruler()
    lines = [
        "digraph roadmap {",
        "graph [rankdir=TB, newrank=true, nodesep=0.1, ranksep=0.22, splines=true, pad=0];",
        'node [shape=box, fixedsize=true, label=""];',
        "edge [arrowsize=0.5];",
        f"{{rank=same; {first}}}",
    ]
    for node in shown:
        broken = wrap(node.title)
        width = max(map(measure, broken)) + 2 * PADDING[0]
        height = len(broken) * FONT_SIZE * LINE_HEIGHT + 2 * PADDING[1]
        lines.append(f'"{node.id}" [width={width / 72:.4f}, height={height / 72:.4f}];')
    for edge in edges:
        soft = " [style=dashed, weight=0]" if edge.kind == "recommends" else ""
        lines.append(f'"{edge.source}" -> "{edge.target}"{soft};')
    return "\n".join([*lines, "}", ""])


def wrap(title: str) -> tuple[str, ...]:
    """The lines of a label: no more than WRAP characters ask for, and then as even as can be."""
    words = title.split()
    count = len(textwrap.wrap(title, WRAP, break_long_words=False, break_on_hyphens=False))
    ways = [
        tuple(" ".join(words[a:b]) for a, b in pairwise((0, *cuts, len(words))))
        for cuts in combinations(range(1, len(words)), count - 1)
    ]
    return min(ways, key=lambda lines: max(map(len, lines)))


def _ruler() -> Callable[[str], float]:
    """Measures a line of text in points. The semibold face, so that either weight fits its box."""
    from PIL.ImageFont import Layout as Shaping
    from PIL.ImageFont import truetype

    font = truetype(FONT, size=1000, layout_engine=Shaping.BASIC)
    return lambda text: font.getlength(text) * FONT_SIZE / 1000


def _run(source: str, engine: Engine | None) -> str:
    try:
        if engine is not None:
            return engine.call("layout", source)
        with Engine(GRAPHVIZ) as own:
            return own.call("layout", source)
    except ScriptError as error:
        raise BuildError(Diagnostic("layout-failed", f"Graphviz: {error}")) from error


def _run_dot(source: str) -> str:
    hint = f"unset {USE_DOT} to use the Graphviz that comes with the project"
    try:
        done = subprocess.run(
            ["dot", "-Tjson"], input=source, capture_output=True, encoding="utf-8", timeout=60
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BuildError(Diagnostic("layout-failed", f"dot: {error}", hint=hint)) from error
    if done.returncode:
        raise BuildError(Diagnostic("layout-failed", f"dot: {done.stderr.strip()}", hint=hint))
    return done.stdout


def _geometry(graphviz: dict[str, Any]) -> dict[str, Any]:
    """What is kept of Graphviz's JSON: boxes and curves, in points, with y turned downwards."""
    left, low, right, high = map(float, graphviz["bb"].split(","))

    def point(text: str) -> Point:
        x, y = map(float, text.split(","))
        return round(x - left, 2), round(high - y, 2)

    names = {o["_gvid"]: o["name"] for o in graphviz.get("objects", [])}
    boxes = []
    for placed in graphviz.get("objects", []):
        if "pos" not in placed:  # a subgraph
            continue
        (x, y), width, height = point(placed["pos"]), *(72 * float(placed[k]) for k in _SIZE)
        boxes.append(
            {
                "node": placed["name"],
                "left": round(x - width / 2, 2),
                "top": round(y - height / 2, 2),
                "width": round(width, 2),
                "height": round(height, 2),
            }
        )
    curves = []
    for edge in graphviz.get("edges", []):
        tip, *points = edge["pos"].removeprefix("e,").split()
        curves.append(
            {
                "source": names[edge["tail"]],
                "target": names[edge["head"]],
                "kind": "recommends" if edge.get("style") == "dashed" else "requires",
                "points": [point(p) for p in points],
                "tip": point(tip),
            }
        )
    boxes.sort(key=lambda b: (round(b["top"] + b["height"] / 2), b["left"]))
    return {"width": right - left, "height": high - low, "boxes": boxes, "curves": curves}


_SIZE = ("width", "height")
