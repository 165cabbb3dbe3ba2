"""Texts with something to work out: object tracking, ledgers, sums, portraits, Python functions."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from llm_reference.data import lexicon as lx
from llm_reference.data.grammar import Choice, Grammar, choice
from llm_reference.data.narrative import Scene, anyone
from llm_reference.data.phrases import aim, company, described, ending
from llm_reference.data.world import people, towns

# --- object tracking ------------------------------------------------------------------------------

PLACES = (*lx.INDOORS, *lx.OUTDOORS)
PLACE = choice(PLACES)


@cache
def elsewhere(place: str) -> Choice:
    """Any place but this one."""
    return choice(tuple(other for other in PLACES if other != place))


Things = tuple[tuple[str, str], tuple[str, str]]  # ((thing, place), (thing, place))
EITHER = choice(("first", "second"))
MOVER = choice(("last", "other"))
NEXT = choice(
    (" Then ", " Later ", " After lunch ", " Before dinner ", " Soon ", " By nightfall, the "),
    (6, 6, 4, 4, 3, 7),
)
HANDLED = choice(
    ("moved the ", "cleaned the ", "admired the ", "went to ", "met "), (10, 3, 3, 4, 4)
)


def tracking(g: Grammar, scene: Scene) -> None:
    """Two things are put away and moved about; the text ends by saying where they are."""
    g.lit(" put a ")
    treasure = g.word(lx.TREASURE)
    g.lit(" in the ")
    treasure_place = g.word(PLACE)
    g.lit(" and a ")
    tool = g.word(lx.TOOL)
    g.lit(" in the ")
    tool_place = g.word(PLACE)
    g.lit(".")

    def step(g: Grammar, _: str, things: Things) -> Things:
        g.branch(MOVER, (scene.last.name, scene.other.name))
        g.lit(" ")
        return g.call("tracking", handle, things)

    things: Things = ((treasure, treasure_place), (tool, tool_place))
    things = g.repeat(NEXT, lambda _: NEXT.options, step, things)
    asked, left = things
    if g.branch(EITHER, (asked[0], left[0])) == "second":
        asked, left = left, asked
    g.lit(" was in the ")
    g.known("tracking", asked[1])
    g.lit(" and the ")
    g.known("tracking", left[0])
    g.lit(" was in the ")
    g.known("tracking", left[1])
    g.lit(".\n")


def handle(g: Grammar, things: Things) -> Things:
    """Something is done with one of the things, or with neither; returns where they are now."""
    kind = g.branch(HANDLED)
    if kind == "went to ":
        aim(g)
        g.lit(".")
        return things
    if kind == "met ":
        company(g)
        g.lit(".")
        return things
    first, second = things
    chosen = g.branch(EITHER, (first[0], second[0]))
    thing, place = first if chosen == "first" else second
    if kind == "moved the ":
        g.lit(" to the ")
        place = g.word(elsewhere(place))
    g.call("tracking", ending)
    return ((thing, place), second) if chosen == "first" else (first, (thing, place))


# --- arithmetic -----------------------------------------------------------------------------------

GAINS = (" bought ", " picked ", " found ", " borrowed ")
LOSSES = (" sold ", " gave away ", " ate ", " lost ")
TRADE = choice((*GAINS, *LOSSES))
DAY = choice(
    (
        " On Monday ",
        " On Tuesday ",
        " On Friday ",
        " The next day ",
        " A week later ",
        " In the end ",
    ),
    (4, 4, 4, 4, 4, 6),
)
LEAST = 10  # a stock below this is not sold from, so it never falls below zero


def ledger(g: Grammar, scene: Scene) -> None:
    """A stock of goods goes up and down; every change is followed by the new number."""
    she = scene.last.she
    g.lit(" had ")
    stock = int(g.word(lx.NUMBER))
    g.lit(" ")
    goods = g.word(lx.GOODS)
    g.lit(f". First {she}")
    stock = g.call("arithmetic", trade, stock)

    def change(g: Grammar, _: str, stock: int) -> int:
        g.lit(she)
        return g.call("arithmetic", trade, stock)

    stock = g.repeat(DAY, lambda _: DAY.options, change, stock)
    g.lit(f"{she} had ")
    g.known("arithmetic", str(stock))
    g.lit(f" {goods}.\n")


def trade(g: Grammar, stock: int) -> int:
    """One change of the stock; returns the new one."""
    # a stock too small to sell from shows words of gain in place of loss: the entropy is the same
    can_lose = stock >= LEAST
    shown = TRADE.options if can_lose else (*GAINS, " received ", " was given ", " made ", " won ")
    deed = g.branch(TRADE, shown)
    change = int(g.word(lx.DIGIT))
    stock += -change if can_lose and deed in LOSSES else change
    g.lit(" to ")
    aim(g)
    g.lit(" and had ")
    g.known("arithmetic", str(stock))
    g.lit(".")
    return stock


OPERATION = choice((" + ", " - ", " * "), (5, 4, 3))
NEXT_SUM = choice((",", "."), (5, 1))


def sums(g: Grammar) -> None:
    """A line of sums with their results, after `Sums:`."""

    def one(g: Grammar, _: str, __: None) -> None:
        g.call("arithmetic", calculation)

    g.call("arithmetic", calculation)
    g.repeat(NEXT_SUM, lambda _: NEXT_SUM.options, one, None)
    g.lit("\n")


def calculation(g: Grammar) -> None:
    """One sum: ` 34 + 58 = 92`."""
    g.lit(" ")
    first = int(g.word(lx.NUMBER))
    match g.branch(OPERATION):
        case " + ":
            result = first + int(g.word(lx.NUMBER))
        case " - ":
            result = first - int(g.word(lx.NUMBER))
        case _:
            result = first * int(g.word(lx.DIGIT))
    g.lit(" = ")
    g.known("arithmetic", str(result))


# --- facts ----------------------------------------------------------------------------------------

ASPECTS = (" works as ", " lives in ", " keeps ", " wears ")
REMAINING = {count: choice(ASPECTS[:count]) for count in (4, 3, 2, 1)}


def portrait(g: Grammar) -> None:
    """Who someone is, after `Meet`: the facts, in any order, and what else the person does."""
    person = people()[g.word(anyone())]
    town = towns()[person.town]
    facts = {
        " works as ": f"a {person.job}",
        " lives in ": f"{person.town} on the {town.river}, known for its {town.product},",
        " keeps ": f"a {person.pet}",
        " wears ": person.colour,
    }
    left = list(ASPECTS)
    g.lit(".")
    for count in (4, 3, 2, 1):
        g.lit(f" {person.she.capitalize()}")
        # the words left depend on the order so far, their number does not: nor does the entropy
        place = REMAINING[count].index[g.branch(REMAINING[count], tuple(left))]
        g.known("facts", facts[left.pop(place)])
        g.call("facts", habit)
        g.lit(".")
    g.lit("\n")


HABIT = choice((" and wants to ", " but never ", " and dreams of the ", " with "))
ACTIVITY = choice(lx.words("feeds chases paints follows ignores fears mentions visits"))


def habit(g: Grammar) -> None:
    """What the person does besides."""
    match g.branch(HABIT):
        case " and wants to ":
            aim(g)
        case " but never ":
            g.word(ACTIVITY)
            g.lit(" the ")
            described(g, lx.ANIMAL)
        case " with ":
            company(g)
        case _:
            described(g, lx.SITE)


# --- Python functions -----------------------------------------------------------------------------

FUNCTION = choice(
    lx.words("scale shift adjust convert update measure estimate correct price weigh")
)
ARGUMENT = choice(
    lx.words("width depth price speed count size total level score distance age volume")
)
STEPS = {"Add ": "+", "Subtract ": "-", "Multiply by ": "*"}
STEP = choice(tuple(STEPS), (4, 4, 3))
THEN = choice((", then ", "."), (3, 1))
Steps = tuple[tuple[str, str], ...]


def function(g: Grammar) -> None:
    """A Python function that does what its docstring says, after `def`."""
    g.word(FUNCTION)
    g.lit("_")
    g.word(lx.TOOL)
    g.lit("(")
    argument = g.word(ARGUMENT)
    g.lit('):\n    """')

    def more(g: Grammar, _: str, steps: Steps) -> Steps:
        return (*steps, g.call("code", step, tuple(name.lower() for name in STEPS)))

    first: Steps = (g.call("code", step, STEP.options),)
    steps = g.repeat(THEN, lambda _: THEN.options, more, first)
    g.lit('"""\n')
    for symbol, number in steps:
        g.lit("    ")
        g.known("code", f"{argument} {symbol}= {number}")
        g.lit("\n")
    g.lit("    ")
    g.known("code", f"return {argument}")
    g.lit("\n")


def step(g: Grammar, options: Sequence[str]) -> tuple[str, str]:
    """One step of a docstring, and the operator and number that carry it out."""
    kind = g.branch(STEP, options)
    number = g.word(lx.DIGIT) if kind == "Multiply by " else g.word(lx.NUMBER)
    return STEPS[kind], number
