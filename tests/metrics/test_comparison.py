"""Differences between two runs, pair by pair."""

from __future__ import annotations

import random

import pytest

from copycat.metrics import compare, join_outcomes, paired_difference, paired_tests


def by_place(estimates):
    return {(e.metric, e.anchor): e for e in estimates}


def test_differences_come_by_metric_then_by_anchor_with_the_pool_last(outcomes_of):
    run = outcomes_of(("a", "name", 0, True, 0.5))

    assert [(e.metric, e.anchor) for e in compare(("name", "description"), run, run)] == [
        (metric, anchor)
        for metric in ("detect_difference", "consistency_difference")
        for anchor in ("name", "description", "all")
    ]


def test_the_difference_is_treated_minus_base(outcomes_of):
    base = outcomes_of(*[(f"c{i}", "name", 0, True, 0.25) for i in range(4)])
    treated = outcomes_of(*[(f"c{i}", "name", 0, i == 0, 0.75) for i in range(4)])

    found = by_place(compare(("name",), treated, base))

    detected, kept = found["detect_difference", "name"], found["consistency_difference", "name"]
    assert (detected.value, detected.n, detected.better, detected.unit) == (-0.75, 4, "lower", "difference")
    assert (kept.value, kept.n, kept.better, kept.unit) == (0.5, 4, "higher", "difference")


def test_only_pairs_with_two_answers_count(outcomes_of):
    base = outcomes_of(
        ("a", "name", 0, True, 0.5),
        ("b", "name", 0, True, 0.5),
        ("c", "name", 0, "failed", None),
        ("d", "name", 0, True, 0.5),
    )
    treated = outcomes_of(
        ("a", "name", 0, False, 0.5),
        ("b", "name", 0, "refused", None),
        ("c", "name", 0, True, 0.5),
        ("e", "name", 0, True, 0.5),
    )

    found = by_place(compare(("name",), treated, base))

    assert (found["detect_difference", "name"].n, found["detect_difference", "name"].value) == (2, -1)
    assert (found["consistency_difference", "name"].n, found["consistency_difference", "name"].value) == (1, 0)


def test_pairs_share_character_anchor_and_repeat(outcomes_of):
    base = outcomes_of(("a", "name", 0, True, None), ("a", "name", 1, False, None))
    treated = outcomes_of(
        ("a", "name", 1, False, None), ("a", "name", 0, True, None), ("a", "description", 0, True, None)
    )

    found = by_place(compare(("name", "description"), treated, base))

    assert (found["detect_difference", "all"].n, found["detect_difference", "all"].value) == (2, 0)
    assert found["detect_difference", "description"].n == 0


def test_the_interval_is_that_of_the_paired_difference(outcomes_of):
    rng = random.Random(2)
    places = [(f"c{i:02d}", "name", r) for i in range(30) for r in range(3)]
    ours = [rng.random() for _ in places]
    theirs = [rng.random() for _ in places]
    treated = outcomes_of(*[(*place, False, v) for place, v in zip(places, ours, strict=True)])
    base = outcomes_of(*[(*place, False, v) for place, v in zip(places, theirs, strict=True)])

    estimate = by_place(compare(("name",), treated, base))["consistency_difference", "all"]

    mean, interval = paired_difference(ours, theirs, [place[0] for place in places])
    assert (estimate.value, (estimate.low, estimate.high, estimate.method)) == (mean, interval)


def test_a_run_compared_with_itself_differs_by_zero_with_a_width(outcomes_of):
    run = outcomes_of(*[(f"c{i:02d}", "name", 0, i % 2 == 0, 0.5) for i in range(50)])

    for estimate in compare(("name",), run, run):
        assert estimate.value == 0
        assert estimate.low == pytest.approx(-0.0747, abs=1e-4)
        assert estimate.high == pytest.approx(0.0747, abs=1e-4)


def test_no_pair_gives_null_with_a_reason(outcomes_of):
    estimates = compare(("name",), outcomes_of(("a", "name", 0, True, 0.5)), outcomes_of())

    assert {(e.value, e.low, e.high, e.n) for e in estimates} == {(None, None, None, 0)}
    assert {e.reason for e in estimates} == {"no pair in which both runs have an answer"}


def test_two_samples_for_one_place_are_refused(sample_of, outcomes_of):
    ambiguous = join_outcomes([sample_of("a", key="1"), sample_of("a", key="2")], [])

    with pytest.raises(ValueError, match="share character 'a', anchor 'name', repeat 0"):
        compare(("name",), ambiguous, outcomes_of())


def test_each_difference_is_tested_and_adjusted_for_all_of_them(outcomes_of):
    """Nine of ten characters fell: 2 of 2^10 flips reach as far, but for the one that stayed: 2 / 2^9."""
    base = outcomes_of(*[(f"c{i}", "name", 0, True, 0.5) for i in range(10)])
    treated = outcomes_of(*[(f"c{i}", "name", 0, i == 0, 0.5) for i in range(10)])

    tests = {(t.metric, t.anchor): t for t in paired_tests(("name",), treated, base)}

    detect = tests["detect_difference", "name"]
    assert detect.p == pytest.approx(2 / 2**9)
    assert detect.p_holm == pytest.approx(4 * 2 / 2**9)
    assert 0 < detect.smallest < 0.9
    assert tests["consistency_difference", "name"].p == 1


def test_pairs_without_an_answer_have_no_test(outcomes_of):
    refused = outcomes_of(("c0", "name", 0, "failed", None))

    (first, *_) = paired_tests(("name",), refused, refused)

    assert (first.p, first.p_holm, first.smallest) == (None, None, None)
