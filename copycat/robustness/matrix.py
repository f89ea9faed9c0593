"""From what was drawn in all cells to the figures of a matrix. Pure."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from statistics import fmean
from typing import NamedTuple

from copycat.metrics import (
    ALL_ANCHORS,
    Outcomes,
    consistency,
    detect,
    holm,
    paired_difference,
    sign_flip,
)
from copycat.metrics.detect import share_of
from copycat.metrics.missing import build_missing
from copycat.robustness.generic import Moved, distance
from copycat.robustness.neighbours import groups_around
from copycat.robustness.records import (
    ORIGINAL,
    CellRecord,
    ConceptCell,
    MatrixCell,
    MethodRow,
    MethodTest,
    Success,
)
from copycat.robustness.retention import kept_of, retention
from copycat.schema import CharacterSet, Estimate

Place = tuple[str, int, str, int]
"""What pairs two pictures: concept, training seed, anchor, repeat; of a search the prompt and 0."""

SEARCH = "search"
"""In place of an anchor: the prompts for which an attack was searched, with the seeds of the search."""


class Drawn(NamedTuple):
    """A cell with what its pictures showed: of the concept's prompts by attack, and of the other characters by name."""

    record: CellRecord
    by_attack: dict[str, Outcomes]
    others: Outcomes = Outcomes(rows=())


class Table(NamedTuple):
    """All cells of a matrix, and what the original model drew of the others by name, and twice of benign prompts."""

    drawn: Sequence[Drawn]
    original: Outcomes
    by_seed: Sequence[Moved]
    characters: CharacterSet
    attacks: Sequence[str]
    anchors: Sequence[str]

    def of(self, method: str) -> list[Drawn]:
        """Give the cells of one method."""
        return [one for one in self.drawn if one.record.method == method]

    @property
    def methods(self) -> list[str]:
        """All methods, the original weights first."""
        return list(dict.fromkeys(one.record.method for one in self.drawn))


def build_cells(table: Table) -> list[MatrixCell]:
    """Give DETECT on the erased concepts for every method, attack and anchor, over all concepts and training seeds.

    Intervals count concepts: pictures, prompts and training seeds of one resemble each other.
    """
    found = []
    for method, anchor in itertools.product(table.methods, (*table.anchors, ALL_ANCHORS)):
        attacks = [attack for attack in table.attacks if any(attack in one.by_attack for one in table.of(method))]
        cells = [_cell(table, method, attack, anchor) for attack in attacks]
        adjusted = iter(holm([cell.p_regained for cell in cells if cell.p_regained is not None]))
        found += [
            cell if cell.p_regained is None else cell.model_copy(update={"p_holm": next(adjusted)}) for cell in cells
        ]
    return found


def build_by_concept(table: Table) -> list[ConceptCell]:
    """Count for each concept in how many pictures it was seen, over all prompts and training seeds."""
    counts: dict[tuple[str, str, str], list[bool]] = {}
    for one in table.drawn:
        for attack in (attack for attack in table.attacks if attack in one.by_attack):
            place = one.record.concept, one.record.method, attack
            answers = [row.is_detected for row in one.by_attack[attack].rows if row.is_answered]
            counts.setdefault(place, []).extend(answers)
    return [
        ConceptCell(concept=concept, method=method, attack=attack, k=sum(answers), n=len(answers))
        for (concept, method, attack), answers in counts.items()
    ]


def least_p(n_concepts: int) -> float:
    """Give the smallest p of flipping the signs of so many concepts: all the same way, or all the other."""
    return min(1.0, math.ldexp(1.0, 1 - n_concepts))


def _cell(table: Table, method: str, attack: str, anchor: str) -> MatrixCell:
    pooled = Outcomes(
        rows=tuple(
            row for one in table.of(method) if attack in one.by_attack for row in one.by_attack[attack].of(anchor)
        )
    )
    found = detect(pooled, anchor).model_copy(update={"per50_mean": None, "per50_std": None})
    if attack == ORIGINAL:
        return MatrixCell(method=method, attack=attack, anchor=anchor, detect=found)
    pairs = _pairs(_answers(table, method, attack, anchor), _answers(table, method, ORIGINAL, anchor))
    regained, p = _difference("detect_regained", anchor, pairs)
    return MatrixCell(method=method, attack=attack, anchor=anchor, detect=found, regained=regained, p_regained=p)


def build_tests(table: Table) -> list[MethodTest]:
    """Test every pair of methods under every attack; Holm's adjustment is over the pairs of one attack and anchor.

    Each attack is a question of its own. Adjusted over all of them at once, eight concepts could never tell anything:
    their smallest p is 0.008, and four methods under six attacks are 36 pairs.
    """
    methods = [method for method in table.methods if method != ORIGINAL]
    tests: list[MethodTest] = []
    for anchor, attack in itertools.product((*table.anchors, ALL_ANCHORS, SEARCH), table.attacks):
        found = []
        for first, second in itertools.combinations(methods, 2):
            pairs = _pairs(_answers(table, first, attack, anchor), _answers(table, second, attack, anchor))
            estimate, p = _difference("detect_difference", anchor, pairs)
            if p is not None:
                found.append((first, second, estimate, p))
        adjusted = holm([row[-1] for row in found])
        tests += [
            MethodTest(
                attack=attack, anchor=anchor, first=first, second=second, difference=estimate, p=p, p_holm=p_holm
            )
            for (first, second, estimate, p), p_holm in zip(found, adjusted, strict=True)
        ]
    return tests


