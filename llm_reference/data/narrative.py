"""Stories and letters: two people, what they do and say, one sentence after another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from llm_reference.data import lexicon as lx
from llm_reference.data.grammar import Choice, Grammar, choice
from llm_reference.data.phrases import (
    aim,
    clause,
    company,
    crafted,
    described,
    ending,
    event,
    predicate,
    somewhere,
)
from llm_reference.data.world import Person, people


@dataclass(frozen=True, slots=True)
class Scene:
    """The two people of a story; a pronoun means `last`, who acted or spoke most recently."""

    last: Person
    other: Person

    def turn(self) -> Scene:
        """The same two, the other one acting."""
        return Scene(self.other, self.last)


@cache
def anyone() -> Choice:
    """A person's name."""
    return choice(tuple(people()))


@cache
def anyone_but(name: str) -> Choice:
    """Another person's name."""
    return choice(tuple(other for other in people() if other != name))


# --- the loop of sentences ------------------------------------------------------------------------

LINKS = (
    "pronoun",
    "last",
    "other",
    " Then ",
    " After that, ",
    " Soon ",
    " Because ",
    " While ",
    " The ",
    "speech",
    " They ",
    " Everyone knew that ",
    " At last ",
)
NARRATIVE = choice(LINKS, (20, 4, 18, 6, 2, 4, 4, 4, 12, 10, 6, 2, 11))
CONVERSATION = choice(LINKS, (10, 2, 9, 2, 1, 2, 2, 2, 6, 40, 3, 1, 10))


def link_words(scene: Scene) -> Sequence[str]:
    """What the links look like in this scene."""
    pronoun = f" {scene.last.she.capitalize()} "
    return (
        pronoun,
        f" {scene.last.name} ",
        f" {scene.other.name} ",
        *LINKS[3:9],
        ' "',
        *LINKS[10:],
    )


def sentence(g: Grammar, link: str, scene: Scene) -> Scene:
    """One sentence after its link; returns the scene with whoever acted as `last`."""
    match link:
        case "speech":
            return g.call("dialogue", speech, scene)
        case " The ":
            g.call("form", bystander)
        case " Everyone knew that ":
            return g.call("facts", remembered, scene)
        case "other":
            g.call("form", predicate)
            return scene.turn()
        case "pronoun" | "last" | " They ":
            g.call("form", predicate)
        case _:
            if link in (" Because ", " While "):
                g.call("form", clause)
                g.lit(", ")
            scene = g.call("form", actor, scene)
            g.call("form", predicate)
    return scene


ACTOR = choice(("last", "pronoun", "other"), (1, 3, 3))
SPEAKER = choice(("last", "other"), (2, 3))


def actor(g: Grammar, scene: Scene) -> Scene:
    """Name who acts, in mid-sentence."""
    who = g.branch(ACTOR, (scene.last.name, scene.last.she, scene.other.name))
    g.lit(" ")
    return scene.turn() if who == "other" else scene


def speaker(g: Grammar, scene: Scene) -> Scene:
    """Name one of the two."""
    who = g.branch(SPEAKER, (scene.last.name, scene.other.name))
    return scene.turn() if who == "other" else scene


BYSTANDER = choice(
    (*lx.ROLE.options, *lx.ANIMAL.options, *lx.SKY),
    (*lx.ROLE.weights, *lx.ANIMAL.weights, *(80 for _ in lx.SKY)),
)


def bystander(g: Grammar) -> None:
    """A sentence about someone or something else, after `The`."""
    noun = g.branch(BYSTANDER)
    if noun in lx.ROLE.index:
        g.lit(" ")
        g.call("form", predicate)
    elif noun in lx.ANIMAL.index:
        g.lit(" was ")
        g.word(lx.DOING)
        g.lit(" ")
        somewhere(g)
        g.lit(".")
    else:
        event(g, noun)
        g.lit(".")


FACT = choice((" worked as a ", " lived in ", " kept a ", " loved the colour "))


def remembered(g: Grammar, scene: Scene) -> Scene:
    """A fact about one of the two."""
    scene = speaker(g, scene)
    person = scene.last
    match g.branch(FACT):
        case " worked as a ":
            g.known("facts", person.job)
        case " lived in ":
            g.known("facts", person.town)
        case " kept a ":
            g.known("facts", person.pet)
        case _:
            g.known("facts", person.colour)
    g.lit(".")
    return scene


# --- speech ---------------------------------------------------------------------------------------

SAID = choice(
    lx.words("said whispered shouted answered replied cried muttered laughed sighed added")
)
ASKED = choice(lx.words("asked wondered demanded"))
REQUEST = choice(lx.words("bring show lend give sell leave fetch send"))
RELATIVE = choice(
    lx.words("sister brother uncle aunt cousin teacher landlord daughter grandmother son")
)
UTTERANCE = choice(
    (
        "I have lost my ",
        "Have you seen the ",
        "Please ",
        "My ",
        "We should ",
        "The ",
        "There are ",
        "It is too ",
        "Why is the ",
        "I think that ",
        "You need ",
    ),
    (3, 4, 4, 3, 4, 3, 3, 3, 3, 4, 3),
)
VOICE = choice((".", *(f" {manner}." for manner in lx.MANNER.options)), (1200, *lx.MANNER.weights))


