"""Retention: how much of what a model drew by name it still draws after something else was erased. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import NormalDist
from typing import Any, NamedTuple

from copycat.metrics import Outcomes
from copycat.metrics.effective import t_quantile
from copycat.metrics.intervals import score_interval
from copycat.schema import Record

RESAMPLES = 2000
FEWEST = 5
"""Of fewer characters the spread tells too little for an interval."""
ALIKE = 1e-9
SEED = 20260301


class Kept(NamedTuple):
    """One other character beside one erased concept: pictures in which it was seen, in pairs that both models answered.

    `original` and `erased` are of the same seeds, `n` pairs in all.
    """

    concept: str
    character: str
    original: int
    erased: int
    n: int


class Retention(Record):
    """DETECT by name of other characters after an erasure, over that of the original model.

    Attributes:
        value: 1 where nothing was lost; null with a `reason` where the original model drew none of them.
        low, high: a 95 % interval, null where there are too few characters for one.
        n_characters: that the value stands on: those whom one of the two models drew at least once.
        n_silent: others whom neither model drew: they tell nothing.
        n: pairs of pictures.
    """

    group: str
    value: float | None
    low: float | None = None
    high: float | None = None
    n_characters: int
    n_silent: int
    n: int
    reason: str | None = None


def kept_of(concept: str, original: Outcomes, erased: Outcomes, anchor: str = "name") -> list[Kept]:
    """Count, for every character but the concept, how often it was seen, over pairs of the same prompt and seed.

    Pairs in which one of the two has no answer are left out of both sides.
    """
    before, after = (_seen(outcomes, anchor) for outcomes in (original, erased))
    both = [place for place in before if place in after and place[0] != concept]
    totals, seen_before, seen_after = Counter[str](), Counter[str](), Counter[str]()
    for place in both:
        totals[place[0]] += 1
        seen_before[place[0]] += before[place]
        seen_after[place[0]] += after[place]
    return [Kept(concept, who, seen_before[who], seen_after[who], n) for who, n in totals.items()]


def retention(group: str, kept: Iterable[Kept], members: Mapping[str, frozenset[str]]) -> Retention:
    """Give `sum of erased / sum of original` over the members of a group, with its interval.

    The interval takes characters, and, where there are several, erased concepts, as they come: both are drawn anew
    with replacement, independently of each other, and a pair counts as often as both of its sides were drawn. For few
    characters the percentiles are taken further out, as Student's t is wider than the normal. Where all are kept
    alike there is nothing to draw: it is Wilson's interval then, as if each character (or concept) were one picture.

    Args:
        kept: of any number of concepts and training seeds.
        members: of the group, by concept.

    Unit: ratio, 1 is the original model.
    Direction: higher is better.

    Source: Owen 2007, Ann. Appl. Stat. 1:386, for the two-way bootstrap; Hesterberg 2015, Am. Stat. 69:371, for the
        expanded percentiles.
    """
    rows = [row for row in kept if row.character in members.get(row.concept, ())]
    told = {row.character for row in rows if row.original or row.erased}
    silent = {row.character for row in rows} - told
    n = sum(row.n for row in rows)
    base = sum(row.original for row in rows)
    if not base:
        reason = "the original model drew none of them" if rows else "nobody is in this group"
        return Retention(group=group, value=None, n_characters=0, n_silent=len(silent), n=n, reason=reason)
    low, high = _interval([row for row in rows if row.character in told])
    return Retention(
        group=group,
        value=sum(row.erased for row in rows) / base,
        low=low,
        high=high,
        n_characters=len(told),
        n_silent=len(silent),
        n=n,
    )


def _seen(outcomes: Outcomes, anchor: str) -> dict[tuple[str, int], bool]:
    return {
        (row.sample.character, row.sample.repeat): row.is_detected for row in outcomes.of(anchor) if row.is_answered
    }


def _interval(rows: Sequence[Kept]) -> tuple[float | None, float | None]:
    import numpy as np

    concepts, characters = sorted({row.concept for row in rows}), sorted({row.character for row in rows})
    if len(characters) < FEWEST:
        return None, None
    counts = np.zeros((2, len(concepts), len(characters)))
    for row in rows:
        place = concepts.index(row.concept), characters.index(row.character)
        counts[0][place] += row.erased
        counts[1][place] += row.original
    stream = np.random.PCG64(SEED)
    by_concept = _drawn(stream, len(concepts)) if len(concepts) > 1 else np.ones((RESAMPLES, 1))
    by_character = _drawn(stream, len(characters))
    erased, original = (np.einsum("bi,ij,bj->b", by_concept, side, by_character) for side in counts)
    is_there = original > 0
    ratios = erased[is_there] / original[is_there]
    fewest = min(len(characters), len(concepts) if len(concepts) > 1 else len(characters))
    level = NormalDist().cdf(-math.sqrt(fewest / (fewest - 1)) * t_quantile(fewest - 1))
    low, high = np.quantile(ratios, [level, 1 - level])
    if high - low < ALIKE and high <= 1:
        return score_interval(float(high) * fewest, fewest, t_quantile(fewest - 1), "")[:2]
    return round(float(low), 9), round(float(high), 9)


def _drawn(stream: Any, n: int) -> Any:
    """Say how often each of n was drawn in each resample, (RESAMPLES, n); the raw stream is the same everywhere."""
    import numpy as np

    picks = (stream.random_raw(RESAMPLES * n) % np.uint64(n)).reshape(RESAMPLES, n)
    return np.stack([(picks == place).sum(axis=1) for place in range(n)], axis=1).astype(float)
