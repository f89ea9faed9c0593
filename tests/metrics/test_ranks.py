"""Rank intervals: hand-worked boards, refusals, and how often they cover all true ranks."""

from __future__ import annotations

import math
import time
from itertools import combinations

import numpy as np
import pytest
from scipy import stats
from scipy.special import stdtr

from copycat.metrics import RankInterval, holm, rank_intervals
from copycat.metrics.ranks import _p_values


def board(**rows):
    return {model: {f"c{i:02d}": float(v) for i, v in enumerate(values)} for model, values in rows.items()}


def first(k, n=50):
    """Scores of which the first k are 1."""
    return [1] * k + [0] * (n - k)


def simulated(rates, rng, n_characters=50):
    """Three pictures of each character, of which some are drawn nearly always by all models, some by none."""
    spread = 1 / 0.7 - 1
    common = rng.standard_normal((1, n_characters))
    own = rng.standard_normal((len(rates), n_characters))
    place = stats.norm.cdf(np.sqrt(0.5) * common + np.sqrt(0.5) * own)
    rate = np.array(rates)[:, None]
    pictures = rng.binomial(3, stats.beta.ppf(place, rate * spread, (1 - rate) * spread))
    return board(**{f"m{i}": row / 3 for i, row in enumerate(pictures)})


def true_ranks(rates):
    """The lowest rate is first; models with the same rate share all the places that they take."""
    return [(1 + sum(r < rate for r in rates), len(rates) - sum(r > rate for r in rates)) for rate in rates]


def p_value(differences):
    """One pair at a time, in plain Python: what all pairs at once must agree with."""
    n_changed = sum(abs(d) > 1e-9 for d in differences)
    if n_changed == 0:
        return 1.0
    n, mean = len(differences), math.fsum(differences) / len(differences)
    deviation = math.sqrt(math.fsum((d - mean) ** 2 for d in differences) / (n - 1) / n)
    least = 2.0 ** (1 - n_changed)
    return least if deviation <= 1e-9 else max(least, 2 * float(stdtr(n - 1, -abs(mean) / deviation)))


def ranks_pair_by_pair(scores):
    pairs = list(combinations(scores, 2))
    common = [sorted(scores[a].keys() & scores[b].keys()) for a, b in pairs]
    differences = [[scores[a][c] - scores[b][c] for c in names] for (a, b), names in zip(pairs, common, strict=True)]
    n_better, n_worse = dict.fromkeys(scores, 0), dict.fromkeys(scores, 0)
    for (a, b), values, p in zip(pairs, differences, holm([p_value(d) for d in differences]), strict=True):
        if p <= 0.05:
            winner, loser = (a, b) if math.fsum(values) < 0 else (b, a)
            n_better[loser] += 1
            n_worse[winner] += 1
    return {model: (1 + n_better[model], len(scores) - n_worse[model]) for model in scores}


def test_models_that_are_far_apart_have_one_place_each():
    scores = board(bad=first(45), good=first(2), middle=first(22))

    assert rank_intervals(scores, better="lower") == {"bad": (3, 3), "good": (1, 1), "middle": (2, 2)}
    assert rank_intervals(scores, better="higher") == {"bad": (1, 1), "good": (3, 3), "middle": (2, 2)}


def test_models_that_cannot_be_told_apart_overlap():
    scores = board(a=first(10), b=first(12), c=first(40))

    assert rank_intervals(scores, better="lower") == {
        "a": RankInterval(best=1, worst=2),
        "b": RankInterval(best=1, worst=2),
        "c": RankInterval(best=3, worst=3),
    }


def test_a_model_may_overlap_with_two_that_are_told_apart():
    ranks = rank_intervals(board(a=first(10), b=first(14), c=first(18)), better="lower")

    assert ranks == {"a": (1, 2), "b": (1, 3), "c": (2, 3)}


def test_equal_models_may_have_any_place():
    ranks = rank_intervals(board(a=first(10), b=first(10), c=first(10)), better="lower")

    assert set(ranks.values()) == {RankInterval(1, 3)}


def test_scores_that_differ_by_rounding_alone_are_equal():
    scores = {"a": dict.fromkeys("uvwxyz", 0.1 + 0.2), "b": dict.fromkeys("uvwxyz", 0.3)}

    assert set(rank_intervals(scores, better="lower").values()) == {RankInterval(1, 2)}


