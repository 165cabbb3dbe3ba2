"""Two more ways to run a grammar program, both by trying every choice: entropy, and all texts.

A program is run again and again under a script of choices; where the script ends, it forks.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Concatenate

from llm_reference.data.grammar import Choice, Grammar, P, S, T


def exact_entropy(
    rule: Callable[Concatenate[Grammar, P], object], *args: P.args, **kwargs: P.kwargs
) -> dict[str, float]:
    """The exact entropy in bits of what a rule prints, split by the skill of its choices."""
    return _Expectations({}).of("form", rule, *args, **kwargs)[0]


class _Fork(Exception):  # noqa: N818
    """A replay has come to a choice that its script does not decide."""

    def __init__(self, weights: tuple[int, ...]) -> None:
        self.weights = weights


class _Path(Grammar):
    """Follow one script of branches and add the entropy of every choice on the way."""

    def __init__(self, script: tuple[int, ...], skill: str, expectations: _Expectations) -> None:
        self.script = script
        self.step = 0
        self.skill = skill
        self.expectations = expectations
        self.entropy: dict[str, float] = {}

    def add(self, entropy: dict[str, float], times: float = 1.0) -> None:
        for skill, bits in entropy.items():
            self.entropy[skill] = self.entropy.get(skill, 0.0) + times * bits

    def lit(self, text: str) -> None:
        pass

    def known(self, skill: str, text: str) -> None:
        pass

    def word(self, point: Choice) -> str:
        self.add({self.skill: point.entropy})
        return point.options[0]

    def branch(self, point: Choice, options: Sequence[str] = ()) -> str:  # noqa: ARG002
        self.add({self.skill: point.entropy})
        if self.step == len(self.script):
            raise _Fork(point.weights)
        self.step += 1
        return point.options[self.script[self.step - 1]]

    def call(
        self,
        skill: str,
        rule: Callable[Concatenate[Grammar, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        entropy, result = self.expectations.of(skill, rule, *args, **kwargs)
        self.add(entropy)
        return result

    def repeat(
        self,
        link: Choice,
        options: Callable[[S], Sequence[str]],
        body: Callable[[Grammar, str, S], S],
        state: S,
    ) -> S:
        options(state)
        rounds = link.total / link.weights[-1]  # a geometric number of links, the last one included
        self.add({self.skill: rounds * link.entropy})
        for taken, weight in zip(link.options[:-1], link.weights[:-1], strict=True):
            entropy, _ = self.expectations.of(self.skill, body, taken, state)
            self.add(entropy, times=rounds * weight / link.total)
        return state


@dataclass(frozen=True, slots=True)
class _Expectations:
    """The entropy of each rule met so far, by rule and arguments, so that none is tried twice."""

    seen: dict[Any, tuple[dict[str, float], Any]]

    def of(
        self,
        skill: str,
        rule: Callable[Concatenate[Grammar, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> tuple[dict[str, float], T]:
        """The expected entropy of a rule by skill, and one result that it may return."""
        key = (skill, rule, args, tuple(kwargs.items()))
        if key not in self.seen:
            self.seen[key] = self.work_out(skill, rule, *args, **kwargs)
        return self.seen[key]

    def work_out(
        self,
        skill: str,
        rule: Callable[Concatenate[Grammar, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> tuple[dict[str, float], T]:
        """Run the rule under every script of branches, and weigh each by its probability."""
        parts: dict[str, list[float]] = {}
        results: list[T] = []
        stack: list[tuple[tuple[int, ...], float]] = [((), 1.0)]
        while stack:
            script, probability = stack.pop()
            path = _Path(script, skill, self)
            try:
                results.append(rule(path, *args, **kwargs))
            except _Fork as fork:
                total = sum(fork.weights)
                for index, weight in enumerate(fork.weights):
                    stack.append(((*script, index), probability * weight / total))
                continue
            for name, bits in path.entropy.items():
                parts.setdefault(name, []).append(probability * bits)
        return {name: math.fsum(bits) for name, bits in parts.items()}, results[0]


def texts(
    rule: Callable[[Grammar], object], smallest: Fraction = Fraction(0)
) -> Iterator[tuple[str, Fraction]]:
    """Every text of a small grammar with its exact probability, in no particular order.

    Derivations less probable than `smallest` are cut off, which makes a loop finite; then the
    probabilities sum to less than 1 by what was cut.
    """
    stack: list[tuple[tuple[int, ...], Fraction]] = [((), Fraction(1))]
    while stack:
        script, probability = stack.pop()
        path = _Listing(script)
        try:
            rule(path)
        except _Fork as fork:
            total = sum(fork.weights)
            for index, weight in enumerate(fork.weights):
                share = probability * Fraction(weight, total)
                if share >= smallest:
                    stack.append(((*script, index), share))
            continue
        yield "".join(path.out), probability


class _Listing(Grammar):
    """Follow one script of all choices and print."""

    def __init__(self, script: tuple[int, ...]) -> None:
        self.script = script
        self.step = 0
        self.out: list[str] = []

    def lit(self, text: str) -> None:
        self.out.append(text)

    def known(self, skill: str, text: str) -> None:  # noqa: ARG002
        self.out.append(text)

    def word(self, point: Choice) -> str:
        return self.branch(point)

    def branch(self, point: Choice, options: Sequence[str] = ()) -> str:
        if self.step == len(self.script):
            raise _Fork(point.weights)
        index = self.script[self.step]
        self.step += 1
        self.out.append((options or point.options)[index])
        return point.options[index]
