"""Add the values of a measure up: the mean over pictures, with an interval over characters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import fsum, sqrt
from typing import Literal

from pydantic import Field

from copycat.metrics.effective import FEW_CHANGED, clustered_mean, grouped, t_quantile
from copycat.metrics.intervals import Interval, mean_interval, rate_interval
from copycat.metrics.missing import build_missing
from copycat.metrics.outcomes import ALL_ANCHORS
from copycat.schema import Estimate, Measurement, Record, Sample, Unit


class Scale(Record):
    """How a measure's values are read: they lie in [0, top]; with the unit "share" each is 0 or 1."""

    metric: str
    top: float = Field(gt=0)
    unit: Unit
    better: Literal["lower", "higher"]


def summarise_measurements(
    scale: Scale, samples: Sequence[Sample], measurements: Sequence[Measurement], anchor: str
) -> Estimate:
    """Give the mean of a measure over the pictures of one anchor, or of all for "all".

    Pictures without a value are left out; `n` counts the others. A measurement of another picture than the
    sample's does not count. Where the unit is "share", `k` counts the ones and the interval is that of a rate; else
    it is `mean_on_scale`'s.

    Unit: the scale's.
    Direction: the scale's.

    Raises:
        ValueError: a value lies outside of the scale, or is neither 0 nor 1 where the unit is "share".
    """
    pictures = [s for s in samples if s.status == "ok" and anchor in (ALL_ANCHORS, s.anchor)]
    found = {(m.key, m.image_sha256): m.value for m in measurements}
    valued = [(s.character, v) for s in pictures if (v := found.get((s.key, s.sha256 or ""))) is not None]
    if not valued:
        reason = f"none of {len(pictures)} pictures has a value" if pictures else "no pictures"
        return build_missing(scale.metric, anchor, reason, unit=scale.unit, better=scale.better)
    clusters, values = [character for character, _ in valued], [value for _, value in valued]
    is_share = scale.unit == "share"
    interval = rate_interval(values, clusters) if is_share else mean_on_scale(values, clusters, scale.top)
    return Estimate(
        metric=scale.metric,
        anchor=anchor,
        value=fsum(values) / len(values),
        low=interval.low,
        high=interval.high,
        k=round(fsum(values)) if is_share else None,
        n=len(values),
        unit=scale.unit,
        better=scale.better,
        method=interval.method,
    )


def mean_on_scale(values: Sequence[float], clusters: Sequence[str], top: float) -> Interval:
    """Bound the mean of values in [0, top] by Student's t over clusters.

    `mean +/- t sqrt(v)` with the variance v of the mean between C clusters and C - 1 degrees of freedom, cut off at
    the ends of the scale. `mean_interval` is made for probabilities, which may lie at either end; for scores, which
    lie close together in the middle of their scale, it would be ten times as wide as need be. It is used all the same
    (on values over top) where fewer than 5 clusters are off the most common mean, or there is one cluster only:
    equal values, say, whose spread says nothing.

    Shapes:
        values: (N,), each in [0, top], N >= 1.
        clusters: (N,), the cluster of each value.

    Unit: that of the values.

    Raises:
        ValueError: empty input, lengths that differ, a value outside of the scale.
    """
    if any(not 0 <= value <= top for value in values):
        raise ValueError(f"values must lie in [0, {top:g}], got {min(values)} to {max(values)}")
    means = Counter(round(fsum(group) / len(group), 6) for group in grouped(values, clusters))
    n_off = means.total() - max(means.values())
    if means.total() == 1 or n_off < min(FEW_CHANGED, means.total() - 1):
        found = mean_interval([value / top for value in values], clusters)
        return Interval(found.low * top, found.high * top, found.method)
    mean = clustered_mean(values, clusters)
    half = t_quantile(mean.n_clusters - 1) * sqrt(mean.variance)
    return Interval(max(0.0, mean.mean - half), min(top, mean.mean + half), "t-over-characters")
