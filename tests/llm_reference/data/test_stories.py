"""The story language: exact information, determinism, and facts that hold."""

from __future__ import annotations

import ast
import hashlib
import math
import re
from itertools import pairwise

import pytest

from llm_reference.data import lexicon, stories
from llm_reference.data.interpreters import Scorer
from llm_reference.data.naturalness import naturalness
from llm_reference.data.world import people, towns

COUNT = 3000


@pytest.fixture(scope="module")
def sample() -> list[tuple[str, float]]:
    return [stories.sample_with_bits(seed=5, index=i) for i in range(COUNT)]


@pytest.fixture(scope="module")
def scores(sample) -> list[stories.Score]:
    return [stories.score(text) for text, _ in sample]


def test_every_document_scores_exactly_the_bits_it_was_sampled_with(sample, scores):
    assert all(score.bits == bits for (_, bits), score in zip(sample, scores, strict=True))


def test_spans_tile_the_document_and_their_bits_sum_to_its_bits(sample, scores):
    for (text, bits), score in zip(sample, scores, strict=True):
        ends = [0, *(span.end for span in score.spans)]
        assert [span.start for span in score.spans] == ends[:-1]
        assert ends[-1] == len(text)
        assert math.fsum(span.bits for span in score.spans) == pytest.approx(bits)
        assert all(span.bits == 0 for span in score.spans if span.known)


def test_exact_entropy_agrees_with_the_sampled_mean_in_total_and_for_each_skill(scores):
    entropy = stories.entropy()
    assert math.fsum(entropy.by_skill.values()) == pytest.approx(entropy.bits_per_document)
    assert set(entropy.by_skill) == {
        "form", "dialogue", "facts", "arithmetic", "tracking", "code",
    }  # fmt: skip
    for skill, expected in (*entropy.by_skill.items(), (None, entropy.bits_per_document)):
        values = [
            math.fsum(s.bits for s in score.spans if skill in (None, s.skill)) for score in scores
        ]
        mean = math.fsum(values) / COUNT
        error = math.sqrt(math.fsum((v - mean) ** 2 for v in values) / (COUNT - 1) / COUNT)
        assert abs(mean - expected) < 3.5 * error, (skill, mean, expected)


def test_known_text_of_every_skill_occurs(scores):
    known = {span.skill for score in scores for span in score.spans if span.known}
    assert known == {"facts", "arithmetic", "tracking", "code"}


def test_bits_per_byte_is_at_least_six_tenths_and_its_error_is_small():
    entropy = stories.entropy()
    assert entropy.bits_per_byte >= 0.6
    assert entropy.bits_per_byte_error < 0.005
    assert entropy.bits_per_byte == pytest.approx(
        entropy.bits_per_document / entropy.bytes_per_document
    )


def test_documents_are_the_same_bytes_for_ever():
    text = "".join(stories.documents(seed=0, count=200))
    assert hashlib.sha256(text.encode("ascii")).hexdigest() == (
        "6314fdb26a5b52fe2b8a6ac9a8709de7b323f8d357c2e1c21ef699584c89f5d8"
    )


def test_no_weight_hangs_on_the_last_digits_of_a_floating_point_power():
    # a power may differ in its last bit between platforms; a weight may not
    powers = [100 * (3 / (rank + 3)) ** 0.3 for rank in range(300)]
    assert min(abs(power % 1 - 0.5) for power in powers) > 1e-6


def test_a_document_depends_on_its_seed_and_index_alone():
    whole = list(stories.documents(seed=3, count=20))
    assert list(stories.documents(seed=3, count=5, start=10)) == whole[10:15]
    assert list(stories.documents(seed=4, count=20)) != whole
    assert len(set(whole)) == 20


def test_no_document_is_a_prefix_of_another_and_each_ends_with_its_only_final_newline(sample):
    ordered = sorted({text for text, _ in sample})
    assert not any(b.startswith(a) for a, b in pairwise(ordered))
    assert all(text.endswith("\n") and not text.endswith("\n\n") for text in ordered)


def test_text_outside_the_language_is_refused_with_its_offset(sample):
    text = next(text for text, _ in sample if "At last" in text)
    offset = text.index("At last")
    with pytest.raises(ValueError, match=f"at offset {offset - 1}, expected"):
        stories.bits(text.replace("At last", "Finally"))
    with pytest.raises(ValueError, match="expected the end of the text, found 'x'"):
        stories.bits(text + "x")
    with pytest.raises(ValueError, match="offset 0"):
        stories.bits("")


