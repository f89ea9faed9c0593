"""What a mitigation buys and costs: differences between two runs, pair by pair.

Seeds do not depend on the mitigation, so the same character, anchor and repeat in two runs starts
from the same noise, and the difference of the pair is free of the luck of that noise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from copycat.metrics.correction import difference_corrected
from copycat.metrics.intervals import paired_difference
from copycat.metrics.missing import build_missing
from copycat.metrics.outcomes import ALL_ANCHORS, Outcome, Outcomes, require_anchors
from copycat.metrics.power import smallest_difference_seen
from copycat.metrics.significance import holm, sign_flip
from copycat.schema import BENIGN, Calibration, Estimate, PairedTest


class _Pair(NamedTuple):
    treated: Outcome
    base: Outcome


class _Answers(NamedTuple):
    """What both runs answered in the pairs in which both did, and of which character each pair is."""

    treated: list[float]
    base: list[float]
    characters: list[str]

    @property
    def differences(self) -> list[float]:
        return [t - b for t, b in zip(self.treated, self.base, strict=True)]


class _Contrast(NamedTuple):
    """A metric of differences; `answer` gives null where a row has no part in it."""

    metric: str
    better: Literal["lower", "higher"]
    answer: Callable[[Outcome], float | None]


def _detected(row: Outcome) -> float | None:
    return float(row.is_detected) if row.is_answered else None


def _any_detected(row: Outcome) -> float | None:
    return float(row.is_any_detected) if row.is_answered else None


def _consistency(row: Outcome) -> float | None:
    return row.consistency


_CONTRASTS = (
    _Contrast("detect_difference", "lower", _detected),
    _Contrast("consistency_difference", "higher", _consistency),
)
_BENIGN_CONTRASTS = (
    _Contrast("any_character_difference", "lower", _any_detected),
    _Contrast("consistency_difference", "higher", _consistency),
)
"""Benign prompts are after nobody: no target can be seen."""


def compare(
    anchors: Sequence[str], treated: Outcomes, base: Outcomes, calibration: Calibration | None = None
) -> tuple[Estimate, ...]:
    """Give the mean differences treated minus base of DETECT and of CONS, per anchor and pooled.

    Pairs share character, anchor and repeat. `n` counts the pairs in which both have an answer: for
    DETECT a judged picture, a refusal or a block; for CONS a judged consistency. CONS thus compares
    only what both runs drew; a run that refuses much is compared on what it did not refuse. Of benign prompts
    the difference of "any character" stands in place of DETECT's.

    Unit: difference in [-1, 1], treated minus base.
    Direction: higher is better for "consistency_difference", lower for the others.

    Args:
        anchors: Those to compare, in the order of the result; "all" comes last by itself.
        treated: The run with the mitigation.
        base: The run without.
        calibration: What is known of the judge's errors; DETECT's difference is then given corrected, too.

    Raises:
        ValueError: an anchor occurs twice or is called "all"; a sample's anchor is not listed; a
            run has two samples with the same character, anchor and repeat.
    """
    pairs = _pair_up(anchors, treated, base)
    every = (*anchors, ALL_ANCHORS)
    differences = [_build_difference(contrast, anchor, pairs) for contrast in _contrasts(anchors) for anchor in every]
    if calibration is not None and calibration.method == "rogan-gladen" and BENIGN not in anchors:
        differences += [_build_corrected(anchor, pairs, calibration) for anchor in every]
    return tuple(differences)


def paired_tests(anchors: Sequence[str], treated: Outcomes, base: Outcomes) -> tuple[PairedTest, ...]:
    """Test the differences that `compare` gives: sign flips of whole characters, adjusted by Holm over all of them.

    Raises:
        ValueError: as `compare`.
    """
    pairs = _pair_up(anchors, treated, base)
    places = [(contrast, anchor) for contrast in _contrasts(anchors) for anchor in (*anchors, ALL_ANCHORS)]
    samples = [_answers(contrast, anchor, pairs) for contrast, anchor in places]
    p_values = [sign_flip(found.differences, found.characters) if found.treated else None for found in samples]
    given = [p for p in p_values if p is not None]
    adjusted = iter(holm(given))
    return tuple(
        PairedTest(
            metric=contrast.metric,
            anchor=anchor,
            p=p,
            p_holm=None if p is None else next(adjusted),
            smallest=_smallest(found),
        )
        for (contrast, anchor), found, p in zip(places, samples, p_values, strict=True)
    )


def _contrasts(anchors: Sequence[str]) -> tuple[_Contrast, ...]:
    return _BENIGN_CONTRASTS if BENIGN in anchors else _CONTRASTS


def _smallest(found: _Answers) -> float | None:
    try:
        return smallest_difference_seen(found.differences, found.characters)
    except ValueError:  # nothing, one character, or no spread between characters
        return None


def _build_corrected(anchor: str, pairs: Sequence[_Pair], calibration: Calibration) -> Estimate:
    """Correct the pairs in which both pictures were judged; a refusal needs no correction and has no part here."""
    judged = [
        pair
        for pair in pairs
        if anchor in (ALL_ANCHORS, pair.treated.sample.anchor)
        and pair.treated.judgement is not None
        and pair.base.judgement is not None
    ]
    if not judged:
        reason = "no pair in which both pictures were judged"
        return build_missing("detect_corrected_difference", anchor, reason, unit="difference", better="lower")
    return difference_corrected(
        [pair.treated.is_detected for pair in judged],
        [pair.base.is_detected for pair in judged],
        [pair.treated.sample.character for pair in judged],
        anchor,
        calibration,
    )


def _pair_up(anchors: Sequence[str], treated: Outcomes, base: Outcomes) -> list[_Pair]:
    """Give the pairs of the same character, anchor and repeat, in the order of the treated run."""
    require_anchors(anchors, treated.rows)
    require_anchors(anchors, base.rows)
    theirs = _by_place(base)
    return [_Pair(row, theirs[place]) for place, row in _by_place(treated).items() if place in theirs]


def _by_place(outcomes: Outcomes) -> dict[tuple[str, str, int], Outcome]:
    places: dict[tuple[str, str, int], Outcome] = {}
    for row in outcomes.rows:
        place = (row.sample.character, row.sample.anchor, row.sample.repeat)
        if place in places:
            raise ValueError("two samples share character '{}', anchor '{}', repeat {}: no unique pair".format(*place))
        places[place] = row
    return places


def _build_difference(contrast: _Contrast, anchor: str, pairs: Sequence[_Pair]) -> Estimate:
    found = _answers(contrast, anchor, pairs)
    if not found.treated:
        reason = "no pair in which both runs have an answer"
        return build_missing(contrast.metric, anchor, reason, unit="difference", better=contrast.better)
    mean, interval = paired_difference(*found)
    return Estimate(
        metric=contrast.metric,
        anchor=anchor,
        value=mean,
        low=interval.low,
        high=interval.high,
        n=len(found.treated),
        unit="difference",
        better=contrast.better,
        method=interval.method,
    )


def _answers(contrast: _Contrast, anchor: str, pairs: Sequence[_Pair]) -> _Answers:
    found = _Answers([], [], [])
    for pair in pairs:
        sample = pair.treated.sample
        ours, theirs = contrast.answer(pair.treated), contrast.answer(pair.base)
        if anchor in (ALL_ANCHORS, sample.anchor) and ours is not None and theirs is not None:
            found.treated.append(ours)
            found.base.append(theirs)
            found.characters.append(sample.character)
    return found
