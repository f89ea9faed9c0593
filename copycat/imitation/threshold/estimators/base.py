"""What every estimator is told, and what answers have in common."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from copycat.imitation.records import Answer, Bracket, ControlBand
from copycat.imitation.threshold.bracket import Draws
from copycat.imitation.threshold.steps import Array, Curve


class Asked(NamedTuple):
    """Beside the curve: the control band; F of shuffled scores (B,); drawn studies and their bracket of a step.

    Without a rise there are no drawn studies and no bracket.
    """

    band: ControlBand | None = None
    null_f: Array | None = None
    draws: Draws | None = None
    bracket: Bracket | None = None


def no_answer(estimator: str, reason: str, **statistics: float | None) -> Answer:
    """Give no count, and why."""
    return Answer(estimator=estimator, count=None, reason=reason, statistics=statistics)


def step_curve(curve: Curve, breaks: list[int]) -> tuple[tuple[float, float], ...]:
    """Give the levels between breaks as (count, score) pairs to draw."""
    ends = [0, *breaks, len(curve.x)]
    drawn = []
    for start, stop in pairwise(ends):
        level = float(np.mean(curve.y[start:stop]))
        drawn += [(float(curve.x[start]), level), (float(curve.x[stop - 1]), level)]
    return tuple(drawn)
