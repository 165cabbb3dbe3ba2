"""`accept` changes the numbers that must change, and not one character more."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from roadmap.diagnostics import Span
from roadmap.model import Band, CellOutput, Outcome
from roadmap.run.accept import accept, rewrite

CHAPTER = """\
---
id: demo
title: "A: title"   # keep me
expect:
  loss: {cpu: {value: 1.62, atol: 0.05}, cuda: {value: 1.62, atol: 0.05}}  # per token
  count:
    cpu:
      value: 100   # documents
      rtol: 0.1
  rate: {cpu: {value: 1.0e-3, rtol: 0.01}}
  speed: {cpu: {min: 10}}
---

## Loss is 1.62

value: 1.62
"""


def outcome(machine: str = "cpu", status: Any = "ok", **results: float) -> Outcome:
    cell = CellOutput("a", "", "", (), tuple(results.items()), 0.1)
    return Outcome("demo", status, {}, machine, (cell,), 0.2, 0, date(2026, 11, 20))


@pytest.fixture
def node(make: Any, make_node: Any) -> Any:
    def node(text: str | bytes = CHAPTER) -> Any:
        experiment = make("# %% a\n")
        path = experiment.path.with_name("chapter.md")
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        plain = path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
        expect = yaml.safe_load(plain.split("---\n")[1]).get("expect", {})
        bands = tuple(
            Band(
                result,
                machine,
                Span(path),
                value=form.get("value"),
                atol=form.get("atol", 0.0),
                rtol=form.get("rtol", 0.0),
                low=form.get("min"),
                high=form.get("max"),
            )
            for result, machines in expect.items()
            for machine, form in machines.items()
        )
        return make_node(experiment, bands)

    return node


GOOD = {"loss": 1.6, "count": 101.0, "rate": 0.001, "speed": 11.0}


def test_a_run_in_its_bands_changes_nothing(node: Any) -> None:
    assert accept(node(), outcome(**GOOD)) == (CHAPTER, [])


def test_only_the_missed_numbers_of_this_machine_change(node: Any) -> None:
    text, changes = accept(node(), outcome(**GOOD | {"loss": 1.7512, "count": 200.0}))
    expected = CHAPTER.replace("cpu: {value: 1.62", "cpu: {value: 1.75").replace("100 ", "200 ")
    assert text == expected
    assert [(c.result, c.old, c.new) for c in changes] == [
        ("loss", "1.62", "1.75"),
        ("count", "100", "200"),
    ]
    assert "loss: 1.62 -> 1.75" in changes[0].message


def test_two_values_on_one_line_both_find_their_place(node: Any) -> None:
    chapter = (
        "---\nexpect: {b: {cpu: {value: 1, atol: 0.1}}, a: {cpu: {value: 2, atol: 0.1}}} # x\n---\n"
    )
    for order in (("a", "b"), ("b", "a")):
        made = node(chapter)
        bands = {band.result: band for band in made.bands}
        object.__setattr__(made, "bands", tuple(bands[name] for name in order))
        text, _ = accept(made, outcome(a=12345.0, b=1000.0))
        assert text == chapter.replace("value: 1,", "value: 1000,").replace("2,", "12345,")


def test_the_form_of_a_number_is_kept(node: Any) -> None:
    text, _ = accept(node(), outcome(**GOOD | {"rate": 0.00251}))
    assert "value: 2.51e-03" in text
    assert yaml.safe_load(text.split("---\n")[1])["expect"]["rate"]["cpu"]["value"] == 0.00251


def test_after_accepting_the_run_is_in_its_bands(node: Any) -> None:
    results = GOOD | {"loss": 2.04999, "count": 17.3, "rate": 0.123456}
    text, _ = accept(node(), outcome(**results))
    made = node(text)
    for band in made.bands:
        if band.machine == "cpu":
            assert band.contains(results[band.result]), band


@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf"])
def test_line_ends_and_byte_order_mark_stay(node: Any, before: bytes) -> None:
    raw = before + CHAPTER.replace("\n", "\r\n").encode()
    text, changes = accept(node(raw), outcome(**GOOD | {"loss": 3.0}))
    assert len(changes) == 1
    assert text.encode() == raw.replace(b"cpu: {value: 1.62", b"cpu: {value: 3.00")


def test_what_needs_a_person_is_said_and_left(node: Any) -> None:
    text, changes = accept(node(), outcome(count=100.0, rate=0.001, speed=3.0, extra=1.0))
    assert text == CHAPTER
    assert all(change.new is None for change in changes)
    said = {change.result: change.message for change in changes}
    assert set(said) == {"speed", "loss", "extra"}
    assert "at least 10" in said["speed"]
    assert "not reported" in said["loss"]
    assert "no band" in said["extra"]


def test_a_failed_run_cannot_be_accepted(node: Any) -> None:
    with pytest.raises(ValueError, match="timeout"):
        accept(node(), outcome(status="timeout"))


@pytest.mark.parametrize("now", ["---\nid: demo\n---\n", "no front matter", "---\n:\n  - {\n---\n"])
def test_a_chapter_that_changed_meanwhile_is_refused(node: Any, now: str) -> None:
    made = node()
    Path(made.chapter.path).write_text(now)
    with pytest.raises(ValueError, match="changed since"):
        accept(made, outcome(loss=9.0))


@given(
    st.floats(-1e9, 1e9),
    st.sampled_from(["1", "1.5", "0.001", "2.50", "1e-3", "1.25E+2", "-7", "1_000"]),
    st.floats(0, 1),
    st.floats(0, 1),
)
def test_a_rewritten_number_is_close_enough_for_its_band(
    value: float, old: str, atol: float, rtol: float
) -> None:
    band = Band("x", "cpu", Span(Path()), value=1.0, atol=atol, rtol=rtol)
    new = float(rewrite(old, value, band))
    accepted = Band("x", "cpu", Span(Path()), value=new, atol=atol, rtol=rtol)
    assert accepted.contains(value)
