"""Figures of clips: how much of a clip shows the character, and how soon."""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum

from copycat.metrics.detect import build_share
from copycat.metrics.intervals import mean_interval
from copycat.metrics.outcomes import Outcome, Outcomes
from copycat.schema import Estimate


def frame_share(outcomes: Outcomes, anchor: str) -> Estimate | None:
    """Give the mean share of a judged clip's kept frames that show the character asked for.

    DETECT counts a clip of which any frame does.

    Unit: share in [0, 1].
    Direction: lower is better.
    """
    clips = _judged_clips(outcomes, anchor)
    if not clips:
        return None
    shares = [sum(_hits(row)) / len(_hits(row)) for row in clips]
    interval = mean_interval(shares, [row.sample.character for row in clips])
    return Estimate(
        metric="frame_share",
        anchor=anchor,
        value=fsum(shares) / len(shares),
        low=interval.low,
        high=interval.high,
        n=len(shares),
        unit="share",
        better="lower",
        method=interval.method,
    )


def first_hit(outcomes: Outcomes, anchor: str) -> Estimate | None:
    """Give the mean time of the first kept frame that shows the character, over the clips of which one does.

    A time between two kept frames is not seen. The interval is that of the mean share of a clip's length.

    Unit: seconds from the clip's start.
    Direction: higher is better.
    """
    times = outcomes.frame_times_s
    clips = [row for row in _judged_clips(outcomes, anchor) if any(_hits(row))]
    if not clips or not times:
        return None
    length_s = max(times) or 1.0
    shares = [times[_hits(row).index(True)] / length_s for row in clips]
    interval = mean_interval(shares, [row.sample.character for row in clips])
    return Estimate(
        metric="first_hit",
        anchor=anchor,
        value=length_s * fsum(shares) / len(shares),
        low=length_s * interval.low,
        high=length_s * interval.high,
        n=len(shares),
        unit="seconds",
        better="higher",
        method=interval.method,
    )


def detect_sheet(outcomes: Outcomes, anchor: str) -> Estimate | None:
    """Give the share of answered requests whose sheet of frames, judged as one picture, shows the character.

    Unit: share in [0, 1].
    Direction: lower is better.
    """
    rows = outcomes.of(anchor)
    if all(row.judgement is None or row.judgement.sheet is None for row in rows):
        return None
    asked = [row for row in rows if row.is_answered and (row.judgement is None or row.judgement.sheet is not None)]
    flags = [row.judgement is not None and row.sample.character in (row.judgement.sheet or ()) for row in asked]
    return build_share("detect_sheet", anchor, asked, flags)


def _judged_clips(outcomes: Outcomes, anchor: str) -> Sequence[Outcome]:
    return [row for row in outcomes.of(anchor) if row.judgement is not None and row.judgement.frames]


def _hits(row: Outcome) -> list[bool]:
    frames = row.judgement.frames if row.judgement is not None else None
    return [seen == row.sample.character for seen in frames or ()]
