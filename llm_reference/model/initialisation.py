"""The weights before the first step: small, and smaller where layers add up."""

from __future__ import annotations

import math

import torch
from torch import nn

STD = 0.02
RESIDUAL_OUTPUTS = ("o_proj.weight", "down_proj.weight")


def initialise(model: nn.Module, n_layers: int, generator: torch.Generator | None = None) -> None:
    """Draw every matrix from N(0, 0.02²), and set every norm's scale to 1, in place.

    The two matrices per block that write to the residual stream get 0.02 / √(2 · n_layers): the
    stream is a sum of 2 · n_layers such answers, and so keeps its size at any depth.
    Source: Radford et al. 2019 (GPT-2), section 2.3.
    """
    for name, parameter in model.named_parameters():
        if parameter.ndim == 1:
            nn.init.ones_(parameter)
            continue
        residual = name.endswith(RESIDUAL_OUTPUTS)
        std = STD / math.sqrt(2 * n_layers) if residual else STD
        nn.init.normal_(parameter, std=std, generator=generator)
