"""The curve of a study as one SVG drawing: scores against counts, and above them each answer. Pure geometry.

Counts lie on a scale of log10(count + 1), so that 0 is shown. Above the points there is a lane for the bracket and for
each estimator, on the same scale, with its figure right of it; a thin line falls from an answer into the curve.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from copycat.imitation.records import Analysis, Answer, Point
from copycat.imitation.threshold.estimators import row_of
from copycat.imitation.threshold.headline import MINUS, SHARES, count_text, pictures_text, score_text, score_with_unit
from copycat.scales import Scale, across, upright

MANY = 120
"""More concepts than this, and points are small, their intervals faint, and the tab key passes them by."""

LANE_PX, LETTER_PX = 19, 6.6
TEXT_GAP_PX = 16
"""Between the plot and the column of figures: room for the arrow of an interval that goes on."""
INSET_PX = 9


class Frame(NamedTuple):
    """The pixels of a drawing: all of it, the margins of the plot in it, and the room of each tick and name."""

    width: int
    height: int
    left: int
    right: int
    bottom: int
    tick_px: int
    name_letters: int
    top: int = 10


WIDE = Frame(960, 500, 104, 16, 48, 42, 13)
NARROW = Frame(380, 430, 78, 10, 46, 34, 9)


class Tick(NamedTuple):
    """Where a line of the grid is, and its text; "" for lines between."""

    at: float
    text: str


class Lane(NamedTuple):
    """One answer, in pixels: its dot `x`, None where there is no count, and its interval from `low` to `high`.

    `goes_left` and `goes_right`: the interval goes on beyond that end of the scale, and gets an arrow there.
    """

    name: str
    tone: str
    y: float
    x: float | None
    low: float
    high: float
    goes_left: bool
    goes_right: bool
    text: str


class _Said(NamedTuple):
    """What a lane says, before it has a place: `at`, `low` and `high` are counts."""

    name: str
    tone: str
    at: float | None
    low: float | None
    high: float | None
    text: str


class Dot(NamedTuple):
    """One concept. `side` of the bracket, or "plain"; `across` and `upright` are paths of intervals, "" for none."""

    concept: str
    title: str
    x: float
    y: float
    side: str
    across: str
    upright: str


class FitLine(NamedTuple):
    """What an estimator fits."""

    tone: str
    path: str


class Plot(NamedTuple):
    """One drawing; all figures are pixels."""

    frame: Frame
    top: float
    floor: float
    right: float
    text_x: float
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    band: tuple[float, float, float] | None
    band_text: str
    band_text_y: float
    bracket: tuple[float, float] | None
    lanes: tuple[Lane, ...]
    curves: tuple[FitLine, ...]
    dots: tuple[Dot, ...]
    is_crowded: bool


def draw(analysis: Analysis, names: dict[str, str] | None = None, frame: Frame = WIDE) -> Plot:
    """Lay out the curve of a study.

    Args:
        analysis: what is drawn; without points, the frame and the lanes are all there is.
        names: concepts by id, as people call them.
        frame: `WIDE`, or `NARROW` for a phone.
    """
    lanes = list(_said(analysis))
    top, floor = float(frame.top + LANE_PX * len(lanes) + 8), float(frame.height - frame.bottom)
    text_x = frame.width - frame.right - LETTER_PX * max((len(said.text) for said in lanes), default=0)
    right = text_x - TEXT_GAP_PX if lanes else text_x
    x = _count_scale(analysis.points, frame.left + INSET_PX, right - INSET_PX)
    y = score_scale(analysis, floor - INSET_PX, top + INSET_PX)
    band = analysis.band
    return Plot(
        frame=frame,
        top=top,
        floor=floor,
        right=right,
        text_x=text_x,
        x_ticks=tuple(_count_ticks(x, frame.tick_px, min((p.count for p in analysis.points), default=0.0))),
        y_ticks=tuple(_score_ticks(y, analysis.metric)),
        band=(y.place(band.high), y.place(band.mean), y.place(band.low)) if band else None,
        band_text=f"control: {', '.join(band.arms)}" if band else "",
        band_text_y=_beside_band(y.place(band.mean), y.place(band.low), floor) if band else 0.0,
        bracket=_bracket_px(analysis, x),
        lanes=tuple(_lane(said, frame.top + LANE_PX * (n + 0.5), x, frame) for n, said in enumerate(lanes)),
        curves=tuple(_curves(analysis.answers, x, y)),
        dots=tuple(_dots(analysis, names or {}, x, y)),
        is_crowded=len(analysis.points) > MANY,
    )


def position(count: float) -> float:
    """Give where a count lies on the scale: log10(count + 1), so that 0 lies at 0 and 9 at 1."""
    return math.log10(max(count, 0.0) + 1.0)


# ------------------------------------------------------------------------------------------------- scales


def _count_scale(points: Sequence[Point], start_px: float, end_px: float) -> Scale:
    ends = [position(end) for p in points for end in (p.count, p.count_low, p.count_high) if end is not None]
    low, high = (min(ends), max(ends)) if ends else (0.0, 3.0)
    if high - low < 0.5:
        low, high = max(0.0, low - 0.5), high + 0.5
    return Scale(low, high, start_px, end_px)


def score_scale(analysis: Analysis, start_px: float, end_px: float) -> Scale:
    """Give the scale of scores: it holds all points, fitted curves and the control band.

    Intervals are cut at its ends: those of two prompts would leave the points no room. An end that comes near to a line
    of the grid is put on it.
    """
    ends = [point.score for point in analysis.points]
    ends += [score for answer in analysis.answers for _, score in answer.curve]
    ends += [analysis.band.low, analysis.band.high] if analysis.band else []
    ends = [end for end in ends if math.isfinite(end)]
    low, high = (min(ends), max(ends)) if ends else (0.0, 1.0)
    if high - low < 1e-9:
        room = abs(low) / 2 or 0.5
        low, high = low - room, high + room
    step = _score_step(low, high)
    below, above = math.floor(low / step) * step, math.ceil(high / step) * step
    low, high = below if low - below < step / 3 else low, above if above - high < step / 3 else high
    return Scale(low, high, start_px, end_px)


def _score_step(low: float, high: float) -> float:
    """Give a round distance between lines, of which four to nine cross the scale."""
    rough = (high - low) / 8
    size = 10.0 ** math.floor(math.log10(rough))
    return next(m * size for m in (1, 2, 5, 10) if m * size >= rough)


def _count_ticks(x: Scale, apart_px: int, smallest: float) -> list[Tick]:
    """Name the smallest count, 0 and the powers of ten, then 3, 30, ... (or 2 and 5) where there is room.

    The others are drawn unnamed.
    """
    top = math.ceil(x.high) + 1
    ranks = [[0.0, *(10.0**k for k in range(top))], [3 * 10.0**k for k in range(top)]]
    if x.high - x.low < 2:
        ranks[1:] = [[m * 10.0**k for k in range(top)] for m in (5, 2, 3, 7)]
    ranks.insert(0, [smallest] if smallest == round(smallest) else [])
    inside = [[count for count in rank if x.low - 1e-9 <= position(count) <= x.high + 1e-9] for rank in ranks]
    named: dict[float, float] = {}
    for rank in inside:
        for count in rank:
            px = x.place(position(count))
            if all(abs(px - other) >= apart_px for other in named.values()):
                named[count] = px
    between = [m * 10.0**k for k in range(top) for m in range(1, 10)]
    lines = [c for c in between if c not in named and x.low <= position(c) <= x.high]
    ticks = [Tick(px, tick_text(count)) for count, px in named.items()]
    return sorted(ticks + [Tick(x.place(position(count)), "") for count in lines])


def tick_text(count: float) -> str:
    """Give the text of a tick: 300, 3,000, 30k, 3M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if count >= size:
            return f"{count / (1e3 if letter == 'k' else size):g}{letter}"
    return f"{count:,.0f}"


