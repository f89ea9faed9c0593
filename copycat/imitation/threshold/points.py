"""Counts and scores, of a study or of a user's own, as points of the curve and as the control band."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import fmean, stdev
from typing import Any, NamedTuple

from pydantic import Field, model_validator

from copycat.errors import UnknownNameError, UserError
from copycat.imitation.records import (
    CONTROLS,
    METRICS,
    Concept,
    ConceptCount,
    ControlBand,
    Metric,
    Point,
    Score,
    within_reach,
)
from copycat.imitation.tables import read_rows, read_table, without_figures
from copycat.imitation.threshold.headline import concepts_text
from copycat.imitation.whose import Naming, listed
from copycat.paths import shown

MIN_COVERAGE = 0.5
MIN_CONTROLS = 2


class GivenCount(ConceptCount):
    """A count of a user's file, where an empty cell is no count."""

    count: float | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _check_interval(self) -> GivenCount:
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"low ({self.low:g}) is above high ({self.high:g}): the interval is the wrong way round")
        return self


class GivenScore(Score):
    """A score of a user's file: `concept` and one figure are enough; `score` is a figure of the user's own."""

    score: float | None = None
    n: int = Field(default=1, ge=0)
    planned: int = Field(default=1, ge=0)


class Gathered(NamedTuple):
    """What an analysis is made from; `columns` are further figures of concepts, by name. `metric` is what was taken."""

    points: tuple[Point, ...]
    band: ControlBand | None
    left_out: dict[str, str]
    columns: dict[str, dict[str, float]]
    metric: Metric
    warnings: tuple[str, ...] = ()


def gather(counts: Path, scores: Path, metric: str = "raw", concepts: Sequence[Concept] = ()) -> Gathered:
    """Read counts and scores, and make the points of one metric; "raw" is "score" where a file has nothing but that.

    Args:
        concepts: whose names and aliases may stand in place of ids; other names are spelt as ids.

    Raises:
        UserError: a file is not there or lacks a column, no row has the metric, or no concept has count and score.
        DataError: rows that do not fit.
    """
    if metric not in METRICS:
        raise UnknownNameError("metric", metric, METRICS)
    by_count, by_score = Naming(concepts), Naming(concepts)
    counted = read_table(counts, GivenCount, ("concept",), by_count, needs=("count",))
    scored = read_table(scores, GivenScore, ("concept", "arm", "prompt"), by_score, any_of=METRICS)
    for path, rows in ((counts, counted), (scores, scored)):
        if not rows:
            raise UserError(f"{shown(path)} has a header and no rows\n  needed: a row for each concept")
    has = [name for name in METRICS if any(getattr(row, name) is not None for row in scored)]
    wanted = "score" if metric == "raw" and has == ["score"] else metric
    taken = next((name for name in has if name == wanted), None)
    if taken is None:
        raise UserError(
            f"no row of {shown(scores)} has a figure in column {metric}\n"
            f"  needed: figures in column {metric}; it has them in: {', '.join(has) or 'none'}"
        )
    points, left_out = make_points(counted, scored, taken)
    if not points:
        why = "; ".join(f"{concepts_text(n)}: {reason}" for reason, n in Counter(left_out.values()).most_common(3))
        raise UserError(
            f"no concept has both a count in {shown(counts)} and a score in {shown(scores)}\n"
            f"  {why}\n  needed: the same concepts in column concept of both, with figures"
        )
    columns, passed_over = _columns(counts, by_count)
    lacking = [*without_figures(counts, counted), *without_figures(scores, scored)]
    told = (*by_count.notes(counts), *by_score.notes(scores), *passed_over, *_passed_over_rows(lacking))
    return Gathered(points, control_band(scored, taken), left_out, columns, taken, told)


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
            empty = "its count is empty" if count.count is None else "its count is infinite"
            left_out[concept] = count.reason or empty
        elif not values:
            left_out[concept] = _why_no_score(rows, metric)
        elif coverage < MIN_COVERAGE:
            left_out[concept] = f"only {n} of {planned} pictures could be scored"
        else:
            points.append(_point(count, values, coverage, metric))
    return tuple(points), left_out


def _why_no_score(rows: Sequence[Score], metric: str) -> str:
    reasons = [row.reason for row in rows if row.reason]
    if reasons:
        return reasons[0]
    if any(getattr(row, metric) is not None for row in rows):
        return "its score is infinite"
    return "it has a count and no score" if metric == "score" else f"it has a count and no {metric} score"


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
    low, high = (within_reach(end, metric) for end in (middle - half, middle + half))
    return ControlBand(arms=used, mean=middle, low=low, high=high, n=len(means))


def _point(count: ConceptCount, values: tuple[float, ...], coverage: float, metric: str) -> Point:
    mean, low, high = fmean(values), None, None
    if len(values) > 1:
        half = _t_975(len(values) - 1) * stdev(values) / math.sqrt(len(values))
        low, high = (within_reach(end, metric) for end in (mean - half, mean + half))
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


def _columns(path: Path, id_of: Callable[[str], str]) -> tuple[dict[str, dict[str, float]], tuple[str, ...]]:
    """Give the columns of numbers that the counts' file has beyond its own, and the share of duplicates.

    Then what is told of columns that are no numbers.
    """
    found: dict[str, dict[str, float]] = defaultdict(dict)
    words: Counter[str] = Counter()
    for _, row in read_rows(path):
        concept = id_of(str(row.get("concept")))
        for name, cell in row.items():
            if not name or name in ConceptCount.model_fields:
                continue
            if (value := _number(cell)) is not None:
                found[name][concept] = value
            else:
                words[name] += cell not in {None, ""}
        raw, fewer = _number(row.get("raw")), _number(row.get("near")) or _number(row.get("exact"))
        if raw and fewer is not None:
            found["duplicates"][concept] = 1 - fewer / raw
    return dict(found), tuple(_passed_over(path, name, n, len(found[name])) for name, n in words.items() if n)


def _passed_over(path: Path, name: str, words: int, numbers: int) -> str:
    if not numbers:
        return f"column {name} of {shown(path)} is passed over: only columns of numbers are checked as covariates"
    cells = "1 cell" if words == 1 else f"{words:,} cells"
    return f"{cells} of column {name} of {shown(path)} passed over as a covariate: no numbers"


def _passed_over_rows(lacking: Sequence[str]) -> Iterator[str]:
    if lacking:
        yield f"{len(lacking):,} {'rows are' if len(lacking) > 1 else 'row is'} passed over: {listed(lacking)}"


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
