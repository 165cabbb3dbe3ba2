"""Rules: each one that is declared can be reported, and a test waits for it by name."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import get_args

from roadmap.diagnostics import RULES
from roadmap.model import OutcomeStatus

TESTS = Path(__file__).parent
PRESS = TESTS.parents[1] / "roadmap"


def constants(files: list[Path]) -> set[str]:
    """Every string that stands in the code of some files; comments do not count."""
    return {
        node.value
        for file in files
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def test_every_rule_is_reported_somewhere_in_the_press() -> None:
    named = constants([p for p in PRESS.rglob("*.py") if p.name != "diagnostics.py"])
    of_runs = {f"experiment-{status}" for status in get_args(OutcomeStatus) if status != "ok"}
    assert RULES.keys() - named - of_runs == set()
    assert of_runs <= RULES.keys()


def test_every_rule_has_a_test_that_names_it() -> None:
    named = constants([p for p in TESTS.rglob("test_*.py") if p != Path(__file__)])
    assert RULES.keys() - named == set()
