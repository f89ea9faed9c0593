"""Whether an analysis still says what the tables beside it hold. Pure; times of files say nothing about that."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from statistics import fmean

from copycat.imitation.cards import Tables, value_of
from copycat.imitation.headline import concepts_text
from copycat.imitation.points import MIN_COVERAGE
from copycat.imitation.records import CONTROLS, Analysis, ConceptCount, Point, Score

MAX_NAMED = 3
"""Concepts that a warning names."""


def what_changed(analysis: Analysis, tables: Tables) -> tuple[str, ...]:
    """Say, a phrase each, where counts, scores and control arms differ from those of the analysis; empty: nowhere.

    A table that is not there is not compared. Concepts that were left out are new once they have both figures.
    """
    points = {point.concept: point for point in analysis.points}
    scores = _named(tables.scores, analysis.metric)
    counts = {row.concept: row for row in tables.counts if row.count is not None and math.isfinite(row.count)}
    found = []
    if tables.counts:
        found.append(("count", [who for who, point in points.items() if not _same_count(point, counts.get(who))]))
    if tables.scores:
        found.append(("score", [who for who, point in points.items() if not _same_score(point, scores.get(who, []))]))
    changed = [f"the {what} of {_who(names)} changed" for what, names in found if names]
    new = sorted({*counts} & {*scores} - {*points} - {*_left_out_for_coverage(analysis, tables.scores)})
    changed += [f"{_who(new)} {'are' if len(new) > 1 else 'is'} new"] if new else []
    if tables.scores and not _same_controls(analysis, tables.scores):
        changed.append("the control arms changed")
    return tuple(changed)


def _who(names: Sequence[str]) -> str:
    more = ", ..." if len(names) > MAX_NAMED else ""
    return f"{concepts_text(len(names))} ({', '.join(names[:MAX_NAMED])}{more})"


def _same_count(point: Point, row: ConceptCount | None) -> bool:
    if row is None:
        return False
    pairs = ((point.count, row.count), (point.count_low, row.low), (point.count_high, row.high))
    return all(_same(was, now) for was, now in pairs)


def _same_score(point: Point, values: Sequence[float]) -> bool:
    """Compare all prompts, in any order; a point without prompts by its score."""
    was = sorted(point.prompts) if point.prompts else [point.score]
    now = sorted(values) if point.prompts or not values else [fmean(values)]
    return len(was) == len(now) and all(_same(*pair) for pair in zip(was, now, strict=True))


def _same_controls(analysis: Analysis, scores: Iterable[Score]) -> bool:
    """Compare the band's arms, number of concepts and mean; one concept alone makes no band."""
    by_concept: dict[str, list[float]] = defaultdict(list)
    arms = set()
    for row in scores:
        if row.arm in CONTROLS and (value := value_of(row, analysis.metric)) is not None:
            by_concept[row.concept].append(value)
            arms.add(row.arm)
    band = analysis.band
    if band is None:
        return len(by_concept) < 2
    same_concepts = {*band.arms} == arms and band.n == len(by_concept)
    return same_concepts and _same(band.mean, fmean(map(fmean, by_concept.values())))


def _named(scores: Iterable[Score], metric: str) -> dict[str, list[float]]:
    found: dict[str, list[float]] = defaultdict(list)
    for row in scores:
        if row.arm == "named" and (value := value_of(row, metric)) is not None:
            found[row.concept].append(value)
    return found


def _left_out_for_coverage(analysis: Analysis, scores: Iterable[Score]) -> set[str]:
    """Name those left out whose pictures still could not be scored: they have figures, and are no news."""
    n: dict[str, int] = defaultdict(int)
    planned: dict[str, int] = defaultdict(int)
    for row in scores:
        if row.arm == "named":
            n[row.concept] += row.n
            planned[row.concept] += row.planned
    return {who for who in analysis.left_out if n[who] < MIN_COVERAGE * planned[who]}


def _same(was: float | None, now: float | None) -> bool:
    if was is None or now is None:
        return was is now
    return math.isclose(was, now, rel_tol=1e-9, abs_tol=1e-12)
