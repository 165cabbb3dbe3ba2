"""How surprised a model is by text it has not seen: every token scored, and scored once.

The stream is cut into overlapping windows of `context` tokens, each `stride` further on. A window
scores only the tokens that no earlier window scored, and reads the rest as context:

    stream            0 1 2 3 4 5 6 7 8
    window 1   reads  0 1 2 3            scores   1 2 3 4
    window 2   reads      2 3 4 5        scores           5 6
    window 3   reads          4 5 6 7    scores               7 8

Here context = 4 and stride = 2. Only token 0 has no score, because nothing comes before it: begin
a stream with the end-of-text token, and every token of text is scored.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

Logits = Float[Tensor, "batch seq vocab"]
LanguageModel = Callable[[Int[Tensor, "batch seq"]], Logits]


@dataclass(frozen=True, slots=True)
class StreamScore:
    """What a model made of a stream.

    Attributes:
        nats: total -ln p of all scored tokens.
        tokens: how many tokens were scored: one less than the stream holds.
        n_bytes: bytes of the text that the scored tokens stand for, or None if it was not given.
    """

    nats: float
    tokens: int
    n_bytes: int | None = None

    @property
    def nats_per_token(self) -> float:
        """Mean negative log-likelihood: the loss. Depends on the tokenizer."""
        return self.nats / self.tokens

    @property
    def perplexity(self) -> float:
        """e to the loss: as unsure as a fair die with so many sides. Depends on the tokenizer."""
        return math.exp(self.nats_per_token)

    @property
    def bits_per_byte(self) -> float:
        """Bits that the model needs per byte of text: comparable between tokenizers.

        Raises ValueError when the number of bytes was not given.
        """
        if not self.n_bytes:
            raise ValueError("bits per byte needs n_bytes, the UTF-8 length of the scored text")
        return self.nats / math.log(2) / self.n_bytes


def score_stream(
    model: LanguageModel,
    tokens: Int[Tensor, " n"],
    *,
    context: int,
    stride: int | None = None,
    batch_size: int = 16,
    n_bytes: int | None = None,
) -> StreamScore:
    """Score every token of `tokens` but the first, each exactly once, in float64 sums.

    `context` is the window's length in tokens: at most what the model can read. `stride` is how far
    the next window moves, and None means `context`: no overlap, the fastest. A smaller stride costs
    context / stride times as much, and guarantees `context - stride + 1` tokens of context to all
    tokens beyond the first window. `n_bytes` is the UTF-8 length of the text of `tokens[1:]`.

    Raises ValueError when the numbers do not fit. A module is put in eval mode meanwhile.
    """
    stride = context if stride is None else stride
    if tokens.ndim != 1 or len(tokens) < 2:
        raise ValueError(f"need one dimension of at least 2 tokens, but got {tuple(tokens.shape)}")
    if not 1 <= stride <= context:
        raise ValueError(f"stride must lie in 1..context = {context}, but it is {stride}")
    tokens = tokens.long()
    windows = list(_windows(len(tokens), context, stride))
    was_training = isinstance(model, nn.Module) and model.training
    if isinstance(model, nn.Module):
        model.eval()
    nats = 0.0
    try:
        with torch.inference_mode():
            for at in range(0, len(windows), batch_size):
                nats += _score_windows(model, tokens, windows[at : at + batch_size])
    finally:
        if isinstance(model, nn.Module):
            model.train(was_training)
    return StreamScore(nats, len(tokens) - 1, n_bytes)


@dataclass(frozen=True, slots=True)
class _Window:
    """Reads tokens `begin` to `end - 1`; scores the tokens from `first_scored` to `end`."""

    begin: int
    end: int
    first_scored: int


def _windows(n_tokens: int, context: int, stride: int) -> Iterator[_Window]:
    """Windows that score tokens 1 to `n_tokens - 1`, each once, all of the same length."""
    length = min(context, n_tokens - 1)
    end = length
    yield _Window(0, end, 1)
    while end < n_tokens - 1:
        scored = end
        end = min(end + stride, n_tokens - 1)
        yield _Window(end - length, end, scored + 1)


def _score_windows(
    model: LanguageModel, tokens: Int[Tensor, " n"], windows: list[_Window]
) -> float:
    """Total nats of the tokens that `windows` score."""
    inputs = torch.stack([tokens[w.begin : w.end] for w in windows])
    targets = torch.stack([tokens[w.begin + 1 : w.end + 1] for w in windows])
    place = torch.arange(inputs.shape[1], device=tokens.device)
    begins = torch.tensor([w.first_scored - 1 - w.begin for w in windows], device=tokens.device)
    logits = model(inputs).float()
    losses = cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none")
    return losses.double()[(place >= begins[:, None]).flatten()].sum().item()
