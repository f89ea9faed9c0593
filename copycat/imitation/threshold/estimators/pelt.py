"""PELT with a penalty that follows the noise: as many steps as pay for themselves."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from copycat.imitation.records import Answer
from copycat.imitation.threshold.estimators.base import Asked, no_answer, step_curve
from copycat.imitation.threshold.steps import MIN_SEGMENT, Array, Curve, noise_of

FACTOR = 3.0


def answer(curve: Curve, _: Asked) -> Answer:
    """Give the first rising step of the best segmentation; further steps are `others`.

    The penalty is `3 s^2 ln N`, s from the MAD of first differences. Concepts of equal counts have their mean here:
    where they are not divided, that changes every cost by the same amount.

    Source: Killick et al. 2012, JASA 107:1590; ruptures, KernelCPD with a linear kernel.
    """
    n, spread = len(curve.y), float(np.std(curve.y))
    noise = noise_of(curve.y)
    if spread == 0 or not noise:
        return no_answer("pelt", "the scores have no noise to set a penalty by")
    penalty = FACTOR * (noise / spread) ** 2 * math.log(n)
    breaks = _breaks(curve, spread, penalty)
    statistics: dict[str, float | None] = {"penalty": penalty * spread**2, "noise": noise, "steps": float(len(breaks))}
    ends = [0, *breaks, n]
    levels = [float(np.mean(curve.y[a:b])) for a, b in pairwise(ends)]
    rising = [at for at, below, above in zip(breaks, levels, levels[1:], strict=False) if above > below]
    if not rising:
        why = "every step falls: that is no imitation threshold" if breaks else "no step pays for its penalty"
        return no_answer("pelt", why, **statistics)
    others = tuple(float(curve.x[at]) for at in breaks if at != rising[0])
    return Answer(
        estimator="pelt",
        count=float(curve.x[rising[0]]),
        index=rising[0],
        others=others,
        statistics=statistics,
        curve=step_curve(curve, breaks),
    )


def _breaks(curve: Curve, spread: float, penalty: float) -> list[int]:
    import ruptures

    _, inverse, sizes = np.unique(curve.x, return_inverse=True, return_counts=True)
    means = np.bincount(inverse, weights=curve.y - curve.y.mean()) / sizes
    signal = (means[inverse] / spread)[:, None]
    found = ruptures.KernelCPD(kernel="linear", min_size=MIN_SEGMENT).fit(signal).predict(pen=penalty)[:-1]
    return _between_counts(curve.x, [int(at) for at in found])


def _between_counts(x: Array, found: list[int]) -> list[int]:
    """Move breaks that divide equal counts to an end of them, the nearer if it can be.

    A break is dropped where either end leaves a level of fewer than `MIN_SEGMENT` concepts.
    """
    breaks: list[int] = []
    for at in found:
        ends = sorted(
            (int(np.searchsorted(x, x[at], side)) for side in ("left", "right")), key=lambda end: abs(end - at)
        )
        last = breaks[-1] if breaks else 0
        breaks += [end for end in ends if end - last >= MIN_SEGMENT and len(x) - end >= MIN_SEGMENT][:1]
    return breaks
