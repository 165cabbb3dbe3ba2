"""Rotary position embedding (RoPE): a token's place turns its queries and keys by an angle.

Layout: *rotate-half*, as in GPT-NeoX and the Hugging Face Llama weights. Coordinate `i` of a head
and coordinate `i + d_head/2` are one pair. The interleaved layout of the paper and of Meta's own
Llama files pairs `2i` with `2i + 1`; the two differ by a permutation of the rows of W_q and W_k,
and mixing them breaks both properties below without any error.

1. A rotation keeps lengths: |rotate(x, m)| = |x|.
2. Scores see distance alone: rotate(q, m) · rotate(k, n) depends on m - n.

Source: Su et al. 2021, "RoFormer", section 3.2.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor


def rotary_angles(
    positions: Int[Tensor, " seq"], d_head: int, theta: float
) -> tuple[Float[Tensor, "seq half"], Float[Tensor, "seq half"]]:
    """Cosine and sine of the angle by which each pair turns at each position.

    Pair `i` turns by `position * theta ** (-2i / d_head)` radians: the first pair by one radian per
    token, the last by about `1 / theta`. Always float32 or better, whatever the model's dtype:
    bfloat16 cannot tell position 257 from position 256.
    """
    pair = torch.arange(d_head // 2, device=positions.device, dtype=torch.float64)
    frequency = theta ** (-2 * pair / d_head)
    angle = positions.to(torch.float64)[:, None] * frequency
    return angle.cos().float(), angle.sin().float()


def rotate(
    x: Float[Tensor, "*batch seq d_head"],
    cos: Float[Tensor, "seq half"],
    sin: Float[Tensor, "seq half"],
) -> Float[Tensor, "*batch seq d_head"]:
    """Turn each pair of each vector by its angle; computed in float32, returned in x's dtype."""
    first, second = x.chunk(2, dim=-1)
    turned = (first * cos - second * sin, first * sin + second * cos)
    return torch.cat(turned, dim=-1).to(x.dtype)
