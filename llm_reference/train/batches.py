"""Windows of text to learn from, drawn at random, the same on every run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor


class Batch(NamedTuple):
    """What the model reads, and what it should have said: `targets[:, t]` follows `inputs[:, t]`.

    This is the one place where targets are shifted; neither model nor loss shifts again.
    """

    inputs: Int[Tensor, "batch seq"]
    targets: Int[Tensor, "batch seq"]


@dataclass(frozen=True, slots=True, eq=False)
class RandomWindows:
    """Endless batches of random windows of one token stream.

    Batch number `i` is a function of `seed` and `i` alone, so a run can be taken up at any step
    without replaying what came before. Windows start anywhere, at a document's beginning or not.

    Attributes:
        tokens: the stream of token ids, in one dimension.
        batch_size: windows per batch.
        seq_len: tokens per window; a window reads one more, the last one's target.
        seed: which sequence of batches.
    """

    tokens: Int[Tensor, " n"]
    batch_size: int
    seq_len: int
    seed: int = 0

    def __post_init__(self) -> None:
        if self.tokens.ndim != 1:
            raise ValueError(f"tokens must have one dimension, not {self.tokens.ndim}")
        if self.batch_size < 1 or self.seq_len < 1:
            raise ValueError("batch_size and seq_len must be at least 1")
        if len(self.tokens) <= self.seq_len:
            raise ValueError(
                f"a window of seq_len = {self.seq_len} needs {self.seq_len + 1} tokens, "
                f"but the stream has {len(self.tokens)}"
            )

    def __getitem__(self, number: int) -> Batch:
        """Batch `number`, counted from 0."""
        draw = np.random.default_rng([self.seed, number])
        starts = draw.integers(len(self.tokens) - self.seq_len, size=self.batch_size)
        windows = torch.stack([self.tokens[s : s + self.seq_len + 1] for s in starts.tolist()])
        windows = windows.long()  # streams are stored small, embeddings want int64
        return Batch(windows[:, :-1], windows[:, 1:])

    def __iter__(self) -> Iterator[Batch]:
        number = 0
        while True:
            yield self[number]
            number += 1
