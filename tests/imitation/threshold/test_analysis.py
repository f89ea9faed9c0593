"""The verdict on scores against counts: made-up worlds in which the truth is known."""

from __future__ import annotations

import random

import numpy as np
import pytest
from curves import log_uniform, make_points, smooth_points, step_points

from copycat.imitation.records import Analysis, Answer, ControlBand, Point
from copycat.imitation.threshold.analysis import analyse
from copycat.imitation.threshold.headline import headline_of
from copycat.imitation.threshold.steps import best_steps, permuted_f, smallest_step

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


@pytest.mark.parametrize("permutations", [99, 199])
def test_a_chance_that_no_shuffle_reached_is_told_as_a_bound(permutations: int) -> None:
    found = analyse(step_points(0), permutations=permutations, bootstraps=100)

    assert f"(p ≤ {1 / (permutations + 1):.3g})" in found.why
    assert found.permutations == permutations


def test_scores_without_a_change_have_no_number_anywhere() -> None:
    found = analyse(step_points(1, n=100, rise=0.0), band=BAND)

    assert found.verdict == "no_change"
    assert found.bracket is None
    assert all(one.count is None and one.reason for one in found.answers)
    assert all(one.value is None for one in found.covariates if one.name.startswith("without-bin"))


def test_steps_that_outliers_make_are_no_answer_where_no_rise_is_shown() -> None:
    seen = 0
    for seed in range(12):
        rng = np.random.default_rng([seed, 2])
        found = analyse(make_points(np.geomspace(1, 1e5, 100), rng.standard_t(2, 100)), permutations=199)
        if found.verdict not in {"threshold", "gradual", "out_of_range"}:
            seen += bool(answer(found, "pelt").statistics["steps"])
            assert all(answer(found, name).count is None for name in ("supf", "pelt", "isotonic", "logistic"))

    assert seen


@pytest.mark.parametrize("is_smooth", [False, True])
@pytest.mark.parametrize(
    ("low", "high", "verdict", "why"),
    [
        (0.2, 0.3, "no_change", "never beyond what controls reach"),
        (0.6, 0.9, "out_of_range", "above the control band at every count"),
        (0.3, 0.9, None, "Scores rise"),
    ],
)
def test_a_rise_inside_the_band_of_controls_or_above_it_is_not_where_imitation_starts(
    low: float, high: float, verdict: str | None, why: str, is_smooth: bool
) -> None:
    rng = np.random.default_rng(0)
    x = np.round(np.geomspace(2, 50_000, 150))
    law = 1 / (1 + np.exp(-3 * (np.log10(x) - np.log10(300)))) if is_smooth else x >= 300
    band = ControlBand(arms=("unnamed",), mean=0.3, low=0.1, high=0.5, n=150)

    found = analyse(make_points(x, low + (high - low) * law + rng.normal(0, 0.02, 150)), band=band, bootstraps=100)

    assert found.verdict == (verdict or ("gradual" if is_smooth else "threshold"))
    assert why in found.why
    assert (found.bracket is not None) == (verdict is None and not is_smooth)
    if verdict is not None:
        kept = {one.estimator for one in found.answers if one.count is not None}
        assert kept <= {"published"}
        assert found.placed == ()


@pytest.mark.parametrize("n", [50, pytest.param(100, marks=pytest.mark.slow)])
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


@pytest.mark.slow
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
    assert "among the last 11 of 400 concepts: too near the edge" in found.why
    assert found.warnings == ()


@pytest.mark.parametrize("many", [2, 3, 4])
@pytest.mark.parametrize("side", ["first", "last"])
def test_a_step_with_too_few_concepts_on_one_side_is_out_of_range_and_no_estimator_puts_it_elsewhere(
    many: int, side: str
) -> None:
    rng = np.random.default_rng(many)
    x = np.round(np.geomspace(2, 3000, 40) * 100)
    at = many if side == "first" else 40 - many
    found = analyse(make_points(x, 0.4 * (np.arange(40) >= at) + rng.normal(0, 0.02, 40)), bootstraps=100)

    assert found.verdict == "out_of_range"
    assert f"among the {side} {many} of 40 concepts" in found.why
    assert "fewer than 5 are too few" in found.why
    for name in ("supf", "pelt"):
        assert answer(found, name).count is None
        assert f"among the {side} {many}" in answer(found, name).reason
    assert found.bracket is None
    assert found.warnings == ()


def test_a_rise_over_all_counts_is_gradual_where_most_concepts_have_few_pictures() -> None:
    rng = np.random.default_rng(0)
    x = np.round((1 - (np.arange(400) + 0.5) / 400) ** -1.0)

    found = analyse(make_points(x, 0.2 * np.log10(x) + rng.normal(0, 0.02, 400)), bootstraps=100)

    assert found.verdict == "gradual"


def test_two_counts_have_a_step_between_them_and_no_curve() -> None:
    rng = np.random.default_rng(0)
    x = np.repeat([5.0, 500.0], 20)

    found = analyse(make_points(x, 0.3 * (x > 5) + rng.normal(0, 0.03, 40)))

    assert found.verdict == "threshold"
    assert "2 different counts are too few to tell a step from a smooth rise" in found.why
    assert found.bracket is not None
    assert (found.bracket.last_below, found.bracket.first_above) == (5, 500)
    assert answer(found, "logistic").count is None
    assert "6 are needed" in answer(found, "logistic").reason


