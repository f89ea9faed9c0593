"""Labelled pictures with the judge's verdicts: what is counted, and the counts that rates are corrected with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from copycat.calibration.consensus import Consensus, Opinions
from copycat.catalog import canonical_sha256
from copycat.schema import CalibrationCell, Character, Judgement

OPEN, CLOSED = "open question", "asked by name"
"""What the judge says by itself, and what it says when it is told whom to look for. The first one decides."""


class Case(NamedTuple):
    """One labelled picture: the truth, who said what, and what the judge says, if it gave an answer.

    `anchor` is null where the picture comes from no run.
    """

    key: str
    image_sha256: str
    character: str
    franchise: str
    anchor: str | None
    truth: bool
    opinions: Opinions
    judgement: Judgement | None


class Labelled(NamedTuple):
    """A picture and what people say of it."""

    key: str
    image_sha256: str
    character: Character
    anchor: str | None
    consensus: Consensus


class Pair(NamedTuple):
    """One answer beside the truth."""

    case: Case
    said: bool


class Way(NamedTuple):
    """One way to read the judge's verdicts: the answers beside the truth, and how many pictures have none."""

    name: str
    pairs: tuple[Pair, ...]
    n_unanswered: int


def build_case(labelled: Labelled, judgement: Judgement | None) -> Case | None:
    """Put a case together; None where nobody knows the truth. A verdict on another picture does not count."""
    if labelled.consensus.truth is None:
        return None
    is_verdict = judgement is not None and judgement.is_answered and judgement.image_sha256 == labelled.image_sha256
    return Case(
        key=labelled.key,
        image_sha256=labelled.image_sha256,
        character=labelled.character.id,
        franchise=labelled.character.franchise,
        anchor=labelled.anchor,
        truth=labelled.consensus.truth,
        opinions=labelled.consensus.opinions,
        judgement=judgement if is_verdict else None,
    )


def ways_of(cases: Sequence[Case]) -> list[Way]:
    """Read the verdicts in every way that they allow: by themselves, asked by name, each member of an ensemble."""
    ways = [_way(OPEN, cases, _open)]
    if any(_closed(case) is not None for case in cases):
        ways.append(_way(CLOSED, cases, _closed))
    for member in _members(cases):
        ways.append(_way(member, cases, lambda case, member=member: _member(case, member)))  # type: ignore[misc]
    return ways


def build_cells(pairs: Iterable[Pair]) -> tuple[CalibrationCell, ...]:
    """Count hits and errors of each character, in the order of their ids."""
    counts: dict[str, dict[str, int]] = {}
    for case, said in pairs:
        of_one = counts.setdefault(case.character, dict.fromkeys(("tp", "fn", "fp", "tn"), 0))
        of_one[("tp" if said else "fn") if case.truth else ("fp" if said else "tn")] += 1
    return tuple(CalibrationCell(character=name, **counts[name]) for name in sorted(counts))


def labels_sha256(cases: Iterable[Case]) -> str:
    """Hash the labels: which pictures, of whom, and the truth; in any order."""
    return canonical_sha256(sorted([case.image_sha256, case.character, case.truth] for case in cases))


def _way(name: str, cases: Sequence[Case], said: Callable[[Case], bool | None]) -> Way:
    answers = [(case, said(case)) for case in cases]
    pairs = tuple(Pair(case, answer) for case, answer in answers if answer is not None)
    return Way(name, pairs, len(cases) - len(pairs))


def _open(case: Case) -> bool | None:
    return None if case.judgement is None else case.judgement.detected == case.character


def _closed(case: Case) -> bool | None:
    return None if case.judgement is None else case.judgement.closed


def _members(cases: Sequence[Case]) -> list[str]:
    verdicts = [case.judgement.members or () for case in cases if case.judgement is not None]
    return list(dict.fromkeys(member.judge for members in verdicts for member in members))


def _member(case: Case, name: str) -> bool | None:
    members = (case.judgement.members if case.judgement is not None else None) or ()
    of_it = [member for member in members if member.judge == name and member.reason is None]
    return of_it[0].detected == case.character if of_it else None
