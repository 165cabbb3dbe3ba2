"""The graph's meaning, held against brute force on small graphs."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from roadmap.model import Edge, Roadmap
from roadmap.render.graph import critical_path, graph, neighbourhood

SMALL = st.integers(1, 8).flatmap(
    lambda size: st.tuples(
        st.just(size),
        st.lists(st.sampled_from("--rrs"), min_size=size * (size - 1) // 2, max_size=28),
        st.lists(st.integers(1, 90), min_size=size, max_size=size),
    )
)

DAGS = st.integers(2, 12).flatmap(
    lambda count: st.tuples(
        st.just(count),
        st.sets(
            st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)).filter(
                lambda edge: edge[0] < edge[1]
            )
        ),
    )
)


def from_draw(road: Any, drawn: tuple[int, list[str], list[int]]) -> Roadmap:
    size, kinds, minutes = drawn
    pairs = [(a, b) for b in range(size) for a in range(b)]
    kind = dict(zip(pairs, kinds, strict=False))
    return road(
        {f"n{b}": [f"n{a}" for a in range(b) if kind[a, b] == "r"] for b in range(size)},
        recommends={f"n{b}": [f"n{a}" for a in range(b) if kind[a, b] == "s"] for b in range(size)},
        minutes={f"n{i}": m for i, m in enumerate(minutes)},
    )


def reachable(edges: list[tuple[str, str]], nodes: list[str]) -> set[tuple[str, str]]:
    """Warshall's closure."""
    pairs = set(edges)
    for middle in nodes:
        for a in nodes:
            for b in nodes:
                if (a, middle) in pairs and (middle, b) in pairs:
                    pairs.add((a, b))
    return pairs


def ends(edges: tuple[Edge, ...], kind: str = "") -> list[tuple[str, str]]:
    return [(e.source, e.target) for e in edges if kind in ("", e.kind)]


@given(SMALL)
@settings(max_examples=150)
def test_drawn_hard_edges_reach_what_all_hard_edges_reach_and_none_is_spare(
    road: Any, drawn: Any
) -> None:
    roadmap = from_draw(road, drawn)
    nodes = [n.id for n in roadmap]
    kept = ends(graph(roadmap).drawn, "requires")
    truth = reachable(ends(roadmap.edges, "requires"), nodes)
    assert reachable(kept, nodes) == truth
    for edge in kept:
        assert reachable([e for e in kept if e != edge], nodes) != truth


@given(SMALL)
@settings(max_examples=150)
def test_a_soft_edge_is_drawn_exactly_when_no_other_drawn_path_says_it(
    road: Any, drawn: Any
) -> None:
    roadmap = from_draw(road, drawn)
    nodes = [n.id for n in roadmap]
    found = graph(roadmap)
    assert sorted(ends(found.drawn + found.dropped)) == sorted(ends(roadmap.edges))
    everything = ends(found.drawn)
    for edge in found.dropped:
        assert (edge.source, edge.target) in reachable(everything, nodes)
    for edge in ends(found.drawn, "recommends"):
        assert edge not in reachable([e for e in everything if e != edge], nodes)


@given(SMALL)
@settings(max_examples=150)
def test_needs_and_needed_by_are_the_two_directions_of_the_closure_in_reading_order(
    road: Any, drawn: Any
) -> None:
    roadmap = from_draw(road, drawn)
    nodes = [n.id for n in roadmap]
    found, truth = graph(roadmap), reachable(ends(roadmap.edges, "requires"), nodes)
    for node in nodes:
        assert found.needs[node] == tuple(n for n in nodes if (n, node) in truth)
        assert found.needed_by[node] == tuple(n for n in nodes if (node, n) in truth)
        for unlocked in found.unlocks[node]:
            between = set(found.needed_by[node]) & set(found.needs[unlocked])
            assert not between


@given(SMALL)
@settings(max_examples=150)
def test_the_critical_path_is_the_longest_of_all_chains(road: Any, drawn: Any) -> None:
    roadmap = from_draw(road, drawn)

    def longest(node: str) -> int:
        return roadmap.node(node).minutes["all"] + max(
            (longest(n) for n in roadmap.node(node).requires), default=0
        )

    path = critical_path(roadmap, "all")
    assert path.minutes == max(longest(n.id) for n in roadmap)
    assert path.minutes == sum(roadmap.node(n).minutes["all"] for n in path.nodes)
    assert all(a in roadmap.node(b).requires for a, b in pairwise(path.nodes))


def test_a_track_without_steps_has_an_empty_critical_path(road: Any) -> None:
    assert critical_path(road({}), "all").minutes == 0


def test_a_circle_is_refused(road: Any) -> None:
    with pytest.raises(ValueError, match="circle"):
        graph(road({"a": ["b"], "b": ["a"]}))


def test_a_part_of_the_graph_keeps_its_own_edges_only(road: Any) -> None:
    roadmap = road({"a": [], "b": ["a"], "c": ["a", "b"]})
    assert ends(graph(roadmap).drawn) == [("a", "b"), ("b", "c")]
    assert ends(graph(roadmap, {"a", "c"}).drawn) == [("a", "c")]


def test_a_stage_borders_on_what_a_drawn_edge_away_lies_outside(road: Any) -> None:
    roadmap = road(
        {"a": [], "b": ["a"], "x": ["a", "b"], "y": ["x"]}, stages={"x": "second", "y": "second"}
    )
    assert neighbourhood(roadmap, "second") == ("b", "x", "y")


@given(drawn=DAGS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_reachability_and_reduction_are_those_of_networkx(
    road: Any, drawn: tuple[int, set[tuple[int, int]]]
) -> None:
    import networkx as nx

    count, pairs = drawn
    names = [f"n{i}" for i in range(count)]
    requires = {names[i]: [names[a] for a, b in sorted(pairs) if b == i] for i in range(count)}
    oracle = nx.DiGraph()
    oracle.add_nodes_from(names)
    oracle.add_edges_from((names[a], names[b]) for a, b in pairs)
    found = graph(road(requires))
    for name in names:
        assert set(found.needs[name]) == nx.ancestors(oracle, name)
        assert set(found.needed_by[name]) == nx.descendants(oracle, name)
    reduced = {(e.source, e.target) for e in found.drawn}
    assert reduced == set(nx.transitive_reduction(oracle).edges)
