"""The whole model: what it may see, how it starts, what it weighs, and that it learns."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import cross_entropy
from torch.utils.flop_counter import FlopCounterMode

from llm_reference.model import ModelConfig, Transformer
from llm_reference.model.accounting import (
    forward_flops_per_token,
    parameter_count,
    training_flops_per_token,
)
from llm_reference.model.attention import causal_attention


def small(seed: int = 0, **changes: object) -> Transformer:
    shape = {"vocab_size": 50, "d_model": 32, "n_layers": 2, "n_heads": 4, "max_seq_len": 16}
    draw = torch.Generator().manual_seed(seed)
    return Transformer(ModelConfig(**{**shape, **changes}), generator=draw)


configs = st.builds(
    lambda heads, group, half, layers, vocab, d_ff, tied: ModelConfig(
        vocab_size=vocab,
        d_model=2 * half * heads * group,
        n_layers=layers,
        n_heads=heads * group,
        n_kv_heads=heads,
        d_ff=d_ff,
        max_seq_len=16,
        tie_embeddings=tied,
    ),
    st.integers(1, 3),
    st.integers(1, 3),
    st.integers(1, 4),
    st.integers(1, 3),
    st.integers(2, 40),
    st.none() | st.integers(1, 70),
    st.booleans(),
)


@settings(max_examples=20, deadline=None)
@given(configs, st.integers(0, 7))
def test_a_logit_has_no_gradient_from_any_later_token(config, t):
    model = Transformer(config)
    x = torch.randn(2, 8, config.d_model, requires_grad=True)
    model.logits(x)[:, t].square().sum().backward()
    assert (x.grad[:, t + 1 :] == 0).all()
    assert (x.grad[:, : t + 1].abs().sum(-1) > 0).all()


@settings(max_examples=20, deadline=None)
@given(configs)
def test_parameters_are_counted_exactly(config):
    model = Transformer(config)
    count = parameter_count(config)
    assert count.total == sum(p.numel() for p in model.parameters())
    assert count.non_embedding == sum(
        p.numel() for name, p in model.named_parameters() if name.startswith(("blocks", "norm"))
    )


@settings(max_examples=10, deadline=None)
@given(configs, st.integers(1, 16))
def test_flops_equal_what_torch_counts(config, seq_len):
    model = Transformer(config, attend=causal_attention)
    ids = torch.randint(config.vocab_size, (3, seq_len))
    with FlopCounterMode(display=False) as forward:
        loss = model(ids).sum()
    assert forward.get_total_flops() == 3 * seq_len * forward_flops_per_token(config, seq_len)
    with FlopCounterMode(display=False) as backward:
        loss.backward()
    total = forward.get_total_flops() + backward.get_total_flops()
    assert total == 3 * seq_len * training_flops_per_token(config, seq_len)


def test_sequences_in_a_batch_do_not_meet():
    model = small().double()
    ids = torch.randint(50, (5, 16))
    order = torch.tensor([3, 1, 4, 0, 2])
    torch.testing.assert_close(model(ids)[order], model(ids[order]))
    torch.testing.assert_close(model(ids)[2:3], model(ids[2:3]))


def test_a_prefix_gets_the_same_logits_alone_and_within_a_longer_text():
    model = small().double()
    ids = torch.randint(50, (2, 16))
    torch.testing.assert_close(model(ids)[:, :9], model(ids[:, :9]))


def test_order_matters():
    model = small().double()
    ids = torch.tensor([[1, 2, 3, 4], [2, 1, 3, 4]])
    logits = model(ids)
    assert (logits[0, -1] - logits[1, -1]).abs().max() > 1e-4


@pytest.mark.parametrize("tied", [True, False])
def test_an_untrained_model_is_as_wise_as_a_die(tied):
    model = small(vocab_size=1000, d_model=128, tie_embeddings=tied)
    ids = torch.randint(1000, (8, 17), generator=torch.Generator().manual_seed(0))
    loss = cross_entropy(model(ids[:, :-1]).flatten(0, 1), ids[:, 1:].flatten())
    assert abs(loss.item() - math.log(1000)) < 0.1


def test_weights_start_with_the_spread_they_should():
    model = small(vocab_size=500, d_model=256, n_layers=8)
    for name, p in model.named_parameters():
        if p.ndim == 1:
            assert (p == 1).all()
            continue
        residual = name.endswith(("attention.o_proj.weight", "mlp.down_proj.weight"))
        assert p.std().item() == pytest.approx(0.005 if residual else 0.02, rel=0.02)
        assert abs(p.mean().item()) < 1e-3


def test_the_stream_keeps_its_size_at_any_depth():
    sizes = []
    for n_layers in (2, 8):
        model = small(d_model=64, n_layers=n_layers)
        x = torch.zeros(1, 16, 64)  # what the blocks add, alone
        added = []
        handle = model.norm.register_forward_pre_hook(lambda _, a, to=added: to.append(a[0]))
        model.logits(x + torch.randn(1, 16, 64, generator=torch.Generator().manual_seed(0)))
        handle.remove()
        sizes.append(added[0].std().item())
    assert sizes[1] == pytest.approx(sizes[0], rel=0.1)


def test_the_generator_alone_decides_the_weights():
    torch.manual_seed(1)
    first = small(seed=7).state_dict()
    torch.manual_seed(2)
    second = small(seed=7).state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_tied_model_has_one_table_for_input_and_output():
    model = small()
    x = torch.randn(1, 3, 32)
    before = model.logits(x)
    with torch.no_grad():
        model.embedding.weight.mul_(2)
    torch.testing.assert_close(model.logits(x), 2 * before)


def test_a_tiny_text_is_learned_by_heart():
    model = small(seed=1, vocab_size=16)
    ids = torch.randint(16, (4, 13), generator=torch.Generator().manual_seed(5))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0)
    for _ in range(150):
        logits = model(ids[:, :-1])
        # the first tokens may be shared by rows with different continuations: score the rest
        loss = cross_entropy(logits[:, 2:].flatten(0, 1), ids[:, 3:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.01


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_a_cast_model_stays_in_its_dtype_and_near_float32(dtype):
    model = small()
    ids = torch.randint(50, (2, 16))
    exact = model(ids)
    cast = model.to(dtype)(ids)
    assert cast.dtype == dtype
    torch.testing.assert_close(cast.float(), exact, atol=2e-2, rtol=2e-2)


def test_too_long_an_input_is_refused_in_words():
    with pytest.raises(ValueError, match="17 tokens are more than max_seq_len = 16"):
        small()(torch.zeros(1, 17, dtype=torch.long))
