"""Every formula against an independent one, and against numbers worked by hand."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from itertools import combinations, permutations

import pytest
from statsmodels.stats.inter_rater import cohens_kappa

from copycat.calibration.cases import Case, Pair
from copycat.calibration.consensus import Opinions
from copycat.calibration.scores import alpha, kappa, mean_kappa, score_pairs
from copycat.metrics import rate_interval, wilson


def pair(truth: bool, said: bool, character: str = "a") -> Pair:
    case = Case(
        key="", image_sha256="", character=character, franchise="", anchor=None, truth=truth, opinions={},
        judgement=None,
    )  # fmt: skip
    return Pair(case, said)


def pairs(tp: int, fn: int, fp: int, tn: int) -> list[Pair]:
    """Each of a character of its own."""
    kinds = [(True, True)] * tp + [(True, False)] * fn + [(False, True)] * fp + [(False, False)] * tn
    return [pair(truth, said, f"c{place}") for place, (truth, said) in enumerate(kinds)]


def alpha_by_pairs(ratings: Sequence[Sequence[bool]]) -> float:
    """From the definition: 1 - observed over expected disagreement, pair by pair."""
    units = [unit for unit in ratings if len(unit) > 1]
    values = [value for unit in units for value in unit]
    observed = sum(sum(a != b for a, b in permutations(unit, 2)) / (len(unit) - 1) for unit in units) / len(values)
    expected = sum(a != b for a, b in permutations(values, 2)) / (len(values) * (len(values) - 1))
    return 1 - observed / expected


def test_accuracy_sensitivity_specificity_and_kappa_worked_by_hand() -> None:
    accuracy, sensitivity, specificity, agreement = score_pairs(pairs(tp=20, fn=5, fp=10, tn=15))
    assert (accuracy.value, accuracy.k, accuracy.n) == (0.7, 35, 50)
    assert (sensitivity.value, sensitivity.k, sensitivity.n) == (0.8, 20, 25)
    assert (specificity.value, specificity.k, specificity.n) == (0.6, 15, 25)
    assert agreement.value == pytest.approx(0.4)  # p_e = 0.5 * 0.6 + 0.5 * 0.4 = 0.5


def test_where_each_picture_is_of_another_character_shares_have_wilsons_interval() -> None:
    accuracy = score_pairs(pairs(20, 5, 10, 15))[0]
    assert (accuracy.low, accuracy.high) == wilson(35, 50)[:2]


def test_intervals_are_over_characters() -> None:
    dice = random.Random(5)
    rows = []
    for number in range(40):
        rate = dice.choice([0.5, 1.0])
        rows += [pair(True, dice.random() < rate, f"c{number}") for _ in range(8)]
    sensitivity = score_pairs(rows)[1]
    expected = rate_interval([row.said for row in rows], [row.case.character for row in rows])
    assert (sensitivity.low, sensitivity.high) == expected[:2]
    alone = wilson(sum(row.said for row in rows), len(rows))
    assert sensitivity.high is not None and sensitivity.low is not None
    assert sensitivity.high - sensitivity.low > 1.3 * (alone.high - alone.low)


def test_what_is_undefined_is_null_with_a_reason() -> None:
    accuracy, sensitivity, specificity, agreement = score_pairs(pairs(0, 0, 3, 5))
    assert accuracy.value == 5 / 8
    assert (sensitivity.value, sensitivity.n) == (None, 0)
    assert sensitivity.reason == "there is not a picture that shows its character"
    assert specificity.value == 5 / 8
    assert agreement.value == 0  # one of the two never says yes
    assert score_pairs(pairs(0, 0, 0, 5))[3].value is None
    assert score_pairs([])[0].value is None
    assert score_pairs([])[3].value is None


@pytest.mark.parametrize("seed", range(5))
def test_kappa_is_that_of_statsmodels(seed: int) -> None:
    dice = random.Random(seed)
    counts = [dice.randrange(1, 30) for _ in range(4)]
    expected = cohens_kappa([[counts[0], counts[1]], [counts[2], counts[3]]])
    found = score_pairs(pairs(*counts))[3]
    assert found.value == pytest.approx(expected.kappa, abs=1e-12)
    assert found.low is not None and found.high is not None
    # Each character once: the bootstrap is then that of statsmodels' normal interval, but for its skew.
    assert found.low == pytest.approx(expected.kappa_low, abs=0.06)
    assert found.high == pytest.approx(expected.kappa_upp, abs=0.06)


def test_alpha_of_krippendorffs_example_of_two_people_and_yes_or_no() -> None:
    first = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0]
    second = [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    rows = [([bool(a), bool(b)], f"c{place}") for place, (a, b) in enumerate(zip(first, second, strict=True))]
    assert alpha(rows).value == pytest.approx(0.095, abs=5e-4)  # Krippendorff 2011, section A


@pytest.mark.parametrize("seed", range(5))
def test_alpha_with_missing_answers_is_that_of_the_definition(seed: int) -> None:
    dice = random.Random(seed)
    ratings = [[dice.random() < 0.4 for _ in range(dice.randrange(0, 6))] for _ in range(30)]
    found = alpha([(answers, f"c{place % 7}") for place, answers in enumerate(ratings)])
    assert found.value == pytest.approx(alpha_by_pairs(ratings), abs=1e-12)
    assert found.n == sum(len(answers) > 1 for answers in ratings)


def test_full_agreement_has_alpha_and_kappa_one_with_a_width() -> None:
    rows = [([place % 2 == 0] * 3, f"c{place}") for place in range(20)]
    found = alpha(rows)
    assert found.value == 1.0
    assert 0.5 < (found.low or 0) < (found.high or 0) <= 1
    perfect = kappa([(place % 2 == 0, place % 2 == 0, f"c{place}") for place in range(20)])
    assert perfect.value == 1.0
    assert 0.5 < (perfect.low or 0) < 1


def test_alpha_of_one_person_or_of_equal_answers_is_null() -> None:
    assert alpha([([True], "a")]).reason == "no picture has the answers of two raters"
    assert alpha([([True, True], "a"), ([True, True], "b")]).reason == "all answers are the same"


def test_mean_kappa_is_over_all_pairs_of_people_on_what_both_answered() -> None:
    dice = random.Random(3)
    rows: list[tuple[Opinions, str]] = []
    for place in range(80):
        truth = dice.random() < 0.5
        said = {name: truth if dice.random() < 0.8 else not truth for name in ("ann", "ben", "cy")}
        words = {name: "yes" if yes else "no" for name, yes in said.items() if dice.random() < 0.9}
        words |= {"ben": "unsure"} if dice.random() < 0.1 else {}
        rows.append((words, f"c{place % 10}"))  # type: ignore[arg-type]
    expected = []
    for a, b in combinations(("ann", "ben", "cy"), 2):
        both = [(o[a], o[b]) for o, _ in rows if a in o and b in o and "unsure" not in (o[a], o[b])]
        expected.append(
            cohens_kappa([[both.count((x, y)) for y in ("yes", "no")] for x in ("yes", "no")], return_results=False)
        )
    found = mean_kappa(rows)
    assert found is not None
    assert found.value == pytest.approx(math.fsum(expected) / 3, abs=1e-12)
    assert found.low is None


def test_mean_kappa_is_none_where_nobody_looked_at_the_same_picture() -> None:
    assert mean_kappa([({"ann": "yes"}, "a"), ({"ben": "no"}, "a")]) is None


def test_the_interval_of_kappa_covers_the_truth_about_as_often_as_it_says() -> None:
    """50 characters of 6 pictures, errors that differ between characters; kappa is 0.6 on average."""
    dice = random.Random(11)
    hits, rounds = 0, 120
    for _ in range(rounds):
        rows = []
        for number in range(50):
            error = dice.choice([0.1, 0.3])
            for _ in range(6):
                truth = dice.random() < 0.5
                rows.append((truth, truth != (dice.random() < error), f"c{number}"))
        found = kappa(rows)
        hits += (found.low or 0) <= 0.6 <= (found.high or 0)
    assert 0.87 <= hits / rounds <= 1.0
