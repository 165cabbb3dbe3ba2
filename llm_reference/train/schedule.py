"""How large a step to take when: a linear warm-up, then half a cosine down."""

from __future__ import annotations

import math


def warmup_cosine(
    step: int, *, peak: float, floor: float, warmup_steps: int, total_steps: int
) -> float:
    """The learning rate of step `step`, counted from 0.

    Rises in equal parts, never 0, to `peak` at step `warmup_steps - 1`; falls along half a cosine
    to `floor` at step `total_steps - 1`, the last, and stays there.
    Source: Loshchilov and Hutter 2017 (SGDR), equation 5, without restarts.
    """
    if step < warmup_steps:
        return peak * (step + 1) / warmup_steps
    progress = min(1.0, (step + 1 - warmup_steps) / max(1, total_steps - warmup_steps))
    return floor + (peak - floor) * (1 + math.cos(math.pi * progress)) / 2