def _score_ticks(y: Scale, metric: str) -> list[Tick]:
    step = _score_step(y.low, y.high)
    first, last = math.ceil(y.low / step - 1e-9), math.floor(y.high / step + 1e-9)
    shown_step = step * 100 if metric in SHARES else step
    decimals = max(0, -math.floor(math.log10(shown_step) + 1e-9))
    scores = [i * step for i in range(first, last + 1)]
    return [Tick(y.place(score), _tick_score(score, metric, decimals)) for score in scores]


def _tick_score(score: float, metric: str, decimals: int) -> str:
    shown = score * 100 if metric in SHARES else score
    return f"{shown + 0.0:.{decimals}f}".replace("-", MINUS) + (" %" if metric in SHARES else "")


# ------------------------------------------------------------------------------------------------- answers


def _beside_band(mean_px: float, low_px: float, floor: float) -> float:
    """Give the line on which the band's name stands: in its lower half, or just below where it is thin."""
    return low_px - 6 if low_px - mean_px > 20 else min(low_px + 14, floor - 4)


def _bracket_px(analysis: Analysis, x: Scale) -> tuple[float, float] | None:
    if analysis.bracket is None:
        return None
    low, high = x.place(position(analysis.bracket.last_below)), x.place(position(analysis.bracket.first_above))
    return (low, high) if high - low >= 2 else ((low + high) / 2 - 1, (low + high) / 2 + 1)


