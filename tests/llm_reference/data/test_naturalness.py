"""The measures of naturalness, against texts whose values are known by construction."""

from __future__ import annotations

import pytest

from llm_reference.data.naturalness import naturalness


def test_counts_words_and_types_without_case_or_punctuation():
    measured = naturalness(["The cat, the dog."])
    assert (measured.words, measured.types, measured.type_token_ratio) == (4, 3, 0.75)


@pytest.mark.parametrize("exponent", [0.5, 1.0, 1.5])
def test_slope_of_a_text_made_by_zipfs_law_is_its_exponent(exponent):
    text = " ".join(f"w{r} " * round(10**6 / r**exponent) for r in range(1, 30))
    assert naturalness([text]).zipf_slope == pytest.approx(-exponent, abs=0.01)


def test_repeated_runs_are_counted_across_texts_but_never_span_two():
    run = "a b c d e f g h"
    assert naturalness([run, run]).repeated_8grams == 0.5
    assert naturalness(["a b c d", "e f g h", run]).repeated_8grams == 0.0


def test_a_text_of_one_word_has_no_slope():
    with pytest.raises(ValueError, match="two distinct words"):
        naturalness(["word word"])
