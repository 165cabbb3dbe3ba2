"""Attention against two independent computations, and the properties that make it causal."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_reference.model.attention import (
    Attention,
    attention_weights,
    causal_attention,
    causal_mask,
    fused_causal_attention,
    scaled_dot_product_attention,
    softmax,
)
from llm_reference.model.config import ModelConfig
from llm_reference.model.positions import rotary_angles

sizes = st.integers(1, 6)
seeds = st.integers(0, 2**31)


def heads(
    seed: int, n_queries: int, n_keys: int, d_head: int, dtype: torch.dtype = torch.float64
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(seed)
    return (
        torch.randn(2, 3, n_queries, d_head, generator=draw, dtype=dtype),
        torch.randn(2, 3, n_keys, d_head, generator=draw, dtype=dtype),
        torch.randn(2, 3, n_keys, d_head, generator=draw, dtype=dtype),
    )


def attention_by_loops(q, k, v, allowed):
    """One number at a time, with Python's own exp: as far from matrices as can be."""
    out = np.zeros((q.shape[0], v.shape[1]))
    for i in range(q.shape[0]):
        exps = {
            j: math.exp(sum(q[i][c] * k[j][c] for c in range(q.shape[1])) / math.sqrt(q.shape[1]))
            for j in range(k.shape[0])
            if allowed(i, j)
        }
        for j, e in exps.items():
            out[i] += e / sum(exps.values()) * v[j]
    return out


@settings(max_examples=25, deadline=None)
@given(seeds, sizes, sizes, st.integers(0, 4))
def test_causal_attention_equals_plain_loops(seed, n_queries, d_head, earlier):
    q, k, v = heads(seed, n_queries, n_queries + earlier, d_head)
    expected = attention_by_loops(
        q[1, 2].numpy(), k[1, 2].numpy(), v[1, 2].numpy(), lambda i, j: j <= i + earlier
    )
    for attend in (causal_attention, fused_causal_attention):
        np.testing.assert_allclose(attend(q, k, v)[1, 2].numpy(), expected, atol=1e-12)


@settings(max_examples=25, deadline=None)
@given(seeds, sizes, sizes, sizes)
def test_attention_with_any_mask_equals_torch_forward_and_backward(seed, n_queries, n_keys, d_head):
    draw = torch.Generator().manual_seed(seed)
    mask = torch.rand(2, 1, n_queries, n_keys, generator=draw) < 0.7  # some rows see nothing
    results = []
    for attend in (scaled_dot_product_attention, torch.nn.functional.scaled_dot_product_attention):
        inputs = [t.requires_grad_() for t in heads(seed, n_queries, n_keys, d_head)]
        out = attend(*inputs, mask)
        out.square().sum().backward()
        results.append((out, *(t.grad for t in inputs)))
    for ours, theirs in zip(*results, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-12, rtol=1e-9)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_plain_and_fused_layer_agree_forward_and_backward(dtype):
    config = ModelConfig(vocab_size=1, d_model=32, n_heads=4, n_kv_heads=2)
    x = torch.randn(2, 16, 32, generator=torch.Generator().manual_seed(0)).to(dtype)
    cos, sin = rotary_angles(torch.arange(16), config.d_head, config.rope_theta)
    results = []
    for attend in (causal_attention, fused_causal_attention):
        torch.manual_seed(1)
        layer = Attention(config, attend).to(dtype)
        here = x.clone().requires_grad_()
        out = layer(here, cos, sin)
        out.float().square().sum().backward()
        results.append((out, here.grad, *(p.grad for p in layer.parameters())))
    digits = {torch.float32: 1e-5, torch.float16: 1e-2, torch.bfloat16: 6e-2}[dtype]
    for plain, fused in zip(*results, strict=True):
        torch.testing.assert_close(plain, fused, atol=digits, rtol=digits)


@settings(max_examples=25, deadline=None)
@given(seeds, st.integers(1, 12), st.data())
def test_a_query_is_deaf_to_every_later_token(seed, seq_len, data):
    t = data.draw(st.integers(0, seq_len - 1))
    for attend in (causal_attention, fused_causal_attention):
        q, k, v = (h.requires_grad_() for h in heads(seed, seq_len, seq_len, 4))
        attend(q, k, v)[:, :, t].sum().backward()
        for grad in (k.grad, v.grad):
            assert (grad[:, :, t + 1 :] == 0).all()
        assert (v.grad[:, :, : t + 1] != 0).all(), "and it hears its own and all before"


