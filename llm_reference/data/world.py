"""The facts of the story world: who works as what, lives where, keeps which animal.

Facts never change from text to text, so a model can learn them: printing one costs the true process
no bits, and what a model loses there is what it does not know.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from llm_reference.data import lexicon
from llm_reference.data.splitmix import draws

WORLD_SEED = 7


@dataclass(frozen=True, slots=True)
class Person:
    """A person with facts. `she`, `her`, `hers` are the pronouns: she/he, her/him, her/his."""

    name: str
    she: str
    her: str
    hers: str
    job: str
    town: str
    pet: str
    colour: str


@dataclass(frozen=True, slots=True)
class Town:
    """A town with facts: the river it lies on and what it is known for."""

    name: str
    river: str
    product: str


@cache
def people() -> dict[str, Person]:
    """Every person by name, in the order of the lexicon."""
    source = draws(WORLD_SEED)

    def any_of(options: tuple[str, ...]) -> str:
        return options[next(source) % len(options)]

    names = [(name, ("she", "her", "her")) for name in lexicon.WOMEN]
    names += [(name, ("he", "him", "his")) for name in lexicon.MEN]
    return {
        name: Person(
            name,
            *pronouns,
            job=any_of(lexicon.JOBS),
            town=any_of(lexicon.TOWNS),
            pet=any_of(lexicon.PETS),
            colour=any_of(lexicon.COLOURS),
        )
        for name, pronouns in names
    }


@cache
def towns() -> dict[str, Town]:
    """Every town by name."""
    source = draws(WORLD_SEED + 1)
    return {
        name: Town(
            name,
            river=lexicon.RIVERS[next(source) % len(lexicon.RIVERS)],
            product=lexicon.PRODUCTS[next(source) % len(lexicon.PRODUCTS)],
        )
        for name in lexicon.TOWNS
    }
