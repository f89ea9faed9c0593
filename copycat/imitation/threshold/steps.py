"""Two levels and one step: the arithmetic that estimators, bracket and verdict share. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from copycat.imitation.records import REACH, Metric, Point

Array = NDArray[np.float64]

MIN_SEGMENT = 5
"""Concepts that each level needs at least."""
Z_80, Z_975 = 0.8416, 1.96
MAD_TO_SD = 1.4826


Bounds = tuple[float, float]
UNBOUNDED: Bounds = (-math.inf, math.inf)


class Curve(NamedTuple):
    """Points in the order of counts, equal counts by id. `x` and `y` are (N,): counts and scores.

    `bounds` are the least and the largest score that there can be.
    """

    points: tuple[Point, ...]
    x: Array
    y: Array
    bounds: Bounds = UNBOUNDED


class Step(NamedTuple):
    """The best step of each row. `place` is the first concept above; (R,) each, F and rise nan where no step can be."""

    place: NDArray[np.intp]
    f: Array
    rise: Array


def make_curve(points: Sequence[Point], metric: Metric = "score") -> Curve:
    """Sort points by count, then by id: the order in which they are given changes nothing."""
    ordered = tuple(sorted(points, key=lambda point: (point.count, point.concept)))
    x, y = np.array([p.count for p in ordered], float), np.array([p.score for p in ordered], float)
    return Curve(ordered, x, y, REACH.get(metric, UNBOUNDED))


def can_step(x: Array) -> bool:
    """Whether some place between two different counts leaves enough concepts on either side."""
    return bool(_allowed(x[None, :]).any()) if len(x) > 1 else False


def best_steps(x: Array, y: Array) -> Step:
    """Find the step that explains most of each row, with its F statistic.

    Concepts of equal counts are never divided, and each level has at least `MIN_SEGMENT` concepts. F is
    `between / (within / (N - 2))`: it does not depend on the scale of the scores.

    Shapes:
        x: (R, N) or (1, N), counts, ascending; y: (R, N), scores.
    """
    rows, n = y.shape
    y = y - y.mean(axis=1, keepdims=True)
    below = np.arange(1, n)
    sums = np.cumsum(y, axis=1)[:, :-1]
    between = sums**2 * (n / (below * (n - below)))
    between = np.where(_allowed(x), between, -1.0)
    place = between.argmax(axis=1)
    every = np.arange(rows)
    most = between[every, place]
    total = (y**2).sum(axis=1)
    within = np.maximum(total - most, 1e-12 * total)
    with np.errstate(divide="ignore", invalid="ignore"):
        f = np.where(total > 0, most * (n - 2) / within, 0.0)
    n_below = place + 1
    rise = -sums[every, place] * n / (n_below * (n - n_below))
    nowhere = most < 0
    return Step(n_below, np.where(nowhere, np.nan, f), np.where(nowhere, np.nan, rise))


def best_edge_step(x: Array, y: Array) -> int | None:
    """Give the rising step that explains most among those with fewer than `MIN_SEGMENT` concepts on one side.

    None where there is none. Such a step shows that the change lies at the edge; its place is not to be trusted.
    """
    n = len(y)
    places = np.flatnonzero((x[1:] != x[:-1]) & ~_allowed(x[None, :])[0]) + 1
    sums = np.cumsum(y - y.mean())[places - 1]
    places, sums = places[sums < 0], sums[sums < 0]
    return int(places[(sums**2 / (places * (n - places))).argmax()]) if len(places) else None


def permuted_f(x: Array, y: Array, permutations: int, seed: int) -> Array:
    """Give the largest F of shuffled scores, (permutations,)."""
    rng = np.random.default_rng([seed, 1])
    order = np.sort(y)
    shuffled = rng.permuted(np.broadcast_to(order, (permutations, len(y))), axis=1)
    return best_steps(x[None, :], shuffled).f


def chance_of(f: float, null: Array) -> float:
    """Give p of an F: `(1 + shuffles at least as large) / (B + 1)`; equal sums differ in their last digits."""
    return (1 + int((null >= f * (1 - 1e-9)).sum())) / (len(null) + 1)


def is_least_chance(p: float, permutations: int) -> bool:
    """Whether no shuffle reached the F of this p, so that p is only known to be as small as they can show."""
    return p * (permutations + 1) < 1.5


def noise_of(y: Array) -> float | None:
    """Estimate the standard deviation of scores about their curve, from the first differences (by their MAD).

    Where most neighbours score the same, as shares of 0 and 1 do, the MAD is 0, and their root mean square stands in:
    it takes the step for noise, too, and so rather hides a step than invents one.
    """
    if len(y) < 3:
        return None
    steps = np.diff(y)
    mad = MAD_TO_SD * np.median(np.abs(steps - np.median(steps)))
    return float((mad or np.sqrt(np.mean(steps**2))) / math.sqrt(2))


def smallest_step(x: Array, noise: float, critical_f: float) -> float:
    """Give the step in the middle of the concepts that would be found in 80 of 100 such studies.

    The t statistic at the true place is normal about `step / se`; it has to pass the root of the critical F.
    """
    n = len(x)
    places = np.flatnonzero(_allowed(x[None, :])[0]) + 1
    k = int(places[np.abs(places - n / 2).argmin()])
    return float((math.sqrt(critical_f) + Z_80) * noise * math.sqrt(n / (k * (n - k))))


def group_means(x: Array, y: Array) -> tuple[Array, Array, Array]:
    """Give the different counts, the mean score of each, and how many concepts have it."""
    counts, inverse, sizes = np.unique(x, return_inverse=True, return_counts=True)
    return counts, np.bincount(inverse, weights=y) / sizes, sizes.astype(np.float64)


def _allowed(x: Array) -> NDArray[np.bool_]:
    n = x.shape[1]
    below = np.arange(1, n)
    allowed: NDArray[np.bool_] = (x[:, 1:] != x[:, :-1]) & (below >= MIN_SEGMENT) & (n - below >= MIN_SEGMENT)
    return allowed
