"""The corrected figure of a run beside the raw one."""

from __future__ import annotations

import pytest

from copycat.metrics import compare, summarise
from copycat.metrics.correction import describe_correction, detect_corrected
from copycat.schema import Calibration, CalibrationCell, PictureLabel


def calibration(tp=8, fn=2, fp=1, tn=9, n=30, **fields):
    cells = tuple(CalibrationCell(character=f"l{i}", tp=tp, fn=fn, fp=fp, tn=tn) for i in range(n))
    content = {"judge": "j", "judge_revision": "1", "characters": "s", "source": "labels of somebody"}
    return Calibration(**content, labels_sha256="ab", n_labels=300, cells=cells, **fields)


def rows(k, n, ending=True):
    return [(f"c{i:02}", "name", 0, i < k if ending is True else ending, 0.5) for i in range(n)]


def test_a_run_without_a_calibration_has_no_corrected_figure(outcomes_of):
    assert detect_corrected(outcomes_of(*rows(20, 50)), "name") is None


def test_a_corrected_figure_stands_beside_the_raw_one(outcomes_of):
    run = outcomes_of(*rows(45, 100)).model_copy(update={"calibration": calibration()})

    estimate = detect_corrected(run, "name")

    assert estimate.value == pytest.approx(0.5)
    assert (estimate.metric, estimate.method, estimate.better, estimate.n) == (
        "detect_corrected", "rogan-gladen", "lower", 100,
    )  # fmt: skip


def test_a_refusal_needs_no_correction_and_thins_the_rate(outcomes_of):
    refused = [(f"r{i:02}", "name", 0, "refused", None) for i in range(100)]
    run = outcomes_of(*rows(45, 100), *refused).model_copy(update={"calibration": calibration()})

    assert detect_corrected(run, "name").value == pytest.approx(0.25)


def test_a_run_that_was_only_refused_has_no_corrected_figure_and_says_why(outcomes_of):
    run = outcomes_of(*rows(0, 5, "refused")).model_copy(update={"calibration": calibration()})

    assert detect_corrected(run, "name").value is None
    assert "judged picture" in detect_corrected(run, "name").reason


def test_a_judge_at_chance_gives_a_reason_instead_of_a_number(outcomes_of):
    run = outcomes_of(*rows(20, 50)).model_copy(update={"calibration": calibration(5, 5, 5, 5)})

    estimate = detect_corrected(run, "name")

    assert estimate.value is None
    assert "better than chance" in estimate.reason
    assert (describe_correction(run).sensitivity, describe_correction(run).is_possible) == (0.5, False)


def test_the_result_says_what_the_correction_stands_on(spec, sample_of, judgement_of):
    samples = [sample_of(f"c{i}") for i in range(20)]
    judgements = [judgement_of(s, s.character if i < 9 else None) for i, s in enumerate(samples)]

    result = summarise(spec, 20, samples, judgements, is_sandbox=False, calibration=calibration())

    assert result.is_judge_calibrated
    assert (result.correction.method, result.correction.n_labels) == ("rogan-gladen", 300)
    assert (result.correction.sensitivity, result.correction.specificity) == pytest.approx((0.8, 0.9))
    assert "detect_corrected" in {estimate.metric for estimate in result.estimates}


def test_prediction_powered_inference_is_used_only_where_pictures_of_the_run_are_labelled(outcomes_of, sample_of):
    run = outcomes_of(*rows(20, 50))
    labels = tuple(
        PictureLabel(key=row.sample.key, image_sha256=row.sample.sha256, is_shown=i % 2 == 0)
        for i, row in enumerate(run.rows)
    )
    own = run.model_copy(update={"calibration": calibration(method="prediction-powered", labels=labels)})
    strange = run.model_copy(update={"calibration": calibration(method="prediction-powered")})

    assert detect_corrected(own, "name").method == "prediction-powered"
    assert detect_corrected(own, "name").value == pytest.approx(0.5)
    assert (detect_corrected(strange, "name"), describe_correction(strange)) == (None, None)


def test_differences_are_corrected_beside_the_raw_ones(outcomes_of):
    treated, base = outcomes_of(*rows(10, 50)), outcomes_of(*rows(31, 50))

    found = {e.metric: e for e in compare(("name",), treated, base, calibration()) if e.anchor == "name"}

    assert found["detect_difference"].value == pytest.approx(-0.42)
    assert found["detect_corrected_difference"].value == pytest.approx(-0.6)


def test_pairs_that_were_refused_have_no_part_in_the_corrected_difference(outcomes_of):
    treated, base = outcomes_of(*rows(0, 5, "refused")), outcomes_of(*rows(3, 5))

    found = {e.metric: e for e in compare(("name",), treated, base, calibration()) if e.anchor == "name"}

    assert found["detect_corrected_difference"].value is None
