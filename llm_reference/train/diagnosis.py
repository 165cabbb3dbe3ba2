"""Where a run broke: the first number that is not one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor, nn


def first_bad_number(model: nn.Module, inputs: Int[Tensor, "batch seq"]) -> str:
    """The first weight, output or gradient that is not finite, in words.

    Looks in the order in which numbers are made: weights, then the outputs of one more forward
    pass module by module, then gradients as they stand. Gradients are looked at from the last
    parameter to the first, because that is the way the backward pass goes.
    """
    for name, parameter in model.named_parameters():
        if not parameter.isfinite().all():
            return f"the weights {name} are not finite"
    module = _first_bad_output(model, inputs)
    if module is not None:
        return f"the weights are finite, but the output of {module} is not"
    for name, parameter in reversed(list(model.named_parameters())):
        if parameter.grad is not None and not parameter.grad.isfinite().all():
            return f"the forward pass is finite, but the gradient of {name} is not"
    return "every single number is finite, but together they overflow"


def _first_bad_output(model: nn.Module, inputs: Int[Tensor, "batch seq"]) -> str | None:
    bad: list[str] = []

    def watch(name: str) -> Callable[[nn.Module, Any, Any], None]:
        def look(_module: nn.Module, _arguments: Any, output: Any) -> None:
            if isinstance(output, Tensor) and not output.isfinite().all():
                bad.append(name)

        return look

    handles = [
        module.register_forward_hook(watch(name or "the model"))
        for name, module in model.named_modules()
    ]
    try:
        with torch.no_grad():
            model(inputs)
    finally:
        for handle in handles:
            handle.remove()
    return bad[0] if bad else None  # an inner module ends, and is noted, before its outer one
