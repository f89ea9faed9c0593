"""Counts and scores, of a study or of a user's own, as points of the curve and as the control band."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean, stdev
from typing import Any, NamedTuple

from pydantic import Field

from copycat.errors import UnknownNameError, UserError
from copycat.imitation.records import Arm, ConceptCount, ControlBand, Point, Score
from copycat.imitation.tables import read_rows, read_table
from copycat.paths import shown

METRICS = ("raw", "z", "identified", "matched")
CONTROLS: tuple[Arm, ...] = ("unnamed", "zero", "shuffled")
MIN_COVERAGE = 0.5
MIN_CONTROLS = 2


class GivenCount(ConceptCount):
    """A count of a user's file, where an empty cell is no count."""

    count: float | None = Field(default=None, ge=0)


class GivenScore(Score):
    """A score of a user's file: `concept` and one figure are enough; `score` is taken as `raw`."""

    score: float | None = None
    n: int = Field(default=1, ge=0)
    planned: int = Field(default=1, ge=0)


class Gathered(NamedTuple):
    """What an analysis is made from; `columns` are further figures of concepts, by name."""

    points: tuple[Point, ...]
    band: ControlBand | None
    left_out: dict[str, str]
    columns: dict[str, dict[str, float]]


def gather(counts: Path, scores: Path, metric: str = "raw") -> Gathered:
    """Read counts and scores, and make the points of one metric.

    Raises:
        UserError: a file is not there, no row has the metric, or no concept has both count and score.
        DataError: rows that do not fit.
    """
    if metric not in METRICS:
        raise UnknownNameError("metric", metric, METRICS)
    counted = read_table(counts, GivenCount, key=("concept",))
    given = read_table(scores, GivenScore, key=("concept", "arm", "prompt"))
    scored = [row.model_copy(update={"raw": row.score}) if row.raw is None else row for row in given]
    if not any(_is_number(getattr(row, metric)) for row in scored):
        has = [name for name in METRICS if any(_is_number(getattr(row, name)) for row in scored)]
        raise UserError(
            f"no row of {shown(scores)} has a score '{metric}'\n  it has: {', '.join(has) or 'none at all'}"
        )
    points, left_out = make_points(counted, scored, metric)
    if not points:
        why = "; ".join(f"{n} concepts: {reason}" for reason, n in Counter(left_out.values()).most_common(3))
        raise UserError(
            f"no concept has both a count in {shown(counts)} and a score in {shown(scores)}\n"
            f"  {why}\n  needed: the same ids in column concept of both"
        )
    return Gathered(points, control_band(scored, metric), left_out, _columns(counts))


def make_points(
    counts: Sequence[ConceptCount], scores: Sequence[Score], metric: str
) -> tuple[tuple[Point, ...], dict[str, str]]:
    """Make the points of concepts with count and score, and say of the others why they are left out."""
    counted = {count.concept: count for count in counts}
    named: dict[str, list[Score]] = defaultdict(list)
    for score in scores:
        if score.arm == "named":
            named[score.concept].append(score)
    points, left_out = [], {}
    for concept in sorted({*counted, *named}):
        count, rows = counted.get(concept), named.get(concept, [])
        values = tuple(float(v) for row in rows if _is_number(v := getattr(row, metric)))
        n, planned = sum(row.n for row in rows), sum(row.planned for row in rows)
        coverage = min(1.0, n / planned) if planned else 1.0
        if count is None:
            left_out[concept] = "it has a score and no count"
        elif not _is_number(count.count):
            left_out[concept] = count.reason or "its count is empty"
        elif not values:
            reasons = [row.reason for row in rows if row.reason]
            left_out[concept] = reasons[0] if reasons else f"it has a count and no {metric} score"
        elif coverage < MIN_COVERAGE:
            left_out[concept] = f"only {n} of {planned} pictures could be scored"
        else:
            points.append(_point(count, values, coverage))
    return tuple(points), left_out


def control_band(scores: Sequence[Score], metric: str) -> ControlBand | None:
    """Give mean and 95 % range, over concepts, of the mean of each concept's control arms; None for fewer than two."""
    found: dict[str, list[float]] = defaultdict(list)
    arms = set()
    for score in scores:
        value = getattr(score, metric)
        if score.arm in CONTROLS and _is_number(value):
            found[score.concept].append(float(value))
            arms.add(score.arm)
    means = [fmean(values) for values in found.values()]
    if len(means) < MIN_CONTROLS:
        return None
    middle, half = fmean(means), _t_975(len(means) - 1) * stdev(means)
    used = tuple(arm for arm in CONTROLS if arm in arms)
    return ControlBand(arms=used, mean=middle, low=middle - half, high=middle + half, n=len(means))


def _point(count: ConceptCount, values: tuple[float, ...], coverage: float) -> Point:
    mean, low, high = fmean(values), None, None
    if len(values) > 1:
        half = _t_975(len(values) - 1) * stdev(values) / math.sqrt(len(values))
        low, high = mean - half, mean + half
    return Point(
        concept=count.concept,
        count=float(count.count or 0.0),
        count_low=count.low,
        count_high=count.high,
        score=mean,
        score_low=low,
        score_high=high,
        prompts=values,
        coverage=coverage,
    )


def _columns(path: Path) -> dict[str, dict[str, float]]:
    """Give the columns of numbers that the counts' file has beyond its own, and the share of duplicates."""
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for _, row in read_rows(path):
        concept = str(row.get("concept"))
        for name, cell in row.items():
            if name and name not in ConceptCount.model_fields and (value := _number(cell)) is not None:
                found[name][concept] = value
        raw, fewer = _number(row.get("raw")), _number(row.get("near")) or _number(row.get("exact"))
        if raw and fewer is not None:
            found["duplicates"][concept] = 1 - fewer / raw
    return dict(found)


def _number(cell: Any) -> float | None:
    try:
        value = float(cell)
    except (TypeError, ValueError):
        return None
    return value if math.isfinite(value) else None


def _is_number(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _t_975(freedom: int) -> float:
    from scipy.stats import t  # type: ignore[import-untyped]

    return float(t.ppf(0.975, freedom))
