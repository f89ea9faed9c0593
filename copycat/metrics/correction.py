"""Rates and differences of a run, corrected for the errors that its judge made on labels."""

from __future__ import annotations

from collections.abc import Sequence

from copycat.metrics.agreement import sensitivity, specificity
from copycat.metrics.corrected import (
    Corrected,
    UncorrectableError,
    corrected_difference,
    judge_errors,
    prediction_powered,
    rogan_gladen,
)
from copycat.metrics.missing import build_missing, why_missing
from copycat.metrics.outcomes import Outcome, Outcomes
from copycat.schema import Calibration, CalibrationCell, Correction, Estimate

METRIC = "detect_corrected"


def detect_corrected(outcomes: Outcomes, anchor: str) -> Estimate | None:
    """Give DETECT as labels would have counted it; None where the judge was never compared with labels.

    Judged pictures are corrected; refusals and blocks show no character whatever the judge is worth, and thin the rate
    out: `value = corrected rate of the judged * judged / answered`. See `metrics.corrected` for the methods.

    Unit: share in [0, 1].
    Direction: lower is better.
    """
    calibration = outcomes.calibration
    if calibration is None or not corrects(calibration, outcomes):
        return None
    answered = [row for row in outcomes.of(anchor) if row.is_answered]
    judged = [row for row in answered if row.judgement is not None]
    if not judged:
        reason = why_missing(outcomes.of(anchor), "a judged picture")
        return build_missing(METRIC, anchor, reason, unit="share", better="lower")
    try:
        found = _corrected(calibration, judged)
    except UncorrectableError as error:
        return build_missing(METRIC, anchor, str(error), unit="share", better="lower")
    weight = len(judged) / len(answered)
    return Estimate(
        metric=METRIC,
        anchor=anchor,
        value=weight * found.value,
        low=weight * found.low,
        high=weight * found.high,
        n=len(answered),
        unit="share",
        better="lower",
        method=found.method,
    )


def difference_corrected(
    treated: Sequence[bool], base: Sequence[bool], clusters: Sequence[str], anchor: str, calibration: Calibration
) -> Estimate:
    """Give a paired difference of DETECT as labels would have counted it, from pairs that are judged in both runs.

    Unit: difference in [-1, 1].
    Direction: lower is better.
    """
    metric = f"{METRIC}_difference"
    try:
        found = corrected_difference(treated, base, clusters, calibration.cells)
    except UncorrectableError as error:
        return build_missing(metric, anchor, str(error), unit="difference", better="lower")
    return Estimate(
        metric=metric,
        anchor=anchor,
        value=found.value,
        low=found.low,
        high=found.high,
        n=len(treated),
        unit="difference",
        better="lower",
        method=found.method,
    )


def describe_correction(outcomes: Outcomes) -> Correction | None:
    """Say how the figures of a run are corrected, and on what labels that stands."""
    calibration = outcomes.calibration
    if calibration is None or not corrects(calibration, outcomes):
        return None
    cells = calibration.cells
    return Correction(
        method=calibration.method,
        n_labels=calibration.n_labels,
        source=calibration.source,
        labels_sha256=calibration.labels_sha256,
        sensitivity=sensitivity(cells).value,
        specificity=specificity(cells).value,
        is_possible=calibration.method != "rogan-gladen" or why_uncorrectable(cells) is None,
    )


def why_uncorrectable(cells: Sequence[CalibrationCell]) -> str | None:
    """Say why labels support no correction; None if they do."""
    try:
        judge_errors(cells)
    except UncorrectableError as error:
        return str(error)
    return None


def corrects(calibration: Calibration, outcomes: Outcomes) -> bool:
    """Whether a calibration says anything of a run: prediction-powered inference only of the very pictures labelled."""
    if calibration.method == "rogan-gladen":
        return True
    labels = {(label.key, label.image_sha256) for label in calibration.labels}
    return any((row.sample.key, row.sample.sha256 or "") in labels for row in outcomes.rows)


def _corrected(calibration: Calibration, judged: Sequence[Outcome]) -> Corrected:
    verdicts = [row.is_detected for row in judged]
    characters = [row.sample.character for row in judged]
    if calibration.method == "rogan-gladen":
        return rogan_gladen(verdicts, characters, calibration.cells)
    labels = {(label.key, label.image_sha256): label.is_shown for label in calibration.labels}
    places = [(place, (row.sample.key, row.sample.sha256 or "")) for place, row in enumerate(judged)]
    labelled = [(place, labels[picture]) for place, picture in places if picture in labels]
    return prediction_powered(verdicts, characters, labelled)
