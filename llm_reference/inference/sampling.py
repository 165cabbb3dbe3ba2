"""Choosing the next token: greedy, or at random from a distribution made sharper or shorter."""

from __future__ import annotations

from collections.abc import Callable, Collection

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

LanguageModel = Callable[[Int[Tensor, "batch seq"]], Float[Tensor, "batch seq vocab"]]


def next_token_probabilities(
    logits: Float[Tensor, "*batch vocab"],
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Float[Tensor, "*batch vocab"]:
    """The distribution that the next token is drawn from; in float32 or better.

    First the logits are divided by `temperature`: below 1 sharpens, above 1 flattens, and 0 is
    greedy, all weight on the highest logit (the lowest id among equals). Then only the `top_k`
    likeliest tokens stay, then only the fewest likeliest that together hold at least `top_p`
    (nucleus sampling, Holtzman et al. 2020); what stays is scaled to sum to 1. Ties at either
    border go to the lower id.

    Raises ValueError for a setting outside its range.
    """
    if temperature < 0:
        raise ValueError(f"temperature must be at least 0, but it is {temperature}")
    if top_k is not None and top_k < 1:
        raise ValueError(f"top_k must be at least 1, but it is {top_k}")
    if top_p is not None and not 0 < top_p <= 1:
        raise ValueError(f"top_p must lie in (0, 1], but it is {top_p}")
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
    ordered, ids = logits.sort(dim=-1, descending=True, stable=True)
    if temperature == 0:
        return torch.zeros_like(logits).scatter(-1, ids[..., :1], 1.0)
    # the highest logit is taken off first, so that a tiny temperature cannot overflow
    probabilities = torch.softmax((ordered - ordered[..., :1]) / temperature, dim=-1)
    if top_k is not None:
        probabilities[..., top_k:] = 0
        probabilities /= probabilities.sum(dim=-1, keepdim=True)
    if top_p is not None:
        before = probabilities.cumsum(dim=-1) - probabilities
        probabilities[before >= top_p] = 0
        probabilities /= probabilities.sum(dim=-1, keepdim=True)
    return torch.zeros_like(logits).scatter(-1, ids, probabilities)


@torch.no_grad()
def generate(
    model: LanguageModel,
    ids: Int[Tensor, "batch seq"],
    max_new_tokens: int,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    generator: torch.Generator | None = None,
    *,
    context: int | None = None,
    stop: Collection[int] = (),
) -> Int[Tensor, "batch longer"]:
    """`ids` and up to `max_new_tokens` more, each drawn given all before it.

    Each step reads the whole text again, or its last `context` tokens (None: the model's
    `max_seq_len`, where it has one). A row that draws a token of `stop` goes on with that token;
    the text ends when every row has. A module is put in eval mode meanwhile.
    """
    if ids.ndim != 2 or ids.shape[1] < 1:
        raise ValueError(f"ids must be [batch, seq] with at least 1 token, not {tuple(ids.shape)}")
    if context is None:
        context = getattr(getattr(model, "config", None), "max_seq_len", None)
    was_training = isinstance(model, nn.Module) and model.training
    if isinstance(model, nn.Module):
        model.eval()
    stops = torch.tensor(sorted(stop), dtype=ids.dtype, device=ids.device)
    ended = torch.zeros(len(ids), dtype=torch.bool, device=ids.device)
    try:
        for _ in range(max_new_tokens):
            seen = ids if context is None else ids[:, -context:]
            probabilities = next_token_probabilities(model(seen)[:, -1], temperature, top_k, top_p)
            drawn = torch.multinomial(probabilities, 1, generator=generator).to(ids.dtype)
            drawn = torch.where(ended[:, None], ids[:, -1:], drawn)
            ids = torch.cat([ids, drawn], dim=1)
            ended |= torch.isin(drawn[:, 0], stops)
            if ended.all():
                break
    finally:
        if isinstance(model, nn.Module):
            model.train(was_training)
    return ids
