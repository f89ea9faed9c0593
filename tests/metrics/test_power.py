"""The smallest difference that can be seen, against simulated runs and statsmodels."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.power import TTestIndPower, TTestPower

from copycat.metrics import smallest_difference, smallest_difference_seen

TRIALS = 1_500


def character_means(rate, repeats, correlation, place, rng):
    """Means of a character's pictures, whose chance is that of a beta distribution at `place` of it."""
    spread = 1 / correlation - 1
    chance = stats.beta.ppf(place, rate * spread, (1 - rate) * spread)
    return rng.binomial(repeats, chance) / repeats


def other_rate(rate, difference):
    return rate + difference if rate <= 0.5 else rate - difference


def alone(n):
    return [f"c{i}" for i in range(n)]


@pytest.mark.parametrize(
    ("n", "repeats", "rate", "correlation"), [(50, 3, 0.6, 0.7), (50, 1, 0.3, 0.5), (20, 9, 0.5, 0.3)]
)
def test_different_characters_find_the_difference_in_four_of_five_runs(n, repeats, rate, correlation):
    difference = smallest_difference(n, repeats, rate, correlation, paired=False)
    rng = np.random.default_rng(2)
    one = character_means(rate, repeats, correlation, rng.random((TRIALS, n)), rng)
    other = character_means(other_rate(rate, difference), repeats, correlation, rng.random((TRIALS, n)), rng)

    found = stats.ttest_ind(one, other, axis=1).pvalue <= 0.05

    assert found.mean() == pytest.approx(0.8, abs=0.04)


@pytest.mark.parametrize(
    ("n", "repeats", "rate", "correlation", "shared"), [(50, 3, 0.6, 0.7, 0.6), (30, 9, 0.4, 0.4, 0.3)]
)
def test_the_same_characters_find_the_difference_in_four_of_five_runs(n, repeats, rate, correlation, shared):
    rng = np.random.default_rng(3)
    common = rng.standard_normal((TRIALS, n))
    places = [
        stats.norm.cdf(math.sqrt(shared) * common + math.sqrt(1 - shared) * rng.standard_normal((TRIALS, n)))
        for _ in range(2)
    ]
    one = character_means(rate, repeats, correlation, places[0], rng)
    guess = character_means(other_rate(rate, 0.2), repeats, correlation, places[1], rng)
    seen_together = np.corrcoef(one.ravel(), guess.ravel())[0, 1]

    difference = smallest_difference(n, repeats, rate, correlation, paired=True, paired_correlation=seen_together)
    other = character_means(other_rate(rate, difference), repeats, correlation, places[1], rng)
    found = stats.ttest_rel(one, other, axis=1).pvalue <= 0.05

    assert found.mean() == pytest.approx(0.8, abs=0.04)


def test_the_difference_of_two_sets_agrees_with_statsmodels():
    difference = smallest_difference(40, 1, 0.5, 0.0, paired=False)
    variance = (0.25 + (0.5 + difference) * (0.5 - difference)) / 2

    theirs = TTestIndPower().solve_power(nobs1=40, alpha=0.05, power=0.8) * math.sqrt(variance)

    assert difference == pytest.approx(theirs, rel=0.01)


def test_the_difference_is_the_root_of_its_formula():
    """Hand-worked: 50 characters, 3 pictures, rate 0.6, correlation 0.7 between pictures and 0.5 between runs."""
    d = smallest_difference(50, 3, 0.6, 0.7, paired=True)
    share = (1 + 2 * 0.7) / 3
    here, there = 0.24 * share, (0.6 - d) * (0.4 + d) * share
    variance = (here + there - math.sqrt(here * there)) / 50

    assert d == pytest.approx((stats.t.ppf(0.975, 49) + stats.t.ppf(0.8, 49)) * math.sqrt(variance))


def test_more_characters_help_and_more_pictures_of_the_same_ones_hardly():
    few = smallest_difference(50, 1, 0.5, 0.7, paired=False)

    assert smallest_difference(50, 9, 0.5, 0.7, paired=False) > 0.8 * few
    assert smallest_difference(450, 1, 0.5, 0.7, paired=False) < 0.4 * few


