"""What the edges mean: what a step needs, what needs it, and which edges a map has to draw."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from roadmap.model import Edge, Roadmap

if TYPE_CHECKING:
    import networkx as nx


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
    import networkx as nx

    hard = _prerequisites(roadmap, nodes)
    if not nx.is_directed_acyclic_graph(hard):
        raise ValueError("nodes require one another in a circle")
    order = list(hard)
    edges = [e for e in roadmap.edges if e.source in hard and e.target in hard]
    implied = _implied(hard, edges)
    drawn = tuple(e for e in edges if e not in implied)
    return Graph(
        needs={n: _in_order(order, nx.ancestors(hard, n)) for n in order},
        needed_by={n: _in_order(order, nx.descendants(hard, n)) for n in order},
        drawn=drawn,
        dropped=tuple(e for e in edges if e in implied),
        unlocks={
            n: tuple(e.target for e in drawn if e.kind == "requires" and e.source == n)
            for n in order
        },
    )


def critical_path(roadmap: Roadmap, track: str) -> CriticalPath:
    """The longest chain of a track, by its minutes: no reader of it can be done sooner."""
    import networkx as nx

    minutes = {n.id: n.minutes[track] for n in roadmap.in_track(track)}
    hard = _prerequisites(roadmap, minutes)
    longest: dict[str, int] = {}
    before: dict[str, str] = {}
    for node in nx.lexicographical_topological_sort(hard, key=list(hard).index):
        last = max(hard.predecessors(node), key=longest.__getitem__, default=None)
        longest[node] = minutes[node] + (0 if last is None else longest[last])
        if last is not None:
            before[node] = last
    if not longest:
        return CriticalPath((), 0)
    end = max(longest, key=longest.__getitem__)
    path = [end]
    while path[-1] in before:
        path.append(before[path[-1]])
    return CriticalPath(tuple(reversed(path)), longest[end])


def neighbourhood(roadmap: Roadmap, stage: str) -> tuple[str, ...]:
    """The nodes of a stage's own map: its steps and those one drawn edge away, in reading order."""
    own = {n.id for n in roadmap.in_stage(stage)}
    near = {
        end
        for edge in graph(roadmap).drawn
        if edge.source in own or edge.target in own
        for end in (edge.source, edge.target)
    }
    return tuple(n.id for n in roadmap if n.id in own | near)


def _prerequisites(roadmap: Roadmap, nodes: Collection[str] | None) -> nx.DiGraph[str]:
    import networkx as nx

    hard: nx.DiGraph[str] = nx.DiGraph()
    hard.add_nodes_from(n.id for n in roadmap if nodes is None or n.id in nodes)
    hard.add_edges_from(
        (e.source, e.target)
        for e in roadmap.edges
        if e.kind == "requires" and e.source in hard and e.target in hard
    )
    return hard


def _implied(hard: nx.DiGraph[str], edges: Sequence[Edge]) -> set[Edge]:
    """The edges whose target can be reached from their source in another way.

    A hard edge is implied by hard ones alone; a soft edge by any that are left.
    """
    import networkx as nx

    reduced = nx.transitive_reduction(hard)
    left = nx.DiGraph(reduced)
    left.add_edges_from((e.source, e.target) for e in edges if e.kind == "recommends")
    implied = set()
    for edge in edges:
        ends = edge.source, edge.target
        if edge.kind == "requires":
            if not reduced.has_edge(*ends):
                implied.add(edge)
        elif reduced.has_edge(*ends):
            implied.add(edge)
        else:
            left.remove_edge(*ends)
            if nx.has_path(left, *ends):
                implied.add(edge)
            else:
                left.add_edge(*ends)
    return implied


def _in_order(order: Collection[str], chosen: Collection[str]) -> tuple[str, ...]:
    return tuple(n for n in order if n in chosen)
