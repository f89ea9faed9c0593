"""The paired difference, against Tango's definition, a published figure and scipy."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from scipy import optimize, stats

from copycat.metrics import intervals, paired_difference


def each_alone(n):
    return [f"c{i:03d}" for i in range(n)]


def in_groups(n_clusters, size):
    return [f"c{i:03d}" for i in range(n_clusters) for _ in range(size)]


def beta_values(n, seed=0):
    return np.random.default_rng(seed).beta(2, 3, size=n).tolist()


def slow_tango(rose, fell, n, quantile):
    """Tango's interval from its definition: invert the score test, maximising the likelihood."""

    def variance(delta):
        def minus_log_likelihood(share_fell):
            shares = (share_fell + delta, share_fell, 1 - 2 * share_fell - delta)
            counts = (rose, fell, n - rose - fell)
            return -sum(k * math.log(max(s, 1e-300)) for k, s in zip(counts, shares, strict=True) if k > 0)

        bounds = (max(0.0, -delta), (1 - delta) / 2)
        best = optimize.minimize_scalar(minus_log_likelihood, bounds=bounds, options={"xatol": 1e-12}).x
        return (2 * best + delta - delta**2) / n

    def excess(delta):
        return ((rose - fell) / n - delta) ** 2 - quantile**2 * variance(delta)

    middle = (rose - fell) / n
    return optimize.brentq(excess, -1 + 1e-9, middle), optimize.brentq(excess, middle, 1 - 1e-9)


def paired_rows(rose, fell, same):
    return [1] * rose + [0] * fell + [0, 1] * (same // 2), [0] * rose + [1] * fell + [0, 1] * (same // 2)


def test_where_no_pair_changed_the_difference_still_has_a_width():
    difference = paired_difference([1, 0] * 25, [1, 0] * 25, each_alone(50))
    squared = stats.t.ppf(0.975, 49) ** 2

    assert difference.mean == 0
    assert difference.interval.method == "tango-effective"
    assert difference.interval[:2] == pytest.approx((-squared / (50 + squared), squared / (50 + squared)))


def test_where_every_pair_fell_the_difference_still_has_a_width():
    difference = paired_difference([0] * 150, [1] * 150, in_groups(50, 3))

    assert difference.mean == -1
    assert difference.interval.low == -1
    assert -0.95 < difference.interval.high < -0.8


def test_repeats_of_a_difference_of_zero_are_worth_little():
    once = paired_difference([1] * 50, [1] * 50, each_alone(50)).interval
    often = paired_difference([1] * 450, [1] * 450, in_groups(50, 9)).interval

    assert 0.6 < (often.high - often.low) / (once.high - once.low) < 0.8


@pytest.mark.parametrize(("rose", "fell", "same"), [(1, 3, 46), (0, 4, 6), (2, 1, 16), (1, 0, 4)])
def test_a_few_changed_pairs_agree_with_a_slow_reference_of_tango(rose, fell, same):
    treated, base = paired_rows(rose, fell, same)
    n = len(treated)

    difference = paired_difference(treated, base, each_alone(n))

    assert difference.mean == pytest.approx((rose - fell) / n)
    assert difference.interval[:2] == pytest.approx(slow_tango(rose, fell, n, stats.t.ppf(0.975, n - 1)), abs=1e-5)


def test_tango_gives_the_published_interval_of_the_airway_study(monkeypatch):
    """Fagerland, Lydersen & Laake 2014, Stat. Med. 33:2850: 1 rose, 7 fell, 21 pairs; with the normal quantile."""
    monkeypatch.setattr(intervals, "t_quantile", lambda _: stats.norm.ppf(0.975))
    treated, base = paired_rows(1, 7, 12)

    difference = paired_difference([*treated, 1], [*base, 1], each_alone(21))

    assert difference.interval[:2] == pytest.approx((-0.517, -0.026), abs=5e-4)


def test_clustered_changes_count_with_their_size_over_their_design_effect():
    """Whole characters fall: 10 of 50, with three pictures each."""
    base = [1] * 150
    treated = [int(i >= 30) for i in range(150)]

    difference = paired_difference(treated, base, in_groups(50, 3))

    # The variance between clusters is 50/49 of that of 50 lone pairs, so that is what 150 pairs are worth at least.
    assert difference.interval[:2] == pytest.approx(slow_tango(0, 10, 50, stats.t.ppf(0.975, 49)), abs=1e-5)


def test_swapping_the_runs_mirrors_the_difference():
    treated, base = paired_rows(1, 3, 46)
    ours = paired_difference(treated, base, each_alone(50))
    mirrored = paired_difference(base, treated, each_alone(50))

    assert mirrored.mean == -ours.mean
    assert mirrored.interval[:2] == pytest.approx((-ours.interval.high, -ours.interval.low), abs=1e-12)


def test_lone_pairs_of_probabilities_agree_with_the_paired_t_test_of_scipy():
    treated, base = beta_values(60, seed=1), beta_values(60, seed=2)
    theirs = stats.ttest_rel(treated, base).confidence_interval(0.95)

    ours = paired_difference(treated, base, each_alone(60))

    assert ours.mean == pytest.approx(np.mean(treated) - np.mean(base))
    assert ours.interval.method == "t-over-characters"
    assert ours.interval[:2] == pytest.approx(tuple(theirs), abs=1e-9)


def test_a_constant_change_of_probabilities_has_an_interval_around_it():
    base = [v / 2 for v in beta_values(60)]

    difference = paired_difference([b + 0.25 for b in base], base, in_groups(20, 3))

    assert difference.interval.method == "tango-effective"
    assert -0.1 < difference.interval.low < 0.25 < difference.interval.high < 0.5


def test_the_order_of_the_pairs_moves_no_bit():
    rows = list(zip(beta_values(90, 1), beta_values(90, 2), in_groups(30, 3), strict=True))
    shuffled = random.Random(0).sample(rows, len(rows))

    assert paired_difference(*zip(*rows, strict=True)) == paired_difference(*zip(*shuffled, strict=True))


@pytest.mark.parametrize(
    ("treated", "base", "clusters", "text"),
    [
        ([], [], [], "needs at least one value, got none"),
        ([1], [1, 0], ["a", "b"], "got 1 and 2"),
        ([1, 0], [1, 0], ["a"], "got 2 values and 1 clusters"),
        ([2, 0], [1, 0], ["a", "b"], r"must lie in \[0, 1\], got 2"),
        ([1, 0], [1, math.nan], ["a", "b"], r"must lie in \[0, 1\], got nan"),
    ],
)
def test_a_difference_refuses_what_it_cannot_bound(treated, base, clusters, text):
    with pytest.raises(ValueError, match=text):
        paired_difference(treated, base, clusters)


def test_paired_intervals_cover_their_truth():
    """Half of the characters that are drawn at all are suppressed, whatever the seed."""
    truth, trials = -0.2, 200
    rng = np.random.default_rng(7)
    covered = 0
    for _ in range(trials):
        drawn = rng.random((50, 1)) < 0.4
        suppressed = rng.random((50, 1)) < 0.5
        base = np.repeat(drawn, 3, axis=1).astype(int).ravel().tolist()
        treated = np.repeat(drawn & ~suppressed, 3, axis=1).astype(int).ravel().tolist()
        interval = paired_difference(treated, base, in_groups(50, 3)).interval
        covered += interval.low <= truth <= interval.high

    assert 0.90 <= covered / trials <= 0.99
