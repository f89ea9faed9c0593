"""Tests of differences and corrected p values, against scipy, statsmodels and counting by hand."""

from __future__ import annotations

import math
import random
from itertools import product

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from copycat.metrics import benjamini_hochberg, holm, mcnemar_exact, sign_flip, welch


def slow_sign_flip(differences, clusters):
    """Count all flips one by one; values must be whole multiples of 1/4, which floats hold exactly."""
    sums = [sum(d for d, c in zip(differences, clusters, strict=True) if c == name) for name in sorted(set(clusters))]
    totals = [abs(sum(s * x for s, x in zip(signs, sums, strict=True))) for signs in product((1, -1), repeat=len(sums))]
    return sum(total >= abs(sum(sums)) for total in totals) / len(totals)


def quarters(n, seed):
    return [i / 4 for i in random.Random(seed).choices(range(-3, 5), k=n)]


def p_values(m, seed):
    return np.random.default_rng(seed).beta(0.3, 1.5, size=m).tolist()


# ------------------------------------------------------------------------------------ McNemar


@pytest.mark.parametrize(("b", "c"), [(0, 1), (1, 7), (7, 1), (5, 5), (12, 30), (0, 40), (200, 251)])
def test_mcnemar_agrees_with_statsmodels(b, c):
    theirs = mcnemar([[0, b], [c, 0]], exact=True).pvalue

    assert mcnemar_exact(b, c) == pytest.approx(theirs, rel=1e-9)


def test_mcnemar_of_one_rise_and_seven_falls_is_eighteen_of_256():
    assert mcnemar_exact(1, 7) == 18 / 256


def test_without_a_changed_pair_mcnemar_finds_nothing():
    assert mcnemar_exact(0, 0) == 1


def test_mcnemar_holds_for_more_pairs_than_a_float_can_count():
    assert mcnemar_exact(900, 1200) == pytest.approx(stats.binomtest(900, 2100).pvalue, rel=1e-9)


def test_mcnemar_refuses_a_negative_count():
    with pytest.raises(ValueError, match="b = -1 and c = 3"):
        mcnemar_exact(-1, 3)


# ---------------------------------------------------------------------------------- sign flips


@pytest.mark.parametrize("seed", range(6))
def test_a_flip_of_few_clusters_counts_all_signs(seed):
    differences, clusters = quarters(24, seed), [f"c{i % 8}" for i in range(24)]

    assert sign_flip(differences, clusters) == slow_sign_flip(differences, clusters)


def test_with_one_pair_per_character_a_flip_is_mcnemar():
    differences = [1.0] * 9 + [-1.0] * 2 + [0.0] * 39

    assert sign_flip(differences, [f"c{i}" for i in range(50)]) == mcnemar_exact(9, 2)


def test_a_flip_of_many_clusters_agrees_with_scipy():
    values = np.random.default_rng(3).normal(0.06, 0.2, size=60).clip(-1, 1)
    theirs = stats.permutation_test(
        (values,), np.sum, permutation_type="samples", n_resamples=20_000, rng=np.random.default_rng(1)
    ).pvalue

    ours = sign_flip(values.tolist(), [f"c{i}" for i in range(60)])

    assert 0.005 < theirs < 0.5
    assert ours == pytest.approx(theirs, abs=4 * math.sqrt(theirs / 10_000))


def test_drawn_flips_agree_with_all_flips(monkeypatch):
    differences, clusters = quarters(14, 8), [f"c{i}" for i in range(14)]
    exact = sign_flip(differences, clusters)

    monkeypatch.setattr("copycat.metrics.significance.MOST_ENUMERATED", 0)

    assert sign_flip(differences, clusters) == pytest.approx(exact, abs=0.02)


def test_drawn_flips_never_give_a_p_of_zero():
    assert sign_flip([1.0] * 100, [f"c{i}" for i in range(100)]) == 1 / 10_001


def test_the_signs_of_drawn_flips_are_fair_and_independent():
    """Were the bits of two clusters the same, the spread of the totals would tell."""
    from copycat.metrics.significance import _drawn_totals

    totals = _drawn_totals(np.ones(150, dtype=np.int64))

    assert abs(totals.mean()) < 4 * math.sqrt(150 / 10_000)
    assert totals.var() == pytest.approx(150, rel=0.06)


def test_pictures_of_one_character_flip_together():
    """Three pictures of each of five characters are five facts, not fifteen."""
    assert sign_flip([1.0] * 15, [f"c{i % 5}" for i in range(15)]) == 2 / 2**5


def test_thirds_that_cancel_count_as_no_change():
    third = 1 / 3

    assert sign_flip([third, third, -2 * third, 0.5], ["a", "a", "a", "b"]) == 1.0


def test_totals_that_differ_by_rounding_alone_are_the_same():
    """Flips of 1/3, 1/3 and 2/3 reach the observed total of 2/3 and 0 in more ways than one."""
    differences, clusters = [1 / 3, 1 / 3, -2 / 3], ["a", "b", "c"]

    assert sign_flip(differences, clusters) == 1.0
    assert sign_flip([1 / 3, 1 / 3, 2 / 3, -2 / 3], ["a", "b", "c", "d"]) == 12 / 16


def test_where_nothing_changed_a_flip_finds_nothing():
    assert sign_flip([0.0] * 30, [f"c{i}" for i in range(30)]) == 1.0


