"""The checks of what the method assumes."""

from __future__ import annotations

import numpy as np
import pytest
from curves import make_points, step_points

from copycat.imitation.threshold.covariates import check_covariates, partial_rank_correlation
from copycat.imitation.threshold.steps import make_curve


def test_partial_rank_correlation_is_the_textbook_formula_of_three_spearman_coefficients() -> None:
    from scipy.stats import spearmanr

    rng = np.random.default_rng(0)
    z = rng.normal(size=60)
    x, y = z + rng.normal(size=60), z + rng.normal(size=60)
    xy, xz, yz = (spearmanr(a, b).statistic for a, b in ((x, y), (x, z), (y, z)))

    expected = (xy - xz * yz) / np.sqrt((1 - xz**2) * (1 - yz**2))

    assert partial_rank_correlation(x, y, z) == pytest.approx(expected)


def test_what_follows_counts_alone_has_no_partial_correlation() -> None:
    counts = np.arange(1.0, 41.0)

    assert partial_rank_correlation(counts**2, np.sin(counts), counts) is None


def test_a_column_stands_behind_the_curve_only_if_it_goes_with_scores_by_more_than_chance() -> None:
    rng = np.random.default_rng(1)
    hidden = rng.normal(size=80)
    points = make_points(np.arange(1.0, 81.0), hidden + 0.1 * rng.normal(size=80))
    columns = {
        "hidden": {p.concept: float(h) for p, h in zip(points, hidden, strict=True)},
        "unrelated": {p.concept: float(rng.normal()) for p in points},
        "rare": {points[0].concept: 1.0},
    }

    found = {one.name.removeprefix("partial:"): one for one in check_covariates(make_curve(points), columns)}

    assert (found["hidden"].value or 0) > 0.9
    assert abs(found["unrelated"].value or 0) < 0.22  # what 5 % of chance passes with 80 concepts and one held fixed
    assert (found["rare"].value, found["rare"].n) == (None, 1)
    assert {name: "stand behind" in found[name].meaning for name in columns} == {
        "hidden": True, "unrelated": False, "rare": False,
    }  # fmt: skip
    assert "not estimable" in found["rare"].meaning


def test_a_step_stays_without_any_fifth_of_the_concepts() -> None:
    found = check_covariates(make_curve(step_points(0)), {})

    steps = [one.value for one in found if one.name.startswith("without-bin")]
    assert len(steps) == 5
    assert sum(250 <= (value or 0) <= 350 for value in steps) >= 4


def test_without_a_rise_there_is_no_step_to_put_again_and_it_is_said() -> None:
    found = check_covariates(make_curve(step_points(0, rise=0.0)), {}, is_rising=False)

    steps = [one for one in found if one.name.startswith("without-bin")]
    assert len(steps) == 5
    assert all(one.value is None and "no rise is placed" in one.meaning for one in steps)


def test_neighbours_of_equal_scores_differ_by_nothing() -> None:
    found = check_covariates(make_curve(make_points(np.arange(20.0), np.full(20, 0.3))), {})

    assert found[0].value == 0