def test_the_mask_is_a_lower_triangle_aligned_at_the_last_token():
    assert causal_mask(3, 3).int().tolist() == [[1, 0, 0], [1, 1, 0], [1, 1, 1]]
    assert causal_mask(2, 4).int().tolist() == [[1, 1, 1, 0], [1, 1, 1, 1]]


def test_decoding_token_by_token_equals_one_pass():
    q, k, v = heads(3, 7, 7, 4)
    whole = causal_attention(q, k, v)
    for attend in (causal_attention, fused_causal_attention):
        for t in range(7):
            step = attend(q[:, :, t : t + 1], k[:, :, : t + 1], v[:, :, : t + 1])
            torch.testing.assert_close(step[:, :, 0], whole[:, :, t])


@settings(max_examples=50, deadline=None)
@given(seeds, st.floats(-1e4, 1e4), st.sampled_from([torch.float16, torch.float32, torch.float64]))
def test_softmax_ignores_a_constant_and_never_overflows(seed, constant, dtype):
    scores = torch.randn(5, 9, generator=torch.Generator().manual_seed(seed)).to(dtype)
    shifted = (scores.double() + constant).to(dtype)
    weights = softmax(shifted)
    assert weights.isfinite().all()
    torch.testing.assert_close(weights.sum(-1), torch.ones(5, dtype=weights.dtype))
    torch.testing.assert_close(
        weights.double(), torch.softmax(shifted.double(), -1), atol=1e-6, rtol=1e-5
    )


def test_weights_are_float32_for_half_inputs():
    q, k, _ = heads(0, 4, 4, 8, torch.bfloat16)
    assert attention_weights(q, k).dtype == torch.float32


def test_a_query_that_may_look_nowhere_gets_zeros_and_no_nan_gradient():
    q, k, v = (h.requires_grad_() for h in heads(0, 2, 2, 4))
    out = scaled_dot_product_attention(q, k, v, torch.zeros(2, 2, dtype=torch.bool))
    out.sum().backward()
    assert (out == 0).all()
    assert all(t.grad.isfinite().all() for t in (q, k, v))


@settings(max_examples=20, deadline=None)
@given(seeds)
def test_the_scale_keeps_the_variance_of_scores_at_one(seed):
    draw = torch.Generator().manual_seed(seed)
    q, k = (torch.randn(400, 256, generator=draw) for _ in range(2))
    assert (attention_weights(q, k).log().var(dim=-1).mean() - 1).abs() < 0.15


def test_grouped_heads_equal_full_heads_with_copied_keys_and_values():
    grouped = Attention(ModelConfig(vocab_size=1, d_model=24, n_heads=6, n_kv_heads=2))
    full = Attention(ModelConfig(vocab_size=1, d_model=24, n_heads=6))
    with torch.no_grad():
        for name in ("q_proj", "o_proj"):
            getattr(full, name).weight.copy_(getattr(grouped, name).weight)
        for name in ("k_proj", "v_proj"):
            rows = getattr(grouped, name).weight.view(2, 4, 24)
            copies = [rows[head // 3] for head in range(6)]
            getattr(full, name).weight.copy_(torch.cat(copies))
    x = torch.randn(2, 5, 24)
    cos, sin = rotary_angles(torch.arange(5), 4, 1e4)
    torch.testing.assert_close(grouped(x, cos, sin), full(x, cos, sin))


@settings(max_examples=25, deadline=None)
@given(seeds, st.integers(1, 5))
def test_different_weights_can_give_the_same_output(seed, width):
    n_keys = width + 2
    draw = torch.Generator().manual_seed(seed)
    v = torch.randn(n_keys, width, generator=draw, dtype=torch.float64)
    weights = softmax(torch.randn(1, n_keys, generator=draw, dtype=torch.float64))[0]
    held = torch.cat([v.T, torch.ones(1, n_keys, dtype=torch.float64)])  # the mix, and the sum
    free = torch.linalg.svd(held).Vh[-1]
    other = weights + free * (weights / free.abs()).min()
    assert (other >= -1e-12).all()
    assert other.sum().item() == pytest.approx(1)
    assert (other - weights).abs().max() > 1e-6
    torch.testing.assert_close(other @ v, weights @ v)
