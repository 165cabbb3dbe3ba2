"""Phrases of the story language: things, places, circumstances, and what someone did.

A rule assumes that the space before it is printed; a predicate ends with its full stop.
"""

from __future__ import annotations

from llm_reference.data import lexicon as lx
from llm_reference.data.grammar import Choice, Grammar, choice


def described(g: Grammar, noun: Choice) -> None:
    """An adjective and a noun."""
    g.word(lx.ADJECTIVE)
    g.lit(" ")
    g.word(noun)


def something(g: Grammar) -> None:
    """A thing, with article and adjective."""
    g.word(lx.A_ADJECTIVE)
    g.lit(" ")
    g.word(lx.OBJECT)


def crafted(g: Grammar) -> None:
    """A tool, with article, adjective and material."""
    g.word(lx.A_ADJECTIVE)
    g.lit(" ")
    g.word(lx.MATERIAL)
    g.lit(" ")
    g.word(lx.TOOL)


def company(g: Grammar) -> None:
    """A person, with article and adjective."""
    g.word(lx.A_ADJECTIVE)
    g.lit(" ")
    g.word(lx.ROLE)


def somewhere(g: Grammar) -> None:
    """A preposition and a place."""
    g.word(lx.PREPOSITION)
    g.lit(" the ")
    g.word(lx.SITE)


def aim(g: Grammar) -> None:
    """What someone meant to do, after `to`."""
    g.word(lx.AIM)
    g.lit(" ")
    something(g)


# --- circumstances --------------------------------------------------------------------------------

NOUN_IN_CLAUSE = choice(
    (*lx.SITE.options, *lx.ROLE.options, *lx.SKY),
    (*lx.SITE.weights, *lx.ROLE.weights, *(60 for _ in lx.SKY)),
)
CLAUSE = choice(("there was ", "nobody ", "the ", "it was ", "someone had "), (5, 5, 14, 4, 5))
UNWANTED = choice(lx.words("wanted missed remembered trusted understood noticed needed liked"))
LATELY = choice(
    lx.words("stolen broken hidden painted moved sold repaired forgotten cleaned taken")
)


def clause(g: Grammar) -> None:
    """A circumstance, without capital or full stop."""
    match g.branch(CLAUSE):
        case "there was ":
            g.word(lx.A_ADJECTIVE)
            g.lit(" ")
            g.word(lx.ANIMAL)
            g.lit(" ")
            somewhere(g)
        case "nobody ":
            g.word(UNWANTED)
            g.lit(" the ")
            described(g, lx.OBJECT)
        case "the ":
            g.call("form", event, g.branch(NOUN_IN_CLAUSE))
        case "it was ":
            g.word(lx.WEATHER)
            g.lit(" ")
            somewhere(g)
        case _:
            g.word(LATELY)
            g.lit(" the ")
            described(g, lx.OBJECT)


def event(g: Grammar, noun: str) -> None:
    """What happened to a place, a person or the weather, after its name."""
    if noun in lx.SKY:
        g.lit(" ")
        g.word(lx.SKY_DID)
    else:
        g.lit(" was ")
        g.word(lx.STATE if noun in lx.SITE.index else lx.FEELING)


# --- how a sentence goes on after its object ------------------------------------------------------

PLACES = tuple(f" {preposition} the " for preposition in lx.PREPOSITION.options)
MANNERS = tuple(f" {manner}" for manner in lx.MANNER.options)
ADVERBIAL_WEIGHTS = (*lx.PREPOSITION.weights, *lx.MANNER.weights)
ENDING = choice(
    (".", " to ", " because ", " with ", " and ", ", although ", *PLACES, *MANNERS),
    (1800, 1000, 600, 900, 900, 300, *(2 * weight for weight in ADVERBIAL_WEIGHTS)),
)
SEEN_ENDING = choice((".", ", although ", *PLACES, *MANNERS), (900, 300, *ADVERBIAL_WEIGHTS))


