"""sup-F: the one step between two levels that explains most, with p from shuffled scores."""

from __future__ import annotations

import numpy as np

from copycat.imitation.records import Answer
from copycat.imitation.threshold.estimators.base import Asked, no_answer, step_curve
from copycat.imitation.threshold.steps import Curve, best_steps, chance_of

ALPHA = 0.05


def answer(curve: Curve, asked: Asked) -> Answer:
    """Give the count of the first concept above the step, where p is below 5 % and scores rise.

    Source: Andrews 1993, Econometrica 61:821 for the statistic.
    """
    found = best_steps(curve.x[None, :], curve.y[None, :])
    index, f, rise = int(found.place[0]), float(found.f[0]), float(found.rise[0])
    null = asked.null_f if asked.null_f is not None else np.empty(0)
    p = chance_of(f, null)
    if p >= ALPHA:
        return no_answer("supf", "no step stands out: shuffled scores show steps as clear", f=f, p=p, rise=rise)
    if rise < 0:
        return no_answer("supf", "scores fall as counts grow: that is no imitation threshold", f=f, p=p, rise=rise)
    return Answer(
        estimator="supf",
        count=float(curve.x[index]),
        low=asked.bracket.last_below if asked.bracket else None,
        high=asked.bracket.first_above if asked.bracket else None,
        index=index,
        statistics={"f": f, "p": p, "rise": rise},
        curve=step_curve(curve, [index]),
    )