def test_five_counts_are_too_few_for_a_curve_and_six_are_enough() -> None:
    rng = np.random.default_rng(0)
    logistic = []
    for different in (5, 6):
        x = np.repeat(10.0 ** np.arange(different), 12)
        law = 0.3 / (1 + np.exp(-2 * (np.log10(x) - 2.2)))
        found = analyse(make_points(x, law + rng.normal(0, 0.02, len(x))), bootstraps=100)
        logistic.append((found.verdict, answer(found, "logistic").count is not None))

    assert logistic == [("threshold", False), ("gradual", True)]


def test_a_clean_step_has_no_warning_of_a_smooth_rise_and_a_step_in_a_gap_has() -> None:
    rng = np.random.default_rng(0)
    even = np.round(np.geomspace(2, 50_000, 150))
    gap = np.concatenate([np.zeros(30), np.round(np.geomspace(50, 50_000, 30))])

    clean = analyse(make_points(even, 0.3 * (even >= 300) + rng.normal(0, 0.03, 150)), bootstraps=100)
    unsure = analyse(make_points(gap, 0.3 * (gap > 0) + rng.normal(0, 0.03, 60)), bootstraps=100)

    assert clean.verdict == unsure.verdict == "threshold"
    assert clean.warnings == ()
    assert any("a smooth rise fits about as well as the step" in warning for warning in unsure.warnings)


def test_few_concepts_on_one_side_are_told_of_what_is_claimed() -> None:
    rng = np.random.default_rng(0)
    x = np.round(np.geomspace(2, 2000, 30))

    step = analyse(make_points(x, 0.3 * (x >= 100) + rng.normal(0, 0.03, 30)), bootstraps=100)
    law = 0.3 / (1 + np.exp(-3 * (np.log10(x) - 2)))
    smooth = analyse(make_points(x, law + rng.normal(0, 0.01, 30)), bootstraps=100)
    none = analyse(make_points(x, rng.normal(0, 0.03, 30)), bootstraps=100)

    assert "fewer than 20 concepts lie on one side of the step" in " ".join(step.warnings)
    assert "fewer than 20 concepts lie on one side of half of the rise" in " ".join(smooth.warnings)
    assert "the step" not in " ".join(smooth.warnings)
    assert "fewer" not in " ".join(none.warnings)


def test_a_lower_level_above_the_band_is_no_edge_where_the_first_concepts_lie_in_it() -> None:
    low = [0, 0, 0.4, 0, 0, 0, 0, 0.7, 0, 0.5, 0.95, 0.05, 0.75, 0.35, 0.25, 0.3, 0.45]
    y = np.array([*low, *np.ones(33)]) - 0.05 * (np.arange(50) % 2)

    found = analyse(make_points(np.round(np.geomspace(20, 20_000, 50)), y), band=BAND, bootstraps=100)

    assert found.verdict == "threshold"
    assert y[:17].mean() > BAND.high
    assert answer(found, "isotonic").index == 7


def test_scores_above_the_band_everywhere_are_out_of_range() -> None:
    points = rescaled(step_points(7, n=100, rise=0.0), 1.0, 0.6)

    assert analyse(points, band=BAND).verdict == "out_of_range"


@pytest.mark.parametrize(
    ("points", "why", "title"),
    [
        ([], "0 concepts", "No concept has a count and a score"),
        (make_points(np.array([5.0]), np.array([0.5])), "1 concept is", "One concept has no curve"),
        (make_points(np.arange(9.0), np.arange(9.0)), "9 concepts are", "9 concepts; at least 10 are needed"),
        (make_points(np.full(50, 7.0), np.linspace(0, 1, 50)), "the same count", "All concepts have the same count"),
        (make_points(np.repeat([1.0, 9.0], [48, 2]), np.linspace(0, 1, 50)), "share a count", "share a count"),
    ],
)
def test_too_little_to_set_against_each_other_is_said_once(points: list[Point], why: str, title: str) -> None:
    found = analyse(points)

    assert found.verdict == "underpowered"
    assert why in found.why
    assert title in headline_of(found).title
    assert all(one.count is None and one.reason == "-" for one in found.answers)
    assert (found.smallest_step, found.smallest_step_reason) == (None, found.why)


def test_equal_scores_are_no_change_and_have_no_noise_to_tell_a_step_from() -> None:
    found = analyse(make_points(np.arange(50.0), np.full(50, 0.4)))

    assert found.verdict == "no_change"
    assert (found.smallest_step, found.smallest_step_reason) == (None, "The scores have no noise to tell a step from.")


@pytest.mark.parametrize(
    ("slope", "said"), [(10.0, "fit almost alike"), (8.0, "is likely, and not certain"), (2.0, None)]
)
def test_two_shapes_that_fit_alike_are_told_as_such(slope: float, said: str | None) -> None:
    rng = np.random.default_rng(2)
    x = np.round(np.geomspace(2, 50_000, 60))
    law = 0.3 / (1 + np.exp(-slope * (np.log10(x) - np.log10(300))))

    found = analyse(make_points(x, law + rng.normal(0, 0.04, 60)), bootstraps=100)
    sure = [sentence for sentence in headline_of(found).sure if "BIC differs" in sentence]

    assert found.verdict in {"threshold", "gradual"}
    assert len(sure) == (said is not None)
    assert said is None or said in sure[0]


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
