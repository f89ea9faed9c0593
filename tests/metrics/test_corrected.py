"""Rates corrected for the judge's errors: worked by hand, at their limits, and covered in simulations."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from copycat.metrics.corrected import (
    UncorrectableError,
    corrected_difference,
    judge_errors,
    prediction_powered,
    rogan_gladen,
)
from copycat.schema import CalibrationCell


def cells(tp=2, fn=1, fp=1, tn=2, n=50):
    return [CalibrationCell(character=f"c{i:02}", tp=tp, fn=fn, fp=fp, tn=tn) for i in range(n)]


def shares(sensitivity=0.8, specificity=0.9, n=50):
    """Labels of ten pictures each way per character, judged with these errors."""
    right, wrong = round(10 * sensitivity), round(10 * (1 - specificity))
    return cells(tp=right, fn=10 - right, fp=wrong, tn=10 - wrong, n=n)


def alone(n):
    return [f"c{i:03}" for i in range(n)]


def test_the_worked_example_comes_out():
    """45 of 100 called shown, sensitivity 0.8, specificity 0.9: (0.45 + 0.9 - 1) / 0.7 = 0.5."""
    found = rogan_gladen([True] * 45 + [False] * 55, alone(100), shares())

    assert found.value == pytest.approx(0.5)
    assert found.low < 0.5 < found.high


def test_a_perfect_judge_is_left_as_it_is():
    found = rogan_gladen([True] * 30 + [False] * 70, alone(100), shares(1.0, 1.0))

    assert found.value == pytest.approx(0.3)


def test_lone_pictures_and_labels_agree_with_lang_and_reiczigel():
    """Their formulas, written out again, with independent labels and Student's t for the normal quantile."""
    verdicts = [True] * 30 + [False] * 70
    labels = [
        CalibrationCell(character=f"l{i}", tp=i < 40, fn=40 <= i < 50, fp=50 <= i < 57, tn=i >= 57) for i in range(120)
    ]
    z = stats.t.ppf(0.975, 99)
    n, n_yes, n_no = 100, 50, 70
    p = (30 + z**2 / 2) / (n + z**2)
    se, sp = (40 + 1) / (n_yes + 2), (63 + 1) / (n_no + 2)
    theta = (p + sp - 1) / (se + sp - 1)
    variance = (
        p * (1 - p) / (n + z**2)
        + theta**2 * se * (1 - se) / (n_yes + 2)
        + (1 - theta) ** 2 * sp * (1 - sp) / (n_no + 2)
    ) / (se + sp - 1) ** 2
    shift = 2 * z**2 * (theta * se * (1 - se) / (n_yes + 2) - (1 - theta) * sp * (1 - sp) / (n_no + 2))

    found = rogan_gladen(verdicts, alone(100), labels)

    assert found.low == pytest.approx(theta + shift - z * math.sqrt(variance), abs=1e-9)
    assert found.high == pytest.approx(theta + shift + z * math.sqrt(variance), abs=1e-9)


def test_a_little_fewer_hits_than_false_alarms_are_cut_to_zero_and_keep_a_width():
    found = rogan_gladen([True] * 8 + [False] * 92, alone(100), shares())

    assert (found.value, found.low) == (0.0, 0.0)
    assert found.high > 0.03


@pytest.mark.parametrize("n_yes", [1, 96])
def test_a_rate_that_the_labels_do_not_allow_is_refused_and_not_cut(n_yes):
    verdicts = [True] * n_yes + [False] * (100 - n_yes)

    with pytest.raises(UncorrectableError, match="these labels do not describe these pictures"):
        rogan_gladen(verdicts, alone(100), shares())


def test_more_labels_narrow_the_interval():
    verdicts = [True] * 45 + [False] * 55
    few = rogan_gladen(verdicts, alone(100), shares(n=5))
    many = rogan_gladen(verdicts, alone(100), shares(n=500))

    assert many.high - many.low < few.high - few.low


