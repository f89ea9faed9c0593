"""Every figure against an independent one, published examples, and the coverage of the intervals."""

from __future__ import annotations

import random
from collections.abc import Hashable, Sequence
from itertools import permutations

import numpy as np
import pytest
from statsmodels.stats.inter_rater import cohens_kappa as kappa_of_statsmodels
from statsmodels.stats.inter_rater import fleiss_kappa

from copycat.metrics import rate_interval, wilson
from copycat.metrics.agreement import (
    ALL_EQUAL,
    ONE_CHARACTER,
    Agreement,
    accuracy,
    cohens_kappa,
    krippendorff_alpha,
    sensitivity,
    specificity,
)
from copycat.schema import CalibrationCell

N = None
FOUR_CODERS = (
    (1, 2, 3, 3, 2, 1, 4, 1, 2, N, N, N),
    (1, 2, 3, 3, 2, 2, 4, 1, 2, 5, N, 3),
    (N, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, N),
    (1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, N),
)
"""Krippendorff 2011, section C; a row is a coder."""


def cell(character: str, tp: int = 0, fn: int = 0, fp: int = 0, tn: int = 0) -> CalibrationCell:
    return CalibrationCell(character=character, tp=tp, fn=fn, fp=fp, tn=tn)


def single(tp: int, fn: int, fp: int, tn: int) -> list[CalibrationCell]:
    """Each picture of a character of its own."""
    kinds = ["tp"] * tp + ["fn"] * fn + ["fp"] * fp + ["tn"] * tn
    return [cell(f"c{place}", **{kind: 1}) for place, kind in enumerate(kinds)]


def names(n: int) -> list[str]:
    return [f"c{place}" for place in range(n)]


def alpha_by_pairs(ratings: Sequence[Sequence[Hashable | None]]) -> float:
    """From the definition: one minus observed over expected disagreement, pair by pair."""
    units = [[answer for answer in row if answer is not None] for row in ratings]
    units = [unit for unit in units if len(unit) > 1]
    values = [value for unit in units for value in unit]
    observed = sum(sum(a != b for a, b in permutations(unit, 2)) / (len(unit) - 1) for unit in units) / len(values)
    expected = sum(a != b for a, b in permutations(values, 2)) / (len(values) * (len(values) - 1))
    return 1 - observed / expected


def drawn_cells(dice: np.random.Generator, right: tuple[float, float], n_pictures: int = 6) -> list[CalibrationCell]:
    """50 characters; how often they are shown differs between them, with a correlation of 0.5 and a mean of 0.3."""
    cells = []
    for place in range(50):
        shown = dice.binomial(n_pictures, dice.beta(0.3, 0.7))
        tp, tn = dice.binomial(shown, right[0]), dice.binomial(n_pictures - shown, right[1])
        cells.append(cell(f"c{place}", int(tp), int(shown - tp), int(n_pictures - shown - tn), int(tn)))
    return cells


def bounds(found: Agreement) -> tuple[float | None, float | None]:
    return found.low, found.high


def test_accuracy_sensitivity_specificity_and_kappa_worked_by_hand() -> None:
    cells = [cell("a", 12, 1, 6, 7), cell("b", 8, 4, 4, 8)]
    assert accuracy(cells).model_dump(include={"value", "k", "n"}) == {"value": 0.7, "k": 35, "n": 50}
    assert sensitivity(cells).model_dump(include={"value", "k", "n"}) == {"value": 0.8, "k": 20, "n": 25}
    assert specificity(cells).model_dump(include={"value", "k", "n"}) == {"value": 0.6, "k": 15, "n": 25}
    assert cohens_kappa(cells).value == pytest.approx(0.4, abs=1e-15)  # p_e = 0.5 * 0.6 + 0.5 * 0.4 = 0.5


def test_shares_have_the_interval_of_rates_over_characters() -> None:
    cells = [cell("a", 5, 1, 2, 2), cell("b", 1, 3, 0, 6), cell("c", 4, 0, 1, 5)]
    expected = rate_interval([1] * 5 + [0] + [1] + [0] * 3 + [1] * 4, ["a"] * 6 + ["b"] * 4 + ["c"] * 4)
    assert bounds(sensitivity(cells)) == expected[:2]
    assert bounds(accuracy(single(20, 5, 10, 15))) == wilson(35, 50)[:2]


