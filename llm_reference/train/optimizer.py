"""AdamW, written to be read, and which parameters it may shrink."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn


class AdamW(torch.optim.Optimizer):
    """Adam with decoupled weight decay: Loshchilov and Hutter 2019, algorithm 2.

    Two running averages per parameter: of the gradient (where to go) and of its square (how much
    to trust it). Each weight moves by their ratio, so about `lr` whatever the gradient's size.
    Both start at zero and are divided by `1 - beta ** t` to undo that bias. Decay shrinks the
    weights themselves, apart from the gradient: that is what "decoupled" means. As in PyTorch, and
    other than in the paper, one step shrinks them by `lr * weight_decay`, not `weight_decay`.
    """

    def __init__(
        self,
        params: Iterable[Tensor] | Iterable[dict[str, Any]],
        *,
        lr: float,
        betas: tuple[float, float] = (0.9, 0.95),
        eps: float = 1e-8,
        weight_decay: float = 0.1,
    ) -> None:
        if lr < 0 or eps < 0 or weight_decay < 0:
            raise ValueError(f"lr, eps and weight_decay must be ≥ 0: {lr}, {eps}, {weight_decay}")
        if not all(0 <= beta < 1 for beta in betas):
            raise ValueError(f"betas must lie in [0, 1), but they are {betas}")
        super().__init__(
            params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        )

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Move every parameter that has a gradient. `closure`, if given, computes the loss."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._move(parameter, parameter.grad, group)
        return loss

    def _move(self, weight: Tensor, grad: Tensor, group: dict[str, Any]) -> None:
        state = self.state[weight]
        if not state:
            state["step"] = 0
            state["mean"] = torch.zeros_like(weight)
            state["mean_square"] = torch.zeros_like(weight)
        state["step"] += 1
        lr, (beta1, beta2) = group["lr"], group["betas"]
        mean, mean_square = state["mean"], state["mean_square"]

        weight.mul_(1 - lr * group["weight_decay"])
        mean.lerp_(grad, 1 - beta1)
        mean_square.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
        unbiased = 1 - beta1 ** state["step"]
        root = mean_square.sqrt().div_(math.sqrt(1 - beta2 ** state["step"]))
        weight.addcdiv_(mean, root.add_(group["eps"]), value=-lr / unbiased)


def parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """The model's parameters in two groups: matrices, which decay, and all others, which do not.

    Norm scales and biases are vectors that set a size on purpose. Embedding rows of rare tokens get
    no gradient in most batches, and would only ever shrink.
    """
    tables = {id(m.weight) for m in model.modules() if isinstance(m, nn.Embedding)}
    trainable = [p for p in model.parameters() if p.requires_grad]
    matrices = [p for p in trainable if p.ndim >= 2 and id(p) not in tables]
    others = [p for p in trainable if p.ndim < 2 or id(p) in tables]
    return [
        {"params": matrices, "weight_decay": weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
