"""The training loop: read a batch, measure the loss, follow the gradient, write it down."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from torch import nn
from torch.nn.functional import cross_entropy

from llm_reference.train.batches import Batch
from llm_reference.train.diagnosis import first_bad_number
from llm_reference.train.optimizer import AdamW, parameter_groups
from llm_reference.train.schedule import warmup_cosine


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """How to train. Batch size and window length belong to the batches.

    Attributes:
        steps: optimizer steps; one batch each.
        learning_rate: highest learning rate, reached at the end of the warm-up.
        final_learning_rate: learning rate of the last step.
        warmup_steps: steps of linear warm-up.
        betas, eps, weight_decay: AdamW's, see `optimizer`; only matrices decay.
        max_grad_norm: gradients longer than this, all parameters taken together, are scaled down
            to it (Pascanu et al. 2013). Infinity: never.
    """

    steps: int
    learning_rate: float = 1e-3
    final_learning_rate: float = 1e-4
    warmup_steps: int = 0
    betas: tuple[float, float] = (0.9, 0.95)
    eps: float = 1e-8
    weight_decay: float = 0.1
    max_grad_norm: float = 1.0

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise ValueError(f"steps must be at least 1, but it is {self.steps}")
        if not 0 <= self.warmup_steps <= self.steps:
            raise ValueError(
                f"warmup_steps must lie in 0..steps = {self.steps}, but it is {self.warmup_steps}"
            )
        if not 0 <= self.final_learning_rate <= self.learning_rate:
            raise ValueError(
                "final_learning_rate must lie in 0..learning_rate = "
                f"{self.learning_rate}, but it is {self.final_learning_rate}"
            )
        if not self.max_grad_norm > 0:
            raise ValueError(f"max_grad_norm must be above 0, but it is {self.max_grad_norm}")


@dataclass(frozen=True, slots=True)
class Step:
    """One step, as measured.

    Attributes:
        step: its number, counted from 0.
        tokens: tokens seen up to and including this step.
        loss: mean nats per token on this batch, before the weights moved.
        learning_rate: that of this step.
        grad_norm: length of the gradient before clipping.
        seconds: wall time of this step, waiting for its batch included, `on_step` excluded.
    """

    step: int
    tokens: int
    loss: float
    learning_rate: float
    grad_norm: float
    seconds: float


@dataclass(frozen=True, slots=True)
class History:
    """All steps of a run, in order."""

    steps: tuple[Step, ...]

    @property
    def losses(self) -> list[float]:
        """Training loss of every step, in nats per token."""
        return [s.loss for s in self.steps]

    @property
    def tokens(self) -> int:
        """Tokens trained on."""
        return self.steps[-1].tokens

    @property
    def seconds(self) -> float:
        """Wall time of all steps."""
        return sum(s.seconds for s in self.steps)

    @property
    def tokens_per_second(self) -> float:
        """Mean speed."""
        return self.tokens / self.seconds


class TrainingDiverged(RuntimeError):  # noqa: N818 (it says what happened)
    """Loss or gradient is not a finite number. The weights are those before the step named."""


def train(
    model: nn.Module,
    batches: Iterable[Batch],
    config: TrainConfig,
    on_step: Callable[[Step], None] | None = None,
) -> History:
    """Train `model` in place for `config.steps` steps, and say how it went.

    `model` maps ids `[batch, seq]` to logits `[batch, seq, vocab]`. `on_step` is called after each
    step, with the model as that step left it; what it takes is not counted as training time.

    Raises ValueError when the batches run out first, and TrainingDiverged on a loss or gradient
    that is no finite number, before it can reach the weights.
    """
    optimizer = AdamW(
        parameter_groups(model, config.weight_decay),
        lr=config.learning_rate,
        betas=config.betas,
        eps=config.eps,
    )
    parameters = list(model.parameters())
    source = iter(batches)
    done: list[Step] = []
    tokens = 0
    for number in range(config.steps):
        began = time.perf_counter()
        batch = next(source, None)
        if batch is None:
            raise ValueError(f"batches ran out after {number} of {config.steps} steps")
        learning_rate = warmup_cosine(
            number,
            peak=config.learning_rate,
            floor=config.final_learning_rate,
            warmup_steps=config.warmup_steps,
            total_steps=config.steps,
        )
        for group in optimizer.param_groups:
            group["lr"] = learning_rate

        model.train()  # on_step may have left it in eval mode
        logits = model(batch.inputs)
        loss = cross_entropy(logits.flatten(0, 1), batch.targets.flatten())
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.get_total_norm([p.grad for p in parameters if p.grad is not None])
        if not (math.isfinite(loss.item()) and math.isfinite(norm.item())):
            where = first_bad_number(model, batch.inputs)
            raise TrainingDiverged(
                f"step {number}: loss {loss.item()}, gradient norm {norm.item()}; {where}"
            )
        # a gradient no longer than the limit is left as it is
        nn.utils.clip_grads_with_norm_(parameters, config.max_grad_norm, norm)
        optimizer.step()

        tokens += batch.targets.numel()
        seconds = time.perf_counter() - began
        step = Step(number, tokens, loss.item(), learning_rate, norm.item(), seconds)
        done.append(step)
        if on_step is not None:
            on_step(step)
    return History(tuple(done))
