"""Training against the definition of BPE, written out naively here."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_reference.tokenizer import GPT2, GPT4, WHOLE, Tokenizer
from llm_reference.tokenizer.pattern import Splitter
from llm_reference.tokenizer.train import learn_merges

PROSE = """The theory of the thing: three thin thieves thought a thousand thoughts.
\tBananas, bandanas, and cabanas - 2024, 1999, 31415926! Don't, WON'T, they'll.
Die Häuser über den Flüssen; 猫が好き、猫が大好き。 🎉🎉🎉 👩‍👩‍👧  aaaa aaa aaaaa
"""


def naive_merges(pieces: list[str], n_merges: int) -> list[tuple[int, int]]:
    """Count all pairs of all pieces, replace the best, begin again. Highest count, lowest ids."""
    words = [list(piece.encode()) for piece in pieces]
    merges: list[tuple[int, int]] = []
    for step in range(n_merges):
        counts = Counter((word[i], word[i + 1]) for word in words for i in range(len(word) - 1))
        if not counts:
            break
        top = max(counts.values())
        best = min(pair for pair, count in counts.items() if count == top)
        merges.append(best)
        for word in words:
            i = 0
            while i < len(word) - 1:
                if (word[i], word[i + 1]) == best:
                    word[i : i + 2] = [256 + step]
                i += 1
    return merges


@pytest.mark.parametrize("pattern", [GPT2, GPT4, WHOLE])
@pytest.mark.parametrize("text", [PROSE, PROSE[::-1], "a" * 37, "abab" * 9 + "ab", "", "x"])
def test_merges_equal_recounting_every_pair_at_every_step(pattern: str, text: str) -> None:
    expected = naive_merges(Splitter(pattern).split(text), 150)
    tokenizer = Tokenizer.train([text], 256 + 150 + 1, pattern)
    assert list(tokenizer.merges) == expected


@given(st.lists(st.text(alphabet="ab c", max_size=30), max_size=8), st.integers(0, 60))
def test_merges_equal_recounting_on_texts_full_of_ties_and_overlaps(
    texts: list[str], n_merges: int
) -> None:
    expected = naive_merges([p for text in texts for p in Splitter(GPT4).split(text)], n_merges)
    assert list(Tokenizer.train(texts, 257 + n_merges).merges) == expected


@given(st.dictionaries(st.binary(max_size=12), st.integers(1, 50), max_size=12), st.integers(0, 40))
def test_merges_of_weighted_pieces_equal_merges_of_repeated_pieces(
    counts: dict[bytes, int], n_merges: int
) -> None:
    latin = [piece.decode("latin-1") for piece, n in counts.items() for _ in range(n)]
    repeated = [text.encode() for text in latin]
    weighted = Counter(repeated)
    shuffled = dict(sorted(weighted.items(), reverse=True))
    expected = naive_merges(latin, n_merges)
    assert learn_merges(weighted, n_merges) == expected
    assert learn_merges(shuffled, n_merges) == expected, "the order of the counts must not matter"


def test_first_merges_of_the_worked_example_by_hand() -> None:
    """low x5, lower x2, newest x6, widest x3: the example of Sennrich et al. 2016, in bytes.

    "es" and "st" occur 9 times each; "es" is first as e < s. Then "es" + "t" 9 times, and so on.
    """
    counts = {b"low": 5, b"lower": 2, b"newest": 6, b"widest": 3}
    e, s, t, lower_l, o, w = b"estlow"
    assert learn_merges(counts, 4) == [(e, s), (256, t), (lower_l, o), (258, w)]


def test_training_ends_early_when_every_piece_is_one_token() -> None:
    tokenizer = Tokenizer.train(["ab ab abc"], 1000, GPT4)
    assert tokenizer.encode("ab ab abc") == [
        next(i for i in range(256, 300) if tokenizer.decode([i]) == piece)
        for piece in ("ab", " ab", " abc")
    ]
    assert tokenizer.vocab_size < 1000


def test_vocabulary_size_counts_bytes_merges_and_special_tokens() -> None:
    tokenizer = Tokenizer.train([PROSE], 300, special=("<|a|>", "<|b|>"))
    assert tokenizer.vocab_size == 300
    assert len(tokenizer.merges) == 300 - 256 - 2
    assert tokenizer.special == {"<|a|>": 298, "<|b|>": 299}


def test_a_vocabulary_too_small_for_the_bytes_is_refused() -> None:
    with pytest.raises(ValueError, match="need 257"):
        Tokenizer.train(["text"], 256)
    assert Tokenizer.train(["text"], 256, special=()).merges == ()


def test_no_merge_crosses_from_one_document_into_the_next() -> None:
    tokenizer = Tokenizer.train(["a", "b"] * 20, 300, WHOLE, special=())
    assert tokenizer.merges == ()


def test_a_special_token_in_the_training_text_is_cut_out_and_never_learned_from() -> None:
    parts = ["one", "two", "three"] * 10
    joined = Tokenizer.train(["<|endoftext|>".join(parts)], 300, WHOLE)
    assert joined == Tokenizer.train(parts, 300, WHOLE)


def test_one_string_is_one_document_not_a_list_of_characters() -> None:
    assert Tokenizer.train(PROSE, 300) == Tokenizer.train([PROSE], 300)
