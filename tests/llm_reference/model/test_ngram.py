"""n-gram models against counts by hand, a slow Kneser-Ney, and the laws of probability."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_reference.model.ngram import NGramModel, discount_of

V = 4
texts = st.lists(st.integers(0, V - 1), min_size=6, max_size=60).map(np.array)


def slow_kneser_ney(text: list[int], order: int, context: tuple[int, ...], token: int) -> float:
    """The formula of Chen and Goodman (1999), section 2.7, with dictionaries and recursion."""

    def grams(n: int) -> Counter:
        return Counter(tuple(text[i : i + n]) for i in range(len(text) - n + 1))

    def uses(n: int) -> Counter:
        return grams(n) if n == order else Counter(gram[1:] for gram in grams(n + 1))

    def p(context: tuple[int, ...], token: int) -> float:
        n = len(context) + 1
        lower = p(context[1:], token) if context else 1 / V
        used = uses(n)
        once = sum(c == 1 for c in used.values())
        twice = sum(c == 2 for c in used.values())
        discount = once / (once + 2 * twice) if once else 0.5
        total = sum(c for gram, c in used.items() if gram[:-1] == context)
        types = sum(gram[:-1] == context for gram in used)
        if not total:
            return lower
        kept = max(used[(*context, token)] - discount, 0)
        return (kept + discount * types * lower) / total

    return p(context, token)


@settings(max_examples=40, deadline=None)
@given(texts, st.integers(1, 4), st.lists(st.integers(0, V - 1), min_size=1, max_size=8))
def test_bits_equal_the_slow_recursion(text, order, held_out):
    model = NGramModel.train(text, order, V, start=0)
    bits = model.bits(np.array(held_out), order)
    padded = [0] * (order - 1) + held_out
    for t, value in enumerate(bits):
        context = tuple(padded[t : t + order - 1])
        slow = slow_kneser_ney(text.tolist(), order, context, held_out[t])
        assert value == pytest.approx(-math.log2(slow), abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(texts, st.integers(1, 5), st.lists(st.integers(0, V - 1), max_size=6))
def test_every_distribution_is_positive_sums_to_one_and_agrees_with_bits(text, order, context):
    model = NGramModel.train(text, 5, V, start=0)
    p = model.distribution(np.array(context, dtype=np.int64), order)
    assert p.sum() == pytest.approx(1.0, abs=1e-12)
    assert (p > 0).all()
    for token in range(V):
        bits = model.bits(np.array([*context, token]), order)[-1]
        assert bits == pytest.approx(-math.log2(p[token]), abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(texts, st.integers(1, 4))
def test_an_order_taken_from_a_higher_model_equals_a_model_of_that_order(text, order):
    high, own = NGramModel.train(text, 5, V, start=0), NGramModel.train(text, order, V, start=0)
    # the highest order has no counts of longer grams: its own lower levels are the same
    assert high.bits(text, order) == pytest.approx(own.bits(text, order), abs=1e-12)


def test_add_k_bits_are_the_formula_on_counts_by_hand():
    text = np.array([0, 1, 0, 1, 0, 2])  # after 0: 1 twice, 2 once
    model = NGramModel.train(text, 2, V, start=3)
    bits = model.add_k_bits(np.array([0, 1, 2]), order=2, k=0.5)
    after_unseen, after_zero, after_one = 0.5 / (4 * 0.5), 2.5 / (3 + 2), 0.5 / (2 + 2)
    assert bits == pytest.approx(-np.log2([after_unseen, after_zero, after_one]))


def test_unseen_share_is_the_share_of_grams_that_training_lacks():
    model = NGramModel.train(np.array([0, 1, 2, 0, 1, 2, 0]), 3, V, start=2)
    held_out = np.array([0, 1, 2, 1, 0])  # bigrams 20 01 12 21 10: 21 and 10 are new
    assert model.unseen(held_out, 2) == pytest.approx(2 / 5)
    assert model.unseen(held_out, 1) == 0


def test_discount_is_the_estimate_from_counts_of_one_and_two():
    assert discount_of(np.array([1, 1, 1, 2, 5])) == pytest.approx(3 / 5)
    assert discount_of(np.array([2, 3])) == 0.5


def test_a_long_text_of_a_known_chain_is_learnt_to_its_entropy():
    rng = np.random.default_rng(0)
    flips = rng.random(40_000) < 0.1
    text = np.cumsum(flips) % 2  # a two-state chain that switches with probability 0.1
    entropy = -(0.1 * math.log2(0.1) + 0.9 * math.log2(0.9))
    model = NGramModel.train(text[:30_000], 3, 2, start=0)
    assert model.bits(text[30_000:], 1).mean() == pytest.approx(1.0, abs=0.01)
    for order in (2, 3):
        assert model.bits(text[30_000:], order).mean() == pytest.approx(entropy, abs=0.02)


def test_samples_follow_the_distribution_and_depend_on_the_seed_alone():
    text = np.array([0, 1, 2, 3] * 50)
    model = NGramModel.train(text, 2, V, start=3)
    drawn = model.sample(400, 2, seed=1)
    assert np.array_equal(drawn, model.sample(400, 2, seed=1))
    follows = np.mean(drawn[1:] == (drawn[:-1] + 1) % 4)
    expected = model.distribution(np.array([0]), 2)[1]
    assert follows == pytest.approx(expected, abs=0.03)


@pytest.mark.parametrize(
    ("ids", "order"), [([], 1), ([1, 2], 0), ([1], 2), ([0, 9], 1), ([-1, 0], 1)]
)
def test_impossible_requests_are_refused(ids, order):
    with pytest.raises(ValueError, match=r"order must be|ids must lie"):
        NGramModel.train(np.array(ids, dtype=np.int64), order, V, start=0)


def test_an_order_that_was_not_counted_is_refused():
    model = NGramModel.train(np.array([0, 1, 2]), 2, V, start=0)
    with pytest.raises(ValueError, match="orders 1 to 2, not 3"):
        model.bits(np.array([0]), 3)
