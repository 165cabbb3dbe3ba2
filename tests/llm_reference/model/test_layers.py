"""RMSNorm and SwiGLU against their formulas."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from llm_reference.model.layers import RMSNorm, SwiGLU


def test_rms_norm_is_its_formula():
    norm = RMSNorm(6, eps=1e-3).double()
    with torch.no_grad():
        norm.weight.copy_(torch.arange(1.0, 7.0))
    x = np.random.default_rng(0).normal(size=(4, 6))
    expected = x / np.sqrt((x**2).mean(-1, keepdims=True) + 1e-3) * np.arange(1, 7)
    np.testing.assert_allclose(norm(torch.tensor(x)).detach().numpy(), expected, atol=1e-12)


def test_rms_norm_of_zeros_is_zeros_thanks_to_eps():
    x = torch.zeros(2, 8, requires_grad=True)
    out = RMSNorm(8, eps=1e-5)(x)
    out.sum().backward()
    assert (out == 0).all()
    assert x.grad.isfinite().all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_rms_norm_squares_in_float32(dtype):
    x = torch.tensor([[1000.0, -1000.0, 1000.0, 1000.0]], dtype=dtype)  # 1000² overflows float16
    out = RMSNorm(4, eps=1e-5).to(dtype)(x)
    assert out.dtype == dtype
    assert out.tolist() == [[1, -1, 1, 1]]


def test_rms_norm_of_ones_is_invariant_to_scale():
    x = torch.randn(3, 16, dtype=torch.float64)
    norm = RMSNorm(16, eps=1e-12).double()
    torch.testing.assert_close(norm(x), norm(1000 * x))


def test_swiglu_is_its_formula():
    mlp = SwiGLU(4, 6).double()
    x = torch.randn(3, 4, dtype=torch.float64)
    gate, up, down = (p.detach().numpy() for p in mlp.parameters())
    opened = x.numpy() @ gate.T
    expected = (opened / (1 + np.exp(-opened)) * (x.numpy() @ up.T)) @ down.T
    np.testing.assert_allclose(mlp(x).detach().numpy(), expected, atol=1e-12)
