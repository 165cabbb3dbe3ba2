"""The parts of a block that treat every token alone: the norm and the MLP."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn


class RMSNorm(nn.Module):
    """Divide each vector by the root of its mean square, then scale each coordinate.

    The statistics are taken in float32, because squares overflow float16 above 255 and lose most
    of their digits in bfloat16. Source: Zhang and Sennrich 2019, equation 4.
    """

    def __init__(self, width: int, eps: float) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Float[Tensor, "*batch width"]) -> Float[Tensor, "*batch width"]:
        """x / sqrt(mean(x²) + eps) · weight, in x's dtype."""
        wide = x.to(torch.promote_types(x.dtype, torch.float32))
        mean_square = wide.square().mean(dim=-1, keepdim=True)
        return (wide * torch.rsqrt(mean_square + self.eps) * self.weight).to(x.dtype)


class SwiGLU(nn.Module):
    """The MLP: one projection opens or closes the other, coordinate by coordinate.

    Three matrices without biases, named as in Llama. Source: Shazeer 2020, "GLU Variants".
    """

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(width, inner, bias=False)
        self.up_proj = nn.Linear(width, inner, bias=False)
        self.down_proj = nn.Linear(inner, width, bias=False)

    def forward(self, x: Float[Tensor, "*batch width"]) -> Float[Tensor, "*batch width"]:
        """down(silu(gate(x)) · up(x))."""
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))
