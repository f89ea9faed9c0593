"""Wilson and the clustered bootstrap, against independent references."""

from __future__ import annotations

import math
import random
import statistics
from collections import defaultdict
from itertools import pairwise

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from copycat.metrics import clustered_bootstrap, rate_interval, resampling, wilson

Z2 = stats.norm.ppf(0.975) ** 2


def each_alone(n):
    return [f"c{i:03d}" for i in range(n)]


def in_groups(n_clusters, size):
    return [f"c{i:03d}" for i in range(n_clusters) for _ in range(size)]


def beta_values(n, seed=0):
    return np.random.default_rng(seed).beta(2, 3, size=n).tolist()


# ----------------------------------------------------------------------------------- Wilson


@pytest.mark.parametrize("n", [1, 2, 7, 50, 450, 100_000])
def test_wilson_agrees_with_statsmodels(n):
    for k in sorted({0, 1, n // 3, n // 2, n - 1, n}):
        interval = wilson(k, n)
        assert interval[:2] == pytest.approx(proportion_confint(k, n, method="wilson"), abs=1e-12)


@pytest.mark.parametrize(
    ("k", "n", "low", "high"), [(0, 50, 0.0, 0.071), (5, 50, 0.043, 0.214), (25, 50, 0.366, 0.634)]
)
def test_wilson_gives_the_hand_worked_intervals_of_fifty_characters(k, n, low, high):
    assert wilson(k, n)[:2] == pytest.approx((low, high), abs=5e-4)


@pytest.mark.parametrize(("k", "n"), [(1, 4), (3, 10), (12.5, 50)])
def test_wilson_is_the_formula_of_its_docstring(k, n):
    z = 1.96
    centre = (k + z**2 / 2) / (n + z**2)
    half = z * math.sqrt(k * (n - k) / n + z**2 / 4) / (n + z**2)
    assert wilson(k, n)[:2] == pytest.approx((centre - half, centre + half), abs=1e-5)


def test_a_rate_of_zero_still_has_a_width():
    assert wilson(0, 50)[:2] == pytest.approx((0, Z2 / (50 + Z2)))
    assert wilson(0, 50).low == 0.0


def test_a_rate_of_one_still_has_a_width():
    assert wilson(50, 50)[:2] == pytest.approx((50 / (50 + Z2), 1))
    assert wilson(50, 50).high == 1.0


@pytest.mark.parametrize(("k", "n"), [(0, 0), (-1, 5), (6, 5), (math.nan, 5)])
def test_wilson_refuses_what_is_not_a_rate(k, n):
    with pytest.raises(ValueError, match=r"at least one observation|k must lie between"):
        wilson(k, n)


# ------------------------------------------------------------------------ clustered bootstrap


def test_a_bootstrap_of_lone_values_agrees_with_scipy():
    values = beta_values(60)
    theirs = stats.bootstrap((values,), np.mean, method="percentile", n_resamples=20_000, random_state=1)

    ours = clustered_bootstrap(values, each_alone(60))

    assert ours.method == "cluster-bootstrap"
    assert ours[:2] == pytest.approx(tuple(theirs.confidence_interval), abs=0.003)


def test_a_bootstrap_of_unequal_clusters_agrees_with_a_slow_reference():
    rng = random.Random(3)
    groups = {f"c{i}": [rng.random() ** (1 + i % 4) for _ in range(1 + i % 7)] for i in range(30)}
    values = [v for group in groups.values() for v in group]
    clusters = [name for name, group in groups.items() for _ in group]
    means = []
    for _ in range(4_000):
        drawn = [groups[rng.choice(list(groups))] for _ in groups]
        means.append(sum(map(sum, drawn)) / sum(map(len, drawn)))
    cuts = statistics.quantiles(means, n=40)

    ours = clustered_bootstrap(values, clusters)

    assert ours[:2] == pytest.approx((cuts[0], cuts[-1]), abs=0.006)


def test_the_order_of_the_rows_moves_no_bit():
    rows = list(zip(beta_values(150), in_groups(30, 5), strict=True))
    shuffled = random.Random(0).sample(rows, len(rows))

    assert clustered_bootstrap(*zip(*rows, strict=True)) == clustered_bootstrap(*zip(*shuffled, strict=True))


def test_the_interval_is_the_same_to_the_last_bit_on_every_machine():
    """The same samples must give the same bytes of metrics.json: a change here moves every score."""
    values = [(i * 37 % 101) / 101 for i in range(120)]

    ours = clustered_bootstrap(values, in_groups(40, 3))

    assert (ours.low.hex(), ours.high.hex()) == ("0x1.d3ba61ab2c889p-2", "0x1.0b477a2b988cdp-1")


def test_the_size_of_a_block_moves_no_bit(monkeypatch):
    values, clusters = beta_values(90), in_groups(30, 3)
    whole = clustered_bootstrap(values, clusters)

    monkeypatch.setattr(resampling, "_DRAWS_PER_BLOCK", 1_000)

    assert clustered_bootstrap(values, clusters) == whole


def test_seeing_the_same_thing_three_times_does_not_narrow_the_interval():
    values, clusters = beta_values(40), each_alone(40)

    thrice = clustered_bootstrap(values * 3, clusters * 3)

    assert thrice[:2] == pytest.approx(clustered_bootstrap(values, clusters)[:2], abs=1e-12)


@pytest.mark.parametrize("value", [0, 1])
def test_a_constant_rate_falls_back_to_wilson_over_characters(value):
    interval = clustered_bootstrap([value] * 150, in_groups(50, 3))

    assert interval.method == "wilson-over-characters"
    assert interval[:2] == wilson(50 * value, 50)[:2]


def test_a_constant_probability_falls_back_to_wilson_around_itself():
    interval = clustered_bootstrap([0.7] * 60, in_groups(20, 3))

    assert interval.method == "wilson-over-characters"
    assert interval[:2] == pytest.approx(wilson(14, 20)[:2])


def test_equal_cluster_means_fall_back_even_though_the_values_differ():
    """Every resample would have the same mean, and the interval no width."""
    interval = clustered_bootstrap([1, 0, 0] * 50, in_groups(50, 3))

    assert interval.method == "wilson-over-characters"
    assert interval[:2] == pytest.approx(wilson(50 / 3, 50)[:2])


def test_noise_in_the_last_digits_is_no_variety():
    noisy = [1 - i * 1e-5 for i in range(10)]

    interval = clustered_bootstrap(noisy, [str(i) for i in range(10)])

    assert interval.method == "wilson-over-characters"
    assert interval.low == pytest.approx(wilson(10 * statistics.fmean(noisy), 10).low)


def test_a_single_character_gives_a_wide_interval():
    interval = clustered_bootstrap([0.2, 0.9, 0.4], ["one"] * 3)

    assert interval.method == "wilson-over-characters"
    assert interval.high - interval.low > 0.8


def test_a_first_detected_character_does_not_look_surer_than_none():
    """A bare bootstrap gives 1 of 50 a narrower interval than the fallback gives 0 of 50."""
    found = [clustered_bootstrap([1] * 3 * k + [0] * 3 * (50 - k), in_groups(50, 3)) for k in range(12)]

    assert {interval.method for interval in found[:5]} == {"wilson-over-characters"}
    assert {interval.method for interval in found[5:]} == {"cluster-bootstrap"}
    steps = [after.high - before.high for before, after in pairwise(found)]
    assert min(steps) > -0.01  # the change of method, from 4 to 5 characters, steps back by that little


@pytest.mark.parametrize(
    ("values", "clusters", "text"),
    [
        ([], [], "needs at least one value, got none"),
        ([0.5], ["a", "b"], "got 1 values and 2 clusters"),
        ([0.5, 1.5], ["a", "b"], r"must lie in \[0, 1\], got 1.5"),
        ([-0.5, 0.5], ["a", "b"], r"must lie in \[0, 1\], got -0.5"),
        ([math.nan, 0.5], ["a", "b"], r"must lie in \[0, 1\], got nan"),
    ],
)
def test_the_bootstrap_refuses_what_it_cannot_bound(values, clusters, text):
    with pytest.raises(ValueError, match=text):
        clustered_bootstrap(values, clusters)


# -------------------------------------------------------------------------------------- rates


def test_a_rate_with_one_picture_per_character_is_wilson():
    assert rate_interval([True] * 20 + [False] * 30, each_alone(50)) == wilson(20, 50)


def test_a_rate_with_several_pictures_per_character_is_bootstrapped():
    values = [int(i % 3 < i % 4) for i in range(150)]

    assert rate_interval(values, in_groups(50, 3)) == clustered_bootstrap(values, in_groups(50, 3))


def test_a_rate_refuses_probabilities():
    with pytest.raises(ValueError, match=r"zeros and ones, got 0\.5"):
        rate_interval([0, 0.5], ["a", "b"])


def test_an_empty_rate_is_refused():
    with pytest.raises(ValueError, match="at least one observation"):
        rate_interval([], [])


def test_clustered_intervals_cover_where_naive_wilson_does_not():
    """Characters are drawn or not, nearly whatever the seed: three pictures are hardly three facts."""
    truth, trials = 0.4, 200
    rng = np.random.default_rng(5)
    clusters = in_groups(50, 6)
    covered: dict[str, int] = defaultdict(int)
    for _ in range(trials):
        chance = rng.beta(truth * 0.25, (1 - truth) * 0.25, size=50)
        values = (rng.random((50, 6)) < chance[:, None]).astype(int).ravel().tolist()
        for name, interval in (
            ("clustered", rate_interval(values, clusters)),
            ("naive", wilson(sum(values), len(values))),
        ):
            covered[name] += interval.low <= truth <= interval.high

    assert 0.91 <= covered["clustered"] / trials <= 0.99
    assert covered["naive"] / trials < 0.75


def test_a_small_rate_is_covered_too():
    """Where a mitigation works, few characters are left, and a bare bootstrap covers 89 %."""
    truth, trials = 0.05, 200
    rng = np.random.default_rng(6)
    covered = 0
    for _ in range(trials):
        chance = rng.beta(truth, 1 - truth, size=50)
        values = (rng.random((50, 3)) < chance[:, None]).astype(int).ravel().tolist()
        interval = rate_interval(values, in_groups(50, 3))
        covered += interval.low <= truth <= interval.high

    assert covered / trials >= 0.94