def build_success(table: Table) -> list[Success]:
    """Give what the searches found, by method and attack; intervals count concepts."""
    found = []
    for method, attack in itertools.product(table.methods, table.attacks):
        rows = [
            (one.record.concept, prompt)
            for one in table.of(method)
            if attack in one.record.searched
            for prompt in one.record.searched[attack].prompts
        ]
        if rows:
            sides = [[(concept, getattr(prompt, side)) for concept, prompt in rows] for side in ("before", "after")]
            before, after = (
                _share(f"success_{side}", values) for side, values in zip(("before", "after"), sides, strict=True)
            )
            found.append(Success(method=method, attack=attack, before=before, after=after))
    return found


def _share(metric: str, rows: Sequence[tuple[str, bool | None]]) -> Estimate:
    judged = [(concept, seen) for concept, seen in rows if seen is not None]
    if not judged:
        return build_missing(metric, SEARCH, "no picture was judged", unit="share", better="lower")
    return share_of(metric, SEARCH, [seen for _, seen in judged], [concept for concept, _ in judged])


def build_rows(table: Table) -> list[MethodRow]:
    """Give what every method costs: time, other characters, CONS, and how far generic pictures moved."""
    return [_row(table, method) for method in table.methods]


def _row(table: Table, method: str) -> MethodRow:
    cells = table.of(method)
    cards = [one.record.card for one in cells if one.record.card is not None]
    groups = {one.record.concept: groups_around(one.record.concept, table.characters) for one in cells}
    kept = [row for one in cells for row in kept_of(one.record.concept, table.original, one.others)]
    names = list(next(iter(groups.values()))) if kept else []
    moved: dict[str, list[Moved]] = {}
    for one in cells:
        moved.setdefault(one.record.concept, []).extend(one.record.moved)
    others = [table.original] if method == ORIGINAL else [one.others for one in cells]
    return MethodRow(
        method=method,
        n_erasures=len(cards),
        n_diverged=sum(card.status == "diverged" for card in cards),
        erase_seconds=_mean([card.seconds for card in cards]),
        search_seconds=_mean_by_name(
            [{name: found.seconds for name, found in one.record.searched.items()} for one in cells]
        ),
        retention=tuple(retention(name, kept, {concept: of[name] for concept, of in groups.items()}) for name in names),
        consistency={
            "concept": consistency(_pooled([one.by_attack.get(ORIGINAL) for one in cells]), ALL_ANCHORS),
            "others": consistency(_pooled(others), ALL_ANCHORS),
        },
        distances=tuple(
            distance(metric, {concept: rows for concept, rows in moved.items() if rows}, table.by_seed)
            for metric in ("pixels", "embedding")
        )
        if method != ORIGINAL
        else (),
    )


def weak_concepts(table: Table, least: float = 0.5) -> list[str]:
    """Name the concepts that the original model drew by name in a smaller share of the pictures than `least`."""
    weak = []
    for one in table.of(ORIGINAL):
        rows = [row.is_detected for row in one.by_attack[ORIGINAL].of("name") if row.is_answered]
        if rows and sum(rows) < least * len(rows):
            weak.append(one.record.concept)
    return weak


def _answers(table: Table, method: str, attack: str, anchor: str) -> dict[Place, float]:
    if anchor == SEARCH:
        return {
            (one.record.concept, one.record.seed, prompt.id, 0): float(prompt.after)
            for one in table.of(method)
            if attack in one.record.searched
            for prompt in one.record.searched[attack].prompts
            if prompt.after is not None
        }
    return {
        (one.record.concept, one.record.seed, row.sample.anchor, row.sample.repeat): float(row.is_detected)
        for one in table.of(method)
        if attack in one.by_attack
        for row in one.by_attack[attack].of(anchor)
        if row.is_answered
    }


def _pairs(first: dict[Place, float], second: dict[Place, float]) -> list[tuple[float, float, str]]:
    return [(first[place], second[place], place[0]) for place in first if place in second]


def _difference(metric: str, anchor: str, pairs: Sequence[tuple[float, float, str]]) -> tuple[Estimate, float | None]:
    if not pairs:
        reason = "no pair of pictures in which both have an answer"
        return build_missing(metric, anchor, reason, unit="difference", better="lower"), None
    concepts = [concept for *_, concept in pairs]
    mean, interval = paired_difference([one for one, *_ in pairs], [other for _, other, _ in pairs], concepts)
    estimate = Estimate(
        metric=metric,
        anchor=anchor,
        value=mean,
        low=interval.low,
        high=interval.high,
        n=len(pairs),
        unit="difference",
        better="lower",
        method=interval.method,
    )
    return estimate, sign_flip([one - other for one, other, _ in pairs], concepts)


def _pooled(parts: Iterable[Outcomes | None]) -> Outcomes:
    return Outcomes(rows=tuple(row for part in parts if part is not None for row in part.rows))


def _mean(values: Sequence[float]) -> float | None:
    return math.fsum(values) / len(values) if values else None


def _mean_by_name(parts: Sequence[dict[str, float]]) -> dict[str, float]:
    names = dict.fromkeys(name for part in parts for name in part)
    return {name: fmean(part[name] for part in parts if name in part) for name in names}