@pytest.mark.parametrize("n_clusters", [10, 40])
def test_neither_order_nor_names_nor_direction_move_a_bit(n_clusters):
    differences = np.random.default_rng(4).uniform(-0.6, 1, size=90).tolist()
    clusters = [f"c{i % n_clusters:02d}" for i in range(90)]
    rows = list(zip(differences, clusters, strict=True))
    ours = sign_flip(differences, clusters)

    assert sign_flip(*zip(*random.Random(0).sample(rows, 90), strict=True)) == ours
    assert sign_flip(differences, [name[::-1] for name in clusters]) == ours
    assert sign_flip([-d for d in differences], clusters) == ours


def test_drawn_flips_are_the_same_to_the_last_bit_on_every_machine():
    values = [((i * 37) % 101 - 46) / 101 for i in range(120)]

    assert sign_flip(values, [f"c{i % 40:02d}" for i in range(120)]) == 369 / 10_001


def test_a_flip_finds_a_difference_of_zero_in_five_percent_of_runs():
    rng = np.random.default_rng(9)
    clusters = [f"c{i}" for i in range(12) for _ in range(3)]
    found = 0
    for _ in range(600):
        mean = rng.normal(0, 0.2, size=(12, 1))
        values = (mean + rng.normal(0, 0.05, size=(12, 3))).clip(-1, 1)
        found += sign_flip(values.ravel().tolist(), clusters) <= 0.05

    assert 0.03 <= found / 600 <= 0.07


@pytest.mark.parametrize(
    ("differences", "clusters", "text"),
    [
        ([], [], "at least one value, got none"),
        ([0.5], ["a", "b"], "got 1 values and 2 clusters"),
        ([1.5], ["a"], r"must lie in \[-1, 1\], got 1.5"),
        ([math.nan], ["a"], r"must lie in \[-1, 1\], got nan"),
    ],
)
def test_a_flip_refuses_what_is_no_difference(differences, clusters, text):
    with pytest.raises(ValueError, match=text):
        sign_flip(differences, clusters)


# ---------------------------------------------------------------------------- many p values


@pytest.mark.parametrize(("ours", "name"), [(holm, "holm"), (benjamini_hochberg, "fdr_bh")])
@pytest.mark.parametrize("m", [1, 2, 5, 40])
def test_adjusted_p_values_agree_with_statsmodels(ours, name, m):
    values = p_values(m, seed=m)

    assert ours(values) == pytest.approx(multipletests(values, method=name)[1].tolist(), rel=1e-12)


def test_hand_worked_p_values_are_adjusted():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert benjamini_hochberg([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.04, 0.04])


@pytest.mark.parametrize("adjust", [holm, benjamini_hochberg])
def test_equal_p_values_stay_equal_and_nothing_stays_nothing(adjust):
    assert len(set(adjust([0.02] * 4))) == 1
    assert adjust([]) == []
    assert adjust([1.0, 1.0, 0.9]) == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("adjust", [holm, benjamini_hochberg])
@pytest.mark.parametrize("value", [-0.1, 1.1, math.nan])
def test_what_is_no_p_value_is_refused(adjust, value):
    with pytest.raises(ValueError, match=r"must lie in \[0, 1\]"):
        adjust([0.5, value])


# -------------------------------------------------------------------------------------- Welch


FIGURES = [(30.33, 1.89, 3, 20.67, 0.47, 3), (4.0, 1.0, 10, 5.5, 3.0, 4), (0.2, 0.0, 5, 0.3, 0.1, 8)]


@pytest.mark.parametrize("figures", FIGURES)
def test_welch_agrees_with_scipy(figures):
    two_sided = stats.ttest_ind_from_stats(*figures, equal_var=False)
    one_sided = stats.ttest_ind_from_stats(*figures, equal_var=False, alternative="greater")

    ours = welch(*figures)

    assert ours.t == pytest.approx(two_sided.statistic)
    assert (ours.p_one_sided, ours.p_two_sided) == pytest.approx((one_sided.pvalue, two_sided.pvalue), rel=1e-8)


def test_population_stds_are_converted_to_those_of_samples():
    first, second = [29, 29, 33], [20, 21, 21, 25]
    theirs = stats.ttest_ind(first, second, equal_var=False)

    ours = welch(np.mean(first), np.std(first), 3, np.mean(second), np.std(second), 4, ddof=0)

    assert (ours.t, ours.df, ours.p_two_sided) == pytest.approx((theirs.statistic, theirs.df, theirs.pvalue))


def test_swapping_the_groups_mirrors_the_test():
    ours, mirrored = welch(4, 1, 10, 5, 3, 4), welch(5, 3, 4, 4, 1, 10)

    assert mirrored.t == -ours.t
    assert mirrored.p_two_sided == ours.p_two_sided
    assert mirrored.p_one_sided == pytest.approx(1 - ours.p_one_sided)


@pytest.mark.parametrize(
    ("figures", "text"),
    [
        ((1, 1, 1, 2, 1, 3), "at least two values, got n = 1"),
        ((1, -1, 3, 2, 1, 3), "from 0 up, got -1"),
        ((1, math.nan, 3, 2, 1, 3), "from 0 up, got nan"),
        ((1, 0, 3, 2, 0, 3), "both stds are 0"),
        ((1, 1, 3, 2, 1, 3, 2), "ddof must be 1 .* got 2"),
    ],
)
def test_welch_refuses_what_has_no_spread(figures, text):
    with pytest.raises(ValueError, match=text):
        welch(*figures)
