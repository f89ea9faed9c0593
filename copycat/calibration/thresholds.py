"""The threshold of a judge with a confidence, fitted on one half of the characters and measured on the other."""

from __future__ import annotations

import hashlib
import math
from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

from copycat.calibration.cases import Case, Pair
from copycat.judges.families import FAMILIES

DIGITS = 4
"""Of a threshold: more would only be the noise of the labels."""


class Fitted(NamedTuple):
    """A threshold, what it gives on the characters that it was not fitted on, and what the judge's own gives there.

    `n_fitted` pictures chose it. `is_at_edge`: it is the lowest that these verdicts can show, a lower one may be
    better still.
    """

    threshold: float
    n_fitted: int
    is_at_edge: bool
    held_out: tuple[Pair, ...]
    held_out_own: tuple[Pair, ...]


def has_threshold(judge: str) -> bool:
    """Whether a threshold can be given in the judge's name."""
    prefix = judge.partition(":")[0]
    return any(family.prefix == prefix and family.takes_threshold for family in FAMILIES)


def with_threshold(judge: str, threshold: float) -> str:
    """Name the same judge with another threshold, such as 'open_clip:ViT-L-14/openai@0.31'."""
    prefix, colon, rest = judge.partition(":")
    parts = [part for part in rest.split("@")[1:] if not _is_number(part)]
    return "@".join([f"{prefix}{colon}{rest.split('@')[0]}", *parts, f"{threshold:.{DIGITS}f}".rstrip("0").rstrip(".")])


def fit_threshold(cases: Sequence[Case]) -> Fitted | None:
    """Choose the threshold with the largest sensitivity + specificity - 1 (Youden's J) on half of the characters.

    J and not F1: a corrected rate divides by J, and J does not move with how many pictures show somebody.
    Thresholds below the one that the judge used cannot be seen, for where it named nobody it does not say whom it
    held for likeliest. Which half a character is in is decided by the hash of its id. Of thresholds that do equally
    well the highest is taken, and it is put half way to the next lower confidence.

    Returns: None where no case has a confidence, or either half lacks pictures that do or do not show somebody.

    Source: Youden 1950, Cancer 3:32.
    """
    known = [case for case in cases if case.judgement is not None and case.judgement.confidence is not None]
    half = [case for case in known if _is_first_half(case.character)]
    rest = [case for case in known if not _is_first_half(case.character)]
    if not all({True, False} == {case.truth for case in part} for part in (half, rest)):
        return None
    levels = sorted({_score(case) for case in half if _score(case) > 0})
    if not levels:
        return None
    shown = sorted(_score(case) for case in half if case.truth)
    others = sorted(_score(case) for case in half if not case.truth)
    best = max(levels, key=lambda level: (_share_from(shown, level) - _share_from(others, level), level))
    lower = [level for level in levels if level < best]
    threshold = _cut((best + lower[-1]) / 2 if lower else best)
    return Fitted(
        threshold=threshold,
        n_fitted=len(half),
        is_at_edge=not lower,
        held_out=tuple(Pair(case, _score(case) >= threshold) for case in rest),
        held_out_own=tuple(Pair(case, _score(case) > 0) for case in rest),
    )


def _score(case: Case) -> float:
    """Give the confidence that the target is shown; 0 where somebody else or nobody is seen."""
    judgement = case.judgement
    return (judgement.confidence or 0.0) if judgement is not None and judgement.detected == case.character else 0.0


def _share_from(scores: Sequence[float], threshold: float) -> float:
    """Give the share of sorted scores that reach a threshold."""
    return 1 - bisect_left(scores, threshold) / len(scores)


def _cut(threshold: float) -> float:
    """Cut the digits off: rounded up, it would shut out the very picture that it was chosen for."""
    return math.floor(threshold * 10.0**DIGITS) / 10.0**DIGITS


def _is_first_half(character: str) -> bool:
    return hashlib.sha256(character.encode()).digest()[0] % 2 == 0


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