def speech(g: Grammar, scene: Scene) -> Scene:
    """An utterance after its opening quotation mark, and who said it."""
    g.call("dialogue", utterance)
    scene = speaker(g, scene)
    g.word(VOICE)
    return scene


def utterance(g: Grammar) -> None:
    """What was said, up to the verb of saying."""
    start = g.branch(UTTERANCE)
    match start:
        case "I have lost my ":
            described(g, lx.MATERIAL)
            g.lit(" ")
            g.word(lx.TOOL)
            g.lit(" ")
            somewhere(g)
        case "Have you seen the ":
            described(g, lx.ANIMAL)
            g.lit(" ")
            somewhere(g)
        case "Please ":
            g.word(REQUEST)
            g.lit(" me the ")
            described(g, lx.OBJECT)
            g.lit(" before ")
            g.word(lx.WEEKDAY)
        case "My ":
            described(g, RELATIVE)
            g.lit(" is ")
            g.word(lx.FEELING)
            g.lit(" because ")
            g.call("dialogue", clause)
        case "We should ":
            aim(g)
            g.lit(" ")
            g.word(lx.MANNER)
        case "The ":
            described(g, lx.SITE)
            g.lit(" is ")
            g.word(lx.STATE)
            g.lit(" on ")
            g.word(lx.WEEKDAY)
        case "There are ":
            g.word(lx.NUMBER)
            g.lit(" ")
            described(g, lx.GOODS)
            g.lit(" ")
            somewhere(g)
        case "It is too ":
            g.word(lx.WEATHER)
            g.lit(" for ")
            company(g)
        case "Why is the ":
            described(g, lx.ANIMAL)
            g.lit(" so ")
            g.word(lx.FEELING)
            g.lit(" today")
        case "You need ":
            crafted(g)
        case _:
            g.call("dialogue", clause)
    if start in ("Have you seen the ", "Why is the "):
        g.lit('?" ')
        g.word(ASKED)
    else:
        g.lit('," ')
        g.word(SAID)
    g.lit(" ")


# --- the frames -----------------------------------------------------------------------------------

OCCASION = choice(lx.words("fair wedding concert funeral auction dance trial feast race"))
DATES = ("One ", "On ", "Long ago, ", "Before the ")


def date(g: Grammar, start: str) -> None:
    """When a story happens, after one of the first words in DATES."""
    match start:
        case "One ":
            g.word(lx.WEATHER)
            g.lit(" ")
            g.word(lx.DAYTIME)
            g.lit(" in ")
            g.word(lx.MONTH)
            g.lit(", ")
        case "On ":
            g.word(lx.WEEKDAY)
            g.lit(" ")
            g.word(lx.DAYTIME)
            g.lit(", ")
        case "Before the ":
            g.word(OCCASION)
            g.lit(" ")
            somewhere(g)
            g.lit(", ")


def tale(g: Grammar, links: Choice, scene: Scene) -> None:
    """The rest of the first sentence, more sentences, and an end."""
    g.call("form", ending)
    scene = g.repeat(links, link_words, sentence, scene)
    g.call("form", farewell, scene)


RETURN = choice(lx.phrases("went home/fell asleep/said goodbye/laughed/was/left/woke up"))


def farewell(g: Grammar, scene: Scene) -> None:
    """The last sentence of a story, after `At last`."""
    speaker(g, scene)
    g.lit(" ")
    g.word(RETURN)
    g.lit(" ")
    g.word(lx.FEELING)
    g.lit(" and ")
    g.word(lx.FEELING)
    g.lit(".\n")


PARAGRAPH = choice(
    (" I ", " We ", " Yesterday I ", " Do you know that ", " The ", " Remember to ", "\nYours, "),
    (9, 4, 5, 4, 5, 4, 5),
)


def letter(g: Grammar) -> None:
    """A letter, after `Dear`: who it is for, what happened, who wrote it."""
    reader = people()[g.word(anyone())]
    g.lit(",\nI hope your ")
    g.known("facts", reader.pet)
    g.lit(" is ")
    g.word(lx.FEELING)
    g.lit(" and ")
    g.known("facts", reader.town)
    g.lit(" is ")
    g.word(lx.STATE)
    g.lit(".")
    g.repeat(PARAGRAPH, lambda _: PARAGRAPH.options, paragraph, None)
    g.word(anyone_but(reader.name))
    g.lit("\n")


def paragraph(g: Grammar, link: str, _: None) -> None:
    """One sentence of a letter after its link."""
    match link:
        case " I " | " We " | " Yesterday I ":
            g.call("form", predicate)
        case " Do you know that ":
            g.call("form", clause)
            g.lit("?")
        case " The ":
            g.call("form", bystander)
        case _:
            aim(g)
            g.lit(".")
