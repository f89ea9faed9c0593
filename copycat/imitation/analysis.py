"""Where imitation starts: every estimator's answer, the bracket, and one verdict with its reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np

from copycat.imitation.bracket import draw_studies, find_bracket, place_concepts
from copycat.imitation.covariates import check_covariates
from copycat.imitation.estimators import ESTIMATORS
from copycat.imitation.estimators.base import Asked, no_answer
from copycat.imitation.estimators.logistic import fit_logistic
from copycat.imitation.estimators.supf import ALPHA
from copycat.imitation.records import Analysis, Answer, ControlBand, Point, VerdictName
from copycat.imitation.steps import (
    MIN_SEGMENT,
    Array,
    Curve,
    best_steps,
    can_step,
    make_curve,
    noise_of,
    permuted_f,
    smallest_step,
)

Metric = Literal["raw", "z", "identified", "matched", "score"]
PERMUTATIONS, BOOTSTRAPS = 999, 500
EDGE = 0.05
"""A change among the first or last share of concepts has no place that could be trusted."""
FEW = 20
DECISIVE = 10.0
"""A difference of BIC from which on one shape is clearly better (Kass & Raftery 1995)."""


class _Verdict(NamedTuple):
    name: VerdictName
    why: str


def analyse(
    points: Sequence[Point],
    *,
    band: ControlBand | None = None,
    metric: Metric = "score",
    seed: int = 0,
    permutations: int = PERMUTATIONS,
    bootstraps: int = BOOTSTRAPS,
    covariates: Mapping[str, Mapping[str, float]] | None = None,
    left_out: Mapping[str, str] | None = None,
    warnings: Sequence[str] = (),
) -> Analysis:
    """Find where scores rise with counts. The same points in any order give the same result.

    Args:
        points: one for each concept; counts of 0 or more, in training pictures.
        band: scores without imitation.
        permutations, bootstraps: of p and of intervals; p is at least 1 / (permutations + 1).
        covariates: figures of concepts, by name of the column.
        left_out, warnings: kept in the analysis.
    """
    curve = make_curve(points)
    noise = noise_of(curve.y)
    told = list(warnings)
    answers, verdict, smallest = _too_little(curve), _why_too_little(curve), None
    bracket = None
    if verdict is None:
        null = permuted_f(curve.x, curve.y, permutations, seed)
        smallest = smallest_step(curve.x, noise, float(np.quantile(null, 1 - ALPHA))) if noise else None
        draws = draw_studies(curve, bootstraps, seed) if _rises(curve, null) else None
        asked = Asked(band, null, draws)
        answers = tuple(ESTIMATORS.load(row.name)(curve, asked) for row in ESTIMATORS.rows())
        verdict, answers = _judge(curve, answers, band, smallest)
        bracket = find_bracket(curve, draws) if draws is not None and verdict.name == "threshold" else None
        told += _warn(curve, answers, verdict, draws is not None)
    return Analysis(
        metric=metric,
        points=curve.points,
        band=band,
        answers=answers,
        verdict=verdict.name,
        why=verdict.why,
        bracket=bracket,
        placed=place_concepts(curve, bracket),
        noise=noise,
        smallest_step=smallest,
        covariates=check_covariates(curve, covariates or {}),
        left_out=dict(left_out or {}),
        warnings=tuple(told),
        seed=seed,
    )


def _why_too_little(curve: Curve) -> _Verdict | None:
    n = len(curve.x)
    if n < 2 * MIN_SEGMENT:
        return _Verdict(
            "underpowered", f"{n} concepts are too few: each side of a step needs {MIN_SEGMENT} concepts at least."
        )
    if curve.x[0] == curve.x[-1]:
        return _Verdict("underpowered", "All concepts have the same count, so scores cannot be set against counts.")
    if not can_step(curve.x):
        return _Verdict(
            "underpowered", f"So many concepts share a count that no step has {MIN_SEGMENT} concepts on either side."
        )
    return None


def _too_little(curve: Curve) -> tuple[Answer, ...]:
    reason = f"{len(curve.x)} concepts, or their counts, leave no place for a step"
    return tuple(no_answer(row.name, reason) for row in ESTIMATORS.rows())


def _rises(curve: Curve, null: Array) -> bool:
    found = best_steps(curve.x[None, :], curve.y[None, :])
    p = (1 + int((null >= found.f[0] * (1 - 1e-9)).sum())) / (len(null) + 1)
    return bool(p < ALPHA and found.rise[0] > 0)


def _judge(
    curve: Curve, answers: tuple[Answer, ...], band: ControlBand | None, smallest: float | None
) -> tuple[_Verdict, tuple[Answer, ...]]:
    supf = next(answer for answer in answers if answer.estimator == "supf")
    p, rise = supf.statistics["p"] or 0.0, supf.statistics["rise"] or 0.0
    if supf.index is None:
        return _without_rise(curve, p, rise, band, smallest), answers
    bic = _bic(curve, supf.index)
    answers = tuple(
        a.model_copy(update={"statistics": {**a.statistics, "bic": bic[a.estimator]}}) if a.estimator in bic else a
        for a in answers
    )
    n, edge = len(curve.x), EDGE * len(curve.x)
    if min(supf.index, n - supf.index) < edge:
        side = "first" if supf.index < edge else "last"
        return _Verdict("out_of_range", f"Scores change among the {side} 5 % of concepts, too near the edge."), answers
    best = min(bic, key=lambda name: bic[name])
    if best == "supf":
        return _Verdict("threshold", f"Scores rise in a step (p = {p:.3g}), and no smooth rise fits better."), answers
    shape = "a straight line in the logarithm of counts" if best == "line" else "a smooth dose-response"
    return _Verdict("gradual", f"Scores rise with counts (p = {p:.3g}), but {shape} fits better than a step."), answers


def _without_rise(curve: Curve, p: float, rise: float, band: ControlBand | None, smallest: float | None) -> _Verdict:
    if p < ALPHA and rise < 0:
        return _Verdict("no_change", f"Scores fall as counts grow (p = {p:.3g}): that is no imitation threshold.")
    if band is not None and float(np.median(curve.y)) > band.high:
        return _Verdict(
            "out_of_range", "Scores lie above the control band at every count: imitation starts below these counts."
        )
    matters = band.high - band.mean if band is not None else 2 * float(np.std(curve.y))
    if smallest is not None and smallest > matters:
        what = "the width of the control band" if band is not None else "twice the spread of the scores"
        return _Verdict("underpowered", f"No step is shown, but one of {what} would mostly have been missed.")
    return _Verdict("no_change", f"Scores do not change with counts more than shuffled ones do (p = {p:.3g}).")


def _bic(curve: Curve, index: int) -> dict[str, float]:
    """Give BIC of the step (3 parameters), the logistic (4) and the line in log10(count + 1) (2)."""
    n, t = len(curve.y), np.log10(curve.x + 1)
    line = curve.y - np.polyval(np.polyfit(t, curve.y, 1), t)
    step = np.concatenate([part - part.mean() for part in np.split(curve.y, [index])])
    least = 1e-12 * float(((curve.y - curve.y.mean()) ** 2).sum())
    sums = {
        "supf": (float((step**2).sum()), 3),
        "logistic": (fit_logistic(curve.x, curve.y).sse, 4),
        "line": (float((line**2).sum()), 2),
    }
    return {name: float(n * np.log(max(sse, least) / n) + k * np.log(n)) for name, (sse, k) in sums.items()}


def _warn(curve: Curve, answers: tuple[Answer, ...], verdict: _Verdict, has_rise: bool) -> list[str]:
    told = []
    found = {answer.estimator: answer for answer in answers}
    index = found["supf"].index
    if index is not None and min(index, len(curve.x) - index) < FEW:
        told.append(
            f"fewer than {FEW} concepts lie on one side of the step: {index} below, {len(curve.x) - index} above"
        )
    step, smooth = (found[name].statistics.get("bic") for name in ("supf", "logistic"))
    is_close = step is not None and smooth is not None and smooth - step < DECISIVE
    if has_rise and (verdict.name == "gradual" or is_close):
        told.append(
            "a smooth rise fits about as well as a step, or better: where a step is put depends on which concepts "
            "were listed; ED50 of the logistic does not"
        )
    if found["published"].count is not None and not has_rise:
        told.append("the published setting names a count although no rise is shown: its penalty ignores the noise")
    return told
