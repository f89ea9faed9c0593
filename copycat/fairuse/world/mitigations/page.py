"""The page of `world mitigate`: what each mitigation buys and costs, drawn and in tables. Self-contained HTML."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from jinja2 import PackageLoader

from copycat.fairuse.world.card import levels_of
from copycat.fairuse.world.records import MitigationResults, MitigationTriple
from copycat.runs.folder import write_bytes
from copycat.runs.pages import strict_environment

PAGE_FILE = "report.html"
_TEMPLATES = PackageLoader("copycat")

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 520, 400, 58, 20, 16, 48
"""Of a drawing and its margins, in px."""

LABEL_GAP = 15
"""Between the base lines of two labels, in px."""

CLOSE_X, CLOSE_Y = 60, 40
"""Dots that are closer than this have their labels on one side of all of them, in px."""


class Dot(NamedTuple):
    """A mitigation in a drawing: its place, its interval across, where its label stands, what it is compared with."""

    name: str
    x: float
    y: float
    low: float
    high: float
    label_x: float
    label_y: float
    anchor: str
    is_best: bool
    group: int


class Drawing(NamedTuple):
    """One drawing of extraction against a figure of utility."""

    title: str
    y_name: str
    dots: tuple[Dot, ...]
    fronts: tuple[str, ...]
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    summary: str


class Cell(NamedTuple):
    """Mean recall at one number of copies, and how dark it is drawn, 0 to 100."""

    value: float
    shade: int


def write_page(results: MitigationResults, folder: Path) -> None:
    """Write the page into a folder."""
    write_bytes(folder / PAGE_FILE, build_page(results).encode("utf-8"))


def build_page(results: MitigationResults) -> str:
    """Give the page as text. Pure: the same results give the same bytes."""
    environment = strict_environment(_TEMPLATES)
    environment.filters.update(px=lambda v: f"{v:.1f}", share=lambda v: f"{v:.2f}", percent=lambda v: f"{100 * v:.0f}")
    css = "".join(
        _TEMPLATES.get_source(environment, name)[0] for name in ("imitation/tokens.css", "fairuse/mitigations.css")
    )
    rows = results.rows
    return environment.get_template("fairuse/mitigations.html.j2").render(
        results=results,
        rows=rows,
        css=css,
        drawings=(
            _draw(rows, "Questions on the works", "questions answered rightly", lambda r: r.utility.qa_accuracy, True),
            _draw(rows, "Quotations", "quotations word for word", lambda r: r.utility.quotation, True),
            _draw(
                rows, "Stories that are nobody's", "bits per letter", lambda r: r.utility.unseen_bits_per_letter, False
            ),
        ),
        frame={
            "width": WIDTH,
            "height": HEIGHT,
            "left": LEFT,
            "right": WIDTH - RIGHT,
            "top": TOP,
            "bottom": HEIGHT - BOTTOM,
        },
        copies=[level.copies for level in levels_of(rows[0].extraction.works)] if rows else [],
        heat=[(row, _heat(row)) for row in rows],
        best=pareto(rows),
        groups=list(dict.fromkeys(row.against for row in rows)),
    )


def pareto(rows: Sequence[MitigationTriple]) -> frozenset[str]:
    """Name the mitigations that no other of their group beats in extraction and in every figure of utility at once.

    A group is what is compared with the same model.
    """

    def figures(row: MitigationTriple) -> tuple[float, ...]:
        utility = row.utility
        return (
            row.extraction.recall.mean,
            -utility.qa_accuracy,
            -utility.quotation,
            utility.unseen_bits_per_letter,
            -utility.unseen_kept,
        )

    return frozenset(row.method for row in rows if not _is_beaten(row, rows, figures))


def _is_beaten(
    row: MitigationTriple, rows: Sequence[MitigationTriple], figures: Callable[[MitigationTriple], tuple[float, ...]]
) -> bool:
    own = figures(row)
    others = [figures(other) for other in rows if other is not row and other.against == row.against]
    return any(other != own and all(o <= f for o, f in zip(other, own, strict=True)) for other in others)


def _draw(
    rows: Sequence[MitigationTriple],
    title: str,
    y_name: str,
    value: Callable[[MitigationTriple], float],
    higher_is_better: bool,
) -> Drawing:
    values = [value(row) for row in rows]
    groups = list(dict.fromkeys(row.against for row in rows))
    bottom, top = (
        (0.0, 1.0) if higher_is_better else (_above(max(values, default=1.0)), _below(min(values, default=0.0)))
    )

    def along(share: float) -> float:
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def up(figure: float) -> float:
        return HEIGHT - BOTTOM - (figure - bottom) / (top - bottom) * (HEIGHT - TOP - BOTTOM)

    def figures(row: MitigationTriple) -> tuple[float, ...]:
        return row.extraction.recall.mean, -value(row) if higher_is_better else value(row)

    recalls = [row.extraction.recall for row in rows]
    front = [not _is_beaten(row, rows, figures) for row in rows]
    places = [(along(recall.mean), up(figure)) for recall, figure in zip(recalls, values, strict=True)]
    dots = tuple(
        Dot(
            row.method,
            x,
            y,
            along(recall.mean if recall.low is None else recall.low),
            along(recall.mean if recall.high is None else recall.high),
            _label_x(x, y, places),
            label_y,
            "end" if x > WIDTH * 0.7 else "start",
            is_best,
            groups.index(row.against),
        )
        for row, (x, y), recall, label_y, is_best in zip(
            rows, places, recalls, _label_places(places), front, strict=True
        )
    )
    ticks = [bottom + (top - bottom) * n / 5 for n in range(6)]
    return Drawing(
        title,
        y_name,
        dots,
        tuple(
            " ".join(
                f"{dot.x:.1f},{dot.y:.1f}"
                for dot in sorted(dots, key=lambda d: (d.x, d.y))
                if dot.is_best and dot.group == n
            )
            for n in range(len(groups))
        ),
        tuple((along(n / 5), f"{n / 5:.1f}") for n in range(6)),
        tuple((up(tick), f"{tick:.2f}" if not higher_is_better else f"{tick:.1f}") for tick in ticks),
        "; ".join(
            f"{row.method}: recall {row.extraction.recall.mean:.2f}, {figure:.2f}"
            for row, figure in zip(rows, values, strict=True)
        ),
    )


def _label_x(x: float, y: float, places: Sequence[tuple[float, float]]) -> float:
    """Put a label beside its dot, beyond others that lie close to it on that side."""
    side = -1 if x > WIDTH * 0.7 else 1
    near = [other for other, height in places if abs(height - y) < CLOSE_Y and 0 <= side * (other - x) < CLOSE_X]
    return max(near, key=lambda other: side * other) + side * 10


def _label_places(places: Sequence[tuple[float, float]]) -> list[float]:
    """Move labels apart that would lie on each other: down, on each side of the drawing by itself."""
    placed = [y + 4 for _, y in places]
    for side in (False, True):
        last = float("-inf")
        for i in sorted((i for i, (x, _) in enumerate(places) if (x > WIDTH * 0.7) == side), key=lambda i: placed[i]):
            placed[i] = last = max(placed[i], last + LABEL_GAP)
        # What was pushed below the drawing moves the others up.
        floor = HEIGHT - BOTTOM - 6.0
        for i in sorted((i for i, (x, _) in enumerate(places) if (x > WIDTH * 0.7) == side), key=lambda i: -placed[i]):
            placed[i] = min(placed[i], floor)
            floor = placed[i] - LABEL_GAP
    return placed


def _heat(row: MitigationTriple) -> list[Cell]:
    return [Cell(level.recall, round(10 * level.recall) * 10) for level in levels_of(row.extraction.works)]


def _below(value: float) -> float:
    return int(value * 10) / 10


def _above(value: float) -> float:
    return (int(value * 10) + 1) / 10
