"""The verdict on scores against counts: made-up worlds in which the truth is known (T1, T3, T4, T7, T12, T13)."""

from __future__ import annotations

import random

import numpy as np
import pytest
from curves import log_uniform, make_points, smooth_points, step_points

from copycat.imitation.analysis import analyse
from copycat.imitation.records import Analysis, Answer, ControlBand, Point
from copycat.imitation.steps import best_steps, permuted_f, smallest_step

BAND = ControlBand(arms=("zero",), mean=0.0, low=-0.16, high=0.16, n=100)


def answer(analysis: Analysis, estimator: str) -> Answer:
    return next(one for one in analysis.answers if one.estimator == estimator)


def rescaled(points: list[Point], a: float, b: float) -> list[Point]:
    return [point.model_copy(update={"score": a * point.score + b}) for point in points]


def test_a_step_is_found_where_it_is_and_bracketed() -> None:
    found = analyse(step_points(0), band=BAND)

    assert found.verdict == "threshold"
    assert found.bracket is not None
    assert found.bracket.last_below <= 300 <= found.bracket.first_above
    assert all(280 <= (answer(found, name).count or 0) <= 340 for name in ("supf", "pelt"))
    assert {placed.side for placed in found.placed} == {"above", "below", "uncertain"}


def test_scores_without_a_change_have_no_number_anywhere() -> None:
    found = analyse(step_points(1, n=100, rise=0.0), band=BAND)

    assert found.verdict == "no_change"
    assert found.bracket is None
    assert all(one.count is None and one.reason for one in found.answers)


@pytest.mark.parametrize("n", [50, 100])
def test_null_data_seldom_has_a_threshold(n: int) -> None:
    runs = 60
    false = sum(
        analyse(step_points(seed, n=n, rise=0.0), permutations=199, bootstraps=100).verdict == "threshold"
        for seed in range(runs)
    )

    assert false / runs <= 0.05 + 2 * (0.05 * 0.95 / runs) ** 0.5


def test_the_scale_of_scores_changes_no_answer_but_that_of_the_published_setting() -> None:
    points = step_points(2, n=100)
    band = BAND.model_copy(update={"mean": 5.0, "low": 5 - 0.16 * 40, "high": 5 + 0.16 * 40})

    before = analyse(points, band=BAND, bootstraps=100)
    after = analyse(rescaled(points, 40.0, 5.0), band=band, bootstraps=100)

    for name in ("supf", "pelt", "isotonic", "logistic"):
        assert answer(before, name).index is not None
        assert answer(after, name).index == answer(before, name).index
    assert answer(analyse(rescaled(points, 0.1, 0.0)), "published").count is None
    assert answer(before, "published").count is not None


def test_the_order_in_which_points_are_given_changes_nothing_with_ties() -> None:
    rng = np.random.default_rng(3)
    x = np.repeat(np.array([0, 0, 5, 20, 100, 300, 1000, 3000.0]), 10)
    points = make_points(x, 0.3 * (x >= 100) + rng.normal(0, 0.08, len(x)))
    shuffled = random.Random(0).sample(points, len(points))

    found = analyse(points, bootstraps=100)

    assert analyse(shuffled, bootstraps=100) == found
    assert answer(found, "supf").index == answer(found, "pelt").index == 40


def test_one_law_sampled_in_two_ways_has_one_ed50_and_the_tool_warns_of_its_steps() -> None:
    wide, narrow = (analyse(smooth_points(4, low=low, high=high)) for low, high in ((1, 1e5), (50, 1e5)))

    one, other = answer(wide, "logistic"), answer(narrow, "logistic")
    assert wide.verdict == narrow.verdict == "gradual"
    assert max(one.low or 0, other.low or 0) <= min(one.high or 0, other.high or 0)
    assert all("which concepts were listed" in " ".join(each.warnings) for each in (wide, narrow))


def test_scores_that_fall_are_no_threshold_and_it_is_said() -> None:
    found = analyse(rescaled(step_points(5, n=100), -1.0, 1.0))

    assert found.verdict == "no_change"
    assert "fall" in found.why
    assert "fall" in answer(found, "supf").reason


def test_a_change_among_the_last_concepts_is_out_of_range() -> None:
    found = analyse(step_points(6, n=400, at=10**4.85, rise=0.5))

    assert found.verdict == "out_of_range"
    assert "last 5 %" in found.why
    assert any("fewer than 20" in warning for warning in found.warnings)


def test_scores_above_the_band_everywhere_are_out_of_range() -> None:
    points = rescaled(step_points(7, n=100, rise=0.0), 1.0, 0.6)

    assert analyse(points, band=BAND).verdict == "out_of_range"


@pytest.mark.parametrize(
    ("points", "why"),
    [
        ([], "0 concepts"),
        (make_points(np.array([5.0]), np.array([0.5])), "1 concepts"),
        (make_points(np.full(50, 7.0), np.linspace(0, 1, 50)), "the same count"),
        (make_points(np.repeat([1.0, 9.0], [48, 2]), np.linspace(0, 1, 50)), "share a count"),
    ],
)
def test_too_little_to_set_against_each_other_is_said(points: list[Point], why: str) -> None:
    found = analyse(points)

    assert found.verdict == "underpowered"
    assert why in found.why
    assert all(one.count is None and one.reason for one in found.answers)


def test_equal_scores_are_no_change() -> None:
    assert analyse(make_points(np.arange(50.0), np.full(50, 0.4))).verdict == "no_change"


def test_the_smallest_step_is_found_in_about_eight_of_ten_studies() -> None:
    rng = np.random.default_rng(8)
    x = np.sort(log_uniform(rng, 100))
    y = rng.normal(0, 0.1, 100)
    critical = float(np.quantile(permuted_f(x, y, 999, 0), 0.95))

    smallest = smallest_step(x, 0.1, critical)

    studies = smallest * (np.arange(100) >= 50) + rng.normal(0, 0.1, (2000, 100))
    assert 0.75 <= np.mean(best_steps(x[None, :], studies).f > critical) <= 0.9


def test_the_noise_is_that_about_the_curve_and_not_that_of_the_curve() -> None:
    found = analyse(step_points(9, n=400, rise=5.0), bootstraps=100)

    assert found.noise == pytest.approx(0.08, rel=0.2)
