"""The story language: small texts whose probability, and so whose entropy, is known exactly.

`documents` samples, `bits` gives -log2 p of any text of the language, `entropy` its expectation. No
model that has not seen a text can expect to encode it in fewer bits, so the distance of a loss to
this floor is a number, and a loss below it proves a leak (Shannon 1948, theorem 9; Kraft 1949).

A document is ASCII, ends with a newline, and is no prefix of another document.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from llm_reference.data import exercises, narrative
from llm_reference.data import lexicon as lx
from llm_reference.data.enumeration import exact_entropy
from llm_reference.data.grammar import Grammar, choice
from llm_reference.data.interpreters import Recorder, Sampler, Scorer, Span
from llm_reference.data.narrative import Scene
from llm_reference.data.phrases import described
from llm_reference.data.splitmix import draws, stream_seed
from llm_reference.data.world import people

LENGTH_SAMPLE = 2000  # documents that estimate the mean length


@dataclass(frozen=True, slots=True)
class Entropy:
    """How much information a document holds.

    `bits_per_document` and its parts `by_skill` are exact. `bits_per_byte` is the ratio of bits to
    bytes over a fixed sample of documents, with its standard error; `bytes_per_document` follows.
    """

    bits_per_document: float
    bytes_per_document: float
    bits_per_byte: float
    bits_per_byte_error: float
    by_skill: dict[str, float]


@dataclass(frozen=True, slots=True)
class Score:
    """The information of a text in bits, and the spans it is made of."""

    bits: float
    spans: tuple[Span, ...]


def documents(seed: int, count: int, start: int = 0) -> Iterator[str]:
    """Documents number `start` to `start + count - 1` of a seed, each from a stream of its own."""
    for index in range(start, start + count):
        sampler = Sampler(draws(stream_seed(seed, index)))
        document(sampler)
        yield sampler.text


def bits(text: str) -> float:
    """-log2 p(text) of one document. Raises ValueError, with the offset, for any other text."""
    return score(text).bits


def score(text: str) -> Score:
    """The information of one document, by span. Raises ValueError as `bits` does."""
    scorer = Scorer(text)
    document(scorer)
    scorer.finish()
    return Score(scorer.bits, tuple(scorer.spans))


def sample_with_bits(seed: int, index: int) -> tuple[str, float]:
    """Document number `index` of a seed, and the bits of the choices that made it."""
    recorder = Recorder(draws(stream_seed(seed, index)))
    document(recorder)
    return recorder.text, recorder.bits


@cache
def entropy() -> Entropy:
    """The entropy of the language: the floor under every model's loss."""
    by_skill = exact_entropy(document)
    per_document = math.fsum(by_skill.values())
    pairs = [sample_with_bits(seed=0, index=i) for i in range(LENGTH_SAMPLE)]
    ratio = math.fsum(b for _, b in pairs) / sum(len(text) for text, _ in pairs)
    mean_length = sum(len(text) for text, _ in pairs) / len(pairs)
    residuals = math.fsum((b - ratio * len(text)) ** 2 for text, b in pairs)
    return Entropy(
        bits_per_document=per_document,
        bytes_per_document=per_document / ratio,
        bits_per_byte=ratio,
        bits_per_byte_error=math.sqrt(residuals) / (len(pairs) * mean_length),
        by_skill=by_skill,
    )


# The first words of a document tell its kind. A further kind is one more line here, and its rule.
KINDS = choice(
    (*narrative.DATES, "Dear ", "Meet ", "Sums:", "def "),
    (29, 20, 6, 17, 8, 5, 10, 5),
)


def document(g: Grammar) -> None:
    """Any document of the language."""
    match g.branch(KINDS):
        case "Dear ":
            g.call("form", narrative.letter)
        case "Meet ":
            g.call("facts", exercises.portrait)
        case "Sums:":
            g.call("arithmetic", exercises.sums)
        case "def ":
            g.call("code", exercises.function)
        case start:
            g.call("form", narrative.date, start)
            g.call("form", story)


FRAME = choice(
    (" left ", " met ", " visited ", " waited for ", " helped ", " played a game with "),
    (12, 12, 5, 4, 3, 3),
)


def story(g: Grammar) -> None:
    """Two people, what happens to them, and an end."""
    first = people()[g.word(narrative.anyone())]
    frame = g.branch(FRAME)
    if frame == " left ":
        g.known("facts", first.town)
        g.lit(" and ")
        g.word(lx.MOVED)
        g.lit(" to the ")
        described(g, lx.SITE)
        g.lit(" with ")
    second = people()[g.word(narrative.anyone_but(first.name))]
    scene = Scene(first, second)
    match frame:
        case " helped ":
            g.lit(f" at the market. {first.name}")
            g.call("arithmetic", exercises.ledger, scene)
        case " played a game with ":
            g.lit(f". {first.name}")
            g.call("tracking", exercises.tracking, scene)
        case " visited " | " waited for ":
            g.call("form", narrative.tale, narrative.CONVERSATION, scene)
        case _:
            g.call("form", narrative.tale, narrative.NARRATIVE, scene)
