"""A grammar written as a program: one text for sampling, scoring, entropy and enumeration.

A program is a function of a `Grammar` g. It prints fixed text with `g.lit`, text that the reader
could have worked out with `g.known`, and makes random choices with `g.word` and `g.branch`. The
same program, unchanged, samples a text, scores one, has its entropy computed, or lists all texts.

Three rules make the probability of a text exact:

1. A choice is printed at once, and no option is a prefix of another. So the text tells which option
   was taken, each text has one derivation, and p(text) = p(derivation).
2. Weights are integers. So p(text) is a rational number.
3. `branch` may steer the program; `word` may not, except through what is printed. So the expected
   number of visits to each choice point, and with it the entropy, follows from the branches alone.

The entropy is the expected sum of the entropies of the choices visited: the chain rule of Shannon,
"A Mathematical Theory of Communication" (1948), section 6.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Concatenate, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
S = TypeVar("S")

LARGEST_TOTAL = 1 << 16


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """A choice point: options, integer weights, and what follows from them.

    `table` maps 0..total-1 to an option's index and `texts` to the option itself, each as often as
    its weight says, so that a draw is one look-up. `bits` is -log2 of each option's probability.
    """

    options: tuple[str, ...]
    weights: tuple[int, ...]
    total: int
    table: tuple[int, ...]
    texts: tuple[str, ...]
    bits: tuple[float, ...]
    entropy: float
    index: dict[str, int]
    lengths: tuple[int, ...]


def choice(options: Sequence[str], weights: Sequence[int] | None = None) -> Choice:
    """Make a choice point; equal weights unless given.

    Raises ValueError if the options are not prefix-free or a weight is not a positive integer.
    """
    options = tuple(options)
    weights = (1,) * len(options) if weights is None else tuple(weights)
    check_prefix_free(options)
    if len(weights) != len(options) or any(w < 1 for w in weights):
        raise ValueError(f"{len(options)} options need as many positive weights, got {weights}")
    total = sum(weights)
    if total > LARGEST_TOTAL:
        raise ValueError(f"weights sum to {total}: more than {LARGEST_TOTAL} makes a large table")
    table = tuple(i for i, weight in enumerate(weights) for _ in range(weight))
    bits = tuple(math.log2(total) - math.log2(weight) for weight in weights)
    return Choice(
        options=options,
        weights=weights,
        total=total,
        table=table,
        texts=tuple(options[i] for i in table),
        bits=bits,
        entropy=math.fsum(w / total * b for w, b in zip(weights, bits, strict=True)),
        index={option: i for i, option in enumerate(options)},
        lengths=tuple(sorted({len(option) for option in options})),
    )


def zipf(options: Sequence[str], exponent: float = 0.3) -> Choice:
    """A choice whose weights fall with rank r = 0, 1, ... as 1 / (r + 3)^exponent."""
    return choice(options, [round(100 * (3 / (r + 3)) ** exponent) for r in range(len(options))])


def check_prefix_free(options: Sequence[str]) -> None:
    """Raise ValueError if an option is empty, or equal to or a prefix of another."""
    if not all(options):
        raise ValueError("an option is empty: a choice must be visible in the text")
    for one, other in pairwise(sorted(options)):
        if other.startswith(one):
            raise ValueError(
                f"option {one!r} is a prefix of {other!r}: the text would be ambiguous"
            )


class Grammar(ABC):
    """What a grammar program may do. Each way of running one implements it."""

    @abstractmethod
    def lit(self, text: str) -> None:
        """Print fixed text."""

    @abstractmethod
    def known(self, skill: str, text: str) -> None:
        """Print text that follows from what was printed before, for a reader with `skill`."""

    @abstractmethod
    def word(self, point: Choice) -> str:
        """Choose and print an option that does not steer the program."""

    @abstractmethod
    def branch(self, point: Choice, options: Sequence[str] = ()) -> str:
        """Choose, print and return an option, which may steer the program.

        Where `options` are given, they are printed in place of the point's own, which is still what
        is returned: a choice between `last` and `other` may print two names.
        """

    def call(
        self,
        skill: str,  # noqa: ARG002
        rule: Callable[Concatenate[Grammar, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run a rule. Its choices count towards `skill`; its branches must not steer the caller."""
        return rule(self, *args, **kwargs)

    def repeat(
        self,
        link: Choice,
        options: Callable[[S], Sequence[str]],
        body: Callable[[Grammar, str, S], S],
        state: S,
    ) -> S:
        """Print a link, run the body, and again, until the link's last option ends the loop.

        `options(state)` are the words of the links; `body` gets the link and the state, and returns
        the next state, which must not steer it: each round has the same distribution.
        """
        stop = link.options[-1]
        while (taken := self.branch(link, options(state))) != stop:
            state = body(self, taken, state)
        return state
