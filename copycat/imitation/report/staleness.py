"""Whether an analysis still says what the tables beside it hold. Pure; times of files say nothing about that."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from copycat.imitation.records import (
    DRAWN_FACT,
    GENERATIONS_FILE,
    Analysis,
    ConceptCount,
    ControlBand,
    Point,
    Score,
)
from copycat.imitation.report.cards import Tables, value_of
from copycat.imitation.threshold.headline import concepts_text
from copycat.imitation.threshold.points import GivenScore, control_band, make_points
from copycat.imitation.whose import listed

MAX_NAMED = 3
"""Concepts that a warning names."""


def what_changed(analysis: Analysis, tables: Tables) -> tuple[str, ...]:
    """Say, a phrase each, where counts, scores and control arms differ from those of the analysis; empty: nowhere.

    A table that is not there is not compared. Concepts that were left out are new once they are on the curve.
    """
    counts, scores = _counts_of(analysis.points), _scores_of(analysis.points)
    counts_now = tables.counts or counts
    scores_now = [_as_given(row, analysis.metric) for row in tables.scores] or scores
    by_count, by_score = _points(counts_now, scores), _points(counts, scores_now)
    found = (
        ("count", [was.concept for was in analysis.points if not _same_count(was, by_count.get(was.concept))]),
        ("score", [was.concept for was in analysis.points if not _same_score(was, by_score.get(was.concept))]),
    )
    changed = [f"the {what} of {_who(names)} changed" for what, names in found if names]
    new = sorted({*_points(counts_now, scores_now)} - {was.concept for was in analysis.points})
    changed += [f"{_who(new)} {'are' if len(new) > 1 else 'is'} new"] if new else []
    if tables.scores and not _same_band(analysis.band, control_band(scores_now, "score")):
        changed.append("the control arms changed")
    return tuple(changed)


def other_pictures(drawn: str | None, scored: Mapping[str, str]) -> str | None:
    """Say in a sentence that generations.json tells of other pictures than the scores; None where nothing shows it.

    Args:
        drawn: the sha256 of generations.json; see `generate.pictures.generations_sha256`.
        scored: the facts of scores.json.
    """
    own = scored.get("generations.folder") or scored.get("embeddings")
    if drawn is None or not (own or scored.get(DRAWN_FACT, drawn) != drawn):
        return None
    if own:
        return f"scores are of {own}, and {GENERATIONS_FILE} tells of other pictures: pass over what it says"
    return f"{GENERATIONS_FILE} has changed since its pictures were scored: score, find the threshold and report again"


def _who(names: Sequence[str]) -> str:
    return f"{concepts_text(len(names))} ({listed(names, MAX_NAMED)})"


def _points(counts: Sequence[ConceptCount], scores: Sequence[Score]) -> dict[str, Point]:
    return {point.concept: point for point in make_points(counts, scores, "score")[0]}


def _as_given(row: Score, metric: str) -> GivenScore:
    """Give a row with the analysed metric as its score."""
    score = value_of(row, metric)
    return GivenScore(concept=row.concept, arm=row.arm, prompt=row.prompt, score=score, n=row.n, planned=row.planned)


def _counts_of(points: Sequence[Point]) -> list[ConceptCount]:
    return [ConceptCount(concept=p.concept, count=p.count, low=p.count_low, high=p.count_high) for p in points]


def _scores_of(points: Sequence[Point]) -> list[GivenScore]:
    return [GivenScore(concept=p.concept, score=score) for p in points for score in p.prompts or (p.score,)]


def _same_count(was: Point, now: Point | None) -> bool:
    return now is not None and all(
        _same(getattr(was, name), getattr(now, name)) for name in ("count", "count_low", "count_high")
    )


def _same_score(was: Point, now: Point | None) -> bool:
    """Compare all prompts, in any order; a point without prompts by its score."""
    if now is None or not was.prompts:
        return now is not None and _same(was.score, now.score)
    pairs = zip(sorted(was.prompts), sorted(now.prompts), strict=False)
    return len(was.prompts) == len(now.prompts) and all(_same(*pair) for pair in pairs)


def _same_band(was: ControlBand | None, now: ControlBand | None) -> bool:
    if was is None or now is None:
        return was is now
    return {*was.arms} == {*now.arms} and was.n == now.n and _same(was.mean, now.mean)


def _same(was: float | None, now: float | None) -> bool:
    if was is None or now is None:
        return was is now
    return math.isclose(was, now, rel_tol=1e-9, abs_tol=1e-12)
