"""The graph of nodes: every edge leads somewhere, none in a circle, and the list follows them."""

from __future__ import annotations

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

from roadmap.check.names import Names
from roadmap.diagnostics import Diagnostic
from roadmap.model import Node, Roadmap


def check_graph(roadmap: Roadmap, names: Names) -> Iterator[Diagnostic]:
    """Aliases, stages, unknown ids, circles, optional prerequisites, order of listing."""
    yield from _aliases(roadmap)
    for node in roadmap:
        yield from _stage(node, roadmap)
        yield from _unknown(node, names)
    circles = list(_circles(roadmap, names))
    for circle in circles:
        yield _circle(circle, names)
    in_circle = {edge for circle in circles for edge in pairwise(circle)}
    position = {node.id: number for number, node in enumerate(roadmap)}
    for node in roadmap:
        for number, name in enumerate(node.requires):
            required = names.node(name)
            if required is None or (node.id, required.id) in in_circle:
                continue
            span = node.span(f"requires.{number}")
            if required.optional and not node.optional:
                message = f"`{node.id}` requires the optional node `{required.id}`."
                hint = "Move it to `recommends:`, or mark this node `optional: true`."
                yield Diagnostic("requires-optional", message, span, hint)
            if position[required.id] > position[node.id]:
                message = f"roadmap.yaml lists `{node.id}` before `{required.id}`."
                hint = f"List `{required.id}` first: readers follow that order."
                yield Diagnostic("node-order", message, span, hint)


def _aliases(roadmap: Roadmap) -> Iterator[Diagnostic]:
    owner = {node.id: node.id for node in roadmap} | {name: name for name in roadmap.broken}
    for node in roadmap:
        for number, alias in enumerate(node.aliases):
            if alias in owner:
                message = f"The alias `{alias}` is taken by the node `{owner[alias]}`."
                span = node.span(f"aliases.{number}")
                hint = "Progress is kept by these names: each belongs to one node for ever."
                yield Diagnostic("node-duplicate", message, span, hint)
            owner.setdefault(alias, node.id)


def _stage(node: Node, roadmap: Roadmap) -> Iterator[Diagnostic]:
    listed = next(s.id for s in roadmap.stages if s.folder == node.folder.parent.name)
    if node.stage != listed:
        message = f"The stage is `{node.stage}`, but roadmap.yaml lists the node in `{listed}`."
        yield Diagnostic("stage-mismatch", message, node.span("stage"), f"Write `stage: {listed}`.")


def _unknown(node: Node, names: Names) -> Iterator[Diagnostic]:
    for key, ids in (("requires", node.requires), ("recommends", node.recommends)):
        for number, name in enumerate(ids):
            if not names.knows(name):
                message = f"There is no node `{name}`."
                span = node.span(f"{key}.{number}")
                yield Diagnostic("node-unknown", message, span, names.nearest(name))


def _circles(roadmap: Roadmap, names: Names) -> Iterator[list[str]]:
    """Each circle as `[a, b, a]`, where a requires b; without their last edges there are none."""
    graph = {
        node.id: {r.id for name in node.requires if (r := names.node(name))} for node in roadmap
    }
    position = {node.id: number for number, node in enumerate(roadmap)}
    while True:
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            ring = error.args[1][:0:-1]  # graphlib walks from prerequisite to dependant
            begin = min(range(len(ring)), key=lambda at: position[ring[at]])
            ring = ring[begin:] + ring[:begin]
            yield [*ring, ring[0]]
            graph[ring[-1]].discard(ring[0])
        else:
            return


def _circle(circle: list[str], names: Names) -> Diagnostic:
    first = names.node(circle[0])
    assert first is not None  # circles are made of known nodes
    at = next(
        number
        for number, name in enumerate(first.requires)
        if (required := names.node(name)) and required.id == circle[1]
    )
    message = f"Nodes require one another in a circle: {' -> '.join(circle)}."
    hint = "Turn one of these `requires` into `recommends`."
    return Diagnostic("graph-cycle", message, first.span(f"requires.{at}"), hint)
