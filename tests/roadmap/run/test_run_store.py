"""A record is read back as it was put, or not at all."""

from __future__ import annotations

import json
import math
import os
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roadmap.model import CellOutput, Failure, Outcome
from roadmap.run import store as store_module
from roadmap.run.record import decode, encode
from roadmap.run.store import Store

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
numbers = st.floats(allow_nan=False)
cells = st.builds(
    CellOutput,
    name=texts,
    stdout=texts,
    stderr=texts,
    figures=st.lists(texts, max_size=2).map(tuple),
    results=st.lists(st.tuples(texts, numbers), max_size=3).map(tuple),
    seconds=numbers,
)
outcomes = st.builds(
    Outcome,
    node=st.just("demo"),
    status=st.sampled_from(["ok", "failed", "timeout"]),
    components=st.dictionaries(texts, texts, max_size=4),
    machine=st.sampled_from(["cpu", "cuda"]),
    cells=st.lists(cells, max_size=3).map(tuple),
    seconds=numbers,
    peak_bytes=st.integers(0),
    ran_on=st.dates(),
    failure=st.none() | st.builds(Failure, texts, st.integers(0), texts, texts),
)


def outcome(**fields: Any) -> Outcome:
    cell = CellOutput("a", "ünï\r\n\u2028", "", ("<svg/>",), (("z", 1.5), ("a", 0.1)), 0.25)
    given_fields = {
        "node": "demo",
        "status": "ok",
        "components": {"b": "1", "a": "2"},
        "machine": "cpu",
        "cells": (cell,),
        "seconds": 1.0,
        "peak_bytes": 10,
        "ran_on": date(2026, 11, 20),
    }
    return Outcome(**(given_fields | fields))


@given(outcomes)
def test_decode_inverts_encode_and_the_text_is_json(value: Outcome) -> None:
    text = encode(value)
    assert decode(text) == value
    assert decode(json.dumps(json.loads(text))) == value


def test_not_a_number_survives_so_that_compare_can_report_it() -> None:
    value = outcome(cells=(CellOutput("a", "", "", (), (("x", math.nan),), 0.0),))
    assert math.isnan(decode(encode(value)).results["x"])


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"failure": null}', "nonsense"])
def test_decode_refuses_anything_else(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (json's own error is one)
        decode(text)


@given(value=outcomes)
def test_store_returns_what_was_put(tmp_path_factory: Any, value: Outcome) -> None:
    store = Store(tmp_path_factory.mktemp("store") / "new folder")
    store.put(value)
    assert store.read("demo") == (value, None)


def test_equal_outcomes_are_equal_files_and_valid_json(tmp_path: Path) -> None:
    one, two = Store(tmp_path / "one"), Store(tmp_path / "two")
    one.put(outcome(components={"a": "2", "b": "1"}))
    two.put(outcome())
    assert one.path("demo").read_bytes() == two.path("demo").read_bytes()
    assert json.loads(one.path("demo").read_bytes())["schema"] == store_module.SCHEMA


def test_an_absent_record_is_nothing_to_report(tmp_path: Path) -> None:
    assert Store(tmp_path / "nowhere").read("demo") == (None, None)


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda raw: raw[: len(raw) // 2], "checksum"),
        (lambda raw: raw.replace(b"1.5", b"9.5"), "checksum"),
        (lambda raw: b"", "not a record"),
        (lambda raw: b"\x00\xff" * 50, "not a record"),
        (lambda raw: raw.replace(b'"schema": 1', b'"schema": 0'), "another version"),
        (lambda raw: raw.replace(b'"schema": 1', b'"schema": 11'), "another version"),
    ],
)
def test_a_damaged_record_is_reported_and_not_used(tmp_path: Path, damage: Any, says: str) -> None:
    store = Store(tmp_path)
    store.put(outcome())
    path = store.path("demo")
    path.write_bytes(damage(path.read_bytes()))
    found, diagnostic = store.read("demo")
    assert found is None
    assert store.get("demo") is None
    assert diagnostic is not None
    assert diagnostic.rule == "cache-corrupt"
    assert diagnostic.span is not None
    assert diagnostic.span.path == path
    assert says in diagnostic.message


def test_any_single_damaged_byte_of_the_content_is_noticed(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put(outcome())
    raw = bytearray(store.path("demo").read_bytes())
    for position in range(raw.index(b'"outcome"'), len(raw), 7):
        raw[position] ^= 1
        store.path("demo").write_bytes(raw)
        raw[position] ^= 1
        found, diagnostic = store.read("demo")
        assert found is None, position
        assert diagnostic is not None


def test_the_record_of_another_node_is_not_used(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put(outcome(node="other"))
    store.path("other").rename(store.path("demo"))
    found, diagnostic = store.read("demo")
    assert found is None
    assert diagnostic is not None
    assert "`other`" in diagnostic.message


def test_a_folder_in_the_place_of_a_record_is_reported(tmp_path: Path) -> None:
    (tmp_path / "demo.json").mkdir()
    assert Store(tmp_path).read("demo")[1] is not None


def test_a_failed_write_leaves_the_old_record_and_no_other_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path)
    store.put(outcome())

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        store.put(outcome(seconds=9.0))
    assert store.get("demo") == outcome()
    assert [p.name for p in tmp_path.iterdir()] == ["demo.json"]
