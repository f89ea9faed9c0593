"""The bracket: between which counts the change lies, by a bootstrap over concepts, prompts and counts."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from copycat.imitation.records import Bracket, Placed, Point
from copycat.imitation.threshold.steps import Z_975, Array, Curve, best_steps

METHOD = "2.5 % of the last count below, 97.5 % of the first above, over {n:,} bootstrap draws of concepts{more}"


class Draws(NamedTuple):
    """Studies that could have been: counts ascending and their scores, (B, N) each."""

    x: Array
    y: Array


def draw_studies(curve: Curve, bootstraps: int, seed: int) -> Draws:
    """Draw concepts with replacement, prompts of each with replacement, and counts from their intervals.

    Counts are drawn log-normally (of count + 1), with each side as wide as its side of the 95 % interval.
    """
    rng = np.random.default_rng([seed, 2])
    n = len(curve.points)
    x = np.broadcast_to(curve.x, (bootstraps, n)).copy()
    y = np.broadcast_to(curve.y, (bootstraps, n)).copy()
    for place, point in enumerate(curve.points):
        if point.count_low is not None or point.count_high is not None:
            x[:, place] = _draw_counts(point, rng.standard_normal(bootstraps))
        if len(point.prompts) > 1:
            prompts = np.array(point.prompts)
            y[:, place] = prompts[rng.integers(len(prompts), size=(bootstraps, len(prompts)))].mean(axis=1)
    chosen = rng.integers(n, size=(bootstraps, n))
    x, y = np.take_along_axis(x, chosen, axis=1), np.take_along_axis(y, chosen, axis=1)
    order = np.argsort(x, axis=1, kind="stable")
    return Draws(np.take_along_axis(x, order, axis=1), np.take_along_axis(y, order, axis=1))


def find_bracket(curve: Curve, draws: Draws) -> Bracket | None:
    """Bracket the step; None where no drawn study has a rising step."""
    steps = best_steps(draws.x, draws.y)
    rising = np.flatnonzero(np.nan_to_num(steps.rise) > 0)
    if not len(rising):
        return None
    at = steps.place[rising]
    last_below, first_above = draws.x[rising, at - 1], draws.x[rising, at]
    more = ", prompts" if any(len(point.prompts) > 1 for point in curve.points) else ""
    more += " and counts" if any(point.count_low is not None for point in curve.points) else ""
    return Bracket(
        last_below=float(np.quantile(last_below, 0.025)),
        first_above=float(np.quantile(first_above, 0.975)),
        method=METHOD.format(n=len(draws.x), more=more),
    )


def place_concepts(curve: Curve, bracket: Bracket | None) -> tuple[Placed, ...]:
    """Say of each concept whether its count, with its interval, lies above or below the bracket."""
    if bracket is None:
        return ()
    placed = []
    for point in curve.points:
        low = point.count if point.count_low is None else point.count_low
        high = point.count if point.count_high is None else point.count_high
        if low >= bracket.first_above:
            placed.append(Placed(concept=point.concept, side="above"))
        elif high <= bracket.last_below:
            placed.append(Placed(concept=point.concept, side="below"))
        else:
            placed.append(Placed(concept=point.concept, side="uncertain"))
    return tuple(placed)


def _draw_counts(point: Point, z: Array) -> Array:
    middle = np.log1p(point.count)
    low = np.log1p(max(0.0, point.count if point.count_low is None else min(point.count_low, point.count)))
    high = np.log1p(point.count if point.count_high is None else max(point.count_high, point.count))
    width = np.where(z > 0, high - middle, middle - low) / Z_975
    return np.asarray(np.expm1(np.maximum(0.0, middle + z * width)), dtype=np.float64)
