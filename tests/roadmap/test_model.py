"""Bands hold what they say, and the roadmap finds its nodes."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path

import pytest
from fixture_book import FixtureBook
from hypothesis import given
from hypothesis import strategies as st

from roadmap.diagnostics import Span
from roadmap.load import load
from roadmap.model import Band, CellOutput, Edge, Outcome, Roadmap

HERE = Span(Path("/book/x.md"))
NUMBER = st.floats(-1e6, 1e6)
SLACK = st.floats(0, 1e3)


@given(NUMBER, SLACK, st.floats(0, 1), NUMBER)
def test_a_band_around_a_value_is_the_wider_of_its_two_slacks(
    value: float, atol: float, rtol: float, result: float
) -> None:
    """Held against exact arithmetic, away from the last bit of the edge."""
    band = Band("loss", "cpu", HERE, value=value, atol=atol, rtol=rtol)
    slack = max(Fraction(atol), Fraction(rtol) * abs(Fraction(value)))
    distance = abs(Fraction(result) - Fraction(value))
    if abs(distance - slack) > Fraction(1, 10**6):
        assert band.contains(result) == (distance < slack)


@given(NUMBER, NUMBER, NUMBER)
def test_a_band_between_limits_holds_both_limits_and_what_lies_between(
    one: float, other: float, result: float
) -> None:
    low, high = sorted((one, other))
    band = Band("loss", "cpu", HERE, low=low, high=high)
    assert band.contains(low)
    assert band.contains(high)
    assert band.contains(result) == (min(max(result, low), high) == result)


@pytest.mark.parametrize(
    "band",
    [
        Band("loss", "cpu", HERE, value=1.0, atol=math.inf),
        Band("loss", "cpu", HERE, low=-1.0),
        Band("loss", "cpu", HERE, high=1.0),
    ],
)
def test_no_band_holds_what_is_not_a_number(band: Band) -> None:
    assert not band.contains(math.nan)


def test_an_open_band_has_one_limit() -> None:
    assert Band("loss", "cpu", HERE, low=2.0).contains(1e300)
    assert not Band("loss", "cpu", HERE, low=2.0).contains(1.9)
    assert not Band("loss", "cpu", HERE, high=2.0).contains(2.1)


@pytest.fixture
def roadmap(book: FixtureBook) -> Roadmap:
    found, _ = load(book.root)
    assert found is not None
    return found


def test_nodes_are_in_the_order_of_the_list(roadmap: Roadmap) -> None:
    assert [node.id for node in roadmap] == ["first", "second", "third"]
    assert [node.id for node in roadmap.in_stage("basics")] == ["first", "second"]


def test_a_node_is_found_by_id_and_by_alias(roadmap: Roadmap) -> None:
    assert roadmap.node("first") is roadmap.node("once-first") is roadmap.nodes[0]
    assert roadmap.stage("further").number == 1
    assert [roadmap.depth(t) for t in ("beginner", "practitioner", "researcher")] == [0, 1, 2]


@pytest.mark.parametrize("find", ["node", "stage", "depth"])
def test_a_name_that_nothing_has_is_a_key_error(roadmap: Roadmap, find: str) -> None:
    with pytest.raises(KeyError, match="nobody"):
        getattr(roadmap, find)("nobody")


def test_edges_run_the_way_the_reader_walks(book: FixtureBook) -> None:
    book.edit(book.third, "status: planned", "status: planned\nrecommends: [once-first]")
    roadmap, _ = load(book.root)
    assert roadmap is not None
    assert roadmap.edges == (
        Edge("first", "second", "requires"),
        Edge("second", "third", "requires"),
        Edge("first", "third", "recommends"),
    )


def test_a_track_shows_the_nodes_that_give_it_time(book: FixtureBook) -> None:
    book.edit(book.third, "beginner: {minutes: 5}", "beginner: skip")
    roadmap, _ = load(book.root)
    assert roadmap is not None
    assert [node.id for node in roadmap.in_track("beginner")] == ["first", "second"]
    assert [node.id for node in roadmap.in_track("researcher")] == ["first", "second", "third"]


def test_a_key_without_a_place_is_where_the_key_above_it_is(
    roadmap: Roadmap, book: FixtureBook
) -> None:
    first = roadmap.node("first")
    assert first.span("tools.0.name").line == book.line(book.chapter, "abacus")
    assert first.span("tools.0.colour") == first.span("tools.0")
    assert first.span("nothing") == Span(book.path(book.chapter))


def test_a_band_stands_where_the_chapter_claims_it(roadmap: Roadmap, book: FixtureBook) -> None:
    (band,) = roadmap.node("first").bands
    line = book.read(book.chapter).split("\n")[band.span.line - 1]
    begin = band.span.column - 1
    assert line[begin : begin + band.span.length] == "{value: 42, atol: 0.5}"


def test_an_outcome_knows_its_cells_and_results() -> None:
    from datetime import date

    cells = (
        CellOutput("one", "", "", (), (("a", 1.0),), 0.1),
        CellOutput("two", "", "", (), (("b", 2.0), ("c", 3.0)), 0.1),
    )
    outcome = Outcome("n", "ok", {}, "cpu", cells, 0.2, 1, date(2026, 1, 1))
    assert list(outcome.results.items()) == [("a", 1.0), ("b", 2.0), ("c", 3.0)]
    assert outcome.cell("two") is cells[1]
    assert outcome.cell("three") is None


def test_an_experiment_finds_its_cells(roadmap: Roadmap) -> None:
    experiment = roadmap.node("first").experiment
    assert experiment is not None
    assert experiment.cell("double") is experiment.cells[1]
    assert experiment.cell("treble") is None
    assert experiment.options.memory == 2 * 1024**3
    assert experiment.options.timeout == 20.0
