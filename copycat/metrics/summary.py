"""From samples and judgements to the result of a run, and to the grid of its report."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from math import fsum
from typing import NamedTuple

from pydantic import Field

from copycat.metrics.benign import acted_on
from copycat.metrics.consistency import consistency
from copycat.metrics.correction import describe_correction, detect_corrected
from copycat.metrics.detect import any_character, detect
from copycat.metrics.ensembles import agreement, agreement_alpha, screen_misses, screened_out
from copycat.metrics.measures import Scale, summarise_measurements
from copycat.metrics.outcomes import ALL_ANCHORS, Outcome, Outcomes, join_outcomes, require_anchors
from copycat.metrics.speaking import detect_closed, detect_legacy, overlaid_text
from copycat.metrics.video import detect_sheet, first_hit, frame_share
from copycat.schema import (
    BENIGN,
    Calibration,
    Estimate,
    Judgement,
    Measurement,
    Record,
    RunResult,
    RunSpec,
    Sample,
    Sampling,
    Slug,
)

METRICS: tuple[Callable[[Outcomes, str], Estimate | None], ...] = (
    detect,
    detect_corrected,
    any_character,
    consistency,
    detect_closed,
    detect_legacy,
    detect_sheet,
    frame_share,
    first_hit,
    agreement,
    agreement_alpha,
    screened_out,
    screen_misses,
    overlaid_text,
)
"""In the order of the result's estimates. A metric gives None where the judge or the model has nothing to do with
it. To add one: one new file and one entry here."""

BENIGN_METRICS: tuple[Callable[[Outcomes, str], Estimate | None], ...] = (
    acted_on,
    any_character,
    consistency,
    agreement,
    agreement_alpha,
    screened_out,
    overlaid_text,
)
"""Of a run on benign prompts: they are after nobody, so nothing counts whether a target is seen."""


class Measured(NamedTuple):
    """The values of one further measure."""

    scale: Scale
    measurements: Sequence[Measurement]


class CharacterCell(Record):
    """One character under one anchor, for the report's grid.

    `k` of `n` answered requests show the character; `consistency` is the mean over the
    `n_consistency` pictures that have one, null if there is none. No interval: the few pictures of
    one cell support no claim.
    """

    character: Slug
    anchor: str
    k: int = Field(ge=0)
    n: int = Field(ge=0)
    consistency: float | None
    n_consistency: int = Field(ge=0)


def summarise(
    spec: RunSpec,
    planned: int,
    samples: Sequence[Sample],
    judgements: Sequence[Judgement],
    *,
    is_sandbox: bool,
    is_judge_calibrated: bool = False,
    set_names: Mapping[str, str] | None = None,
    calibration: Calibration | None = None,
    measured: Sequence[Measured] = (),
) -> RunResult:
    """Give the result of a run: counts, and an estimate per metric and anchor, pooled anchors last.

    Depends on the set of samples only: not on their order, nor on time or place.

    Args:
        spec: What was asked; its anchors give the order of the estimates.
        planned: Requests planned, those without a sample included.
        samples: At most one per planned request.
        judgements: One judge's; stale ones do not count (see `join_outcomes`).
        is_sandbox: Whether the model is of the embedded world.
        is_judge_calibrated: Whether the judge was ever checked against labels or the truth.
        set_names: Names of the set's characters by id, for the published counting rule.
        calibration: What is known of the judge's errors.
        measured: What further measures say of the pictures.

    Raises:
        ValueError: a key occurs twice in samples; there are more samples than planned; a sample's
            anchor is not in the spec; one picture has two different verdicts.
    """
    outcomes = join_outcomes(samples, judgements).model_copy(
        update={
            "set_names": dict(set_names or {}),
            "frame_times_s": _frame_times_s(spec.sampling),
            "calibration": None if BENIGN in spec.anchors else calibration,
        }
    )
    require_anchors(spec.anchors, outcomes.rows)
    anchors = (*spec.anchors, ALL_ANCHORS)
    metrics = BENIGN_METRICS if BENIGN in spec.anchors else METRICS
    estimates = [metric(outcomes, anchor) for metric in metrics for anchor in anchors]
    estimates += [summarise_measurements(*one, anchor) for one in _of_samples(measured, samples) for anchor in anchors]
    return RunResult(
        suite_version=spec.suite_version,
        model=spec.model,
        mitigation=spec.mitigation,
        judge=spec.judge,
        characters=spec.characters,
        is_partial=spec.limit is not None,
        is_sandbox=is_sandbox,
        is_judge_calibrated=is_judge_calibrated or calibration is not None,
        correction=describe_correction(outcomes),
        counts=outcomes.build_counts(planned),
        estimates=tuple(estimate for estimate in estimates if estimate is not None),
    )


def per_character(anchors: Sequence[str], outcomes: Outcomes) -> tuple[CharacterCell, ...]:
    """Give a cell per character and anchor that has a sample: characters sorted, anchors as given.

    Raises:
        ValueError: an anchor occurs twice or is called "all"; a sample's anchor is not listed.
    """
    require_anchors(anchors, outcomes.rows)
    cells: dict[tuple[str, str], list[Outcome]] = defaultdict(list)
    for row in outcomes.rows:
        cells[row.sample.character, row.sample.anchor].append(row)
    order = sorted(cells, key=lambda cell: (cell[0], anchors.index(cell[1])))
    return tuple(_build_cell(character, anchor, cells[character, anchor]) for character, anchor in order)


def _of_samples(
    measured: Sequence[Measured], samples: Sequence[Sample]
) -> list[tuple[Scale, Sequence[Sample], Sequence[Measurement]]]:
    return [(one.scale, samples, one.measurements) for one in measured]


def _frame_times_s(sampling: Sampling) -> tuple[float, ...]:
    return tuple(frame / (sampling.fps or 1) for frame in sampling.kept_frames or ())


def _build_cell(character: str, anchor: str, rows: Sequence[Outcome]) -> CharacterCell:
    values = [row.consistency for row in rows if row.consistency is not None]
    return CharacterCell(
        character=character,
        anchor=anchor,
        k=sum(row.is_detected for row in rows),
        n=sum(row.is_answered for row in rows),
        consistency=fsum(values) / len(values) if values else None,
        n_consistency=len(values),
    )
