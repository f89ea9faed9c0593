"""Add the values of a measure up: the mean over pictures, with an interval over characters."""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum
from typing import Literal

from pydantic import Field

from copycat.metrics.intervals import mean_interval, rate_interval
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
    sample's does not count. The interval is clustered by character: values are divided by the top of their scale
    for it, and its ends are multiplied by it again. `k` counts the ones where the unit is "share".

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
    interval = (rate_interval if is_share else mean_interval)([v / scale.top for v in values], clusters)
    return Estimate(
        metric=scale.metric,
        anchor=anchor,
        value=fsum(values) / len(values),
        low=interval.low * scale.top,
        high=interval.high * scale.top,
        k=round(fsum(values)) if is_share else None,
        n=len(values),
        unit=scale.unit,
        better=scale.better,
        method=interval.method,
    )
