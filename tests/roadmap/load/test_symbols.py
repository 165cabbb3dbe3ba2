"""Code found by reading is the code that Python finds by importing."""

from __future__ import annotations

import importlib.util
import inspect
import sys
import textwrap
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from roadmap.load.symbols import find_symbol, module_file, symbol_names

SOURCE = '''\
"""A module."""

from functools import cache, wraps
from os.path import join

LIMIT: int = 3
NAME = OTHER = "x"


@cache
def double(number: int) -> int:
    """Twice.

    Really.
    """
    return 2 * number


class Machine:
    """Does it."""

    speed = 1

    def crank(self) -> int:
        return join  # type: ignore[return-value]

    class Wheel:
        def turn(self) -> None:
            """Once round."""
'''


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "lab" / "deep").mkdir(parents=True)
    (tmp_path / "lab" / "__init__.py").write_text("START = 1\n", encoding="utf-8")
    (tmp_path / "lab" / "deep" / "code.py").write_text(SOURCE, encoding="utf-8")
    return tmp_path


@pytest.fixture
def imported(project: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module as Python sees it; inspect finds classes by way of sys.modules."""
    path = project / "lab" / "deep" / "code.py"
    spec = importlib.util.spec_from_file_location("code_on_trial", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "code_on_trial", module)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["double", "Machine", "Machine.crank", "Machine.Wheel.turn"])
def test_the_code_is_what_inspect_finds(project: Path, imported: ModuleType, name: str) -> None:
    value: Any = imported
    for part in name.split("."):
        value = getattr(value, part)
    lines, line = inspect.getsourcelines(inspect.unwrap(value))
    found = find_symbol(project, f"lab.deep.code:{name}")
    assert found is not None
    assert found.source == textwrap.dedent("".join(lines)).rstrip("\n")
    assert found.line == line
    docstring = value.__doc__
    if docstring is None:
        assert found.docstring_lines is None
    else:
        assert found.docstring_lines is not None
        begin, end = found.docstring_lines
        shown = "\n".join(SOURCE.split("\n")[begin - 1 : end])
        assert inspect.cleandoc(shown.strip().strip('"')) == inspect.cleandoc(docstring)


@pytest.mark.parametrize(
    ("reference", "source"),
    [
        ("lab.deep.code:LIMIT", "LIMIT: int = 3"),
        ("lab.deep.code:OTHER", 'NAME = OTHER = "x"'),
        ("lab.deep.code:Machine.speed", "speed = 1"),
        ("lab", "START = 1"),
    ],
)
def test_names_and_modules_are_found_too(project: Path, reference: str, source: str) -> None:
    found = find_symbol(project, reference)
    assert found is not None
    assert found.source == source


@pytest.mark.parametrize(
    "reference",
    [
        "lab.deep.code:join",
        "lab.deep.code:Machine.stop",
        "lab.deep.code:double.number",
        "lab.deep.gone:x",
        "lab.deep:code",
        "..lab",
        "",
        "lab/deep/code:double",
    ],
)
def test_what_is_not_defined_there_is_not_found(project: Path, reference: str) -> None:
    assert find_symbol(project, reference) is None


def test_the_names_of_a_file_are_those_it_defines(project: Path) -> None:
    path = module_file(project, "lab.deep.code")
    assert path is not None
    assert set(symbol_names(path)) == {
        "LIMIT",
        "NAME",
        "OTHER",
        "double",
        "Machine",
        "Machine.speed",
        "Machine.crank",
        "Machine.Wheel",
    }


def test_a_form_feed_ends_no_line(tmp_path: Path) -> None:
    (tmp_path / "old.py").write_text("first = 1\n\f\ndef second():\n    return 2\n")
    found = find_symbol(tmp_path, "old:second")
    assert found is not None
    assert (found.line, found.source) == (3, "def second():\n    return 2")
    whole = find_symbol(tmp_path, "old")
    assert whole is not None
    assert whole.source + "\n" == (tmp_path / "old.py").read_text()
