"""Checks of what the method assumes: neighbours, other columns, and single ranges of counts. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.stats import rankdata  # type: ignore[import-untyped]

from copycat.imitation.records import Covariate
from copycat.imitation.threshold.steps import Z_975, Array, Curve, best_steps, can_step

BINS = 5
MIN_CONCEPTS = 10


def check_covariates(
    curve: Curve, columns: Mapping[str, Mapping[str, float]], *, is_rising: bool = True
) -> tuple[Covariate, ...]:
    """Check the curve; `columns` gives, by name, a figure of each concept ("caption_length", "multi_person", ...).

    Steps without some concepts are put only where scores rise at all: `is_rising`.
    """
    if len(curve.x) < MIN_CONCEPTS:
        return ()
    found = [_neighbours(curve)]
    found += [_column(curve, name, values) for name, values in sorted(columns.items())]
    return (*found, *_without_bins(curve, is_rising))


def partial_rank_correlation(x: Array, y: Array, given: Array) -> float | None:
    """Correlate the ranks of x and y that the ranks of `given` do not explain, (N,) each; None where one is constant.

    Source: partial Spearman correlation, by residuals of ranks.
    """
    third = rankdata(given) - (len(given) + 1) / 2
    parts = []
    for values in (x, y):
        ranks = rankdata(values) - (len(values) + 1) / 2
        parts.append(ranks - third * (float(ranks @ third) / max(float(third @ third), 1e-12)))
    size = float(np.sqrt((parts[0] @ parts[0]) * (parts[1] @ parts[1])))
    return float(parts[0] @ parts[1]) / size if size > 1e-9 * len(x) ** 3 else None


def _neighbours(curve: Curve) -> Covariate:
    n = len(curve.y) // 2 * 2
    gaps = np.abs(curve.y[1:n:2] - curve.y[0:n:2])
    return Covariate(
        name="neighbours",
        value=float(gaps.mean()),
        n=len(gaps),
        meaning="mean difference of scores of two concepts with nearly the same count: what counts do not explain",
    )


def _column(curve: Curve, name: str, values: Mapping[str, float]) -> Covariate:
    has = np.array([point.concept in values for point in curve.points])
    n = int(has.sum())
    value = None
    if n >= MIN_CONCEPTS:
        other = np.array([values[point.concept] for point in curve.points if point.concept in values])
        value = partial_rank_correlation(other, curve.y[has], curve.x[has])
    meaning = f"rank correlation of the score with {name}, counts held fixed{_far(value, n)}"
    return Covariate(name=f"partial:{name}", value=value, n=n, meaning=meaning)


def _far(value: float | None, n: int) -> str:
    """Say what a partial rank correlation means where chance alone rarely goes so far (Fisher's z, 95 %)."""
    if value is None:
        if n < MIN_CONCEPTS:
            return f"; not estimable: {n} of the concepts have it, and {MIN_CONCEPTS} are needed"
        return "; not estimable: it hardly differs among concepts of like count"
    is_far = abs(value) > np.tanh(Z_975 / np.sqrt(n - 4))
    return "; far from 0: it may stand behind the curve" if is_far else ""


def _without_bins(curve: Curve, is_rising: bool) -> list[Covariate]:
    """Estimate the step again without each fifth of the concepts; none where no rise has been placed."""
    what = "the best step" if is_rising else "no rise is placed, so none"
    found = []
    for number, left_out in enumerate(np.array_split(np.arange(len(curve.x)), BINS), start=1):
        x, y = np.delete(curve.x, left_out), np.delete(curve.y, left_out)
        at = int(best_steps(x[None, :], y[None, :]).place[0]) if is_rising and can_step(x) else None
        span = f"{curve.x[left_out[0]]:,.0f} to {curve.x[left_out[-1]]:,.0f}"
        found.append(
            Covariate(
                name=f"without-bin-{number}",
                value=float(x[at]) if at is not None else None,
                n=len(x),
                meaning=f"{what} without the concepts of {span} pictures",
            )
        )
    return found
