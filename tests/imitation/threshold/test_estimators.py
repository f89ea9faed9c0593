"""Each estimator against an independent reference, or a curve whose answer is plain."""

from __future__ import annotations

import math

import numpy as np
import pytest
from curves import log_uniform, make_points, smooth_points, step_points

from copycat.imitation.records import Answer, ControlBand, Point
from copycat.imitation.threshold.bracket import draw_studies
from copycat.imitation.threshold.estimators import ESTIMATORS
from copycat.imitation.threshold.estimators.base import Asked
from copycat.imitation.threshold.estimators.logistic import fit_logistic
from copycat.imitation.threshold.steps import UNBOUNDED, best_steps, make_curve, noise_of

BAND = ControlBand(arms=("zero",), mean=0.0, low=-0.1, high=0.1, n=50)


def ask(name: str, points: list[Point], band: ControlBand | None = None) -> Answer:
    found = ESTIMATORS.load(name)(make_curve(points), Asked(band=band))
    assert isinstance(found, Answer)
    return found


def test_the_step_is_the_one_that_trying_every_place_finds() -> None:
    rng = np.random.default_rng(0)
    x, y = np.sort(rng.integers(0, 30, 60)).astype(float), rng.normal(size=60)
    tried = {}
    for k in range(5, 56):
        if x[k] != x[k - 1]:
            within = ((y[:k] - y[:k].mean()) ** 2).sum() + ((y[k:] - y[k:].mean()) ** 2).sum()
            tried[k] = (((y - y.mean()) ** 2).sum() - within) / (within / 58)

    found = best_steps(x[None, :], y[None, :])

    assert found.place[0] == max(tried, key=lambda k: tried[k])
    assert found.f[0] == pytest.approx(max(tried.values()))


def test_pelt_gives_the_points_of_the_slower_search_with_the_same_cost() -> None:
    import ruptures

    points = step_points(1, n=100)
    found = ask("pelt", points)
    y = make_curve(points).y

    slow = ruptures.Pelt("l2", min_size=5, jump=1).fit(y).predict(pen=found.statistics["penalty"])

    assert found.index == slow[0]
    assert found.statistics["penalty"] == pytest.approx(3 * (noise_of(y) or 0) ** 2 * np.log(100))


def test_no_level_of_pelt_has_fewer_than_five_concepts_where_counts_are_tied() -> None:
    for seed in range(40):
        rng = np.random.default_rng(seed)
        x = np.sort(rng.choice([1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377], 60)).astype(float)
        found = ask("pelt", make_points(x, 0.3 * np.floor(np.log(x)) + rng.normal(0, 0.02, 60)))
        starts = np.searchsorted(x, sorted({found.count or 0, *found.others}))

        assert found.statistics["steps"]
        assert np.diff([0, *starts, 60]).min() >= 5
        assert set(starts) <= set(np.searchsorted(x, x))


@pytest.mark.parametrize("scale", [1.0, 5.0, 40.0])
def test_the_published_setting_gives_the_points_of_the_published_search(scale: float) -> None:
    import ruptures

    plain = make_curve(step_points(3, n=60))
    curve = make_curve(make_points(plain.x, scale * plain.y))
    places = ruptures.Pelt("l2", min_size=1, jump=1).fit(curve.y).predict(pen=0.9)[:-1]
    found = ask("published", list(curve.points))

    assert [found.count, *found.others] == ([float(curve.x[at]) for at in places] or [None])


def test_the_published_setting_follows_the_scale_of_scores_and_is_marked_so() -> None:
    points = step_points(2, n=100)
    smaller = [p.model_copy(update={"score": p.score / 10}) for p in points]

    assert ask("published", points).count is not None
    assert ask("published", smaller).reason
    assert [row.name for row in ESTIMATORS.rows() if row.is_comparison] == ["published"]


def test_isotonic_leaves_the_band_where_the_curve_does() -> None:
    x = np.arange(1.0, 41.0)

    assert ask("isotonic", make_points(x, 0.3 * (x > 20)), BAND).count == 21


@pytest.mark.parametrize(
    ("scores", "band", "reason"),
    [
        (np.zeros(40), None, "no control arms"),
        (np.zeros(40), BAND, "inside the control band"),
        (np.ones(40), BAND, "at the smallest count already"),
        (np.where(np.arange(40) == 39, 9.0, 0.0), BAND, "inside the control band"),
    ],
)
def test_isotonic_says_why_it_has_no_answer(scores: np.ndarray, band: ControlBand | None, reason: str) -> None:
    found = ask("isotonic", make_points(np.arange(1.0, 41.0), scores), band)

    assert found.count is None
    assert reason in found.reason


def test_the_logistic_finds_the_law_that_made_the_scores() -> None:
    x = np.unique(np.round(np.geomspace(1, 1e5, 200)))
    y = 0.1 + 0.4 / (1 + np.exp(-2.5 * (np.log10(x + 1) - np.log10(501))))

    fit = fit_logistic(x, y)

    assert (fit.lower, fit.upper, fit.slope) == pytest.approx((0.1, 0.5, 2.5), rel=1e-3)
    assert fit.dose(0.5) == pytest.approx(500, rel=1e-3)
    assert fit.at(np.array([fit.dose(0.1)]))[0] == pytest.approx(0.1 + 0.4 * 0.1, rel=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("steepness", [3.0, 12.0])
def test_the_interval_of_ed50_holds_it_however_clean_the_scores_are(steepness: float) -> None:
    held, widths = 0, []
    for seed in range(20):
        rng = np.random.default_rng([seed, 7])
        x = log_uniform(rng, 100)
        law = 0.3 / (1 + np.exp(-steepness * (np.log10(x + 1) - np.log10(501))))
        curve = make_curve(make_points(x, law + rng.normal(0, 0.01, 100)))
        found = ESTIMATORS.load("logistic")(curve, Asked(draws=draw_studies(curve, 200, seed)))
        held += found.low <= 500 <= found.high
        widths.append(np.log10(found.high / found.low))

    assert held >= 17
    assert 0 < np.median(widths) < 0.06


def test_levels_stay_within_what_a_metric_can_reach() -> None:
    x = np.unique(np.round(np.geomspace(1, 1000, 60)))
    y = np.minimum(1.0, 1.3 / (1 + np.exp(-2.0 * (np.log10(x + 1) - 2.5))))

    free, share = (fit_logistic(x, y, bounds) for bounds in (UNBOUNDED, (0.0, 1.0)))

    assert free.upper > 1 or free.lower < 0
    assert 0 <= share.lower < share.upper <= 1
    near = [share._replace(**{name: value}) for name in ("lower", "upper") for value in np.linspace(0, 1, 201)]
    assert min(((one.at(x) - y) ** 2).sum() for one in near) >= ((share.at(x) - y) ** 2).sum() - 1e-9


def test_zero_counts_have_their_place_on_the_curve() -> None:
    points = [p if p.count > 3 else p.model_copy(update={"count": 0.0}) for p in smooth_points(0)]
    curve = make_curve(points)

    assert fit_logistic(curve.x, curve.y).dose(0.5) == pytest.approx(500, rel=0.5)


def test_scores_of_mostly_zero_and_one_have_noise_all_the_same() -> None:
    shares = np.array([0.0] * 20 + [0.2, 0.8, 0.4] + [1.0] * 20)

    assert noise_of(shares) == pytest.approx(math.sqrt(np.mean(np.diff(shares) ** 2) / 2))
    assert noise_of(np.zeros(10)) == 0
