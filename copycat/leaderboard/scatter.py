"""The headline: DETECT against CONS as one SVG drawing, with intervals and the front that nothing beats. Pure geometry.

DETECT grows to the right and CONS upwards, so the best corner is top left. Points are links in the order of the rows;
where there are many, only what stands out is a link with its interval, and the rest are plain dots.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from copycat.leaderboard.rows import BoardRow
from copycat.leaderboard.standings import front
from copycat.metrics.texts import shown_amount
from copycat.schema import Estimate

WIDTH, HEIGHT = 720, 436
LEFT, RIGHT, TOP, BOTTOM = 46, 14, 26, 44
MANY = 120
"""More rows than this, and only the front and the baselines are links with intervals."""

MAX_LABELS = 26
LABEL_PX = 11
LETTER_PX = 5.9
MAX_LABEL_LETTERS = 42
STEP = 0.1
ROOM = 0.02
"""Shares that the outermost points keep from the edge of a scale that could go further."""


class Axis(NamedTuple):
    """A scale of shares, and the pixels of its ends."""

    low: float
    high: float
    start_px: float
    end_px: float

    def place(self, share: float) -> float:
        """Give the pixel of a share; one outside of the scale is put on its edge."""
        inside = min(max(share, self.low), self.high)
        return self.start_px + (inside - self.low) / (self.high - self.low) * (self.end_px - self.start_px)

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Give the pixel of each tick and its text in per cent."""
        first, last = round(self.low / STEP), round(self.high / STEP)
        stride = 1 if last - first <= 6 else 2
        return [(self.place(i * STEP), f"{round(100 * i * STEP)}") for i in range(first, last + 1, stride)]


class Label(NamedTuple):
    """A name beside a point; `anchor` is the SVG word for which end of it is at x."""

    x: float
    y: float
    anchor: str
    text: str


class Point(NamedTuple):
    """One row. `cross` is the path of its intervals, "" where it is not drawn; `is_off` if it lies off the scale."""

    href: str
    title: str
    x: float
    y: float
    kind: str
    is_link: bool
    is_front: bool
    is_off: bool
    detect_path: str
    cons_path: str
    label: Label | None


class Scatter(NamedTuple):
    """One drawing. `points` are as the rows that were given, None where a row has no such figure."""

    anchor: str
    x: Axis
    y: Axis
    points: tuple[Point | None, ...]
    front_path: str
    front: tuple[BoardRow, ...]


def draw(rows: Sequence[BoardRow], anchor: str) -> Scatter | None:
    """Draw the rows of one group under one anchor; None if no row has both figures."""
    figures = {row.id: found for row in rows if (found := _figures(row, anchor))}
    if not figures:
        return None
    real = [figures[row.id] for row in rows if row.id in figures and not row.is_baseline_model]
    x, y = _axes(real or list(figures.values()))
    shown = [row for row in rows if row.id in figures]
    best = front({row.id: (_value(figures[row.id][0]), _value(figures[row.id][1])) for row in shown if _ranks(row)})
    is_crowded = len(shown) > MANY
    labels = _place_labels(shown, figures, best, x, y)
    points = tuple(
        _point(row, figures[row.id], x, y, is_front=row.id in best, is_crowded=is_crowded, label=labels.get(row.id))
        if row.id in figures
        else None
        for row in rows
    )
    by_id = {row.id: row for row in rows}
    steps = [(x.place(_value(figures[i][0])), y.place(_value(figures[i][1]))) for i in best]
    return Scatter(anchor, x, y, points, _front_path(steps, x, y), tuple(by_id[i] for i in best))


def _ranks(row: BoardRow) -> bool:
    return not row.is_baseline_model


def _figures(row: BoardRow, anchor: str) -> tuple[Estimate, Estimate] | None:
    detect, cons = row.detect.get(anchor), row.consistency.get(anchor)
    if detect is None or cons is None or detect.value is None or cons.value is None:
        return None
    return detect, cons


def _value(estimate: Estimate) -> float:
    return estimate.value if estimate.value is not None else math.nan


def _axes(figures: Sequence[tuple[Estimate, Estimate]]) -> tuple[Axis, Axis]:
    """Begin DETECT at 0 and end CONS at 100 %, and go as far as the figures do, in steps of 10 points."""
    highest = max(_value(detect) for detect, _ in figures)
    lowest = min(_value(cons) for _, cons in figures)
    right = min(1.0, STEP * (math.floor((highest + ROOM) / STEP) + 1))
    bottom = max(0.0, STEP * (math.ceil((lowest - ROOM) / STEP) - 1))
    return Axis(0.0, right, LEFT, WIDTH - RIGHT), Axis(bottom, 1.0, HEIGHT - BOTTOM, TOP)


