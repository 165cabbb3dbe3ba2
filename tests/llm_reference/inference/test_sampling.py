"""Sampling: what stays, how likely, and that greedy is greedy."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_reference.inference import generate, next_token_probabilities
from llm_reference.model import ModelConfig, Transformer

logit_rows = st.lists(st.integers(-8, 8).map(lambda i: i / 2), min_size=1, max_size=12)


def by_hand(logits, temperature, top_k, top_p):
    """The rule in words, one token at a time."""
    order = sorted(range(len(logits)), key=lambda i: (-logits[i], i))
    weights = {i: math.exp((logits[i] - max(logits)) / temperature) for i in order}
    keep = order if top_k is None else order[:top_k]
    total = sum(weights[i] for i in keep)
    nucleus, held = [], 0.0
    for i in keep:
        if top_p is not None and held >= top_p * total * (1 - 1e-9) and nucleus:
            break
        nucleus.append(i)
        held += weights[i]
    return [weights[i] / held if i in nucleus else 0.0 for i in range(len(logits))]


@settings(max_examples=200, deadline=None)
@given(
    logit_rows,
    st.sampled_from([0.5, 1.0, 2.0]),
    st.none() | st.integers(1, 14),
    st.none() | st.sampled_from([0.137, 0.511, 0.903]),
)
def test_the_distribution_is_what_the_rule_in_words_gives(logits, temperature, top_k, top_p):
    rows = torch.tensor([logits, logits[::-1]], dtype=torch.float64)
    got = next_token_probabilities(rows, temperature, top_k, top_p)
    for row, probabilities in zip(rows.tolist(), got.tolist(), strict=True):
        assert probabilities == pytest.approx(by_hand(row, temperature, top_k, top_p), abs=1e-9)


@settings(deadline=None)
@given(logit_rows)
def test_no_settings_are_the_models_own_distribution(logits):
    row = torch.tensor(logits)
    torch.testing.assert_close(next_token_probabilities(row), torch.softmax(row, -1))


@settings(deadline=None)
@given(logit_rows)
def test_temperature_zero_is_all_weight_on_the_first_of_the_best(logits):
    probabilities = next_token_probabilities(torch.tensor(logits), temperature=0)
    assert probabilities.sum() == 1
    assert probabilities[logits.index(max(logits))] == 1


def test_a_small_temperature_and_huge_logits_stay_finite():
    probabilities = next_token_probabilities(torch.tensor([1e4, 2e4, 3e4]), temperature=1e-6)
    assert probabilities.tolist() == [0, 0, 1]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"temperature": -1}, "temperature must be at least 0"),
        ({"top_k": 0}, "top_k must be at least 1"),
        ({"top_p": 0.0}, r"top_p must lie in \(0, 1\]"),
        ({"top_p": 1.5}, r"top_p must lie in \(0, 1\]"),
    ],
)
def test_settings_out_of_range_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        next_token_probabilities(torch.zeros(3), **wrong)


def small() -> Transformer:
    config = ModelConfig(vocab_size=13, d_model=16, n_layers=1, n_heads=2, max_seq_len=6)
    model = Transformer(config, generator=torch.Generator().manual_seed(0)).double()
    with torch.no_grad():
        for p in model.parameters():
            p.mul_(3)
    return model


def test_greedy_generation_takes_the_best_next_token_each_time_within_the_models_context():
    model = small()
    ids = torch.tensor([[1, 2], [3, 4]])
    out = generate(model, ids, 9, temperature=0)
    assert out.shape == (2, 11)
    assert torch.equal(out[:, :2], ids)
    for end in range(2, 11):
        best = model(out[:, max(0, end - 6) : end])[:, -1].argmax(-1)
        assert torch.equal(out[:, end], best)


def test_draws_follow_the_distribution():
    logits = torch.tensor([0.0, 1.0, 2.0, 3.0])
    out = generate(
        lambda ids: logits.expand(*ids.shape, 4),
        torch.zeros(20_000, 1, dtype=torch.long),
        1,
        temperature=2.0,
        top_k=3,
        generator=torch.Generator().manual_seed(0),
    )
    share = out[:, 1].bincount(minlength=4) / 20_000
    expected = torch.cat([torch.zeros(1), torch.softmax(logits[1:] / 2, -1)])
    torch.testing.assert_close(share, expected, atol=0.02, rtol=0)
    assert share[0] == 0


def test_the_generator_alone_decides_the_draw():
    model, ids = small(), torch.tensor([[1]])
    outs = []
    for noise in (1, 2):
        torch.manual_seed(noise)
        outs.append(generate(model, ids, 12, generator=torch.Generator().manual_seed(5)))
    assert torch.equal(*outs)
    other = generate(model, ids, 12, generator=torch.Generator().manual_seed(6))
    assert not torch.equal(outs[0], other)


def test_a_row_that_stops_repeats_its_stop_token_and_the_text_ends_with_the_last_row():
    def counter(ids):  # always says: one more than the last token
        return torch.nn.functional.one_hot(ids + 1, 20).float()

    out = generate(counter, torch.tensor([[5], [8]]), 10, temperature=0, stop={9})
    assert out.tolist() == [[5, 6, 7, 8, 9], [8, 9, 9, 9, 9]]


def test_no_new_tokens_gives_the_text_back_and_the_mode_is_kept():
    model = small()
    ids = torch.tensor([[1, 2]])
    assert torch.equal(generate(model, ids, 0), ids)
    assert model.training
    out = generate(model, ids, 2)
    assert model.training
    model(out[:, -6:]).sum().backward()  # what was generated can be trained on


def test_an_empty_prompt_is_refused():
    with pytest.raises(ValueError, match="at least 1 token"):
        generate(small(), torch.zeros(1, 0, dtype=torch.long), 1)
