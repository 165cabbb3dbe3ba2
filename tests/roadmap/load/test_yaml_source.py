"""Data is what PyYAML says it is, and every place is where the text stands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from roadmap.load.yaml_source import read_yaml

PATH = Path("/book/x.md")
WORD = st.text("abcxyzäß-", min_size=1, max_size=8).filter(lambda s: s.strip("-") == s)
SCALAR = WORD | st.integers() | st.booleans() | st.dates() | st.none()
DATA = st.dictionaries(
    WORD,
    st.recursive(
        SCALAR,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORD, inner, max_size=4),
        max_leaves=12,
    ),
    min_size=1,
)


def _flat(value: Any, at: str = "") -> dict[str, Any]:
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = ((str(n), v) for n, v in enumerate(value))
    else:
        return {at: value}
    return {k: v for key, below in items for k, v in _flat(below, f"{at}.{key}".strip(".")).items()}


@given(DATA, st.sampled_from([True, False, None]), st.integers(1, 50))
def test_data_and_places_agree_with_the_text(data: Any, flow: bool | None, first: int) -> None:
    text = yaml.safe_dump(data, allow_unicode=True, default_flow_style=flow, width=1000)
    source, found = read_yaml(text, PATH, first)
    assert found == []
    assert source is not None
    assert source.data == yaml.safe_load(text)
    lines = text.split("\n")
    for at, value in _flat(source.data).items():
        line, column, length = source.values[at]
        shown = lines[line - first][column - 1 : column - 1 + length]
        assert yaml.safe_load(shown) == value
    for at, (line, column, length) in source.keys.items():
        key = lines[line - first][column - 1 : column - 1 + length]
        assert yaml.safe_load(key) is not None
        assert key.strip("'\"") == at.rpartition(".")[2]


@pytest.mark.parametrize(
    ("text", "line", "column", "hint"),
    [
        ("a: b: c\n", 7, 5, "Quote"),
        ("a: 1\nb: [1,\n\n", 8, 7, "Close"),
        ("a: 'x\n", 7, 6, "Close"),
        ("a:\n\tb: 1\n", 8, 1, "spaces"),
        ("a: *b\n", 7, 4, "Quote"),
        ("a: x\nb: é\x07\n", 8, 5, "Delete"),
        ("{a: 1}: 2\n", 7, 1, ""),
        ("a: &x [*x]\n", 7, 4, ""),
        ("a: 2026-13-45\n", 7, 4, ""),
        ("a: !!python/object:os.system x\n", 7, 4, ""),
        ("a: 1\n---\nb: 2\n", 8, 1, ""),
        (" a: 1\nb: 2\n", 8, 1, "indentation"),
    ],
)
def test_what_is_not_yaml_is_found_at_its_place(
    text: str, line: int, column: int, hint: str
) -> None:
    source, (only,) = read_yaml(text, PATH, first_line=7)
    assert source is None
    assert only.rule == "yaml-syntax"
    assert only.span is not None
    assert (only.span.line, only.span.column) == (line, column)
    assert hint in only.hint


def test_an_anchor_is_followed() -> None:
    source, found = read_yaml("a: &x [1, 2]\nb: *x\n", PATH)
    assert (source and source.data, found) == ({"a": [1, 2], "b": [1, 2]}, [])


def test_keys_are_words_even_where_yaml_sees_a_truth_value() -> None:
    source, _ = read_yaml("no: 1\n1.5: 2\n", PATH)
    assert source is not None
    assert source.data == {"no": 1, "1.5": 2}


def test_of_a_key_given_twice_the_first_counts() -> None:
    source, (only,) = read_yaml("a: 1\nb: 2\na: 3\n", PATH)
    assert source is not None
    assert source.data == {"a": 1, "b": 2}
    assert (only.rule, only.span and only.span.line) == ("yaml-duplicate-key", 3)