def _said(analysis: Analysis) -> Iterable[_Said]:
    if (bracket := analysis.bracket) is not None:
        low, high = bracket.last_below, bracket.first_above
        yield _Said("bracket", "bracket", None, low, high, f"{count_text(low)} to {count_text(high)}")
    for answer in analysis.answers:
        row, count = row_of(answer.estimator), answer.count
        text = "no answer" if count is None else count_text(count)
        yield _Said(row.title, row.tone, count, answer.low, answer.high, text)


def _lane(said: _Said, y: float, x: Scale, frame: Frame) -> Lane:
    at = None if said.at is None else x.place(position(said.at))
    ends = [position(end) for end in (said.low, said.at, said.high) if end is not None]
    name = said.name if len(said.name) <= frame.name_letters else said.name[: frame.name_letters - 1] + "…"
    if not ends:
        return Lane(name, "x", y, None, 0, 0, False, False, said.text)
    return Lane(
        name=name,
        tone=said.tone,
        y=y,
        x=at,
        low=x.place(min(ends)),
        high=x.place(max(ends)),
        goes_left=min(ends) < x.low - 1e-9,
        goes_right=max(ends) > x.high + 1e-9,
        text=said.text,
    )


def _curves(answers: Iterable[Answer], x: Scale, y: Scale) -> Iterable[FitLine]:
    for answer in answers:
        row = row_of(answer.estimator)
        pairs = [(count, score) for count, score in answer.curve if x.low - 1e-9 <= position(count) <= x.high + 1e-9]
        if len(pairs) > 1:
            drawn = stairs(pairs) if row.is_stepped else pairs
            places = (f"{x.place(position(count)):.1f} {y.place(score):.1f}" for count, score in drawn)
            yield FitLine(row.tone, "M" + "L".join(dict.fromkeys(places)))


def stairs(pairs: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Put a corner before each pair, so that a score holds until the next count and changes there."""
    corners = [(after[0], before[1]) for before, after in pairwise(pairs)]
    return [pairs[0], *(each for both in zip(corners, pairs[1:], strict=True) for each in both)]


# ------------------------------------------------------------------------------------------------- concepts


def _dots(analysis: Analysis, names: dict[str, str], x: Scale, y: Scale) -> Iterable[Dot]:
    sides = {placed.concept: placed.side for placed in analysis.placed}
    for point in analysis.points:
        px, py = x.place(position(point.count)), y.place(point.score)
        side = sides.get(point.concept)
        low, high = (None if end is None else position(end) for end in (point.count_low, point.count_high))
        yield Dot(
            concept=point.concept,
            title=f"{names.get(point.concept, point.concept)}: {spoken(point, analysis.metric)}"
            + (f", {side}" if side else ""),
            x=px,
            y=py,
            side=side or "plain",
            across=across(low, high, x, py),
            upright=_whisker(point, y, px),
        )


def _whisker(point: Point, y: Scale, px: float) -> str:
    """Give the path of a score's interval, with an arrow where it goes on beyond the scale."""
    low, high = point.score_low, point.score_high
    path = upright(low, high, y, px)
    if low is not None and path and low < y.low:
        path += f"M{px - 3:.1f} {y.start_px - 4:.1f}l3 4l3 -4"
    if high is not None and path and high > y.high:
        path += f"M{px - 3:.1f} {y.end_px + 4:.1f}l3 -4l3 4"
    return path


def spoken(point: Point, metric: str) -> str:
    """Give count and score of a concept as a reader hears them."""
    said = pictures_text(point.count)
    if point.count_low is not None and point.count_high is not None:
        said += f" [{count_text(point.count_low)}, {count_text(point.count_high)}]"
    said += f", score {score_with_unit(point.score, metric)}"
    if point.score_low is not None and point.score_high is not None:
        said += f" [{score_text(point.score_low, metric)}, {score_text(point.score_high, metric)}]"
    return said
