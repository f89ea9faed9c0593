"""Where imitation starts: every estimator's answer, the bracket, and one verdict with its reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from copycat.imitation.records import Analysis, Answer, ControlBand, Metric, Point, VerdictName
from copycat.imitation.threshold.bracket import draw_studies, find_bracket, place_concepts
from copycat.imitation.threshold.covariates import check_covariates
from copycat.imitation.threshold.estimators import ESTIMATORS, row_of
from copycat.imitation.threshold.estimators.base import Asked, no_answer
from copycat.imitation.threshold.estimators.supf import ALPHA
from copycat.imitation.threshold.shapes import Shape, ShapeName, best_of, edge_of, fit_shapes, logistic_bic
from copycat.imitation.threshold.steps import (
    MIN_SEGMENT,
    Array,
    Curve,
    best_steps,
    can_step,
    chance_of,
    is_least_chance,
    make_curve,
    noise_of,
    permuted_f,
    smallest_step,
)

PERMUTATIONS, BOOTSTRAPS = 999, 500
FEW = 20
DECISIVE = 10.0
"""A difference of BIC from which on one shape is clearly better (Kass & Raftery 1995)."""
RISING: tuple[VerdictName, ...] = ("threshold", "gradual")
AS_TOLD = "-"
"""The reason of an answer where the verdict has said it of them all."""
LISTED = "where a step is put depends on which concepts were listed"


class _Verdict(NamedTuple):
    name: VerdictName
    why: str


ABOVE_BAND = _Verdict(
    "out_of_range", "Scores lie above the control band at every count: imitation starts below these counts."
)


class _Chance(NamedTuple):
    """p of the step, which is not more than told where no shuffle showed one as clear."""

    p: float
    is_least: bool

    def __str__(self) -> str:
        return f"p {'≤' if self.is_least else '='} {self.p:.3g}"


class _Judged(NamedTuple):
    """`shapes` is empty where no rise is shown."""

    verdict: _Verdict
    answers: tuple[Answer, ...]
    shapes: dict[ShapeName, Shape]


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
    curve = make_curve(points, metric)
    noise = noise_of(curve.y)
    told = list(warnings)
    verdict, smallest, bracket = _why_too_little(curve), None, None
    if verdict is not None:
        why_no_smallest = verdict.why
        answers = tuple(no_answer(row.name, AS_TOLD) for row in ESTIMATORS.rows())
    else:
        null = permuted_f(curve.x, curve.y, permutations, seed)
        smallest = smallest_step(curve.x, noise, float(np.quantile(null, 1 - ALPHA))) if noise else None
        why_no_smallest = "" if noise else "The scores have no noise to tell a step from."
        draws = draw_studies(curve, bootstraps, seed) if _rises(curve, null) else None
        asked = Asked(band, null, draws, find_bracket(curve, draws) if draws is not None else None)
        answers = tuple(ESTIMATORS.load(row.name)(curve, asked) for row in ESTIMATORS.rows())
        judged = _judge(curve, answers, band, smallest, permutations)
        verdict, answers = judged.verdict, judged.answers
        bracket = asked.bracket if verdict.name == "threshold" else None
        told += _warn(curve, judged)
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
        smallest_step_reason=why_no_smallest,
        covariates=check_covariates(curve, covariates or {}, is_rising=verdict.name in RISING),
        left_out=dict(left_out or {}),
        warnings=tuple(told),
        seed=seed,
        permutations=permutations,
    )


def _why_too_little(curve: Curve) -> _Verdict | None:
    n = len(curve.x)
    if n < 2 * MIN_SEGMENT:
        few = "1 concept is" if n == 1 else f"{n} concepts are"
        return _Verdict("underpowered", f"{few} too few: each side of a step needs {MIN_SEGMENT} concepts at least.")
    if curve.x[0] == curve.x[-1]:
        return _Verdict("underpowered", "All concepts have the same count, so scores cannot be set against counts.")
    if not can_step(curve.x):
        return _Verdict(
            "underpowered", f"So many concepts share a count that no step has {MIN_SEGMENT} concepts on either side."
        )
    return None


def _rises(curve: Curve, null: Array) -> bool:
    found = best_steps(curve.x[None, :], curve.y[None, :])
    return chance_of(float(found.f[0]), null) < ALPHA and float(found.rise[0]) > 0


def _judge(
    curve: Curve, answers: tuple[Answer, ...], band: ControlBand | None, smallest: float | None, permutations: int
) -> _Judged:
    supf = _answer(answers, "supf")
    p, rise = supf.statistics["p"] or 0.0, supf.statistics["rise"] or 0.0
    chance = _Chance(p, is_least_chance(p, permutations))
    if supf.index is None:
        answers = _without_counts(answers, "no rise is shown")
        return _Judged(_without_rise(curve, chance, rise, band, smallest), answers, {})
    shapes = fit_shapes(curve, supf.index)
    bic = {"supf": {"bic": shapes["step"].bic}}
    if "line" in shapes:
        bic["logistic"] = {
            "bic": logistic_bic(curve),
            "bic_line": shapes["line"].bic,
            **({"bic_smooth": shapes["smooth"].bic} if "smooth" in shapes else {}),
        }
    answers = tuple(
        a.model_copy(update={"statistics": {**a.statistics, **bic[a.estimator]}}) if a.estimator in bic else a
        for a in answers
    )
    best = best_of(shapes)
    beside = _beside_band(shapes[best].fitted, _answer(answers, "isotonic"), band, chance)
    if beside is not None:
        where = "above the control band already" if beside.name == "out_of_range" else "inside the control band"
        return _Judged(beside, _without_counts(answers, f"scores rise, but {where}"), shapes)
    at_edge = _at_edge(shapes, best)
    if at_edge is not None:
        if best == "edge":
            answers = tuple(
                _without_step(a, at_edge) if row_of(a.estimator).needs_levels and a.count is not None else a
                for a in answers
            )
        few = f"fewer than {MIN_SEGMENT} are too few to place a change by"
        why = few if best == "edge" else "too near the edge to be placed"
        return _Judged(_Verdict("out_of_range", f"Scores change {at_edge}: {why}."), answers, shapes)
    return _Judged(_rise_verdict(curve, shapes, best, chance), answers, shapes)


def _at_edge(shapes: Mapping[ShapeName, Shape], best: ShapeName) -> str | None:
    """Say among which concepts at the edge the change lies; None where it lies further inside."""
    n, among = len(shapes[best].fitted), edge_of(shapes[best])
    if among is None and best == "edge":
        above = int((shapes[best].fitted == shapes[best].fitted[-1]).sum())
        among = above if above < n - above else above - n
    if among is None:
        return None
    return f"among the {'last' if among > 0 else 'first'} {abs(among)} of {n} concepts"


def _without_step(answer: Answer, where: str) -> Answer:
    """Take back a step that only stands for one at the edge, where none may be put."""
    why = f"scores change {where}, and each side of a step needs {MIN_SEGMENT} concepts"
    return no_answer(answer.estimator, why, **answer.statistics)


def _without_counts(answers: tuple[Answer, ...], why: str) -> tuple[Answer, ...]:
    """Take back every count but those for comparison: no verdict stands behind them."""
    return tuple(
        a if a.count is None or row_of(a.estimator).is_comparison else no_answer(a.estimator, why, **a.statistics)
        for a in answers
    )


def _beside_band(fitted: Array, isotonic: Answer, band: ControlBand | None, chance: _Chance) -> _Verdict | None:
    """Judge a rise that does not leave the control band: one above it, or one inside. None for all others.

    The lower level of a step may lie above the band and the first concepts in it: the isotonic curve shows them.
    """
    if band is None:
        return None
    if fitted[0] > band.high and (isotonic.index or 0) < MIN_SEGMENT:
        return ABOVE_BAND
    if fitted[-1] <= band.high:
        return _Verdict("no_change", f"Scores rise with counts ({chance}), but never beyond what controls reach.")
    return None


def _rise_verdict(curve: Curve, shapes: Mapping[ShapeName, Shape], best: ShapeName, chance: _Chance) -> _Verdict:
    if best in {"line", "smooth"}:
        shape = "a straight line in the logarithm of counts" if best == "line" else "a smooth dose-response"
        return _Verdict("gradual", f"Scores rise with counts ({chance}), but {shape} fits better than a step.")
    if "line" in shapes:
        return _Verdict("threshold", f"Scores rise in a step ({chance}), and no smooth rise fits better.")
    many = len(np.unique(curve.x))
    return _Verdict(
        "threshold",
        f"Scores rise ({chance}); {many} different counts are too few to tell a step from a smooth rise.",
    )


def _without_rise(
    curve: Curve, chance: _Chance, rise: float, band: ControlBand | None, smallest: float | None
) -> _Verdict:
    if chance.p < ALPHA and rise < 0:
        return _Verdict("no_change", f"Scores fall as counts grow ({chance}): that is no imitation threshold.")
    if band is not None and float(np.median(curve.y)) > band.high:
        return ABOVE_BAND
    matters = band.high - band.mean if band is not None else 2 * float(np.std(curve.y))
    if smallest is not None and smallest > matters:
        what = "the width of the control band" if band is not None else "twice the spread of the scores"
        return _Verdict("underpowered", f"No step is shown, but one of {what} would mostly have been missed.")
    return _Verdict("no_change", f"Scores do not change with counts more than shuffled ones do ({chance}).")


def _warn(curve: Curve, judged: _Judged) -> list[str]:
    told = []
    name, shapes, n = judged.verdict.name, judged.shapes, len(curve.x)
    index = _answer(judged.answers, "supf" if name == "threshold" else "logistic").index
    if name in RISING and index is not None and min(index, n - index) < FEW:
        what = "the step" if name == "threshold" else "half of the rise"
        told.append(f"fewer than {FEW} concepts lie on one side of {what}: {index} below, {n - index} above")
    smooth = min((shapes[shape].bic for shape in ("smooth", "line") if shape in shapes), default=np.inf)
    ed50 = "" if _answer(judged.answers, "logistic").count is None else "; ED50 of the logistic does not"
    if name == "gradual":
        told.append(f"a smooth rise fits better than a step: {LISTED}{ed50}")
    elif name == "threshold" and smooth - shapes["step"].bic < DECISIVE:
        told.append(f"a smooth rise fits about as well as the step: {LISTED}{ed50}")
    if _answer(judged.answers, "published").count is not None and not shapes:
        told.append("the published setting names a count although no rise is shown: its penalty ignores the noise")
    return told


def _answer(answers: Sequence[Answer], estimator: str) -> Answer:
    return next(answer for answer in answers if answer.estimator == estimator)
