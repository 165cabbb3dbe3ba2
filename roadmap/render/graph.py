"""What the edges mean: what a step needs, what needs it, and which edges a map has to draw.

Reachability is kept as bit sets, one integer a node. The tests hold it against networkx, whose
import alone would take about a fifth of the time of a build.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from roadmap.model import Edge, Roadmap


@dataclass(frozen=True, slots=True)
class Graph:
    """The prerequisites among some nodes. Every tuple is in reading order.

    `needs` holds all that a node requires, directly or through others; `needed_by` all that
    requires it. `drawn` are the edges a map shows: the transitive reduction of the hard ones, and
    each soft one that no other path implies. `dropped` are the rest; pages list them in text.
    `unlocks` are the nodes that a drawn hard edge reaches from a node: what comes next.
    """

    needs: Mapping[str, tuple[str, ...]]
    needed_by: Mapping[str, tuple[str, ...]]
    drawn: tuple[Edge, ...]
    dropped: tuple[Edge, ...]
    unlocks: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class CriticalPath:
    """The chain of steps, each requiring the one before, that takes longest."""

    nodes: tuple[str, ...]
    minutes: int


def graph(roadmap: Roadmap, nodes: Collection[str] | None = None) -> Graph:
    """The graph of these nodes (all, if None). Raises ValueError if they require in a circle."""
    order = [n.id for n in roadmap if nodes is None or n.id in nodes]
    chosen = set(order)
    edges = [e for e in roadmap.edges if e.source in chosen and e.target in chosen]
    hard = [e for e in edges if e.kind == "requires"]
    needs = _ancestors(order, hard)
    implied = _implied(order, edges, needs)
    drawn = tuple(e for e in edges if e not in implied)
    unlocks: dict[str, list[str]] = {n: [] for n in order}
    needed_by: dict[str, list[str]] = {n: [] for n in order}
    for edge in drawn:
        if edge.kind == "requires":
            unlocks[edge.source].append(edge.target)
    members = {n: _members(order, needs[n]) for n in order}
    for node, needed in members.items():
        for other in needed:
            needed_by[other].append(node)
    return Graph(
        needs=members,
        needed_by={n: tuple(needed_by[n]) for n in order},
        drawn=drawn,
        dropped=tuple(e for e in edges if e in implied),
        unlocks={n: tuple(unlocks[n]) for n in order},
    )


def critical_path(roadmap: Roadmap, track: str) -> CriticalPath:
    """The longest chain of a track, by its minutes: no reader of it can be done sooner."""
    minutes = {n.id: n.minutes[track] for n in roadmap.in_track(track)}
    requires = {n.id: [s for s in n.requires if s in minutes] for n in roadmap.in_track(track)}
    longest: dict[str, int] = {}
    before: dict[str, str] = {}
    for node in _sorted(minutes, requires):
        last = max(requires[node], key=longest.__getitem__, default=None)
        longest[node] = minutes[node] + (0 if last is None else longest[last])
        if last is not None:
            before[node] = last
    if not longest:
        return CriticalPath((), 0)
    end = max(minutes, key=longest.__getitem__)
    path = [end]
    while path[-1] in before:
        path.append(before[path[-1]])
    return CriticalPath(tuple(reversed(path)), longest[end])


def neighbourhood(roadmap: Roadmap, stage: str, whole: Graph | None = None) -> tuple[str, ...]:
    """The nodes of a stage's own map: its steps and those one drawn edge away, in reading order.

    `whole` is the graph of all nodes, if the caller has it.
    """
    whole = graph(roadmap) if whole is None else whole
    own = {n.id for n in roadmap.in_stage(stage)}
    near = {
        end
        for edge in whole.drawn
        if edge.source in own or edge.target in own
        for end in (edge.source, edge.target)
    }
    return tuple(n.id for n in roadmap if n.id in own | near)


def _sorted(nodes: Iterable[str], requires: Mapping[str, Iterable[str]]) -> list[str]:
    """What is required before what requires it. Raises ValueError for a circle."""
    try:
        return list(TopologicalSorter({n: requires[n] for n in nodes}).static_order())
    except CycleError as error:
        raise ValueError("nodes require one another in a circle") from error


def _ancestors(order: list[str], edges: Iterable[Edge]) -> dict[str, int]:
    """Node -> all from which it can be reached, as a set of bits in `order`."""
    bit = {node: 1 << place for place, node in enumerate(order)}
    sources: dict[str, list[str]] = {node: [] for node in order}
    for edge in edges:
        sources[edge.target].append(edge.source)
    reached: dict[str, int] = {}
    for node in _sorted(order, sources):
        reached[node] = 0
        for source in sources[node]:
            reached[node] |= reached[source] | bit[source]
    return reached


def _implied(order: list[str], edges: list[Edge], needs: Mapping[str, int]) -> set[Edge]:
    """The edges whose target can be reached from their source in another way.

    A hard edge is implied by hard ones alone; a soft edge by any that are left.
    """
    bit = {node: 1 << place for place, node in enumerate(order)}
    hard = [e for e in edges if e.kind == "requires"]
    implied = {
        edge
        for edge in hard
        if any(
            needs[other.source] & bit[edge.source]
            for other in hard
            if other.target == edge.target and other.source != edge.source
        )
    }
    left = [e for e in edges if e not in implied]
    for edge in [e for e in left if e.kind == "recommends"]:
        others = [e for e in left if e is not edge]
        if _ends_meet(edge, others):
            implied.add(edge)
            left = others
    return implied


def _ends_meet(edge: Edge, edges: Iterable[Edge]) -> bool:
    """Whether `edges` lead from the source of `edge` to its target."""
    targets: dict[str, list[str]] = {}
    for other in edges:
        targets.setdefault(other.source, []).append(other.target)
    seen, waiting = {edge.source}, [edge.source]
    while waiting:
        for target in targets.get(waiting.pop(), []):
            if target == edge.target:
                return True
            if target not in seen:
                seen.add(target)
                waiting.append(target)
    return False


def _members(order: list[str], bits: int) -> tuple[str, ...]:
    return tuple(node for place, node in enumerate(order) if bits >> place & 1)