def test_the_p_value_is_that_of_the_paired_t_test():
    rng = np.random.default_rng(1)
    one, other = rng.random(40), rng.random(40) * 0.9

    assert _p_values((one - other)[None]) == pytest.approx([stats.ttest_rel(one, other).pvalue], rel=1e-8)


@pytest.mark.parametrize(("n_changed", "p"), [(2, 0.5), (5, 1 / 16), (6, 1 / 32)])
def test_few_changed_characters_are_no_evidence(n_changed, p):
    """A t test of 5 characters that rose, of 50, gives 0.024; a test by signs cannot go below 0.0625."""
    assert _p_values(np.array([[1.0] * n_changed + [0.0] * (50 - n_changed)])) == p
    assert _p_values(np.ones((1, n_changed))) == p


def test_only_characters_that_both_models_have_are_compared():
    """Alone, the other half of b would make it look worse."""
    scores = board(a=first(0, 20), b=first(0, 20))
    scores["b"] |= {f"hard{i}": 1.0 for i in range(20)}

    assert set(rank_intervals(scores, better="lower").values()) == {RankInterval(1, 2)}


def test_the_order_of_models_and_characters_moves_nothing():
    scores = simulated([0.1, 0.3, 0.5], np.random.default_rng(2))
    turned = {m: dict(reversed(by_character.items())) for m, by_character in reversed(scores.items())}

    assert rank_intervals(turned, better="lower") == rank_intervals(scores, better="lower")


def test_all_pairs_at_once_rank_as_one_pair_at_a_time_does():
    """Fifty models, some equal, some with missing characters."""
    rng = np.random.default_rng(5)
    scores = simulated(np.repeat(np.linspace(0.05, 0.8, 25), 2).tolist(), rng)
    scores["m1"] = dict(scores["m0"])
    scores["m2"] = dict.fromkeys(scores["m2"], 0.0)
    for model in ("m3", "m9", "m30"):
        for character in ("c07", "c21", f"c{int(model[1:]) + 10}"):
            del scores[model][character]

    assert rank_intervals(scores, better="lower") == ranks_pair_by_pair(scores)


def test_a_thousand_models_are_ranked_within_seconds():
    scores = simulated(np.linspace(0.02, 0.9, 1000).tolist(), np.random.default_rng(6))
    start = time.process_time()

    ranks = rank_intervals(scores, better="lower")

    assert ranks["m0"].best == 1
    assert ranks["m999"].worst == 1000
    assert time.process_time() - start < 6  # 1 s where nothing else runs


@pytest.mark.parametrize(
    ("scores", "better", "text"),
    [
        ({}, "lower", "at least two models, got 0"),
        ({"a": {"x": 1.0, "y": 0.0}}, "lower", "at least two models, got 1"),
        ({"a": {"x": 1.0, "y": 0.0}, "b": {"x": 1.0, "z": 0.0}}, "lower", "'a' and 'b' have 1 characters in common"),
        ({"a": {"x": 1.0, "y": math.nan}, "b": {"x": 1.0, "y": 0.0}}, "lower", "got nan for 'y' of 'a'"),
        ({"a": {"x": 1.0, "y": 0.0}, "b": {"x": 1.0, "y": 0.0}}, "less", "'lower' or 'higher', got 'less'"),
    ],
)
def test_what_has_no_ranks_is_refused(scores, better, text):
    with pytest.raises(ValueError, match=text):
        rank_intervals(scores, better=better)


@pytest.mark.parametrize("rates", [[0.3] * 6, [0.05, 0.05, 0.2, 0.2, 0.5, 0.7]])
def test_all_true_ranks_are_covered_at_once(rates):
    rng, trials, covered = np.random.default_rng(3), 200, 0
    for _ in range(trials):
        ranks = rank_intervals(simulated(rates, rng), better="lower").values()
        truth = true_ranks(rates)
        covered += all(r.best <= best and worst <= r.worst for r, (best, worst) in zip(ranks, truth, strict=True))

    assert covered / trials >= 0.95


def test_true_differences_narrow_the_ranks():
    rng = np.random.default_rng(4)
    widths = []
    for _ in range(50):
        ranks = rank_intervals(simulated([0.05, 0.2, 0.4, 0.6, 0.8], rng), better="lower").values()
        widths += [r.worst - r.best for r in ranks]

    assert np.mean(widths) < 1.5  # 4 without any evidence
