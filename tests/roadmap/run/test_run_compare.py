"""Results against bands: every difference is reported, at the band's line."""

from __future__ import annotations

import math
from datetime import date
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from roadmap.diagnostics import Span
from roadmap.model import Band, CellOutput, Outcome
from roadmap.run.compare import compare, miss
from roadmap.run.words import band_text, number

TEXT = """\
# %% first
from llm_reference.report import report
report(loss=1.62, speed=3)
# %% second
values = {"later": 1}
report(**values)
"""


def outcome(*results: tuple[str, float], machine: str = "cpu", status: Any = "ok") -> Outcome:
    cells = (
        CellOutput("first", "", "", (), tuple(r for r in results if r[0] != "later"), 0.1),
        CellOutput("second", "", "", (), tuple(r for r in results if r[0] == "later"), 0.1),
    )
    return Outcome("demo", status, {}, machine, cells, 0.2, 0, date(2026, 11, 20))


def test_a_result_in_its_band_is_nothing_to_report(make: Any, make_node: Any, band: Any) -> None:
    node = make_node(make(TEXT), (band("loss", value=1.6, atol=0.05),))
    assert compare(node, outcome(("loss", 1.62))) == []


def test_out_of_band_says_expected_got_and_by_how_much(
    make: Any, make_node: Any, band: Any
) -> None:
    node = make_node(make(TEXT), (band("loss", line=17, value=1.5, atol=0.05),))
    (found,) = compare(node, outcome(("loss", 1.62)))
    assert found.rule == "result-out-of-band"
    assert found.span == node.bands[0].span
    assert "`loss` is 1.62" in found.message
    assert "1.5 ± 0.05" in found.message
    assert "0.07 above" in found.message
    assert "roadmap accept" in found.hint
    (found,) = compare(make_node(make(TEXT), (band("loss", low=2),)), outcome(("loss", 1.62)))
    assert "at least 2: 0.38 below" in found.message
    assert "widen" in found.hint


def test_a_result_without_a_band_is_reported_where_it_is_reported(
    make: Any, make_node: Any, band: Any
) -> None:
    node = make_node(make(TEXT), (band("loss", value=1.62, atol=0.1),))
    (found,) = compare(node, outcome(("loss", 1.62), ("speed", 3.0)))
    assert found.rule == "result-unbanded"
    assert found.span == Span(node.experiment.path, 3, 1, 26)
    assert "speed: {cpu: {value: 3" in found.hint


def test_a_result_that_no_line_names_is_placed_at_its_cell(make: Any, make_node: Any) -> None:
    node = make_node(make(TEXT))
    (found,) = compare(node, outcome(("later", 1.0)))
    assert found.span == Span(node.experiment.path, 4, 1, 11)


def test_a_script_that_is_no_python_still_gets_a_place(make: Any, make_node: Any) -> None:
    (found,) = compare(make_node(make("# %% first\nx = = 1\n")), outcome(("loss", 1.0)))
    assert found.span is not None
    assert found.span.line == 1


def test_a_band_without_a_result_is_reported(make: Any, make_node: Any, band: Any) -> None:
    node = make_node(make(TEXT), (band("gone", line=9, low=0),))
    (found,) = compare(node, outcome())
    assert (found.rule, found.span) == ("result-unreported", node.bands[0].span)
    assert "nothing" in found.hint


def test_only_bands_of_the_machine_that_ran_count(make: Any, make_node: Any, band: Any) -> None:
    bands = (band("loss", value=1.0, atol=0.1), band("loss", "cuda", value=2.0, atol=0.1))
    node = make_node(make(TEXT), bands)
    assert compare(node, outcome(("loss", 1.0))) == []
    assert compare(node, outcome(("loss", 2.0), machine="cuda")) == []
    (found,) = compare(node, outcome(("loss", 1.0), machine="cuda"))
    assert found.span == bands[1].span
    (found,) = compare(make_node(make(TEXT), bands[:1]), outcome(("loss", 1.0), machine="cuda"))
    assert (found.rule, found.span) == ("result-unbanded", bands[0].span)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_result_that_is_no_finite_number_is_invalid_whatever_its_band(
    make: Any, make_node: Any, band: Any, value: float
) -> None:
    node = make_node(make(TEXT), (band("loss", low=0),))
    assert [d.rule for d in compare(node, outcome(("loss", value)))] == ["result-invalid"]


def test_a_run_that_failed_is_not_compared(make: Any, make_node: Any, band: Any) -> None:
    node = make_node(make(TEXT), (band("loss", low=0),))
    assert compare(node, outcome(status="failed")) == []


def test_bands_read_as_sentences(band: Any) -> None:
    assert band_text(band("x", value=2, rtol=0.1)) == "2 ± 0.2"
    assert band_text(band("x", low=1)) == "at least 1"
    assert band_text(band("x", high=1e-7)) == "at most 1e-07"
    assert band_text(band("x", low=1, high=2)) == "1 to 2"
    assert number(1234567.0) == "1,234,567"


reasonable = st.floats(-1e6, 1e6)


@given(st.data())
def test_miss_is_zero_inside_and_leads_back_to_the_edge_from_outside(data: st.DataObject) -> None:
    low, width = data.draw(reasonable), data.draw(st.floats(0, 1e6))
    band = Band("x", "cpu", Span.__new__(Span), low=low, high=low + width)
    value = data.draw(st.floats(-1e7, 1e7))
    by = miss(band, value)
    assert (by == 0) == band.contains(value)
    assume(by != 0)
    edge = band.limits[by > 0]
    assert math.isclose(value - by, edge, abs_tol=1e-6)