def test_what_is_undefined_is_null_with_a_reason() -> None:
    no_target = [cell("a", fp=1, tn=4), cell("b", tn=5)]
    assert sensitivity(no_target) == Agreement(value=None, n=0, reason="no labelled picture shows its character")
    assert specificity(no_target).value == 0.9
    assert specificity([cell("a", tp=1)]).reason == "every labelled picture shows its character"
    assert accuracy([]).reason == cohens_kappa([]).reason == "there is no labelled picture"
    assert cohens_kappa([cell("a", tn=3), cell("b", tn=2)]) == Agreement(value=None, n=5, reason=ALL_EQUAL)
    assert krippendorff_alpha([[1, 1], [1, 1]], ["a", "b"]) == Agreement(value=None, n=2, reason=ALL_EQUAL)
    assert krippendorff_alpha([[1, N], [2]], ["a", "b"]).reason == "no picture has the answers of two raters"


def test_what_one_character_holds_alone_has_no_interval() -> None:
    assert cohens_kappa([cell("a", 3, 1, 1, 3)]) == Agreement(value=0.5, n=8, reason=ONE_CHARACTER)
    only_a_is_shown = cohens_kappa([cell("a", 3, 0, 0, 1), cell("b", tn=4), cell("c", tn=4)])
    assert (only_a_is_shown.value, only_a_is_shown.low) == (1.0, None)
    assert only_a_is_shown.reason == f"without one character, {ALL_EQUAL}"


@pytest.mark.parametrize("seed", range(5))
def test_kappa_is_that_of_statsmodels(seed: int) -> None:
    dice = random.Random(seed)
    counts = [dice.randrange(10, 60) for _ in range(4)]
    expected = kappa_of_statsmodels([[counts[0], counts[1]], [counts[2], counts[3]]])
    found = cohens_kappa(single(*counts))
    assert found.value == pytest.approx(expected.kappa, abs=1e-12)
    assert found.low is not None and found.high is not None
    # Independent pictures: Cohen's standard error for large samples, but for the skew of a score interval.
    assert found.low == pytest.approx(expected.kappa_low, abs=0.03)
    assert found.high == pytest.approx(expected.kappa_upp, abs=0.03)


def test_alpha_of_krippendorffs_published_examples() -> None:
    yes_no = ((0, 1, 0, 0, 0, 0, 0, 0, 1, 0), (1, 1, 1, 0, 0, 1, 0, 0, 0, 0))
    letters = ("aabbdcccedda", "babbbccceddd")
    for coders, expected in ((yes_no, 0.095), (letters, 0.692), (FOUR_CODERS, 0.743)):
        ratings = list(zip(*coders, strict=True))
        assert krippendorff_alpha(ratings, names(len(ratings))).value == pytest.approx(expected, abs=5e-4)


@pytest.mark.parametrize("seed", range(5))
def test_alpha_with_missing_answers_is_that_of_the_definition(seed: int) -> None:
    dice = random.Random(seed)
    ratings = [[dice.choice(["cat", "dog", "fox", N]) for _ in range(dice.randrange(6))] for _ in range(40)]
    found = krippendorff_alpha(ratings, [f"c{place % 7}" for place in range(40)])
    assert found.value == pytest.approx(alpha_by_pairs(ratings), abs=1e-12)
    assert found.n == sum(sum(answer is not None for answer in row) > 1 for row in ratings)


def test_alpha_of_many_complete_answers_nears_fleiss_kappa() -> None:
    dice = random.Random(1)
    ratings = []
    for _ in range(3000):
        truth = dice.randrange(3)
        ratings.append([truth if dice.random() < 0.7 else dice.randrange(3) for _ in range(4)])
    table = [[row.count(kind) for kind in range(3)] for row in ratings]
    assert krippendorff_alpha(ratings, names(3000)).value == pytest.approx(fleiss_kappa(table), abs=2e-4)


