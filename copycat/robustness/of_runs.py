"""The figures of erasures that were evaluated beside the own weights: on their concepts, and on everyone else."""

from __future__ import annotations

from collections.abc import Sequence

from copycat.attacks import split_attacked
from copycat.eval import Outcome
from copycat.measures import Setting, resolve_measure
from copycat.metrics import ALL_ANCHORS, Outcomes, detect
from copycat.names import fold
from copycat.robustness.generic import Distance, distance, moved_between, moved_by_seed
from copycat.robustness.neighbours import groups_around
from copycat.robustness.retention import Retention, kept_of, retention
from copycat.runs.folder import RunFolder
from copycat.schema import CharacterSet, Estimate, Record

NAME = "name"


class ErasedFigures(Record):
    """One run with edited weights.

    Attributes:
        concepts: ids of the characters that were erased; () where the concepts are none of the set.
        detect: on these, by anchor; `original` is that of the own weights on the same prompts and seeds.
        retention: of everyone else by name; () where names were not asked for, and under an attack.
        distances: of pictures on benign prompts; () without --benign.
    """

    mitigation: str
    concepts: tuple[str, ...]
    detect: dict[str, Estimate]
    original: dict[str, Estimate]
    retention: tuple[Retention, ...] = ()
    distances: tuple[Distance, ...] = ()


def measure_erased(outcomes: Sequence[Outcome], characters: CharacterSet, device: str) -> list[ErasedFigures]:
    """Give the figures of every run of one model that edited weights drew; its first run is that of the own ones.

    Args:
        outcomes: as `evaluate` gives them, of one model.
        device: where pictures on benign prompts are compared.
    """
    asked = [one for one in outcomes if not one.is_benign]
    found = []
    for one in asked[1:]:
        erasure = next((row.sample.erasure for row in one.rows.rows if row.sample.erasure is not None), None)
        if erasure is not None:
            names = {fold(name) for name in erasure.concepts}
            concepts = tuple(who.id for who in characters.characters if fold(who.name) in names)
            figures = _figures(one, asked[0], concepts, characters)
            distances = _distances(outcomes, one.result.mitigation, characters, device)
            found.append(figures.model_copy(update={"distances": distances}))
    return found


def _figures(one: Outcome, base: Outcome, concepts: tuple[str, ...], characters: CharacterSet) -> ErasedFigures:
    anchors = (*dict.fromkeys(row.sample.anchor for row in base.rows.rows), ALL_ANCHORS)
    sides = [_only(outcome.rows, concepts) for outcome in (one, base)]
    erased, original = ({anchor: detect(side, anchor) for anchor in anchors} for side in sides)
    kept: tuple[Retention, ...] = ()
    # Under attack other prompts are drawn: what is kept is told of the erasure alone.
    if NAME in anchors and concepts and split_attacked(one.result.mitigation)[1] is None:
        around = [groups_around(concept, characters) for concept in concepts]
        rows = [row for row in kept_of("", base.rows, one.rows) if row.character not in concepts]
        # Several concepts went at once: a neighbour of any of them is a neighbour, and the rest are nobody's.
        groups = {name: frozenset[str]().union(*(of[name] for of in around)) for name in around[0]}
        groups["rest"] = groups["all"] - groups["neighbours"]
        kept = tuple(retention(name, rows, {"": members}) for name, members in groups.items())
    return ErasedFigures(
        mitigation=one.result.mitigation, concepts=concepts, detect=erased, original=original, retention=kept
    )


def _distances(
    outcomes: Sequence[Outcome], mitigation: str, characters: CharacterSet, device: str
) -> tuple[Distance, ...]:
    benign = [one for one in outcomes if one.is_benign]
    run = next((one for one in benign if one.result.mitigation == mitigation), None)
    if run is None:
        return ()
    setting = Setting(resolve_measure("diversity"), device, characters)
    moved = moved_between(RunFolder(benign[0].folder), RunFolder(run.folder), setting)
    by_seed = moved_by_seed(RunFolder(benign[0].folder), setting)
    return tuple(distance(metric, {"": moved}, by_seed) for metric in ("pixels", "embedding"))


def _only(outcomes: Outcomes, who: tuple[str, ...]) -> Outcomes:
    return Outcomes(rows=tuple(row for row in outcomes.rows if row.sample.character in who))
