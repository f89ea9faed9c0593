"""The published setting, for comparison only: its answer depends on the scale of the scores and on N."""

from __future__ import annotations

import numpy as np

from copycat.imitation.records import Answer
from copycat.imitation.threshold.estimators.base import Asked, no_answer, step_curve
from copycat.imitation.threshold.steps import Curve

PENALTY = 0.9


def answer(curve: Curve, _: Asked) -> Answer:
    """Give the first change point of PELT (l2, min_size 1, jump 1) at penalty 0.9, whichever way it goes.

    Source: Verma et al., arXiv 2410.15002, and its code. Equal counts stand in the order of their ids. The search is
    that of ruptures' KernelCPD, whose linear kernel has the same costs and whose C code is hundreds of times faster.
    """
    import ruptures

    found = ruptures.KernelCPD(kernel="linear", min_size=1).fit(curve.y[:, None]).predict(pen=PENALTY)[:-1]
    if not found:
        return no_answer("published", "no step pays for a penalty of 0.9 on this scale", penalty=PENALTY)
    first, *rest = (int(at) for at in found)
    ends = [0, first, *rest, len(curve.y)]
    rise = float(np.mean(curve.y[first : ends[2]]) - np.mean(curve.y[:first]))
    return Answer(
        estimator="published",
        count=float(curve.x[first]),
        index=first,
        others=tuple(float(curve.x[at]) for at in rest),
        statistics={"penalty": PENALTY, "rise": rise},
        curve=step_curve(curve, [first, *rest]),
    )