def test_full_agreement_has_a_width_as_a_rate_of_one_has() -> None:
    kappa = cohens_kappa([cell(f"c{place}", tp=1, tn=1) for place in range(50)])
    assert (kappa.value, kappa.high, kappa.reason) == (1.0, 1.0, None)
    # By hand: 100 pictures with a correlation of 0.7 are worth 100 / 1.7; t of 49 degrees is 2.0096; p_e = 1/2.
    worth, squared = 100 / 1.7, 2.0095752**2
    assert kappa.low == pytest.approx(1 - 2 * squared / (worth + squared), abs=1e-6)


def test_pictures_of_one_character_that_go_together_widen_the_interval() -> None:
    dice = random.Random(2)
    apart, together = [], []
    for place in range(40):
        kinds = [dice.choices(["tp", "fn", "fp", "tn"], [4, 1, 1, 4])[0] for _ in range(6)]
        together.append(cell(f"c{place}", **{kinds[0]: 6}))
        apart += [cell(f"c{place}-{copy}", **{kinds[0]: 1}) for copy in range(6)]
    near, far = cohens_kappa(together), cohens_kappa(apart)
    assert near.value == far.value
    assert near.low is not None and near.high is not None and far.low is not None and far.high is not None
    assert near.high - near.low > 2 * (far.high - far.low)


def test_the_order_of_the_rows_and_of_the_raters_moves_no_bit() -> None:
    dice = random.Random(3)
    cells = drawn_cells(np.random.default_rng(3), (0.8, 0.9))
    ratings = [[dice.choice([True, False, N]) for _ in range(4)] for _ in range(60)]
    clusters = [f"c{place % 9}" for place in range(60)]
    order = dice.sample(range(60), 60)
    shuffled = [dice.sample(ratings[place], 4) for place in order]
    assert cohens_kappa(cells) == cohens_kappa(cells[::-1])
    assert krippendorff_alpha(shuffled, [clusters[place] for place in order]) == krippendorff_alpha(ratings, clusters)


def test_cells_of_the_same_character_count_as_one_cluster() -> None:
    assert cohens_kappa([cell("a", 3, 1), cell("a", 0, 0, 1, 3), cell("b", 2, 1, 1, 2)]) == cohens_kappa(
        [cell("a", 3, 1, 1, 3), cell("b", 2, 1, 1, 2)]
    )


def test_ratings_without_a_cluster_each_are_refused() -> None:
    with pytest.raises(ValueError, match="each picture needs a cluster, got 1 pictures and 2 clusters"):
        krippendorff_alpha([[1, 1]], ["a", "b"])


@pytest.mark.parametrize("right", [(0.8, 0.9), (0.99, 0.99), (0.6, 0.7)])
def test_the_interval_of_kappa_covers_its_truth(right: tuple[float, float]) -> None:
    dice = np.random.default_rng(7)
    says_yes = 0.3 * right[0] + 0.7 * (1 - right[1])
    by_chance = 0.3 * says_yes + 0.7 * (1 - says_yes)
    truth = (0.3 * right[0] + 0.7 * right[1] - by_chance) / (1 - by_chance)
    found = [cohens_kappa(drawn_cells(dice, right)) for _ in range(400)]
    covered = sum(f.low is not None and f.high is not None and f.low <= truth <= f.high for f in found) / 400
    assert 0.92 <= covered <= 0.985  # 93 to 98 % and the luck of 400 draws


@pytest.mark.parametrize("right", [(0.8, 0.9), (0.99, 0.99)])
def test_the_interval_of_alpha_covers_its_truth(right: tuple[float, float]) -> None:
    dice = np.random.default_rng(8)
    says_yes = 0.3 * right[0] + 0.7 * (1 - right[1])
    apart = 0.3 * 2 * right[0] * (1 - right[0]) + 0.7 * 2 * right[1] * (1 - right[1])
    truth = 1 - apart / (2 * says_yes * (1 - says_yes))
    covered = 0
    for _ in range(200):
        shown = dice.random((50, 3)) < dice.beta(0.3, 0.7, 50)[:, None]
        said = dice.random((50, 3, 3)) < np.where(shown, right[0], 1 - right[1])[:, :, None]
        found = krippendorff_alpha(said.reshape(150, 3).tolist(), [f"c{place // 3}" for place in range(150)])
        covered += found.low is not None and found.high is not None and found.low <= truth <= found.high
    assert 0.91 <= covered / 200 <= 0.99
