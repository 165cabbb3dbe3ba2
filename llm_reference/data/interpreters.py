"""Two ways to run a grammar program: draw a text, and read one back.

Both make the same choices in the same order, so a text that was sampled scores exactly the bits of
the choices that made it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Concatenate

from llm_reference.data.grammar import Choice, Grammar, P, T, check_prefix_free


class Sampler(Grammar):
    """Draw a text. `source` gives 64-bit integers; the bias of a draw is below 2^-48."""

    def __init__(self, source: Iterator[int]) -> None:
        self.source = source
        self.out: list[str] = []

    @property
    def text(self) -> str:
        """What has been printed so far."""
        return "".join(self.out)

    def lit(self, text: str) -> None:
        """Print fixed text."""
        self.out.append(text)

    def known(self, skill: str, text: str) -> None:  # noqa: ARG002
        """Print text that is certain."""
        self.out.append(text)

    def word(self, point: Choice) -> str:
        """Draw and print an option."""
        text = point.texts[next(self.source) % point.total]
        self.out.append(text)
        return text

    def branch(self, point: Choice, options: Sequence[str] = ()) -> str:
        """Draw and print an option, and return it as the point names it."""
        index = point.table[next(self.source) % point.total]
        self.out.append((options or point.options)[index])
        return point.options[index]


class Recorder(Sampler):
    """A sampler that also adds up the bits of its choices."""

    bits = 0.0

    def word(self, point: Choice) -> str:
        """Draw, print and count an option."""
        text = super().word(point)
        self.bits += point.bits[point.index[text]]
        return text

    def branch(self, point: Choice, options: Sequence[str] = ()) -> str:
        """Draw, print and count an option."""
        taken = super().branch(point, options)
        self.bits += point.bits[point.index[taken]]
        return taken


@dataclass(frozen=True, slots=True)
class Span:
    """A piece text[start:end], its skill, and its information in bits.

    `known` marks text that was certain: a model's loss there is its lack of that skill.
    """

    start: int
    end: int
    skill: str
    bits: float
    known: bool = False


class Scorer(Grammar):
    """Read a text back and add up -log2 p. Raises ValueError where the grammar did not make it."""

    def __init__(self, text: str, skill: str = "form") -> None:
        self.text = text
        self.position = 0
        self.bits = 0.0
        self.skill = skill
        self.spans: list[Span] = []

    def finish(self) -> None:
        """Raise ValueError if text is left over."""
        if self.position != len(self.text):
            raise self.error("the end of the text")

    def error(self, wanted: str) -> ValueError:
        """An error that says where in the text, what stands there, and what should."""
        found = self.text[self.position : self.position + 24]
        return ValueError(
            f"not a text of this language: at offset {self.position}, "
            f"expected {wanted}, found {found!r}"
        )

    def advance(self, length: int, skill: str, bits: float, known: bool = False) -> None:
        """Accept the next `length` characters."""
        end = self.position + length
        self.spans.append(Span(self.position, end, skill, bits, known))
        self.position = end
        self.bits += bits

    def lit(self, text: str) -> None:
        """Accept fixed text."""
        if not self.text.startswith(text, self.position):
            raise self.error(repr(text))
        self.advance(len(text), self.skill, 0.0)

    def known(self, skill: str, text: str) -> None:
        """Accept text that is certain."""
        if not self.text.startswith(text, self.position):
            raise self.error(f"{text!r} ({skill})")
        self.advance(len(text), skill, 0.0, known=True)

    def word(self, point: Choice) -> str:
        """Find out which option stands here."""
        for length in point.lengths:
            text = self.text[self.position : self.position + length]
            index = point.index.get(text)
            if index is not None:
                self.advance(length, self.skill, point.bits[index])
                return text
        raise self.error(f"one of {shortened(point.options)}")

    def branch(self, point: Choice, options: Sequence[str] = ()) -> str:
        """Find out which option stands here."""
        if not options:
            return self.word(point)
        fitting = [i for i, x in enumerate(options) if self.text.startswith(x, self.position)]
        if len(fitting) > 1:
            check_prefix_free(options)  # says which two options the program confuses
        if not fitting:
            raise self.error(f"one of {shortened(options)}")
        index = fitting[0]
        self.advance(len(options[index]), self.skill, point.bits[index])
        return point.options[index]

    def call(
        self,
        skill: str,
        rule: Callable[Concatenate[Grammar, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run a rule; the spans that it accepts carry `skill`."""
        outer, self.skill = self.skill, skill
        result = rule(self, *args, **kwargs)
        self.skill = outer
        return result


def shortened(options: Sequence[str]) -> str:
    """The first options, for an error message."""
    shown = ", ".join(repr(option) for option in options[:6])
    return f"{shown}, ..." if len(options) > 6 else shown
