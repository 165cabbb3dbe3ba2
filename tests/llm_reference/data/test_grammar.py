"""A grammar program means the same to whoever samples, scores, enumerates or averages it."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_reference.data.enumeration import exact_entropy, texts
from llm_reference.data.grammar import Grammar, check_prefix_free, choice
from llm_reference.data.interpreters import Recorder, Scorer
from llm_reference.data.splitmix import draws, mix, stream_seed

COLOUR = choice(("red ", "green "), (3, 1))
THING = choice(("hat", "car", "dog"), (1, 2, 5))
MORE = choice((", ", " and "), (2, 1))
ROLE = choice(("first", "second"), (1, 3))


def toy(g: Grammar) -> None:
    """Branches, words, a rule, overridden options, and text that is certain."""
    if g.branch(COLOUR) == "red ":
        thing = g.word(THING)
        g.lit(" is a ")
        g.known("echo", thing)
    else:
        g.call("inner", inner)
        g.branch(ROLE, ("!", "?"))


def inner(g: Grammar) -> None:
    g.word(THING)
    if g.branch(MORE) == ", ":
        g.word(THING)


def loop(g: Grammar) -> None:
    """A geometric number of rounds whose words depend on the state."""

    def body(g: Grammar, link: str, last: str) -> str:
        return g.word(THING) if link == "a" else last

    link = choice(("a", "b", "end"), (2, 1, 2))
    g.repeat(link, lambda last: (f"<{last}>", f"[{last}]", "."), body, "x")


def scored(program, text: str) -> float:
    scorer = Scorer(text)
    program(scorer)
    scorer.finish()
    return scorer.bits


def test_probabilities_of_all_texts_sum_to_exactly_one_and_no_text_has_two_derivations():
    listed = list(texts(toy))
    assert sum(p for _, p in listed) == Fraction(1)
    assert len({text for text, _ in listed}) == len(listed)


def test_score_of_every_text_is_minus_log2_of_its_enumerated_probability():
    for text, probability in texts(toy):
        assert scored(toy, text) == pytest.approx(-math.log2(probability), abs=1e-12)


def test_entropy_from_branches_equals_entropy_from_all_texts():
    by_hand = -sum(float(p) * math.log2(p) for _, p in texts(toy))
    by_skill = exact_entropy(toy)
    assert math.fsum(by_skill.values()) == pytest.approx(by_hand, abs=1e-12)
    assert by_skill["inner"] == pytest.approx(0.25 * exact_entropy(inner)["form"], abs=1e-12)


def test_entropy_of_a_loop_equals_that_of_its_enumerated_texts():
    listed = list(texts(loop, smallest=Fraction(1, 10**5)))
    mass = float(sum(p for _, p in listed))
    enumerated = -sum(float(p) * math.log2(p) for _, p in listed)
    # what is cut is improbable and long: its mass bounds how much entropy is missing
    exact = exact_entropy(loop)["form"]
    assert 0.95 < mass < 1
    assert enumerated < exact < enumerated + (1 - mass) * 60
    rounds = 5 / 2
    link = -sum(w / 5 * math.log2(w / 5) for w in (2, 1, 2))
    thing = -sum(w / 8 * math.log2(w / 8) for w in (1, 2, 5))
    assert exact == pytest.approx(rounds * (link + 2 / 5 * thing), abs=1e-12)


@given(st.integers(min_value=0, max_value=2**64 - 1))
def test_a_sampled_text_scores_exactly_the_bits_it_was_sampled_with(seed):
    for program in (toy, loop):
        recorder = Recorder(draws(seed))
        program(recorder)
        assert scored(program, recorder.text) == recorder.bits


def test_sampled_frequencies_agree_with_enumerated_probabilities():
    count, seen = 20_000, {}
    source = draws(11)
    for _ in range(count):
        recorder = Recorder(source)
        toy(recorder)
        seen[recorder.text] = seen.get(recorder.text, 0) + 1
    for text, p in texts(toy):
        expected = count * float(p)
        z = (seen.get(text, 0) - expected) / math.sqrt(expected * (1 - float(p)))
        assert abs(z) < 5, text


@pytest.mark.parametrize(
    ("text", "offset"),
    [("blue hat", 0), ("red cat", 4), ("red hat is a dog", 13), ("red hat is a hat!", 16), ("", 0)],
)
def test_a_foreign_text_is_refused_at_the_offset_where_it_leaves_the_language(text, offset):
    with pytest.raises(ValueError, match=rf"at offset {offset}, expected .* found"):
        scored(toy, text)


@pytest.mark.parametrize("options", [("a", "ab"), ("a", "a"), ("", "b"), ("the cat", "the ")])
def test_options_that_the_text_could_not_tell_apart_are_refused(options):
    with pytest.raises(ValueError, match=r"prefix|empty"):
        choice(options)


@given(st.lists(st.text("ab", min_size=1, max_size=4), min_size=1, max_size=8))
def test_prefix_check_agrees_with_comparing_all_pairs(options):
    pairs = [(i, j) for i in range(len(options)) for j in range(len(options)) if i != j]
    ambiguous = any(options[j].startswith(options[i]) for i, j in pairs)
    if ambiguous:
        with pytest.raises(ValueError, match="prefix"):
            check_prefix_free(options)
    else:
        check_prefix_free(options)


@pytest.mark.parametrize("weights", [(1,), (0, 1), (-1, 2), (70_000, 1)])
def test_bad_weights_are_refused(weights):
    with pytest.raises(ValueError, match="weights"):
        choice(("a", "b"), weights)


def test_overridden_options_that_collide_are_reported_rather_than_guessed():
    def ambiguous(g: Grammar) -> None:
        g.branch(ROLE, ("Ann", "Anna"))

    with pytest.raises(ValueError, match="'Ann' is a prefix of 'Anna'"):
        scored(ambiguous, "Anna")


def test_splitmix_gives_the_published_stream():
    # first outputs for seed 1234567 of the public-domain C version by Vigna
    source = draws(1234567, block=3)
    assert [next(source) for _ in range(5)] == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]


@given(st.integers(0, 2**64 - 1), st.integers(1, 200))
def test_block_size_never_changes_the_stream_and_each_draw_is_mix_of_its_state(seed, block):
    source, other = draws(seed, block), draws(seed)
    for i in range(1, 300):
        value = next(source)
        assert value == next(other) == mix(seed + i * 0x9E3779B97F4A7C15)


def test_streams_of_neighbouring_seeds_and_indices_all_differ():
    states = {stream_seed(seed, index) for seed in range(100) for index in range(100)}
    assert len(states) == 10_000
