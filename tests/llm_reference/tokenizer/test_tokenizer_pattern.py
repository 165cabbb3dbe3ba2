"""The split patterns against their published forms, and against pieces cut by hand."""

from __future__ import annotations

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_reference.tokenizer import GPT2, GPT4, WHOLE
from llm_reference.tokenizer.pattern import Splitter

# As released in openai/gpt-2 `src/encoder.py` and, for cl100k_base, first in openai/tiktoken 0.1:
# the same languages as ours, written with backtracking.
PUBLISHED = {
    GPT2: r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    GPT4: r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
}
TRICKY = st.text(
    st.one_of(
        st.sampled_from("aZ'sTvVerRlLmMdDſ 01²Ⅷ٣.,!-_(\t\n\r\x0b\x1c\x85\u00a0\u2028é\u0301猫🎉"),
        st.characters(codec="utf-8"),
    ),
    max_size=40,
)


@pytest.mark.parametrize("pattern", [GPT2, GPT4])
@settings(max_examples=500)
@given(text=TRICKY)
def test_pieces_equal_those_of_the_published_pattern(pattern: str, text: str) -> None:
    assert Splitter(pattern).split(text) == regex.findall(PUBLISHED[pattern], text)


@pytest.mark.parametrize(
    ("pattern", "text", "pieces"),
    [
        (GPT2, "I'll pay 12345.", ["I", "'ll", " pay", " 12345", "."]),
        (GPT4, "I'll pay 12345.", ["I", "'ll", " pay", " ", "123", "45", "."]),
        (GPT2, "DON'T", ["DON", "'", "T"]),
        (GPT4, "DON'T", ["DON", "'T"]),
        (GPT2, "a  b", ["a", " ", " b"]),
        (GPT4, "if x:\n    y", ["if", " x", ":\n", "   ", " y"]),
        (GPT2, "if x:\n    y", ["if", " x", ":", "\n   ", " y"]),
        (GPT4, "a \n\n b", ["a", " \n\n", " b"]),
        (GPT4, "_name(x)", ["_name", "(x", ")"]),
        (GPT2, "猫が好き", ["猫が好き"]),
        (WHOLE, "a b\nc", ["a b\nc"]),
    ],
)
def test_pieces_cut_by_hand(pattern: str, text: str, pieces: list[str]) -> None:
    assert Splitter(pattern).split(text) == pieces


def test_what_a_pattern_leaves_out_becomes_a_piece_of_its_own() -> None:
    assert Splitter(r"\d+").split("ab12c34") == ["ab", "12", "c", "34"]
    assert Splitter(r"\d*").split("ab12c") == ["a", "b", "12", "c"]


@pytest.mark.parametrize("pattern", [GPT2, GPT4, WHOLE, r"\d+|[a-m]+", "q"])
@given(text=st.text())
def test_splitting_loses_nothing_whatever_the_pattern(pattern: str, text: str) -> None:
    assert "".join(Splitter(pattern).split(text)) == text


@pytest.mark.parametrize("pattern", ["(a)|b", "[", "(?P<n>x)"])
def test_a_pattern_that_cannot_split_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="pattern"):
        Splitter(pattern)
