"""From figures to pixels and back into paths: what all drawings share. Pure geometry."""

from __future__ import annotations

from typing import NamedTuple


class Scale(NamedTuple):
    """A scale, and the pixels of its ends."""

    low: float
    high: float
    start_px: float
    end_px: float

    def place(self, value: float) -> float:
        """Give the pixel of a value; one outside of the scale is put on its edge."""
        inside = min(max(value, self.low), self.high)
        return self.start_px + (inside - self.low) / (self.high - self.low) * (self.end_px - self.start_px)


def across(low: float | None, high: float | None, x: Scale, py: float) -> str:
    """Give the path of an interval along x, on the line at `py` pixels; "" where an end is missing."""
    return "" if low is None or high is None else f"M{x.place(low):.1f} {py:.1f}H{x.place(high):.1f}"


def upright(low: float | None, high: float | None, y: Scale, px: float) -> str:
    """Give the path of an interval along y, on the line at `px` pixels; "" where an end is missing."""
    return "" if low is None or high is None else f"M{px:.1f} {y.place(low):.1f}V{y.place(high):.1f}"