def test_pictures_that_are_alike_are_worth_less():
    lone = rogan_gladen([True] * 60 + [False] * 90, alone(150), shares())
    alike = rogan_gladen([True] * 60 + [False] * 90, [f"c{i // 3}" for i in range(150)], shares())

    assert alike.value == lone.value
    assert alike.high - alike.low > 1.2 * (lone.high - lone.low)


@pytest.mark.parametrize(
    ("labels", "text"),
    [
        (cells(tp=0, fn=0), "no labelled picture shows its character"),
        (cells(fp=0, tn=0), "no labelled picture does not show its character"),
        (cells(tp=1, fn=1, fp=1, tn=1), "do not show that the judge is better than chance"),
        (cells(tp=1, fn=3, fp=3, tn=1), "do not show that the judge is better than chance"),
        (cells(tp=1, fn=0, fp=0, tn=1, n=2), "do not show that the judge is better than chance"),
    ],
)
def test_labels_that_support_no_correction_are_refused(labels, text):
    with pytest.raises(UncorrectableError, match=text):
        judge_errors(labels)


def test_a_difference_grows_by_what_the_judge_takes_from_it():
    treated, base = [False] * 50 + [True] * 50, [True] * 85 + [False] * 15

    found = corrected_difference(treated, base, alone(100), shares())

    assert found.value == pytest.approx(-0.35 / 0.7)
    assert found.low < found.value < found.high


def test_all_pictures_labelled_give_the_labels_own_rate():
    truth = [i % 3 == 0 for i in range(150)]
    verdicts = [i % 5 == 0 for i in range(150)]

    found = prediction_powered(verdicts, [f"c{i % 50}" for i in range(150)], list(enumerate(truth)))

    assert found.value == pytest.approx(1 / 3)


def test_a_judge_that_agrees_with_every_label_lends_them_its_other_verdicts():
    verdicts = [i % 4 == 0 for i in range(1000)]
    clusters = [f"c{i % 50}" for i in range(1000)]
    labelled = [(i, verdicts[i]) for i in range(0, 1000, 7)]

    found = prediction_powered(verdicts, clusters, labelled)
    alone_rate = [v for _, v in labelled]

    assert found.value == pytest.approx(0.25, abs=0.01)
    assert found.high - found.low < 4 * 0.5 * math.sqrt(0.25 * 0.75 / len(alone_rate)) * 2


def test_a_judge_that_knows_nothing_leaves_the_labels():
    dice = np.random.default_rng(0)
    verdicts = (dice.random(900) < 0.5).tolist()
    labelled = [(i, bool(i % 10 == 0)) for i in range(300)]

    found = prediction_powered(verdicts, [f"c{i % 50}" for i in range(900)], labelled)

    assert found.value == pytest.approx(0.1, abs=0.02)


def test_labels_of_one_character_are_not_enough():
    with pytest.raises(UncorrectableError, match="at least two characters"):
        prediction_powered([True, False], ["a", "b"], [(0, True)])


def test_corrected_rates_are_unbiased_and_covered():
    """Sensitivity 0.8, specificity 0.9, 300 labels; more cells are in benchmarks/coverage.py."""
    rate, trials, covered, total = 0.3, 200, 0, 0.0
    clusters = [f"c{i:02}" for i in range(50) for _ in range(3)]
    for seed in range(trials):
        dice = np.random.default_rng(seed)
        shown = dice.random((50, 3)) < dice.beta(rate, 1 - rate, (50, 1))
        labelled = dice.random((50, 6)) < dice.beta(0.4, 0.6, (50, 1))
        said, of_labels = (dice.random(x.shape) < np.where(x, 0.8, 0.1) for x in (shown, labelled))
        counts = [
            CalibrationCell(
                character=f"c{i:02}",
                tp=int((t & s).sum()),
                fn=int((t & ~s).sum()),
                fp=int((~t & s).sum()),
                tn=int((~t & ~s).sum()),
            )
            for i, (t, s) in enumerate(zip(labelled, of_labels, strict=True))
        ]
        found = rogan_gladen(said.ravel().tolist(), clusters, counts)
        covered += found.low <= rate <= found.high
        total += found.value
    assert abs(total / trials - rate) < 0.015
    assert 0.91 <= covered / trials <= 0.99
