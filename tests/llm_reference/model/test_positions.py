"""RoPE: a rotation, and blind to everything but distance."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_reference.model.positions import rotary_angles, rotate

places = st.integers(0, 5000)
halves = st.integers(1, 32)


def vectors(seed: int, d_head: int) -> tuple[torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(seed)
    return tuple(torch.randn(1, d_head, generator=draw, dtype=torch.float64) for _ in range(2))


def turned(x: torch.Tensor, place: int) -> torch.Tensor:
    return rotate(x, *rotary_angles(torch.tensor([place]), x.shape[-1], 10_000.0))


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**31), halves, places)
def test_rotation_keeps_length(seed, half, place):
    x, _ = vectors(seed, 2 * half)
    torch.testing.assert_close(turned(x, place).norm(), x.norm(), rtol=1e-6, atol=0)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**31), halves, places, st.integers(0, 300), places)
def test_scores_depend_on_distance_alone(seed, half, start, distance, shift):
    q, k = vectors(seed, 2 * half)
    here = (turned(q, start + distance) * turned(k, start)).sum()
    there = (turned(q, start + distance + shift) * turned(k, start + shift)).sum()
    torch.testing.assert_close(here, there, rtol=0, atol=1e-5 * half)


def test_scores_do_depend_on_distance():
    q, k = vectors(0, 8)
    near, far = ((turned(q, m) * turned(k, 0)).sum() for m in (1, 2))
    assert abs(near - far) > 1e-2


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31), halves, places)
def test_rotation_is_multiplication_of_complex_pairs_in_the_rotate_half_layout(seed, half, place):
    x, _ = vectors(seed, 2 * half)
    pairs = x[0, :half].numpy() + 1j * x[0, half:].numpy()
    frequency = 10_000.0 ** (-2 * np.arange(half) / (2 * half))
    expected = pairs * np.exp(1j * place * frequency)
    got = turned(x, place)[0].numpy()
    np.testing.assert_allclose(got[:half] + 1j * got[half:], expected, atol=1e-5)


def test_position_zero_turns_nothing():
    x, _ = vectors(0, 16)
    assert torch.equal(turned(x, 0), x)


def test_angles_stay_exact_where_half_precision_cannot_count():
    cos, sin = rotary_angles(torch.tensor([100_001]), 8, 10_000.0)
    assert cos.dtype == sin.dtype == torch.float32
    np.testing.assert_allclose(cos[0, 0], np.cos(100_001.0), atol=1e-7)
    x = torch.ones(1, 8, dtype=torch.bfloat16)
    assert rotate(x, cos, sin).dtype == torch.bfloat16
