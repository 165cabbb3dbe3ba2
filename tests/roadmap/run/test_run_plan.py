"""The plan says what runs, and why in words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from roadmap.model import Outcome
from roadmap.run.execute import today
from roadmap.run.key import components
from roadmap.run.plan import explain, plan, why_stale
from roadmap.run.store import Store


def outcome(node: str, parts: dict[str, str]) -> Outcome:
    return Outcome(node, "ok", parts, "cpu", (), 1.25, 0, today())


@pytest.mark.parametrize(
    ("before", "now", "reasons"),
    [
        ({"cell train": "a"}, {"cell train": "b"}, ["cell train changed"]),
        ({}, {"cell train": "b"}, ["cell train added"]),
        ({"cell train": "a"}, {}, ["cell train removed"]),
        ({"cells": "a b", "cell b": "1"}, {"cells": "a"}, ["cell b removed"]),
        ({"cells": "a b"}, {"cells": "b a"}, ["the order of the cells changed"]),
        (
            {"module llm_reference/model/attention.py": "1"},
            {"module llm_reference/model/attention.py": "2"},
            ["llm_reference/model/attention.py changed"],
        ),
        ({}, {"module a.py": "2"}, ["a.py is now imported"]),
        ({"module a.py": "2"}, {}, ["a.py is no longer imported"]),
        ({"package numpy": "2.2.1"}, {"package numpy": "2.3.0"}, ["numpy 2.2.1 -> 2.3.0"]),
        ({}, {"package numpy": "2.3.0"}, ["numpy is now imported"]),
        ({"file content/x y.txt": "1"}, {"file content/x y.txt": "2"}, ["content/x y.txt changed"]),
        ({"file x": "1"}, {}, ["x is no longer needed"]),
        ({"seed": "0"}, {"seed": "1"}, ["seed 0 -> 1"]),
        ({"threads": "1"}, {"threads": "2"}, ["threads 1 -> 2"]),
        ({"python": "3.11"}, {"python": "3.12"}, ["Python 3.11 -> 3.12"]),
        ({"worker": "1"}, {"worker": "2"}, ["the program that runs experiments changed"]),
        ({"figures": "1"}, {"figures": "2"}, ["the look of figures changed"]),
        ({"seed": "0", "cell a": "1"}, {"cell a": "1", "seed": "0"}, []),
    ],
)
def test_reasons_are_words(before: dict[str, str], now: dict[str, str], reasons: list[str]) -> None:
    assert why_stale(before, now) == reasons


def test_every_difference_has_a_reason_and_equal_keys_have_none(make: Any, project: Path) -> None:
    parts = components(make("# %% a\nimport numpy, json\n# %% b\n"), project)
    assert why_stale(parts, dict(parts)) == []
    for name in parts:
        assert why_stale(parts, parts | {name: "other"}), name


def test_states_follow_the_record(make: Any, make_node: Any, project: Path) -> None:
    store = Store(project / ".roadmap")
    node = make_node(make("# %% a\nprint(1)\n"))
    bare = replace(node, id="bare", experiment=None)
    assert [(s.node.id, s.state) for s in plan([node, bare], store, project)] == [("demo", "new")]
    assert explain(node, store, project) == [
        "demo will run.",
        "  It has no record of a run that ended well.",
    ]
    assert explain(bare, store, project) == ["bare has no experiment."]

    assert node.experiment is not None
    record = outcome("demo", components(node.experiment, project))
    store.put(record)
    (step,) = plan([node], store, project)
    assert (step.state, step.last, step.reasons) == ("fresh", record, ())
    assert "fresh" in explain(node, store, project)[0]

    noted = make_node(make("# %% a\n# a comment\nprint( 1 )\n"))
    assert plan([noted], store, project)[0].state == "fresh"

    edited = make_node(make("# %% a\nprint(2)\n"))
    (step,) = plan([edited], store, project)
    assert (step.state, step.last, step.reasons) == ("stale", record, ("cell a changed",))
    assert explain(edited, store, project)[1:] == ["  cell a changed"]

    store.path("demo").write_text("rubbish")
    (step,) = plan([node], store, project)
    assert (step.state, step.last) == ("new", None)
    assert step.diagnostic is not None
    assert "cannot be used" in explain(node, store, project)[1]


def test_what_code_means_is_remembered_beside_the_records(
    make: Any, make_node: Any, project: Path
) -> None:
    store = Store(project / ".roadmap" / "outcomes")
    node = make_node(make("# %% a\nprint(1)\n"))
    first = plan([node], store, project)
    assert (store.folder / "_code.json").exists()
    assert plan([node], store, project) == first
