"""Who beats whom: the order of published cells against paired tests of the measured ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from copycat.grids.tables import Grid
from copycat.metrics import Outcomes
from copycat.metrics.significance import LEVEL, holm, sign_flip

Place = tuple[int, int]
"""Row and column."""

Verdict = Literal["same order", "other order", "cannot be told"]

NOISE = 2.0
"""A published difference in DETECT of 50 below this says nothing: runs of one cell differ as much."""


class Comparison(NamedTuple):
    """One pair of cells.

    `published` and `measured` are the second cell's DETECT minus the first's, of 50 and as a share; `p_holm` is
    adjusted for all pairs of the grid. `verdict` is None where nothing was published to agree with.
    """

    first: Place
    second: Place
    published: float | None
    measured: float
    p_holm: float
    verdict: Verdict | None


def compare_cells(grid: Grid, outcomes: Mapping[Place, Outcomes]) -> list[Comparison]:
    """Test every cell against the first of its column and against the first of its row, paired by seed.

    Pairs share character and repeat; the test flips the sign of whole characters (`metrics.significance`).
    Cells of different prompts have different seeds, so that only character and repeat pair them.
    """
    pairs = [pair for pair in _pairs(outcomes) if all(place in outcomes for place in pair)]
    samples = [_differences(outcomes[first], outcomes[second]) for first, second in pairs]
    adjusted = holm([sign_flip(values, characters) for values, characters in samples])
    return [
        _judge(grid, pair, sum(values) / len(values), p)
        for pair, (values, _), p in zip(pairs, samples, adjusted, strict=True)
    ]


def _pairs(outcomes: Mapping[Place, Outcomes]) -> list[tuple[Place, Place]]:
    top = min(row for row, _ in outcomes)
    down = [((top, column), (row, column)) for row, column in outcomes if row != top]
    across = [((row, 0), (row, column)) for row, column in outcomes if column != 0]
    return [*down, *across]


def _differences(first: Outcomes, second: Outcomes) -> tuple[list[float], list[str]]:
    """Give second minus first for each character and repeat that both answered, and whose each is."""
    before = _answers(first)
    after = _answers(second)
    both = [key for key in before if key in after]
    return [after[key] - before[key] for key in both], [character for character, _ in both]


def _answers(outcomes: Outcomes) -> dict[tuple[str, int], float]:
    return {
        (row.sample.character, row.sample.repeat): float(row.is_detected) for row in outcomes.rows if row.is_answered
    }


def _judge(grid: Grid, pair: tuple[Place, Place], measured: float, p: float) -> Comparison:
    first, second = pair
    published = _published(grid, first, second)
    return Comparison(first, second, published, measured, p, _verdict(published, measured, p))


def _published(grid: Grid, first: Place, second: Place) -> float | None:
    figures = [grid.rows[row].cells[column] for row, column in (first, second)]
    if figures[0] is None or figures[1] is None:
        return None
    return round(figures[1].detect - figures[0].detect, 2)


def _verdict(published: float | None, measured: float, p: float) -> Verdict | None:
    if published is None or abs(published) < NOISE:
        return None
    if p > LEVEL or measured == 0:
        return "cannot be told"
    return "same order" if (measured < 0) == (published < 0) else "other order"


def count_verdicts(comparisons: Sequence[Comparison]) -> dict[Verdict, int]:
    """Count the verdicts of a grid."""
    found: dict[Verdict, int] = {"same order": 0, "other order": 0, "cannot be told": 0}
    for one in comparisons:
        if one.verdict is not None:
            found[one.verdict] += 1
    return found