def test_pairs_help_if_the_runs_resemble_each_other():
    apart = smallest_difference(50, 3, 0.5, 0.7, paired=False)
    paired = [smallest_difference(50, 3, 0.5, 0.7, paired=True, paired_correlation=r) for r in (0.0, 0.5, 0.9)]

    assert paired[0] == pytest.approx(apart, rel=0.03)
    assert paired[0] > paired[1] > paired[2]


def test_more_power_takes_a_larger_difference():
    differences = [smallest_difference(50, 3, 0.5, 0.7, paired=True, power=power) for power in (0.5, 0.8, 0.95)]

    assert differences == sorted(differences)


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.4])
def test_a_rate_and_its_complement_take_the_same_difference(rate):
    ours = smallest_difference(50, 3, rate, 0.7, paired=True)

    assert ours > 0
    assert smallest_difference(50, 3, 1 - rate, 0.7, paired=True) == pytest.approx(ours)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"n_characters": 1}, "at least two characters, got 1"),
        ({"n_characters": 2}, "2 characters are too few"),
        ({"repeats": 0}, "at least one picture, got 0"),
        ({"rate": 1.2}, r"in \[0, 1\], got 1.2"),
        ({"correlation": -0.1}, r"pictures must lie in \[0, 1\], got -0.1"),
        ({"paired_correlation": 1.0}, r"runs must lie in \[-1, 1\), got 1"),
        ({"power": 1.0}, r"power must lie in \[0.5, 1\), got 1"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(change, text):
    plan = {"n_characters": 50, "repeats": 3, "rate": 0.5, "correlation": 0.7, "paired": True}

    with pytest.raises(ValueError, match=text):
        smallest_difference(**{**plan, **change})


# ------------------------------------------------------------------------------- what was seen


def test_what_could_be_seen_agrees_with_statsmodels():
    differences = np.random.default_rng(5).normal(0.1, 0.3, size=25)

    theirs = TTestPower().solve_power(nobs=25, alpha=0.05, power=0.8) * differences.std(ddof=1)

    assert smallest_difference_seen(differences.tolist(), alone(25)) == pytest.approx(theirs, rel=0.01)


@pytest.mark.parametrize("n", [15, 50])
def test_a_difference_that_could_be_seen_is_seen_in_four_of_five_runs(n):
    """From the spread of a large run, scaled to runs of n characters with two pairs each."""
    rng = np.random.default_rng(6)
    means = rng.normal(0, 0.25, size=(TRIALS, n, 1))
    pairs = means + rng.normal(0, 0.1, size=(TRIALS, n, 2))
    clusters = [name for name in alone(n) for _ in range(2)]
    usual = math.sqrt(np.mean([smallest_difference_seen(run.ravel().tolist(), clusters) ** 2 for run in pairs[:200]]))

    found = stats.ttest_1samp(pairs.mean(axis=2) + usual, 0, axis=1).pvalue <= 0.05

    assert found.mean() == pytest.approx(0.8, abs=0.04)


def test_pictures_of_one_character_are_one_fact():
    differences = np.random.default_rng(7).normal(0, 0.3, size=20).tolist()

    thrice = smallest_difference_seen(differences * 3, alone(20) * 3)

    assert thrice == pytest.approx(smallest_difference_seen(differences, alone(20)))


@pytest.mark.parametrize(
    ("differences", "clusters", "text"),
    [
        ([], [], "got none"),
        ([0.1, 0.2], ["a"], "got 2 values and 1 clusters"),
        ([0.1, 0.2], ["a", "a"], "at least two of them, got one"),
        ([0.0, 0.0], ["a", "b"], "the same difference, which tells no spread"),
        ([0.1, math.nan], ["a", "b"], "finite numbers, got nan"),
    ],
)
def test_pairs_that_tell_no_spread_are_refused(differences, clusters, text):
    with pytest.raises(ValueError, match=text):
        smallest_difference_seen(differences, clusters)
