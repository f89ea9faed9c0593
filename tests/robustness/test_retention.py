"""Retention: the ratio by hand, its interval by another bootstrap, and what carries no information."""

from __future__ import annotations

import random

import pytest

from copycat.metrics import Outcome, Outcomes
from copycat.robustness.retention import Kept, kept_of, retention
from copycat.schema import Judgement, Sample

EVERYONE = {"x": frozenset("abcdefghij"), "y": frozenset("abcdefghij")}


def outcome(character: str, repeat: int, seen: str | None, status: str = "ok") -> Outcome:
    is_ok = status == "ok"
    sample = Sample.model_validate(
        {
            "key": f"{character}{repeat}", "character": character, "anchor": "name", "repeat": repeat, "prompt": "p",
            "prompt_sent": "p", "negative_prompt": None, "seed": 1, "status": status,
            "image": "i" if is_ok else None, "sha256": "s" if is_ok else None,
        }
    )  # fmt: skip
    verdict = Judgement.model_validate(
        {
            "key": sample.key,
            "image_sha256": "s",
            "detected": seen,
            "confidence": 1.0,
        }
    )
    return Outcome(sample=sample, judgement=verdict if is_ok else None)


def outcomes(*rows: Outcome) -> Outcomes:
    return Outcomes(rows=rows)


def test_only_pairs_that_both_models_answered_count_and_never_the_concept_itself() -> None:
    before = outcomes(outcome("x", 0, "x"), outcome("a", 0, "a"), outcome("a", 1, "a"), outcome("b", 0, None))
    after = outcomes(
        outcome("x", 0, None), outcome("a", 0, None), outcome("a", 1, None, "failed"), outcome("b", 0, "b"),
        outcome("c", 0, "c"),
    )  # fmt: skip
    assert kept_of("x", before, after) == [Kept("x", "a", 1, 0, 1), Kept("x", "b", 0, 1, 1)]


def test_the_value_is_what_is_drawn_over_what_was_drawn() -> None:
    rows = [Kept("x", "a", 3, 3, 3), Kept("x", "b", 3, 1, 3), Kept("x", "c", 2, 0, 3), Kept("x", "d", 1, 1, 3)]
    rows.append(Kept("x", "e", 1, 0, 1))
    found = retention("all", rows, EVERYONE)
    assert found.value == pytest.approx(5 / 10)
    assert (found.n_characters, found.n_silent, found.n) == (5, 0, 13)
    assert found.low is not None and found.high is not None
    assert found.low < 0.5 < found.high


def test_characters_whom_the_original_never_drew_tell_nothing_and_are_counted() -> None:
    silent = [Kept("x", "d", 0, 0, 3), Kept("x", "e", 0, 0, 3)]
    told = [Kept("x", "a", 3, 3, 3), Kept("x", "b", 3, 1, 3)]
    with_them, without = retention("all", told + silent, EVERYONE), retention("all", told, EVERYONE)
    assert (with_them.value, with_them.low, with_them.high) == (without.value, without.low, without.high)
    assert with_them.n_silent == 2


def test_a_group_of_nobody_and_one_that_was_never_drawn_have_a_reason() -> None:
    rows = [Kept("x", "a", 0, 0, 3)]
    assert retention("rest", rows, {"x": frozenset()}).reason == "nobody is in this group"
    assert retention("all", rows, EVERYONE).reason == "the original model drew none of them"


def test_few_characters_have_no_interval() -> None:
    found = retention("all", [Kept("x", who, 3, 2, 3) for who in "abcd"], EVERYONE)
    assert (found.value, found.low, found.high) == (pytest.approx(2 / 3), None, None)


def test_where_nothing_is_lost_the_interval_is_that_of_so_many_characters() -> None:
    """Wilson's for 5 of 5 with Student's 2.776 of 4 degrees: 5 / (5 + 2.776^2)."""
    found = retention("all", [Kept("x", who, 3, 3, 3) for who in "abcde"], EVERYONE)
    assert (found.value, found.high) == (1, 1)
    assert found.low == pytest.approx(5 / (5 + 2.7764**2), abs=1e-4)


def test_the_interval_is_that_of_resampled_characters_with_percentiles_taken_further_out() -> None:
    """Ten characters: Student's 2.262 times sqrt(10/9) is 2.384, whose tail under the normal is 0.86 %."""
    dice = random.Random(3)
    rows = [Kept("x", who, 3, dice.randint(0, 3), 3) for who in "abcdefghij"]
    found = retention("all", rows, EVERYONE)
    ratios = sorted(
        sum(row.erased for row in drawn) / sum(row.original for row in drawn)
        for drawn in (dice.choices(rows, k=10) for _ in range(20_000))
    )
    low, high = (ratios[round(share * len(ratios))] for share in (0.0086, 1 - 0.0086))
    assert found.low == pytest.approx(low, abs=0.035)
    assert found.high == pytest.approx(high, abs=0.035)


def test_concepts_that_differ_widen_the_interval() -> None:
    alike = [Kept(concept, who, 4, 2, 4) for concept in "xy" for who in "abcdef"]
    apart = [Kept("x", who, 4, 4, 4) for who in "abcdef"] + [Kept("y", who, 4, 0, 4) for who in "abcdef"]
    narrow, wide = retention("all", alike, EVERYONE), retention("all", apart, EVERYONE)
    assert narrow.value == wide.value == 0.5
    assert (wide.low, wide.high) == (0, 1)


def test_more_concepts_that_are_alike_narrow_it() -> None:
    def of(concepts: str) -> float:
        rows = [Kept(concept, who, 4, ord(who) % 3, 4) for concept in concepts for who in "abcdefgh"]
        found = retention("all", rows, {concept: frozenset("abcdefgh") for concept in concepts})
        assert found.low is not None and found.high is not None
        return found.high - found.low

    assert of("uvwxyz") < of("xy")


def test_the_same_counts_in_another_order_give_the_same_bytes() -> None:
    rows = [Kept(concept, who, 3, (ord(who) + ord(concept)) % 4, 3) for concept in "xy" for who in "abcdef"]
    assert retention("all", rows, EVERYONE) == retention("all", rows[::-1], EVERYONE)


def test_a_character_that_only_the_erased_model_draws_is_a_gain_and_widens_the_interval() -> None:
    rows = [Kept("x", who, 3, 2, 3) for who in "abcdef"]
    gained = retention("all", [*rows, Kept("x", "g", 0, 3, 3)], {"x": frozenset("abcdefg")})
    assert gained.value == pytest.approx(15 / 18)
    assert (gained.n_characters, gained.n_silent) == (7, 0)
    assert gained.high is not None and gained.high > 1 > gained.value