def _point(
    row: BoardRow,
    figures: tuple[Estimate, Estimate],
    x: Axis,
    y: Axis,
    *,
    is_front: bool,
    is_crowded: bool,
    label: Label | None,
) -> Point:
    detect, cons = figures
    is_plain = is_crowded and not is_front and not row.is_baseline_model
    px, py = x.place(_value(detect)), y.place(_value(cons))
    return Point(
        href=row.href,
        title="" if is_plain else title_of(row, detect, cons),
        x=px,
        y=py,
        kind="base" if row.is_baseline_model else "bare" if row.is_baseline else "run",
        is_link=bool(row.href) and not is_plain,
        is_front=is_front,
        is_off=_value(cons) < y.low or _value(detect) > x.high,
        detect_path="" if is_plain else _across(detect, x, py),
        cons_path="" if is_plain else _upright(cons, y, px),
        label=label,
    )


def title_of(row: BoardRow, detect: Estimate, cons: Estimate) -> str:
    """Give what a reader hears or sees of a point: the row's name and both figures."""
    return f"{name_of(row)}: DETECT {_spoken(detect)}, CONS {_spoken(cons)}"


def name_of(row: BoardRow) -> str:
    """Give model, mitigation and attack as people say them."""
    if row.is_baseline_model:
        return row.model
    mitigated = f"{row.model}, {'no mitigation' if row.mitigation == 'none' else row.mitigation}"
    return f"{mitigated}, attacked by {row.attack}" if row.attack else mitigated


def _spoken(estimate: Estimate) -> str:
    said = f"{shown_amount(_value(estimate), estimate.unit)} %"
    if estimate.low is None or estimate.high is None:
        return said
    return f"{said} [{shown_amount(estimate.low, estimate.unit)}, {shown_amount(estimate.high, estimate.unit)}]"


def _across(detect: Estimate, x: Axis, py: float) -> str:
    if detect.low is None or detect.high is None:
        return ""
    return f"M{x.place(detect.low):.1f} {py:.1f}H{x.place(detect.high):.1f}"


def _upright(cons: Estimate, y: Axis, px: float) -> str:
    if cons.low is None or cons.high is None:
        return ""
    return f"M{px:.1f} {y.place(cons.low):.1f}V{y.place(cons.high):.1f}"


def _front_path(steps: Sequence[tuple[float, float]], x: Axis, y: Axis) -> str:
    """Give the stairs that bound what is reached: up at a point, then to the right until the next."""
    if not steps:
        return ""
    path = f"M{steps[0][0]:.1f} {y.start_px:.1f}V{steps[0][1]:.1f}"
    for px, py in steps[1:]:
        path += f"H{px:.1f}V{py:.1f}"
    return path + f"H{x.end_px:.1f}"


# --------------------------------------------------------------------------------------- names beside points

Box = tuple[float, float, float, float]


def _place_labels(
    rows: Sequence[BoardRow],
    figures: dict[str, tuple[Estimate, Estimate]],
    best: Sequence[str],
    x: Axis,
    y: Axis,
) -> dict[str, Label]:
    """Name points where there is room: baselines and the front first, then those without a mitigation, then others."""
    at = {row.id: (x.place(_value(figures[row.id][0])), y.place(_value(figures[row.id][1]))) for row in rows}
    taken: list[Box] = [(px - 5, py - 5, px + 5, py + 5) for px, py in at.values()] if len(rows) <= MANY else []
    labels: dict[str, Label] = {}
    for row in sorted(rows, key=lambda row: (not row.is_baseline_model, row.id not in best, not row.is_baseline)):
        if len(labels) == MAX_LABELS:
            break
        if len(rows) > MANY and not row.is_baseline_model and row.id not in best:
            break
        text = _short_name(row, figures[row.id][1], y)
        for label, box in _positions(*at[row.id], text):
            if not any(_overlap(box, other) for other in taken) and _is_inside(box):
                labels[row.id] = label
                taken.append(box)
                break
    return labels


def _short_name(row: BoardRow, cons: Estimate, y: Axis) -> str:
    if row.is_baseline:
        below = f", CONS {shown_amount(_value(cons), cons.unit)} ↓" if _value(cons) < y.low else ""
        return row.model[:MAX_LABEL_LETTERS] + below
    text = f"{row.model} + {row.mitigation}"
    text += f" ⚡ {row.attack}" if row.attack else ""
    return text if len(text) <= MAX_LABEL_LETTERS else text[: MAX_LABEL_LETTERS - 1] + "…"


def _positions(px: float, py: float, text: str) -> list[tuple[Label, Box]]:
    width, gap, up = len(text) * LETTER_PX, 9.0, LABEL_PX * 0.36
    right = (Label(px + gap, py + up, "start", text), (px + gap, py - 7, px + gap + width, py + 7))
    left = (Label(px - gap, py + up, "end", text), (px - gap - width, py - 7, px - gap, py + 7))
    above = (Label(px, py - 9, "middle", text), (px - width / 2, py - 21, px + width / 2, py - 7))
    below = (Label(px, py + 17, "middle", text), (px - width / 2, py + 7, px + width / 2, py + 21))
    corner = (Label(px + 6, py - 7, "start", text), (px + 6, py - 19, px + 6 + width, py - 5))
    return [right, left, above, below, corner]


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _is_inside(box: Box) -> bool:
    return box[0] >= LEFT and box[2] <= WIDTH - 2 and box[1] >= 0 and box[3] <= HEIGHT - BOTTOM
