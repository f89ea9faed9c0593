"""Which shape fits scores best: a step, a step too near the edge, a smooth rise, or a line. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np

from copycat.imitation.threshold.estimators.logistic import MIN_DIFFERENT, fit_gentle, fit_logistic
from copycat.imitation.threshold.steps import MIN_SEGMENT, Array, Curve, best_edge_step

EDGE, NEAR_EDGE = 0.05, 0.1
"""A change is at the edge with half of its rise among this share of concepts, and nine tenths among the second."""
GENTLE = 0.1
"""Concepts between ED10 and ED90, as a share of all (and at least `MIN_SEGMENT`), from which on a rise is smooth."""

ShapeName = Literal["step", "edge", "smooth", "line"]


class Shape(NamedTuple):
    """How well a shape fits (the smaller `bic`, the better), and its scores at the curve's concepts, (N,)."""

    bic: float
    fitted: Array


def fit_shapes(curve: Curve, index: int) -> dict[ShapeName, Shape]:
    """Fit every shape that these counts can tell; BIC with 3 parameters for a step, 4 for the logistic, 2 for the line.

    `edge` is the best step with fewer than `MIN_SEGMENT` concepts on one side. A logistic can be as steep as a step;
    `smooth` is the best that has concepts on its slope. Fewer than `MIN_DIFFERENT` counts show no slope.
    """
    found: dict[ShapeName, tuple[Array, int]] = {"step": (_levels(curve.y, index), 3)}
    at = best_edge_step(curve.x, curve.y)
    if at is not None:
        found["edge"] = _levels(curve.y, at), 3
    if len(np.unique(curve.x)) >= MIN_DIFFERENT:
        on_slope = max(MIN_SEGMENT, round(GENTLE * len(curve.x)))
        gentle = fit_gentle(curve.x, curve.y, on_slope, curve.bounds)
        if gentle is not None:
            found["smooth"] = gentle.at(curve.x), 4
        t = np.log10(curve.x + 1)
        found["line"] = np.asarray(np.polyval(np.polyfit(t, curve.y, 1), t), dtype=np.float64), 2
    return {name: Shape(_bic(curve.y, fitted, k), fitted) for name, (fitted, k) in found.items()}


def best_of(shapes: Mapping[ShapeName, Shape]) -> ShapeName:
    """Name the shape with the smallest BIC."""
    return min(shapes, key=lambda name: shapes[name].bic)


def logistic_bic(curve: Curve) -> float:
    """Give BIC of the logistic, however steep."""
    return _bic(curve.y, fit_logistic(curve.x, curve.y, curve.bounds).at(curve.x), 4)


def edge_of(shape: Shape) -> int | None:
    """Give how many concepts the change lies among: of the first as a negative number, of the last as a positive one.

    None where it lies further inside. What counts is the rise within the counts, not one that they do not show.
    """
    n, first, last = len(shape.fitted), float(shape.fitted[0]), float(shape.fitted[-1])
    if last <= first:
        return None
    tenth, half, most = (
        int(np.searchsorted(shape.fitted, first + share * (last - first))) for share in (0.1, 0.5, 0.9)
    )
    if n - half <= EDGE * n and n - tenth <= NEAR_EDGE * n:
        return n - tenth
    if half <= EDGE * n and most <= NEAR_EDGE * n:
        return -most
    return None


def _levels(y: Array, index: int) -> Array:
    return np.repeat([y[:index].mean(), y[index:].mean()], [index, len(y) - index])


def _bic(y: Array, fitted: Array, parameters: int) -> float:
    n, total = len(y), float(((y - y.mean()) ** 2).sum())
    sse = max(float(((y - fitted) ** 2).sum()), 1e-12 * total)
    return float(n * np.log(sse / n) + parameters * np.log(n))
