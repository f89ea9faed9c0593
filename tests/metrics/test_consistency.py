"""CONS: the mean over pictures that have one."""

from __future__ import annotations

import pytest

from copycat.metrics import consistency, mean_interval


def test_consistency_is_the_mean_over_pictures_that_have_one(outcomes_of):
    outcomes = outcomes_of(
        ("a", "name", 0, True, 0.9),
        ("b", "name", 0, False, 0.5),
        ("c", "name", 0, False, None),
        ("d", "name", 0, "refused", None),
        ("e", "name", 0, "unjudged", 0.1),
    )

    estimate = consistency(outcomes, "name")

    assert estimate.value == pytest.approx(0.7)
    assert (estimate.n, estimate.k) == (2, None)
    assert (estimate.unit, estimate.better) == ("probability", "higher")


def test_its_interval_is_clustered_by_character(outcomes_of):
    rows = [(f"c{i:02d}", "name", r, False, (i * 7 % 30) / 30) for i in range(30) for r in range(3)]

    estimate = consistency(outcomes_of(*rows), "name")

    values, characters = [row[4] for row in rows], [row[0] for row in rows]
    assert (estimate.low, estimate.high, estimate.method) == mean_interval(values, characters)


def test_no_consistency_gives_null_with_a_reason(outcomes_of):
    estimate = consistency(outcomes_of(("a", "name", 0, True, None)), "name")

    assert (estimate.value, estimate.low, estimate.high, estimate.n) == (None, None, None, 0)
    assert estimate.reason == "none of 1 samples is a picture with a judged consistency"
