"""Made-up curves whose truth is known."""

from __future__ import annotations

import numpy as np

from copycat.imitation.records import Point
from copycat.imitation.threshold.steps import Array


def make_points(x: Array, y: Array) -> list[Point]:
    """Give a point for each count and score, ids in their order."""
    pairs = zip(x.tolist(), y.tolist(), strict=True)
    return [Point(concept=f"c{number:04}", count=a, score=b) for number, (a, b) in enumerate(pairs)]


def log_uniform(rng: np.random.Generator, n: int, low: float = 1, high: float = 1e5) -> Array:
    """Draw whole counts evenly in their logarithm."""
    return np.asarray(np.round(10 ** rng.uniform(np.log10(low), np.log10(high), n)))


def step_points(seed: int, n: int = 400, at: float = 300, rise: float = 0.3, noise: float = 0.08) -> list[Point]:
    """Give scores that rise by `rise` at a count."""
    rng = np.random.default_rng(seed)
    x = log_uniform(rng, n)
    return make_points(x, rise * (x >= at) + rng.normal(0, noise, n))


def smooth_points(seed: int, n: int = 400, low: float = 1, high: float = 1e5, middle: float = 500) -> list[Point]:
    """Give scores of one logistic law, whichever counts are drawn: ED50 at `middle`."""
    rng = np.random.default_rng(seed)
    x = log_uniform(rng, n, low, high)
    law = 0.4 / (1 + np.exp(-2.5 * (np.log10(x + 1) - np.log10(middle + 1))))
    return make_points(x, law + rng.normal(0, 0.05, n))
