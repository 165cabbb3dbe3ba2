"""Scaled dot-product attention, and the layer around it.

Every token asks a question (its query), shows what it can be found by (its key) and holds what it
would hand over (its value). Attention mixes the values of all tokens that a query may see, by how
well their keys answer it. Source: Vaswani et al. 2017, "Attention Is All You Need", section 3.2.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from llm_reference.model.config import ModelConfig
from llm_reference.model.positions import rotate

Heads: TypeAlias = Float[Tensor, "*batch seq d_head"]
CausalAttention: TypeAlias = Callable[[Heads, Heads, Heads], Heads]


def scaled_dot_product_attention(
    q: Float[Tensor, "*batch queries d_head"],
    k: Float[Tensor, "*batch keys d_head"],
    v: Float[Tensor, "*batch keys d_value"],
    mask: Bool[Tensor, "*#batch queries keys"] | None = None,
) -> Float[Tensor, "*batch queries d_value"]:
    """softmax(q kᵀ / √d_head) v: for each query, a weighted average of the values.

    `mask` is True where a query may look at a key. A query that may look nowhere gets zeros.
    Source: Vaswani et al. 2017, equation 1.
    """
    return attention_weights(q, k, mask).to(v.dtype) @ v


def attention_weights(
    q: Float[Tensor, "*batch queries d_head"],
    k: Float[Tensor, "*batch keys d_head"],
    mask: Bool[Tensor, "*#batch queries keys"] | None = None,
) -> Float[Tensor, "*batch queries keys"]:
    """How much each query takes from each key: rows of numbers ≥ 0 that sum to 1.

    Float32 or better, whatever the dtype of `q`. A query that may look nowhere gets
    a row of zeros.
    """
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    return softmax(scores)


def softmax(scores: Float[Tensor, "*rows keys"]) -> Float[Tensor, "*rows keys"]:
    """exp(scores) / sum(exp(scores)) over the last axis, in float32 or better.

    The highest score is subtracted first. That cancels in the fraction, and no
    exponent is then above 0, so nothing overflows. A row of nothing but -inf becomes
    zeros, where the bare formula says 0/0.
    """
    scores = scores.to(torch.promote_types(scores.dtype, torch.float32))
    highest = scores.detach().amax(dim=-1, keepdim=True)
    exps = (scores - highest.masked_fill(highest == -math.inf, 0.0)).exp()
    total = exps.sum(dim=-1, keepdim=True)
    return exps / total.masked_fill(total == 0, 1.0)


def causal_mask(
    n_queries: int, n_keys: int, device: torch.device | None = None
) -> Bool[Tensor, "queries keys"]:
    """True where a query may look: at its own token and at all before it.

    With fewer queries than keys, the queries are the last tokens: the mask is aligned
    bottom-right.
    """
    place = torch.arange(n_keys - n_queries, n_keys, device=device)
    return torch.arange(n_keys, device=device) <= place[:, None]


def causal_attention(q: Heads, k: Heads, v: Heads) -> Heads:
    """Causal attention by the formula above: to read, to test against, to look inside."""
    return scaled_dot_product_attention(q, k, v, causal_mask(q.shape[-2], k.shape[-2], q.device))


def fused_causal_attention(q: Heads, k: Heads, v: Heads) -> Heads:
    """The same by PyTorch's fused kernels, which never hold the queries × keys matrix."""
    if q.shape[-2] == k.shape[-2]:
        return F.scaled_dot_product_attention(q, k, v, is_causal=True)
    # is_causal aligns the mask top-left, which is wrong when the queries are the last tokens
    mask = causal_mask(q.shape[-2], k.shape[-2], q.device)
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)


class Attention(nn.Module):
    """Causal self-attention: `n_heads` heads side by side, with grouped keys and values.

    Four matrices without biases: `q_proj` makes the queries, `k_proj` and `v_proj` the
    keys and values (`n_kv_heads` of them, each shared by `n_heads / n_kv_heads` query
    heads), and `o_proj` mixes what the heads found. Queries and keys are rotated by
    their positions before they meet.

    Sources: Vaswani et al. 2017, section 3.2.2; Ainslie et al. 2023, "GQA".
    """

    def __init__(
        self, config: ModelConfig, attend: CausalAttention = fused_causal_attention
    ) -> None:
        super().__init__()
        self.d_head = config.d_head
        self.queries_per_kv_head = config.n_heads // config.kv_heads
        self.attend = attend
        kv_width = config.kv_heads * config.d_head
        self.q_proj = nn.Linear(config.d_model, config.d_model, bias=False)
        self.k_proj = nn.Linear(config.d_model, kv_width, bias=False)
        self.v_proj = nn.Linear(config.d_model, kv_width, bias=False)
        self.o_proj = nn.Linear(config.d_model, config.d_model, bias=False)

    def forward(
        self,
        x: Float[Tensor, "batch seq d_model"],
        cos: Float[Tensor, "seq half"],
        sin: Float[Tensor, "seq half"],
    ) -> Float[Tensor, "batch seq d_model"]:
        """Each token's mix of what it and the tokens before it have to hand over."""
        q = rotate(self._split(self.q_proj(x)), cos, sin)
        k = rotate(self._split(self.k_proj(x)), cos, sin)
        v = self._split(self.v_proj(x))
        k, v = (t.repeat_interleave(self.queries_per_kv_head, dim=1) for t in (k, v))
        mixed = self.attend(q, k, v)
        return self.o_proj(mixed.transpose(1, 2).flatten(start_dim=2))

    def _split(
        self, x: Float[Tensor, "batch seq width"]
    ) -> Float[Tensor, "batch heads seq d_head"]:
        return x.view(*x.shape[:2], -1, self.d_head).transpose(1, 2)
