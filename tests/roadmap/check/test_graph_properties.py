"""Circles in random graphs, held against networkx."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import networkx as nx
from hypothesis import given
from hypothesis import strategies as st

from roadmap.check import check
from roadmap.model import Chapter, Node, Roadmap, Stage

FOLDER = Path("/book/00-all")


def _node(node_id: str, requires: list[str]) -> Node:
    return Node(
        id=node_id,
        title=node_id,
        stage="all",
        summary="",
        status="planned",
        folder=FOLDER / node_id,
        chapter=Chapter(FOLDER / node_id / "chapter.md", "", 1, ""),
        minutes={},
        requires=tuple(requires),
    )


@st.composite
def roadmaps(draw: st.DrawFn) -> Roadmap:
    ids = [f"n{number}" for number in range(draw(st.integers(1, 8)))]
    requires = st.lists(st.sampled_from(ids), unique=True, max_size=3)
    nodes = tuple(_node(node_id, draw(requires)) for node_id in ids)
    stage = Stage("all", "All", "", 0, FOLDER.name)
    return Roadmap("", "", "", "", FOLDER.parent, (), (stage,), nodes)


def _graph(roadmap: Roadmap) -> nx.DiGraph[str]:
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(node.id for node in roadmap)
    graph.add_edges_from((node.id, other) for node in roadmap for other in node.requires)
    return graph


def _circles(roadmap: Roadmap) -> list[list[str]]:
    messages = [d.message for d in check(roadmap) if d.rule == "graph-cycle"]
    return [m.partition("circle: ")[2].rstrip(".").split(" -> ") for m in messages]


@given(roadmaps())
def test_circles_are_reported_where_there_are_some_and_only_there(roadmap: Roadmap) -> None:
    assert bool(_circles(roadmap)) != nx.is_directed_acyclic_graph(_graph(roadmap))


@given(roadmaps())
def test_a_reported_circle_is_a_simple_circle_of_the_graph(roadmap: Roadmap) -> None:
    graph = _graph(roadmap)
    for circle in _circles(roadmap):
        assert circle[0] == circle[-1]
        assert len(set(circle)) == len(circle) - 1
        assert nx.is_path(graph, circle)


@given(roadmaps())
def test_without_one_edge_of_each_reported_circle_there_are_none(roadmap: Roadmap) -> None:
    graph = _graph(roadmap)
    graph.remove_edges_from([(circle[-2], circle[-1]) for circle in _circles(roadmap)])
    assert nx.is_directed_acyclic_graph(graph)


@given(roadmaps())
def test_the_order_is_faulted_where_a_prerequisite_comes_later(roadmap: Roadmap) -> None:
    """Outside circles, where no order would do."""
    place = {node.id: number for number, node in enumerate(roadmap)}
    late = {(n.id, r) for n in roadmap for r in n.requires if place[r] >= place[n.id]}
    found = [d for d in check(roadmap) if d.rule == "node-order"]
    in_circles = {edge for circle in _circles(roadmap) for edge in pairwise(circle)}
    assert len(found) == len(late - in_circles)


def test_every_listing_by_topological_order_is_silent() -> None:
    nodes = [_node("a", []), _node("b", ["a"]), _node("c", ["a", "b"])]
    stage = Stage("all", "All", "", 0, FOLDER.name)
    roadmap = Roadmap("", "", "", "", FOLDER.parent, (), (stage,), tuple(nodes))
    assert check(roadmap) == []
    assert check(replace(roadmap, nodes=tuple(reversed(nodes)))) != []
