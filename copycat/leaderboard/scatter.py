"""The headline: DETECT against CONS as one SVG drawing, with intervals and the front that nothing beats. Pure geometry.

DETECT grows to the right and CONS upwards, so the best corner is top left. Points are links in the order of the rows;
where there are many, only what stands out is a link with its interval, and the rest are plain dots.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from copycat.leaderboard.rows import BoardRow
from copycat.leaderboard.standings import front
from copycat.metrics.texts import shown_amount
from copycat.scales import Scale, across, upright
from copycat.schema import Estimate

WIDTH, HEIGHT = 720, 436
LEFT, RIGHT, TOP, BOTTOM = 46, 14, 26, 44
MANY = 120
"""More rows than this, and only the front and the baselines are links with intervals."""

MAX_LABELS = 26
FEW = 16
"""Of so many points, the pinned ones among them, each gets a name if there is any room."""

LABEL_PX = 11
LETTER_PX = 5.9
MAX_LABEL_LETTERS = 42
SHORTER = (MAX_LABEL_LETTERS, 24, 14)
"""Letters of a name where there is room for them; at last where there is not."""

STEP = 0.1
ROOM = 0.02
"""Shares that the outermost points keep from the edge of a scale that could go further."""


class Axis(Scale):
    """A scale of shares."""

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Give the pixel of each tick and its text in per cent."""
        first, last = round(self.low / STEP), round(self.high / STEP)
        stride = 1 if last - first <= 6 else 2
        return [(self.place(i * STEP), f"{round(100 * i * STEP)}") for i in range(first, last + 1, stride)]


Box = tuple[float, float, float, float]
"""Left, top, right and bottom, in pixels."""


class Label(NamedTuple):
    """A name beside a point; `anchor` is the SVG word for which end of it is at x, `box` the room that it takes."""

    x: float
    y: float
    anchor: str
    text: str
    box: Box


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
        detect_path="" if is_plain else across(detect.low, detect.high, x, py),
        cons_path="" if is_plain else upright(cons.low, cons.high, y, px),
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


def _front_path(steps: Sequence[tuple[float, float]], x: Axis, y: Axis) -> str:
    """Give the stairs that bound what is reached: up at a point, then to the right until the next."""
    if not steps:
        return ""
    path = f"M{steps[0][0]:.1f} {y.start_px:.1f}V{steps[0][1]:.1f}"
    for px, py in steps[1:]:
        path += f"H{px:.1f}V{py:.1f}"
    return path + f"H{x.end_px:.1f}"


# --------------------------------------------------------------------------------------- names beside points


def _place_labels(
    rows: Sequence[BoardRow],
    figures: dict[str, tuple[Estimate, Estimate]],
    best: Sequence[str],
    x: Axis,
    y: Axis,
) -> dict[str, Label]:
    """Name points where there is room: baselines and the front first, then those without a mitigation, then others.

    Of few rows each is named, if need be by a part of its name; of the free places the one with the fewest lines wins.
    """
    at = {row.id: (x.place(_value(figures[row.id][0])), y.place(_value(figures[row.id][1]))) for row in rows}
    taken: list[Box] = [(px - 5, py - 5, px + 5, py + 5) for px, py in at.values()] if len(rows) <= MANY else []
    lines = _lines(rows, figures, at, x, y) if len(rows) <= MANY else []
    is_one_model = len({row.model for row in rows if not row.is_baseline_model}) == 1
    labels: dict[str, Label] = {}
    for row in sorted(rows, key=lambda row: (not row.is_baseline_model, row.id not in best, not row.is_baseline)):
        if len(labels) == MAX_LABELS:
            break
        if len(rows) > MANY and not row.is_baseline_model and row.id not in best:
            break
        name = _short_name(row, figures[row.id][1], y, is_one_model=is_one_model)
        for letters in SHORTER if len(rows) <= FEW else SHORTER[:1]:
            free = [one for one in _positions(*at[row.id], _cut(name, letters)) if _is_free(one.box, taken)]
            if free:
                labels[row.id] = min(free, key=lambda one: sum(_overlap(one.box, line) for line in lines))
                taken.append(labels[row.id].box)
                break
    return labels


def _lines(
    rows: Sequence[BoardRow],
    figures: dict[str, tuple[Estimate, Estimate]],
    at: Mapping[str, tuple[float, float]],
    x: Axis,
    y: Axis,
) -> list[Box]:
    """Give the intervals as boxes without width or without height."""
    found: list[Box] = []
    for row in rows:
        (px, py), (detect, cons) = at[row.id], figures[row.id]
        if detect.low is not None and detect.high is not None:
            found.append((x.place(detect.low), py, x.place(detect.high), py))
        if cons.low is not None and cons.high is not None:
            found.append((px, y.place(cons.high), px, y.place(cons.low)))
    return found


def _short_name(row: BoardRow, cons: Estimate, y: Axis, *, is_one_model: bool) -> str:
    if row.is_baseline:
        below = f", CONS {shown_amount(_value(cons), cons.unit)} ↓" if _value(cons) < y.low else ""
        return row.model[:MAX_LABEL_LETTERS] + below
    text = row.mitigation if is_one_model else f"{row.model} + {row.mitigation}"
    return f"{text} ⚡ {row.attack}" if row.attack else text


def _cut(text: str, letters: int) -> str:
    return text if len(text) <= letters or text.endswith("↓") else text[: letters - 1] + "…"


def _positions(px: float, py: float, text: str) -> list[Label]:
    """Give the places for a name: close to its point first, beside it, above and below, then at its corners."""
    width = len(text) * LETTER_PX
    places = [(9.0, 0.0, "start"), (-9.0, 0.0, "end"), (0.0, -13.0, "middle"), (0.0, 13.0, "middle")]
    places += [(6.0, -12.0, "start"), (6.0, 12.0, "start"), (-6.0, -12.0, "end"), (-6.0, 12.0, "end")]
    places += [(9.0, -22.0, "start"), (9.0, 22.0, "start"), (-9.0, -22.0, "end"), (-9.0, 22.0, "end")]
    labels = []
    for right, down, anchor in places:
        left = px + right - {"start": 0.0, "middle": width / 2, "end": width}[anchor]
        box = (left, py + down - 7, left + width, py + down + 7)
        labels.append(Label(px + right, py + down + LABEL_PX * 0.36, anchor, text, box))
    return labels


def _is_free(box: Box, taken: Sequence[Box]) -> bool:
    return _is_inside(box) and not any(_overlap(box, other) for other in taken)


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _is_inside(box: Box) -> bool:
    return box[0] >= LEFT and box[2] <= WIDTH - 2 and box[1] >= 0 and box[3] <= HEIGHT - BOTTOM
