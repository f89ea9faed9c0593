"""The best curve that never falls, and where it leaves the control band."""

from __future__ import annotations

import numpy as np

from copycat.imitation.records import Answer
from copycat.imitation.threshold.estimators.base import Asked, no_answer
from copycat.imitation.threshold.steps import MIN_SEGMENT, Curve, group_means


def answer(curve: Curve, asked: Asked) -> Answer:
    """Give the smallest count at which the curve lies above the upper bound of the control band.

    At least `MIN_SEGMENT` concepts have to lie from there on: one high score at the end is no crossing.

    Source: pool adjacent violators, scipy.optimize.isotonic_regression.
    """
    from scipy.optimize import isotonic_regression  # type: ignore[import-untyped]

    if asked.band is None:
        return no_answer("isotonic", "there are no control arms, so no band to leave")
    counts, means, sizes = group_means(curve.x, curve.y)
    fitted = np.asarray(isotonic_regression(means, weights=sizes).x)
    drawn = tuple((float(x), float(y)) for x, y in zip(counts, fitted, strict=True))
    above = np.flatnonzero(fitted > asked.band.high)
    ends = {"lowest": float(fitted[0]), "highest": float(fitted[-1])}
    where: dict[str, float | None] = {"band": asked.band.high, **ends}
    first = float(counts[above[0]]) if len(above) else None
    n_above = int((curve.x >= first).sum()) if first is not None else 0
    if first is None or n_above < MIN_SEGMENT:
        why = "the curve stays inside the control band"
    elif above[0] == 0:
        why = "the curve lies above the control band at the smallest count already"
    else:
        index = int(np.searchsorted(curve.x, first))
        return Answer(estimator="isotonic", count=first, index=index, statistics=where, curve=drawn)
    return Answer(estimator="isotonic", count=None, statistics=where, curve=drawn, reason=why)