def ending(g: Grammar, point: Choice = ENDING) -> None:
    """Nothing, an aim, a reason, company, a second deed, a place or a manner; then a full stop."""
    match g.branch(point):
        case ".":
            return
        case " to ":
            aim(g)
        case " because " | ", although ":
            g.call("form", clause)
        case " with ":
            company(g)
        case " and ":
            g.word(lx.ACQUIRED)
            g.lit(" ")
            something(g)
        case place if place in PLACES:
            g.word(lx.SITE)
    g.lit(".")


# --- what someone did -----------------------------------------------------------------------------


def _verbs(groups: dict[str, tuple[Choice, int]]) -> tuple[Choice, dict[str, str]]:
    """One choice among all verbs, each group with its share, and the group of each verb."""
    weights = {
        f"{verb} ": max(1, round(100 * share * weight / verbs.total))
        for verbs, share in groups.values()
        for verb, weight in zip(verbs.options, verbs.weights, strict=True)
    }
    kinds = {f"{verb} ": kind for kind, (verbs, _) in groups.items() for verb in verbs.options}
    return choice(tuple(weights), tuple(weights.values())), kinds


DEEDS: dict[str, tuple[Choice, int]] = {
    "move": (lx.MOVED, 18),
    "acquire": (lx.ACQUIRED, 30),
    "watch": (lx.WATCHED, 14),
    "tell": (lx.TOLD, 10),
    "feel": (choice(("felt", "seemed", "looked")), 12),
    "give": (choice(("gave", "showed", "lent", "handed")), 10),
    "count": (choice(("had", "counted")), 7),
}
VERB, KIND = _verbs(DEEDS)
VERB_OR_MANNER, _ = _verbs(DEEDS | {"manner": (lx.MANNER, 25)})


def predicate(g: Grammar) -> None:
    """What someone did, from the verb or an adverb before it to the full stop."""
    first = g.branch(VERB_OR_MANNER)
    if first in KIND:
        g.call("form", deed, KIND[first])
    else:
        g.call("form", plain_predicate)


def plain_predicate(g: Grammar) -> None:
    """What someone did, from the verb on."""
    g.call("form", deed, KIND[g.branch(VERB)])


def deed(g: Grammar, kind: str) -> None:
    """The rest of a sentence after a verb of this kind."""
    match kind:
        case "move":
            g.lit("to the ")
            described(g, lx.SITE)
            g.call("form", ending)
        case "acquire":
            crafted(g)
            g.call("form", ending)
        case "watch":
            g.lit("the ")
            described(g, lx.ANIMAL)
            g.lit(" ")
            g.word(lx.DOING)
            g.call("form", ending, SEEN_ENDING)
        case "tell":
            g.lit("the ")
            g.word(lx.ROLE)
            g.call("form", message)
        case "feel":
            g.word(lx.FEELING)
            g.call("form", feeling)
        case "give":
            g.lit("the ")
            g.word(lx.ROLE)
            g.lit(" ")
            something(g)
            g.call("form", ending)
        case _:
            g.call("arithmetic", counting)


MESSAGE = choice((" about the ", " that ", " to "), (4, 4, 3))


def message(g: Grammar) -> None:
    """What someone was told."""
    match g.branch(MESSAGE):
        case " about the ":
            described(g, lx.OBJECT)
        case " that ":
            g.call("form", clause)
        case _:
            aim(g)
    g.lit(".")


FEELING = choice((".", " because ", " about the ", " when "), (5, 8, 7, 6))


def feeling(g: Grammar) -> None:
    """Why someone felt so."""
    match g.branch(FEELING):
        case ".":
            return
        case " about the ":
            described(g, lx.OBJECT)
        case _:
            g.call("form", clause)
    g.lit(".")


MORE = choice(lx.words("bought found received borrowed picked"))


def counting(g: Grammar) -> None:
    """A number of goods, more of them, and the sum."""
    first = g.word(lx.NUMBER)
    g.lit(" ")
    g.word(lx.GOODS)
    g.lit(" and ")
    g.word(MORE)
    g.lit(" ")
    second = g.word(lx.NUMBER)
    g.lit(", making ")
    g.known("arithmetic", str(int(first) + int(second)))
    g.lit(".")
