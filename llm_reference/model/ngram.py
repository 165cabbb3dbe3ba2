"""N-gram language models: the next token from the last n - 1, by counting. numpy alone.

An n-gram that was never counted still needs a probability. Interpolated Kneser-Ney takes a discount
from every count and spends it on the model of one order less, down to the uniform distribution.

Sources: Kneser and Ney, "Improved backing-off for m-gram language modeling", ICASSP 1995; Chen and
Goodman, "An empirical study of smoothing techniques for language modeling", Computer Speech and
Language 13 (1999), sections 2.7 (interpolated form) and 2.6 (the estimate of the discount).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
from jaxtyping import Float, Int

Ids = Int[np.ndarray, " tokens"]
UNSEEN = -1


@dataclass(frozen=True, slots=True)
class Uses:
    """A number for each n-gram of a level; for each context, their sum and how many are not 0."""

    grams: Int[np.ndarray, " grams"]
    totals: Int[np.ndarray, " contexts"]
    types: Int[np.ndarray, " contexts"]

    @classmethod
    def of(cls, grams: Ids, parents: Ids, contexts: int) -> Self:
        """Add up by context; gram i has context `parents[i]`."""
        totals = np.bincount(parents, weights=grams, minlength=contexts).astype(np.int64)
        return cls(grams, totals, np.bincount(parents[grams > 0], minlength=contexts))


@dataclass(frozen=True, slots=True)
class Level:
    """All n-grams of one length n that were seen, as a level of a trie: gram i has key `keys[i]`.

    A key is `(number of its first n - 1 tokens) * vocab_size + last token`; keys are sorted, so the
    next tokens of a context lie side by side. `counts` says how often a gram was seen, and
    `continuations` after how many different tokens: what Kneser-Ney counts below the highest order.
    """

    keys: Int[np.ndarray, " grams"]
    counts: Uses
    continuations: Uses

    def find(self, keys: Ids) -> Ids:
        """The numbers of grams with these keys; UNSEEN where there is none."""
        places = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where(self.keys[places] == keys, places, UNSEEN)


@dataclass(frozen=True, slots=True)
class NGramModel:
    """Counts of all n-grams up to a highest order, and the probabilities that they give.

    Every order from 1 to `order` is a model of its own: the methods take the order to use.
    `start` is the token that stands in for what comes before a text.
    """

    vocab_size: int
    start: int
    levels: tuple[Level, ...]

    @property
    def order(self) -> int:
        """The highest order: the number of tokens in the longest n-gram."""
        return len(self.levels)

    @classmethod
    def train(cls, ids: Ids, order: int, vocab_size: int = 256, start: int = 10) -> Self:
        """Count the n-grams of a text, n = 1 to `order`.

        Raises ValueError for an empty text, an order below 1 or an id outside the vocabulary.
        """
        if order < 1 or len(ids) < order:
            raise ValueError(f"order must be from 1 to the text's {len(ids)} tokens, got {order}")
        if ids.min() < 0 or ids.max() >= vocab_size or not 0 <= start < vocab_size:
            raise ValueError(f"ids must lie in 0..{vocab_size - 1}")
        tokens = ids.astype(np.int64)
        contexts = np.zeros(len(tokens), dtype=np.int64)  # the number of each token's context
        endings = contexts
        counted: list[tuple[Ids, Ids]] = []
        continuations: list[Ids] = []
        for n in range(1, order + 1):
            keys, first, grams, counts = np.unique(
                contexts * vocab_size + tokens[n - 1 :],
                return_index=True,
                return_inverse=True,
                return_counts=True,
            )
            if n > 1:
                # each different n-gram is one more token seen before the (n-1)-gram that ends it
                continuations.append(np.bincount(endings[first + 1], minlength=len(counted[-1][0])))
            counted.append((keys, counts))
            contexts, endings = grams[:-1], grams
        continuations.append(counted[-1][1])  # the highest order has none, and uses its counts
        sizes = [1, *(len(keys) for keys, _ in counted)]
        levels = tuple(
            Level(
                keys,
                Uses.of(counts, keys // vocab_size, size),
                Uses.of(before, keys // vocab_size, size),
            )
            for (keys, counts), before, size in zip(counted, continuations, sizes, strict=False)
        )
        return cls(vocab_size, start, levels)

    def uses(self, n: int, order: int) -> Uses:
        """What the Kneser-Ney model of this order counts in its level n."""
        level = self.levels[n - 1]
        return level.counts if n == order else level.continuations

    def bits(self, ids: Ids, order: int) -> Float[np.ndarray, " tokens"]:
        """-log2 of the Kneser-Ney probability of each token, given those before it."""
        probability = np.full(len(ids), 1.0 / self.vocab_size)
        for n, (contexts, grams) in enumerate(self._numbers(ids, order), start=1):
            uses = self.uses(n, order)
            discount = discount_of(uses.grams)
            total = np.where(contexts == UNSEEN, 0, uses.totals[contexts])
            kept = np.where(grams == UNSEEN, 0.0, np.maximum(uses.grams[grams] - discount, 0.0))
            spent = discount * uses.types[contexts]
            mixed = (kept + spent * probability) / np.maximum(total, 1)
            probability = np.where(total > 0, mixed, probability)
        return -np.log2(probability)

    def add_k_bits(self, ids: Ids, order: int, k: float = 1.0) -> Float[np.ndarray, " tokens"]:
        """-log2 of the add-k probability (count + k) / (count of the context + k * vocab_size)."""
        contexts, grams = list(self._numbers(ids, order))[-1]
        counts = self.levels[order - 1].counts
        count = np.where(grams == UNSEEN, 0, counts.grams[grams])
        total = np.where(contexts == UNSEEN, 0, counts.totals[contexts])
        return -np.log2((count + k) / (total + k * self.vocab_size))

    def unseen(self, ids: Ids, order: int) -> float:
        """The share of a text's n-grams of this order that training never saw."""
        return float(np.mean(list(self._numbers(ids, order))[-1][1] == UNSEEN))

    def distribution(self, context: Ids, order: int) -> Float[np.ndarray, " vocab"]:
        """The Kneser-Ney probability of every next token."""
        V = self.vocab_size
        before = _padded(context, order, self.start)
        probability = np.full(V, 1.0 / V)
        for n in range(1, order + 1):
            number = self._number(before[len(before) - n + 1 :])
            uses = self.uses(n, order)
            if number == UNSEEN or uses.totals[number] == 0:
                break  # so is every longer context
            keys = self.levels[n - 1].keys
            low, high = np.searchsorted(keys, [number * V, (number + 1) * V])
            discount = discount_of(uses.grams)
            probability *= discount * uses.types[number]
            probability[keys[low:high] % V] += np.maximum(uses.grams[low:high] - discount, 0.0)
            probability /= uses.totals[number]
        return probability

    def sample(self, length: int, order: int, seed: int, prompt: Ids | None = None) -> Ids:
        """Draw `length` tokens, one after another, after a prompt."""
        rng = np.random.default_rng(seed)
        out = [] if prompt is None else prompt.tolist()
        begin = len(out)
        for _ in range(length):
            context = np.array(out[max(0, len(out) - order + 1) :], dtype=np.int64)
            cumulative = np.cumsum(self.distribution(context, order))
            out.append(int(np.searchsorted(cumulative, rng.random() * cumulative[-1], "right")))
        return np.array(out[begin:], dtype=np.int64)

    def _number(self, gram: Ids) -> int:
        """The number of one n-gram in its level; 0 for the empty gram, UNSEEN if there is none."""
        number = 0
        for level, token in zip(self.levels, gram.tolist(), strict=False):
            number = int(level.find(np.array([number * self.vocab_size + token]))[0])
            if number == UNSEEN:
                break
        return number

    def _numbers(self, ids: Ids, order: int) -> Iterator[tuple[Ids, Ids]]:
        """For n = 1 to `order`: the number of each token's context, and of the n-gram it ends."""
        if not 1 <= order <= self.order:
            raise ValueError(f"this model has orders 1 to {self.order}, not {order}")
        tokens = _padded(ids, order, self.start)
        contexts = np.zeros(len(tokens), dtype=np.int64)
        for level in self.levels[:order]:
            grams = level.find(contexts * self.vocab_size + tokens)
            yield contexts[order - 1 :], grams[order - 1 :]
            contexts = np.concatenate([[UNSEEN], grams[:-1]])


def discount_of(counts: Int[np.ndarray, " grams"]) -> float:
    """What Kneser-Ney takes off every count: n1 / (n1 + 2 n2), with n1 grams of count 1, n2 of 2.

    Where no count is 1 the estimate is 0, which leaves nothing for unseen grams: then it is 1/2.
    """
    once, twice = int(np.sum(counts == 1)), int(np.sum(counts == 2))
    return once / (once + 2 * twice) if once else 0.5


def _padded(ids: Ids, order: int, start: int) -> Ids:
    """The tokens with a full context of `start` before the first."""
    return np.concatenate([np.full(order - 1, start, dtype=np.int64), ids.astype(np.int64)])
