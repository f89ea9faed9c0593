"""A card for each concept of the curve: its count, its score, its control, and where it stands to the bracket. Pure."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean, median
from typing import NamedTuple

from copycat.imitation.records import CONTROLS, Analysis, Arm, Concept, ConceptCount, Point, Score, Side
from copycat.schema import Record
from copycat.schema.base import Slug


class Card(Record):
    """What a reader looks up of one concept.

    `control` is the mean score of the concept's own control arms (`control_arms`), in the metric of the analysis;
    null where it has none, and the control band is all there is to compare with. `side` is null without a bracket.
    """

    concept: Slug
    name: str
    stratum: str | None = None
    count: float
    count_low: float | None = None
    count_high: float | None = None
    raw: int | None = None
    exact: int | None = None
    near: int | None = None
    score: float
    score_low: float | None = None
    score_high: float | None = None
    control: float | None = None
    control_arms: tuple[Arm, ...] = ()
    coverage: float = 1.0
    side: Side | None = None


class CountSummary(NamedTuple):
    """One way of counting, over concepts: how many have such a figure, how many of them zero, sum, median, most."""

    kind: str
    n: int
    zeros: int
    total: float
    median: float
    most: float


class Tables(NamedTuple):
    """What stands beside an analysis in the folder of a study; each may be empty."""

    concepts: Sequence[Concept] = ()
    counts: Sequence[ConceptCount] = ()
    scores: Sequence[Score] = ()


def build_cards(analysis: Analysis, tables: Tables) -> tuple[Card, ...]:
    """Make a card for each point of the curve, by count, the largest first, and then by name."""
    who = {concept.id: concept for concept in tables.concepts}
    counts = {count.concept: count for count in tables.counts}
    sides = {placed.concept: placed.side for placed in analysis.placed}
    controls = _controls(analysis, tables.scores)
    cards = [
        _card(
            point,
            who.get(point.concept, Concept(id=point.concept, name=point.concept)),
            counts.get(point.concept, ConceptCount(concept=point.concept, count=None)),
            controls.get(point.concept, {}),
            sides.get(point.concept),
        )
        for point in analysis.points
    ]
    return tuple(sorted(cards, key=lambda card: (-card.count, card.name, card.concept)))


def _card(
    point: Point, concept: Concept, counted: ConceptCount, controls: Mapping[Arm, float], side: Side | None
) -> Card:
    return Card(
        concept=point.concept,
        name=concept.name,
        stratum=concept.stratum,
        count=point.count,
        count_low=point.count_low,
        count_high=point.count_high,
        raw=counted.raw,
        exact=counted.exact,
        near=counted.near,
        score=point.score,
        score_low=point.score_low,
        score_high=point.score_high,
        control=fmean(controls.values()) if controls else None,
        control_arms=tuple(controls),
        coverage=point.coverage,
        side=side,
    )


def _controls(analysis: Analysis, scores: Iterable[Score]) -> dict[str, dict[Arm, float]]:
    """Give the mean score by concept and control arm, arms in their own order."""
    found: dict[tuple[str, Arm], list[float]] = defaultdict(list)
    for score in scores:
        value = value_of(score, analysis.metric)
        if score.arm in CONTROLS and value is not None:
            found[score.concept, score.arm].append(value)
    means: dict[str, dict[Arm, float]] = defaultdict(dict)
    for concept, arm in sorted(found, key=lambda key: (key[0], CONTROLS.index(key[1]))):
        means[concept][arm] = fmean(found[concept, arm])
    return means


def value_of(score: Score, metric: str) -> float | None:
    """Give one metric of a row; the column `score` of a user's own table and `raw` stand in for each other."""
    names = {"raw": ("raw", "score"), "score": ("score", "raw")}.get(metric, (metric,))
    values = [value for name in names if (value := getattr(score, name, None)) is not None]
    return float(values[0]) if values and math.isfinite(values[0]) else None


def summarise_counts(cards: Sequence[Card]) -> tuple[CountSummary, ...]:
    """Sum each way of counting up; ways in which nothing was counted are left out."""
    found = []
    for kind in ("raw", "exact", "near", "count"):
        values = [float(value) for card in cards if (value := getattr(card, kind)) is not None]
        if values:
            zeros = sum(value == 0 for value in values)
            found.append(CountSummary(kind, len(values), zeros, sum(values), median(values), max(values)))
    return tuple(found)
