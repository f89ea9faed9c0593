"""Chances of extraction, novelty, and figures over works."""

from __future__ import annotations

import math

import numpy as np
import pytest

from copycat.fairuse.metrics import (
    GramIndex,
    by_work,
    chance_of_extraction,
    draws_needed,
    log_p_per_letter,
    novelty,
)


@pytest.mark.parametrize("p", [0.9, 0.5, 0.01, 1e-4])
@pytest.mark.parametrize("n", [0, 1, 2, 10, 1000])
def test_the_chance_of_extraction_is_its_formula(p: float, n: int) -> None:
    assert chance_of_extraction(math.log(p), n) == pytest.approx(1 - (1 - p) ** n, abs=1e-12)


def test_a_tiny_chance_is_not_rounded_to_nothing() -> None:
    assert chance_of_extraction(-200, 1000) == pytest.approx(1000 * math.exp(-200))
    assert chance_of_extraction(0.0, 1) == 1.0
    assert chance_of_extraction(0.0, 0) == 0.0


def test_the_draws_needed_give_the_chance_asked_for() -> None:
    for log_p in (-0.1, -3.0, -12.0):
        assert chance_of_extraction(log_p, 1) <= 1
        n = draws_needed(log_p, 0.5)
        assert 1 - (1 - math.exp(log_p)) ** n == pytest.approx(0.5)
    assert draws_needed(-1000.0) == math.inf
    assert draws_needed(0.0) == 1


@pytest.mark.parametrize("log_p", [0.1, math.nan])
def test_no_probability_is_above_1(log_p: float) -> None:
    with pytest.raises(ValueError, match="at most 0"):
        chance_of_extraction(log_p, 1)
    with pytest.raises(ValueError, match="at most 0"):
        draws_needed(log_p)


def test_counts_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="from 0 on"):
        chance_of_extraction(-1, -1)
    with pytest.raises(ValueError, match="between 0 and 1"):
        draws_needed(-1, 1.0)
    with pytest.raises(ValueError, match="at least one letter"):
        log_p_per_letter(-1, 0)
    assert log_p_per_letter(-12.0, 48) == -0.25


def test_novelty_is_the_share_of_windows_that_the_index_lacks() -> None:
    index = GramIndex([["a", "b", "c", "d"], ["x", "y", "z"]], 3)
    assert novelty(["a", "b", "c", "d"], index, 3) == 0
    assert novelty(["b", "c", "d", "x", "y"], index, 3) == 2 / 3  # windows do not reach over the end of a text
    assert novelty(["q", "r", "s"], index, 3) == 1
    assert novelty(["a", "b"], index, 3) is None
    with pytest.raises(ValueError, match="at least one word"):
        GramIndex([], 0)


def test_a_mean_over_works_weighs_each_work_once_and_the_tail_shows_the_one_full_copy() -> None:
    values = {f"work-{n}": [0.0, 0.02] for n in range(19)} | {"copied": [0.0, 1.0, 0.0, 0.0], "unasked": []}

    found = by_work(values)

    assert found.mean == pytest.approx((19 * 0.01 + 0.25) / 20)
    assert (found.highest, found.highest_work, found.works, found.values) == (1.0, "copied", 20, 42)
    assert found.tail > 0.02
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.mean < found.high


def test_the_interval_over_works_is_that_of_scipy_and_does_not_depend_on_their_order() -> None:
    from scipy.stats import bootstrap

    rng = np.random.default_rng(6)
    values = {f"w{n}": list(rng.beta(1, 6, 4)) for n in range(30)}
    means = [np.mean(given) for given in values.values()]
    wanted = bootstrap((means,), np.mean, n_resamples=5000, method="percentile", rng=1).confidence_interval

    found = by_work(values)

    assert found.low == pytest.approx(wanted.low, abs=0.004)
    assert found.high == pytest.approx(wanted.high, abs=0.004)
    assert by_work(dict(reversed(values.items()))) == found


def test_prompts_of_one_work_do_not_narrow_the_interval() -> None:
    few = {f"w{n}": [n / 10] for n in range(10)}
    many = {work: values * 50 for work, values in few.items()}
    assert by_work(few).low == by_work(many).low


def test_fewer_than_five_works_have_no_interval_and_a_reason() -> None:
    found = by_work({"a": [0.1, 0.2], "b": [0.3]})
    assert (found.low, found.high) == (None, None)
    assert found.reason == "an interval needs 5 works, and there are 2"
    with pytest.raises(ValueError, match="no value of any work"):
        by_work({"a": []})
