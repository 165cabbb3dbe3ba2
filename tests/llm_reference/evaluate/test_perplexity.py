"""Every token once: against models whose probabilities are known by heart."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import cross_entropy

from llm_reference.evaluate.perplexity import score_stream
from llm_reference.model import ModelConfig, Transformer

cuts = st.tuples(st.integers(2, 80), st.integers(1, 20)).flatmap(
    lambda nc: st.tuples(st.just(nc[0]), st.just(nc[1]), st.integers(1, nc[1]), st.integers(1, 7))
)


class Bigram(torch.nn.Module):
    """Looks at one token back alone: its score of a stream cannot depend on any window."""

    def __init__(self, vocab: int) -> None:
        super().__init__()
        self.table = torch.randn(vocab, vocab, generator=torch.Generator().manual_seed(0))

    def forward(self, ids):
        return self.table[ids]


class Context(torch.nn.Module):
    """Puts all its weight on the number of tokens that it sees, so that windows show."""

    def forward(self, ids):
        place = torch.arange(1, ids.shape[1] + 1)
        logits = torch.zeros(*ids.shape, 2)
        logits[..., 0] = place.double().log()  # p(0) = place / (place + 1)
        return logits


@settings(max_examples=60, deadline=None)
@given(cuts)
def test_any_window_and_stride_scores_every_token_exactly_once(cut):
    n, context, stride, batch_size = cut
    tokens = torch.randint(11, (n,), generator=torch.Generator().manual_seed(n))
    model = Bigram(11)
    expected = -sum(
        torch.log_softmax(model.table[a].double(), -1)[b].item() for a, b in pairwise(tokens)
    )
    score = score_stream(model, tokens, context=context, stride=stride, batch_size=batch_size)
    assert score.tokens == n - 1
    assert score.nats == pytest.approx(expected, rel=1e-5)


@settings(max_examples=60, deadline=None)
@given(cuts)
def test_every_token_past_the_first_window_has_the_context_that_was_promised(cut):
    n, context, stride, batch_size = cut
    read = [0] * n  # the most tokens that were read before token t

    def model(ids):
        assert ids.shape[1] <= context
        logits = torch.zeros(*ids.shape, n)
        for row, begin in enumerate(ids[:, 0].tolist()):
            for place in range(ids.shape[1]):
                target = begin + place + 1
                read[target] = max(read[target], place + 1)
                logits[row, place, target] = 30.0 + place
        return logits

    score = score_stream(
        model, torch.arange(n), context=context, stride=stride, batch_size=batch_size
    )
    assert score.nats == pytest.approx(0, abs=1e-6 * n)
    for target in range(1, n):
        promised = target if target <= context else context - stride + 1
        assert read[target] >= promised


def test_without_overlap_each_window_starts_anew_and_with_stride_one_context_is_full():
    tokens = torch.zeros(9, dtype=torch.long)
    nats = {p: -math.log(p / (p + 1)) for p in range(1, 5)}
    apart = score_stream(Context(), tokens, context=4)
    assert apart.nats == pytest.approx(2 * sum(nats.values()), rel=1e-6)
    sliding = score_stream(Context(), tokens, context=4, stride=1)
    assert sliding.nats == pytest.approx(sum(nats.values()) + 4 * nats[4], rel=1e-6)


@pytest.mark.parametrize("vocab", [2, 50, 1000])
def test_a_model_that_knows_nothing_has_the_perplexity_of_its_vocabulary(vocab):
    tokens = torch.randint(vocab, (333,), generator=torch.Generator().manual_seed(0))
    score = score_stream(lambda ids: torch.zeros(*ids.shape, vocab), tokens, context=16, stride=5)
    assert score.perplexity == pytest.approx(vocab, rel=1e-5)
    assert score.nats_per_token == pytest.approx(math.log(vocab), rel=1e-6)


def test_bits_per_byte_is_bits_over_bytes():
    tokens = torch.randint(256, (1001,), generator=torch.Generator().manual_seed(0))

    def uniform(ids):
        return torch.zeros(*ids.shape, 256)

    score = score_stream(uniform, tokens, context=50, n_bytes=1000)
    assert score.bits_per_byte == pytest.approx(8.0, rel=1e-6)
    with pytest.raises(ValueError, match="needs n_bytes"):
        _ = score_stream(uniform, tokens, context=50).bits_per_byte


def test_one_window_is_the_training_loss_of_a_real_model():
    model = Transformer(ModelConfig(vocab_size=9, d_model=8, n_layers=1, n_heads=2, max_seq_len=32))
    tokens = torch.randint(9, (33,))
    loss = cross_entropy(model(tokens[None, :-1])[0], tokens[1:])
    score = score_stream(model, tokens, context=32)
    assert score.nats_per_token == pytest.approx(loss.item(), rel=1e-5)
    short = score_stream(model, tokens[:12], context=32)
    assert short.tokens == 11


def test_the_model_is_in_eval_mode_without_gradients_and_gets_its_mode_back():
    model = Bigram(4)
    seen = []
    model.register_forward_pre_hook(lambda m, _: seen.append((m.training, torch.is_grad_enabled())))
    for mode in (True, False):
        model.train(mode)
        score_stream(model, torch.tensor([1, 2, 3]), context=2)
        assert model.training is mode
    assert set(seen) == {(False, False)}


@pytest.mark.parametrize(
    ("tokens", "cut", "message"),
    [
        ([1], {"context": 4}, "at least 2 tokens"),
        ([[1, 2]], {"context": 4}, "one dimension"),
        ([1, 2], {"context": 4, "stride": 5}, "stride must lie in 1..context = 4"),
        ([1, 2], {"context": 4, "stride": 0}, "stride must lie in 1..context = 4"),
    ],
)
def test_what_cannot_be_scored_is_refused(tokens, cut, message):
    with pytest.raises(ValueError, match=message):
        score_stream(Bigram(4), torch.tensor(tokens), **cut)
