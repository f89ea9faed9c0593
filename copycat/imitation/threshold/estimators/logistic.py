"""The four-parameter logistic dose-response: smooth, and not bent by which concepts were listed."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from copycat.imitation.records import Answer
from copycat.imitation.threshold.bracket import Draws
from copycat.imitation.threshold.estimators.base import Asked, no_answer
from copycat.imitation.threshold.steps import UNBOUNDED, Array, Bounds, Curve

MIDDLES, SLOPES, DRAWN = 60, 16, 100
"""Grid points that a fit begins from, and points of the curve that is drawn."""
FIRST_MIDDLES, FIRST_SLOPES, HALVINGS = 30, 8, 8
NEIGHBOURS = tuple((ahead, steeper) for ahead in (-1, 0, 1) for steeper in (-1, 0, 1) if (ahead, steeper) != (0, 0))
"""Coarser points for each drawn study, how often the distance to a better shape is halved, and where one is sought."""
MIN_DIFFERENT = 6
"""Different counts that a curve of four parameters needs: between fewer, its shape is made up."""
_OF_WHOLE_RISE = ("upper", "ed10", "ed90")


class Logistic(NamedTuple):
    """`lower + (upper - lower) / (1 + exp(-slope (t - middle)))`, t = log10(count + 1)."""

    lower: float
    upper: float
    middle: float
    slope: float

    def at(self, count: Array) -> Array:
        """Give the score at counts."""
        t = np.log10(count + 1)
        return np.asarray(self.lower + (self.upper - self.lower) * _rise(t, self.middle, self.slope))

    def dose(self, share: float) -> float:
        """Give the count at which this share of the rise is reached; inf where no float holds it."""
        with np.errstate(over="ignore"):
            t = self.middle + np.log(share / (1 - share)) / self.slope
            return float(max(0.0, np.power(10.0, t) - 1))


def answer(curve: Curve, asked: Asked) -> Answer:
    """Give ED50 with the interval of its bootstrap; none where no rise is shown, or where it lies outside the counts.

    `ed10` and `ed90` are counts; `slope` is per factor of ten in count + 1. Where half of the rise lies above the
    counts, its end is a guess, so that neither it (`upper`) nor a share of the rise is given.
    """
    if asked.draws is None:
        return no_answer("logistic", "no rise is shown, so half of it is nowhere")
    different = len(np.unique(curve.x))
    if different < MIN_DIFFERENT:
        why = f"{different} different counts are too few to show a curve: {MIN_DIFFERENT} are needed"
        return no_answer("logistic", why)
    fit = fit_logistic(curve.x, curve.y, curve.bounds)
    if fit.upper <= fit.lower:
        why = "scores fall as counts grow: that is no imitation threshold"
        return no_answer("logistic", why, **_statistics(fit))
    found = Answer(estimator="logistic", count=None, statistics=_statistics(fit), curve=_drawn(fit, curve.x))
    ed50 = fit.dose(0.5)
    if ed50 >= curve.x[-1]:
        why = f"the rise has not levelled off at {curve.x[-1]:,.10g}, the largest count: half of it cannot be placed"
        seen = {name: value for name, value in found.statistics.items() if name not in _OF_WHOLE_RISE}
        return found.model_copy(update={"reason": why, "statistics": seen})
    if ed50 <= curve.x[0]:
        return found.model_copy(update={"reason": "half of the rise lies below the smallest count"})
    low, high = _interval(asked.draws, curve.bounds)
    index = int(np.searchsorted(curve.x, ed50))
    return found.model_copy(update={"count": ed50, "low": min(low, ed50), "high": max(high, ed50), "index": index})


def _statistics(fit: Logistic) -> dict[str, float | None]:
    ed90 = fit.dose(0.9)
    return {
        "lower": fit.lower,
        "upper": fit.upper,
        "slope": fit.slope,
        "ed10": fit.dose(0.1),
        "ed90": ed90 if np.isfinite(ed90) else None,
    }


def _drawn(fit: Logistic, x: Array) -> tuple[tuple[float, float], ...]:
    """Give points for a line: evenly over the counts, and as many on the rise, which may be steep."""
    low, high = float(np.log10(x[0] + 1)), float(np.log10(x[-1] + 1))
    rise = np.linspace(fit.middle - 6 / fit.slope, fit.middle + 6 / fit.slope, DRAWN)
    counts = np.power(10.0, np.sort(np.concatenate([np.linspace(low, high, DRAWN), rise]).clip(low, high))) - 1
    return tuple(zip(counts.tolist(), fit.at(counts).tolist(), strict=True))


def fit_logistic(x: Array, y: Array, bounds: Bounds = UNBOUNDED) -> Logistic:
    """Fit by least squares: the best of a grid of middles and slopes, then refined. Levels stay within the bounds."""
    from scipy.optimize import least_squares  # type: ignore[import-untyped]

    mean, scale = float(y.mean()), float(np.std(y)) or 1.0
    z, t = (y - mean) / scale, np.log10(x + 1)
    within = ((bounds[0] - mean) / scale, (bounds[1] - mean) / scale)
    span = max(float(t[-1] - t[0]), 1e-9)

    def residuals(shape: Array) -> Array:
        rise = _rise(t, float(shape[0]), float(np.exp(shape[1])))
        levels = _levels(rise, z, within)
        return np.asarray(z - levels.lower * (1 - rise) - levels.upper * rise)

    middles, slopes = _grid(t, MIDDLES, SLOPES)
    best = int(_levels(_rise(t, middles[:, None], slopes[:, None]), z, within).sse.argmin())
    limits = ([t[0] - span, np.log(0.5 / span)], [t[-1] + span, np.log(400 / span)])
    found = least_squares(residuals, [middles[best], np.log(slopes[best])], bounds=limits)
    return _with_levels(float(found.x[0]), float(np.exp(found.x[1])), x, y, bounds)


def fit_gentle(x: Array, y: Array, least: int, bounds: Bounds = UNBOUNDED) -> Logistic | None:
    """Fit the logistic that has at least so many concepts between ED10 and ED90; None where no shape of the grid has.

    Where the best logistic is steeper, this is the best of the grid.
    """
    t = np.log10(x + 1)
    best = fit_logistic(x, y, bounds)
    if _on_slope(_rise(t, best.middle, best.slope)) >= least:
        return best
    middles, slopes = _grid(t, MIDDLES, SLOPES)
    rise = _rise(t, middles[:, None], slopes[:, None])
    allowed = np.flatnonzero(_on_slope(rise) >= least)
    if not len(allowed):
        return None
    at = int(allowed[_levels(rise[allowed], y, bounds).sse.argmin()])
    return _with_levels(float(middles[at]), float(slopes[at]), x, y, bounds)


def _with_levels(middle: float, slope: float, x: Array, y: Array, bounds: Bounds) -> Logistic:
    levels = _levels(_rise(np.log10(x + 1), middle, slope), y, bounds)
    return Logistic(float(levels.lower), float(levels.upper), middle, slope)


def _on_slope(rise: Array) -> Array:
    return np.asarray(((rise > 0.1) & (rise < 0.9)).sum(axis=-1))


def _interval(draws: Draws, bounds: Bounds) -> tuple[float, float]:
    """Give 2.5 % and 97.5 % of ED50 over drawn studies; where it lies outside of the counts, it is their end."""
    low, high = np.quantile(np.power(10.0, _middles(draws, bounds)) - 1, (0.025, 0.975))
    return float(low), float(high)


def _middles(draws: Draws, bounds: Bounds) -> Array:
    """Fit every draw, (B,): the best of a coarse grid, then of its neighbours, ever nearer.

    A middle that was left on a grid would be rounded, and the interval of clean scores too narrow.
    """
    t = np.log10(draws.x + 1)
    ends = np.array([t.min(), t.max()])
    grid = np.stack(_grid(ends, FIRST_MIDDLES, FIRST_SLOPES))
    best, sse = np.zeros((2, len(t))), np.full(len(t), np.inf)

    def take_better(shapes: Array) -> None:
        found = _levels(_rise(t, shapes[0][:, None], shapes[1][:, None]), draws.y, bounds).sse
        better = found < sse
        best[:, better], sse[better] = np.broadcast_to(shapes, best.shape)[:, better], found[better]

    for shape in grid.T:
        take_better(shape[:, None])
    cell = np.array([grid[0][1] - grid[0][0], np.log(grid[1][FIRST_MIDDLES] / grid[1][0])])
    for halving in range(1, HALVINGS + 1):
        centre = best.copy()
        for ahead, steeper in NEIGHBOURS:
            middle = np.clip(centre[0] + ahead * cell[0] / 2**halving, *ends)
            take_better(np.stack([middle, centre[1] * np.exp(steeper * cell[1] / 2**halving)]))
    return np.asarray(best[0])


def _grid(t: Array, middles: int, slopes: int) -> tuple[Array, Array]:
    """Give middles and slopes of every shape, (G,) each, with the middles of one slope beside each other."""
    span = max(float(t[-1] - t[0]), 1e-9)
    middle, slope = np.meshgrid(np.linspace(t[0], t[-1], middles), np.geomspace(2 / span, 200 / span, slopes))
    return middle.ravel(), slope.ravel()


class _Levels(NamedTuple):
    """Both levels of each shape, and the sum of squares that is left, (G,) each."""

    lower: Array
    upper: Array
    sse: Array


def _levels(rise: Array, y: Array, bounds: Bounds) -> _Levels:
    """Fit both levels by linear least squares; one that is out of bounds is set to its bound, and the other refitted.

    Shapes:
        rise: (N,) or (G, N); y: (N,) or (G, N).
    """
    n, middle = y.shape[-1], y.mean(axis=-1)
    y = y - middle[..., None]
    least, most = bounds[0] - middle, bounds[1] - middle
    total, squares = rise.sum(axis=-1), np.einsum("...n,...n", rise, rise)
    pull = np.einsum("...n,...n", rise, y)
    below, both = np.maximum(n - 2 * total + squares, 1e-12), total - squares
    above = np.maximum(squares, 1e-12)
    gain = pull / np.maximum(squares - total**2 / n, 1e-9)
    lower = np.clip(-gain * total / n, least, most)
    upper = np.clip(gain * (1 - total / n), least, most)
    if np.isfinite(bounds).any():
        lower = np.clip((-pull - both * upper) / below, least, most)
        upper = np.clip((pull - both * lower) / above, least, most)
    left = lower**2 * below + 2 * lower * upper * both + upper**2 * above - 2 * pull * (upper - lower)
    return _Levels(lower + middle, upper + middle, np.einsum("...n,...n", y, y) + left)


def _rise(t: Array, middle: float | Array, slope: float | Array) -> Array:
    return np.asarray(0.5 + 0.5 * np.tanh(0.5 * slope * (t - middle)))
