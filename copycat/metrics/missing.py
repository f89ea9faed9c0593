"""The figure that cannot be given: null with a reason, never NaN and never 0."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from copycat.metrics.outcomes import Outcome
from copycat.schema import Estimate, Unit


def build_missing(
    metric: str,
    anchor: str,
    reason: str,
    *,
    unit: Unit,
    better: Literal["lower", "higher"],
) -> Estimate:
    """Give an estimate without a value; `n` is 0 and `reason` says why."""
    return Estimate(
        metric=metric,
        anchor=anchor,
        value=None,
        low=None,
        high=None,
        n=0,
        unit=unit,
        better=better,
        method="none",
        reason=reason,
    )


def why_missing(rows: Sequence[Outcome], needed: str) -> str:
    """Say why no row counts: there is none, or none is what is needed."""
    return f"none of {len(rows)} samples is {needed}" if rows else "no samples"