def test_every_truncation_of_a_document_is_refused():
    for text in stories.documents(seed=9, count=8):
        assert stories.bits(text) > 0
        for cut in range(0, len(text), 7):
            with pytest.raises(ValueError, match="offset"):
                stories.bits(text[:cut])


def test_functions_compute_what_their_docstring_says(sample):
    functions = [text for text, _ in sample if text.startswith("def ")]
    assert len(functions) > 50
    for source in functions:
        namespace: dict[str, object] = {}
        exec(compile(ast.parse(source), "story", "exec"), namespace)
        function = next(v for k, v in namespace.items() if k != "__builtins__")
        value = 12
        for verb, number in re.findall(
            r"(add|subtract|multiply by) (\d+)", function.__doc__.lower()
        ):
            value = {
                "add": value + int(number),
                "subtract": value - int(number),
                "multiply by": value * int(number),
            }[verb]
        assert function(12) == value


def test_sums_and_counts_are_right(sample):
    checked = 0
    for text, _ in sample:
        for a, sign, b, c in re.findall(r"(\d+) ([-+*]) (\d+) = (-?\d+)", text):
            assert eval(f"{a}{sign}{b}") == int(c)
            checked += 1
        for a, b, c in re.findall(r"(\d+) \w+ and \w+ (\d+), making (\d+)", text):
            assert int(a) + int(b) == int(c)
            checked += 1
    assert checked > 1000


def test_a_ledger_never_falls_below_zero_and_each_step_follows_from_the_last(sample):
    ledgers = [text for text, _ in sample if " at the market. " in text]
    assert len(ledgers) > 30
    for text in ledgers:
        stock = int(re.search(r" had (\d+) ", text).group(1))
        steps = re.findall(r"(?:she|he) (\w+(?: away| given)?) (\d) to [^.]* and had (\d+)\.", text)
        assert steps
        for verb, change, after in steps:
            lost = verb in ("sold", "gave away", "ate", "lost")
            stock += -int(change) if lost else int(change)
            assert stock == int(after) >= 0


def test_tracked_things_end_where_they_were_last_put(sample):
    games = [text for text, _ in sample if " played a game with " in text]
    assert len(games) > 30
    for text in games:
        body, _, answer = text.partition(" By nightfall, the ")
        first = re.search(r" put a (\S+) in the (\w+) and a (\S+) in the (\w+)\.", body)
        where = {first[1]: first[2], first[3]: first[4]}
        where |= dict(re.findall(r" moved the (\S+) to the (\w+)", body))
        one, place_one, two, place_two = re.fullmatch(
            r"(\S+) was in the (\w+) and the (\S+) was in the (\w+)\.\n", answer
        ).groups()
        assert {one: place_one, two: place_two} == where


def test_facts_told_agree_with_the_world(sample):
    told = 0
    for text, _ in sample:
        for name, key, value in re.findall(
            r"Everyone knew that (\w+) (worked as a|lived in|kept a|loved the colour) (\w+)\.", text
        ):
            person = people()[name]
            fact = {
                "worked as a": person.job,
                "lived in": person.town,
                "kept a": person.pet,
                "loved the colour": person.colour,
            }[key]
            assert fact == value
            told += 1
    assert told > 50


def test_the_world_has_the_people_and_towns_of_the_lexicon_with_pronouns_of_their_list():
    assert list(people()) == [*lexicon.WOMEN, *lexicon.MEN]
    assert {people()[name].she for name in lexicon.WOMEN} == {"she"}
    assert {people()[name].she for name in lexicon.MEN} == {"he"}
    assert {p.town for p in people().values()} <= set(towns())


def test_text_is_varied_enough_to_learn_from():
    measured = naturalness(stories.documents(seed=1, count=1500))
    assert measured.types > 800
    assert -1.2 < measured.zipf_slope < -0.6
    assert measured.repeated_8grams < 0.02


def test_scorer_reports_what_was_expected_and_what_stood_there():
    scorer = Scorer("Meet Nobody")
    with pytest.raises(ValueError, match=r"offset 5, expected one of 'Mira', .* found 'Nobody'"):
        stories.document(scorer)
