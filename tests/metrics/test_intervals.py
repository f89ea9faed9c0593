"""Wilson and the clustered bootstrap, against independent references."""

from __future__ import annotations

import math
import random
from collections import defaultdict

import numpy as np
import pytest
from scipy import optimize, stats
from statsmodels.stats.proportion import proportion_confint

from copycat.metrics import mean_interval, rate_interval, wilson
from copycat.metrics.effective import clustered_mean, effective_share, t_quantile

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


# ------------------------------------------------------------------- means of probabilities


def slow_score_interval(mean, n, degrees):
    """Wilson's interval from its definition: all shares that n observations do not reject."""
    quantile = stats.t.ppf(0.975, degrees)

    def excess(share):
        return (mean - share) ** 2 - quantile**2 * share * (1 - share) / n

    return optimize.brentq(excess, 1e-12, mean), optimize.brentq(excess, mean, 1 - 1e-12)


def slow_variance(values, clusters):
    """Linearised variance of a ratio over clusters, as survey software has it."""
    groups = defaultdict(list)
    for value, cluster in zip(values, clusters, strict=True):
        groups[cluster].append(value)
    mean, total, count = np.mean(values), len(values), len(groups)
    pulls = np.array([sum(group) - len(group) * mean for group in groups.values()]) / total
    return count / (count - 1) * float(pulls @ pulls)


def test_a_mean_is_bounded_as_by_as_many_observations_as_it_is_worth():
    values, clusters = beta_values(150), in_groups(50, 3)
    mean = np.mean(values)
    worth = mean * (1 - mean) / slow_variance(values, clusters)

    interval = mean_interval(values, clusters)

    assert interval.method == "wilson-effective"
    assert interval[:2] == pytest.approx(slow_score_interval(mean, worth, 49), abs=1e-6)


def test_the_variance_of_lone_values_is_that_of_the_mean():
    values = beta_values(60)

    assert clustered_mean(values, each_alone(60)).variance == pytest.approx(np.var(values, ddof=1) / 60)


def test_unequal_clusters_agree_with_a_jackknife():
    rng = random.Random(3)
    groups = {f"c{i:02}": [rng.random() ** (1 + i % 4) for _ in range(1 + i % 7)] for i in range(40)}
    values = [v for group in groups.values() for v in group]
    clusters = [name for name, group in groups.items() for _ in group]
    left_out = [np.mean([v for n, group in groups.items() for v in group if n != name]) for name in groups]
    jackknife = (len(groups) - 1) * np.var(left_out)

    assert clustered_mean(values, clusters).variance == pytest.approx(jackknife, rel=0.08)


def test_the_order_of_the_rows_moves_no_bit():
    rows = list(zip(beta_values(150), in_groups(30, 5), strict=True))
    shuffled = random.Random(0).sample(rows, len(rows))

    assert mean_interval(*zip(*rows, strict=True)) == mean_interval(*zip(*shuffled, strict=True))


def test_the_interval_is_the_same_to_the_last_bit_on_every_machine():
    """The same samples must give the same bytes of metrics.json: a change here moves every score."""
    values = [(i * 37 % 101) / 101 for i in range(120)]

    ours = mean_interval(values, in_groups(40, 3))

    assert (ours.low.hex(), ours.high.hex()) == ("0x1.d1ee18696dc65p-2", "0x1.0b83458fc074cp-1")


def test_seeing_the_same_thing_three_times_does_not_narrow_the_interval():
    values, clusters = beta_values(40), each_alone(40)

    thrice = mean_interval(values * 3, clusters * 3)

    assert thrice[:2] == pytest.approx(mean_interval(values, clusters)[:2], abs=1e-12)


@pytest.mark.parametrize("value", [0, 0.7, 1])
def test_a_constant_probability_is_bounded_as_if_a_character_were_one_observation(value):
    interval = mean_interval([value] * 150, in_groups(50, 3))

    assert interval.low <= value <= interval.high
    assert interval.high - interval.low == pytest.approx(
        wilson(50 * value, 50).high - wilson(50 * value, 50).low, rel=0.06
    )


def test_noise_is_no_variety():
    noisy = [0.96 - i * 0.005 for i in range(10)]

    interval = mean_interval(noisy, [str(i) for i in range(10)])

    assert interval.high - interval.low > 0.25


def test_a_single_character_gives_a_wide_interval():
    interval = mean_interval([0.2, 0.9, 0.4], ["one"] * 3)

    assert interval.high - interval.low > 0.8


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
def test_a_mean_refuses_what_it_cannot_bound(values, clusters, text):
    with pytest.raises(ValueError, match=text):
        mean_interval(values, clusters)


# -------------------------------------------------------------------------------------- rates


def test_a_rate_with_one_picture_per_character_is_wilson():
    assert rate_interval([True] * 20 + [False] * 30, each_alone(50)) == wilson(20, 50)


@pytest.mark.parametrize("n_hit", [0, 1, 2, 3, 5, 20, 48, 50])
@pytest.mark.parametrize("is_whole", [True, False])
def test_a_rate_counts_with_its_size_over_its_design_effect(n_hit, is_whole):
    """Whole characters are hit, or every one of them in one of three pictures more."""
    hits = [3 if i < n_hit else 0 for i in range(50)] if is_whole else [1 + (i < n_hit) for i in range(50)]
    values, clusters = [int(j < k) for k in hits for j in range(3)], in_groups(50, 3)
    share = sum(hits) / 150
    effect = slow_variance(values, clusters) / (share * (1 - share) / 150) if 0 < share < 1 else 1
    effect = min(max(effect, 1), 3)
    if min(sum(k > 0 for k in hits), sum(k < 3 for k in hits)) < 3:
        effect = max(effect, 2.4)
    expected = slow_score_interval(share, 150 / effect, 49) if 0 < share < 1 else None

    interval = rate_interval(values, clusters)

    if expected is not None:
        assert interval[:2] == pytest.approx(expected, abs=1e-6)
    assert interval.low <= share <= interval.high
    assert 0.03 < interval.high - interval.low < 0.35


def test_independent_pictures_are_worth_their_number():
    dice = random.Random(1)
    values = [int(dice.random() < 0.4) for _ in range(3000)]

    found = effective_share([sum(values[i : i + 3]) for i in range(0, 3000, 3)], [3] * 1000)

    assert found.n == pytest.approx(3000, rel=0.06)


def test_copies_of_one_picture_are_worth_one():
    found = effective_share([3 if i % 2 else 0 for i in range(50)], [3] * 50)

    assert found.n == pytest.approx(50, rel=0.03)


def test_nothing_has_no_effective_share():
    assert effective_share([0, 0], [0, 0]) is None


def test_students_t_agrees_with_scipy():
    for degrees in (1, 2, 49, 1000):
        assert t_quantile(degrees) == pytest.approx(stats.t.ppf(0.975, degrees), abs=1e-8)


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
