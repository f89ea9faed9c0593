"""The four-parameter logistic dose-response: smooth, and not bent by which concepts were listed."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from copycat.imitation.records import Answer
from copycat.imitation.threshold.bracket import Draws
from copycat.imitation.threshold.estimators.base import Asked, no_answer
from copycat.imitation.threshold.steps import Array, Curve

MIDDLES, SLOPES, DRAWN = 60, 16, 100
"""Grid points that a fit begins from, and points of the curve that is drawn."""
MIN_DIFFERENT = 6
"""Different counts that a curve of four parameters needs: between fewer, its shape is made up."""


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

    `ed10` and `ed90` are counts; `slope` is per factor of ten in count + 1.
    """
    if asked.draws is None:
        return no_answer("logistic", "no rise is shown, so half of it is nowhere")
    different = len(np.unique(curve.x))
    if different < MIN_DIFFERENT:
        why = f"{different} different counts are too few to show a curve: {MIN_DIFFERENT} are needed"
        return no_answer("logistic", why)
    fit = fit_logistic(curve.x, curve.y)
    if fit.upper <= fit.lower:
        why = "scores fall as counts grow: that is no imitation threshold"
        return no_answer("logistic", why, **_statistics(fit))
    found = Answer(estimator="logistic", count=None, statistics=_statistics(fit), curve=_drawn(fit, curve.x))
    ed50 = fit.dose(0.5)
    if not curve.x[0] < ed50 < curve.x[-1]:
        return found.model_copy(update={"reason": "half of the rise lies outside of the counts"})
    low, high = _interval(asked.draws)
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
    counts = np.expm1(np.linspace(np.log1p(x[0]), np.log1p(x[-1]), DRAWN))
    return tuple(zip(counts.tolist(), fit.at(counts).tolist(), strict=True))


def fit_logistic(x: Array, y: Array) -> Logistic:
    """Fit by least squares: the best of a grid of middles and slopes, then refined."""
    from scipy.optimize import least_squares  # type: ignore[import-untyped]

    scale = float(np.std(y)) or 1.0
    z, t = (y - y.mean()) / scale, np.log10(x + 1)
    middle, slope = _best_of_grid(t, z)
    span = max(float(t[-1] - t[0]), 1e-9)

    def residuals(shape: Array) -> Array:
        rise = _rise(t, float(shape[0]), float(np.exp(shape[1])))
        return np.asarray(z - _levels(rise, z)[2])

    bounds = ([t[0] - span, np.log(0.5 / span)], [t[-1] + span, np.log(400 / span)])
    found = least_squares(residuals, [middle, np.log(slope)], bounds=bounds)
    middle, slope = float(found.x[0]), float(np.exp(found.x[1]))
    lower, upper, _ = _levels(_rise(t, middle, slope), z)
    return Logistic(lower * scale + float(y.mean()), upper * scale + float(y.mean()), middle, slope)


def fit_gentle(x: Array, y: Array, least: int) -> Logistic | None:
    """Fit the logistic that has at least so many concepts between ED10 and ED90; None where no shape of the grid has.

    Where the best logistic is steeper, this is the best of the grid.
    """
    t = np.log10(x + 1)
    best = fit_logistic(x, y)
    if _on_slope(_rise(t, best.middle, best.slope)) >= least:
        return best
    middle, slope, rise = _grid(t)
    allowed = np.flatnonzero(_on_slope(rise) >= least)
    if not len(allowed):
        return None
    at = int(allowed[_explained(rise[allowed], y).argmax()])
    lower, upper, _ = _levels(rise[at], y)
    return Logistic(lower, upper, float(middle[at]), float(slope[at]))


def _on_slope(rise: Array) -> Array:
    return np.asarray(((rise > 0.1) & (rise < 0.9)).sum(axis=-1))


def _interval(draws: Draws) -> tuple[float, float]:
    """Give 2.5 % and 97.5 % of ED50 over drawn studies; where it lies outside of the counts, it is their end."""
    different = np.unique(draws.x)
    if len(different) <= draws.x.shape[1]:
        middles = _middles_of_exact_counts(draws, different)
    else:
        pairs = zip(draws.x, draws.y, strict=True)
        middles = np.array([_best_of_grid(np.log10(x + 1), y)[0] for x, y in pairs if x[0] < x[-1]])
    low, high = np.quantile(np.power(10.0, middles) - 1, (0.025, 0.975))
    return float(low), float(high)


def _middles_of_exact_counts(draws: Draws, different: Array) -> Array:
    """Fit every draw at once: all have the same counts, so each shape of the grid is worked out once."""
    rows, n = draws.x.shape
    cells = np.searchsorted(different, draws.x) + np.arange(rows)[:, None] * len(different)
    size = rows * len(different)
    y = draws.y - draws.y.mean(axis=1, keepdims=True)
    often = np.bincount(cells.ravel(), minlength=size).reshape(rows, -1).astype(np.float64)
    sums = np.bincount(cells.ravel(), weights=y.ravel(), minlength=size).reshape(rows, -1)
    middle, _, rise = _grid(np.log10(different + 1))
    spread = often @ (rise**2).T - (often @ rise.T) ** 2 / n
    explained = (sums @ rise.T) ** 2 / np.maximum(spread, 1e-9)
    return np.asarray(middle[explained.argmax(axis=1)])


def _best_of_grid(t: Array, y: Array) -> tuple[float, float]:
    middle, slope, rise = _grid(t)
    best = int(_explained(rise, y).argmax())
    return float(middle[best]), float(slope[best])


def _explained(rise: Array, y: Array) -> Array:
    """Give the sum of squares that each shape (G, N) explains, (G,)."""
    rise = rise - rise.mean(axis=1, keepdims=True)
    return np.asarray((rise @ (y - y.mean())) ** 2 / np.maximum((rise**2).sum(axis=1), 1e-12))


def _grid(t: Array) -> tuple[Array, Array, Array]:
    """Give middles and slopes, (G,) each, and the rise of each shape at ascending t, (G, N)."""
    span = max(float(t[-1] - t[0]), 1e-9)
    grid = np.meshgrid(np.linspace(t[0], t[-1], MIDDLES), np.geomspace(2 / span, 200 / span, SLOPES))
    middle, slope = (each.ravel() for each in grid)
    return middle, slope, _rise(t[None, :], middle[:, None], slope[:, None])


def _levels(rise: Array, y: Array) -> tuple[float, float, Array]:
    """Give lower, upper and fitted scores for a shape, by linear least squares."""
    centred = rise - rise.mean()
    gain = float(centred @ y) / max(float(centred @ centred), 1e-12)
    lower = float(y.mean() - gain * rise.mean())
    return lower, lower + gain, lower + gain * rise


def _rise(t: Array, middle: float | Array, slope: float | Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-np.clip(slope * (t - middle), -60, 60))))
