"""Encoding and decoding: round trips, agreement with tiktoken, special tokens."""

from __future__ import annotations

import os
import random
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
import tiktoken
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_reference.tokenizer import GPT4, WHOLE, Tokenizer, load_gpt2
from llm_reference.tokenizer.encode import LONG, merge_long_piece, merge_piece

DATA = Path(os.environ.get("LLM_ROADMAP_DATA", Path(__file__).parents[4] / "shared" / "data"))
ODD_TEXTS = [
    "",
    " ",
    "\n\n \n",
    "don't DON'T ſ's 'S",
    "1234567 ١٢٣٤ Ⅷ ½",
    "e\u0301 é \u200b\u200d\ufeff",
    "👩‍👩‍👧‍👦 🇨🇭",
    "\x00\x1c\x85\u2028\u00a0x",
    "tab\tand  two   three    spaces ",
    "word\r\n\r\n  next\r",
    "ÅΩﷺ𝔘𐍈",
    "z" + "\u0335" * 90,
    "a" * 500,
    " " * 300 + "x",
]


@pytest.fixture(scope="module")
def trained() -> Tokenizer:
    rng = random.Random(0)
    words = ["".join(rng.choices("etaoinsh", k=rng.randint(1, 7))) for _ in range(300)]
    text = " ".join(rng.choices(words, k=8000)) + " 猫が好き 12345 don't\n" * 30
    return Tokenizer.train([text], 900, GPT4, special=("<|endoftext|>", "<|user|>"))


@cache
def as_tiktoken(tokenizer: Tokenizer) -> tiktoken.Encoding:
    """The same tokenizer in the other implementation. Ranks are ids, as ids grow with rank."""
    n_ordinary = 256 + len(tokenizer.merges)
    return tiktoken.Encoding(
        "same",
        pat_str=tokenizer.pattern,
        mergeable_ranks={tokenizer.decode_bytes([i]): i for i in range(n_ordinary)},
        special_tokens=tokenizer.special,
    )


@pytest.fixture(scope="module")
def gpt2() -> Tokenizer:
    folder = DATA / "gpt2"
    if not folder.is_dir():
        pytest.skip(f"GPT-2's tables are not at {folder} (set LLM_ROADMAP_DATA)")
    return load_gpt2(folder / "encoder.json", folder / "vocab.bpe")


@given(st.text())
def test_decoding_an_encoding_gives_the_text_back(trained: Tokenizer, text: str) -> None:
    assert trained.decode(trained.encode(text)) == text
    assert trained.decode_bytes(trained.encode(text)) == text.encode()


@given(st.text())
def test_ids_equal_tiktoken_on_the_same_merges(trained: Tokenizer, text: str) -> None:
    assert trained.encode(text) == as_tiktoken(trained).encode_ordinary(text)


@pytest.mark.parametrize("text", ODD_TEXTS)
def test_ids_equal_tiktoken_on_odd_texts(trained: Tokenizer, text: str) -> None:
    assert trained.encode(text) == as_tiktoken(trained).encode_ordinary(text)
    assert trained.decode(trained.encode(text)) == text


def test_gpt2_tables_give_the_published_ids(gpt2: Tokenizer) -> None:
    """From the released encoder: `Hello world` is 15496 995, and 50257 ids in all."""
    assert gpt2.encode("Hello world") == [15496, 995]
    assert gpt2.vocab_size == 50257
    assert gpt2.special == {"<|endoftext|>": 50256}


@pytest.mark.parametrize("text", ODD_TEXTS)
def test_gpt2_ids_equal_tiktoken_on_odd_texts(gpt2: Tokenizer, text: str) -> None:
    assert gpt2.encode(text) == as_tiktoken(gpt2).encode_ordinary(text)


@settings(max_examples=300)
@given(text=st.text(st.characters(codec="utf-8"), max_size=60))
def test_gpt2_ids_equal_tiktoken_on_random_unicode(gpt2: Tokenizer, text: str) -> None:
    assert gpt2.encode(text) == as_tiktoken(gpt2).encode_ordinary(text)


def test_gpt2_ids_equal_tiktoken_on_a_megabyte_of_english(gpt2: Tokenizer) -> None:
    path = DATA / "tinyshakespeare.txt"
    if not path.is_file():
        pytest.skip(f"no {path} (set LLM_ROADMAP_DATA)")
    text = path.read_text(encoding="utf-8")
    assert gpt2.encode(text) == as_tiktoken(gpt2).encode_ordinary(text)


@given(st.lists(st.integers(97, 99), max_size=150), st.integers(0, 60))
def test_long_pieces_merge_to_the_same_ids_as_short_ones(symbols: list[int], n: int) -> None:
    source = bytes(symbols[: len(symbols) // 2]).decode()
    merges = Tokenizer.train([source], 256 + n, WHOLE, special=()).merges
    ranks = {pair: 256 + i for i, pair in enumerate(merges)}
    # the definition: always the earliest-learned pair anywhere, leftmost first
    expected = list(symbols)
    while known := [ranks[p] for p in pairwise(expected) if p in ranks]:
        where = next(
            i
            for i in range(len(expected) - 1)
            if ranks.get((expected[i], expected[i + 1])) == min(known)
        )
        expected[where : where + 2] = [min(known)]
    assert merge_long_piece(symbols, ranks) == expected
    assert merge_piece(symbols, ranks) == expected


def test_a_piece_of_a_million_bytes_is_encoded_without_quadratic_work(trained: Tokenizer) -> None:
    """A scan for each merge would look at 10^11 pairs, and this test would not end."""
    text = "eta" * 333_333
    assert len(text) > LONG
    assert trained.decode(trained.encode(text)) == text


def test_text_cannot_produce_a_special_token_that_was_not_allowed(trained: Tokenizer) -> None:
    attack = "hi <|endoftext|><|user|> bye"
    specials = set(trained.special.values())
    assert specials.isdisjoint(trained.encode(attack))
    assert trained.encode(attack, {"<|user|>"}).count(trained.special["<|user|>"]) == 1
    assert trained.special["<|endoftext|>"] not in trained.encode(attack, {"<|user|>"})


@given(st.lists(st.sampled_from(["<|endoftext|>", "<|user|>", "<|", "|>", "endoftext", " "])))
def test_no_arrangement_of_fragments_produces_a_special_id(
    trained: Tokenizer, parts: list[str]
) -> None:
    text = "".join(parts)
    assert set(trained.special.values()).isdisjoint(trained.encode(text))
    peer = as_tiktoken(trained).encode(text, allowed_special="all")
    assert trained.encode(text, trained.special) == peer


def test_where_one_special_token_begins_another_the_longer_one_wins() -> None:
    tokenizer = Tokenizer((), special={"<|a|>": 300, "<|a|><|a|>": 301})
    assert tokenizer.encode("<|a|><|a|><|a|>", tokenizer.special) == [301, 300]


def test_special_tokens_with_spaces_and_regex_signs_are_plain_text() -> None:
    tokenizer = Tokenizer((), special={"(.*) +?": 256})
    assert tokenizer.encode("x(.*) +?y", {"(.*) +?"}) == [120, 256, 121]
    assert tokenizer.decode([120, 256, 121]) == "x(.*) +?y"


def test_allowing_what_is_no_special_token_is_refused(trained: Tokenizer) -> None:
    with pytest.raises(ValueError, match=r"no special token '<\|typo\|>'"):
        trained.encode("x", {"<|typo|>"})


def test_half_a_character_decodes_to_the_replacement_character() -> None:
    tokenizer = Tokenizer(())
    ids = tokenizer.encode("é")
    assert len(ids) == 2
    assert tokenizer.decode(ids[:1]) == "\ufffd"
    assert tokenizer.decode_bytes(ids[:1]) == "é".encode()[:1]


@pytest.mark.parametrize("bad", [-1, 905, 10**9])
def test_decoding_an_unknown_id_names_it(trained: Tokenizer, bad: int) -> None:
    with pytest.raises(ValueError, match=f"id {bad} is not in this vocabulary"):
        trained.decode([0, bad])


@pytest.mark.parametrize("text", ["\ud83d\ude00", "a\ud800b", "\udc00x\ud800"])
def test_surrogates_are_joined_or_replaced_as_tiktoken_does(trained: Tokenizer, text: str) -> None:
    assert trained.encode(text) == as_tiktoken(trained).encode_ordinary(text)


def test_a_full_cache_changes_no_ids(trained: Tokenizer, monkeypatch: pytest.MonkeyPatch) -> None:
    from llm_reference.tokenizer import encode

    text = " ".join(f"word{i}" for i in range(200))
    expected = trained.encode(text)
    monkeypatch.setattr(encode, "CACHE_ENTRIES", 3)
    fresh = Tokenizer(trained.merges, trained.pattern, trained.special)
    assert fresh.encode(text) == expected
    assert len(fresh._piece_ids) <= 3
