"""Accuracy, sensitivity, specificity, Cohen's kappa and Krippendorff's alpha, with 95 % intervals over characters.

Pictures of one character resemble each other, so intervals count characters, not pictures (`metrics.agreement`).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import combinations
from math import fsum

from copycat.calibration.cases import Pair
from copycat.calibration.consensus import Opinions
from copycat.metrics.agreement import Agreement, cohens_kappa, krippendorff_alpha, share
from copycat.schema import CalibrationCell


class Score(Agreement):
    """One figure with its name."""

    name: str


def score_pairs(pairs: Sequence[Pair]) -> tuple[Score, ...]:
    """Give accuracy, sensitivity, specificity and Cohen's kappa of answers beside the truth.

    `sensitivity` is the share of pictures that show the character and of which the judge says so; `specificity` the
    share of the others of which it says no. `kappa = (p_o - p_e) / (1 - p_e)`: p_o is the accuracy, p_e the agreement
    of two who say yes as often as judge and truth do, and by chance.

    Unit: shares in [0, 1]; kappa at most 1, 0 is chance.
    Direction: higher is better.

    Source: Cohen 1960, Educ. Psychol. Meas. 20:37.
    """
    return (*score_shares(pairs), kappa([(p.case.truth, p.said, p.case.character) for p in pairs]))


def score_shares(pairs: Sequence[Pair]) -> tuple[Score, Score, Score]:
    """Give accuracy, sensitivity and specificity."""
    return (
        _share("accuracy", pairs, "an answered picture"),
        _share("sensitivity", [p for p in pairs if p.case.truth], "a picture that shows its character"),
        _share("specificity", [p for p in pairs if not p.case.truth], "a picture that does not show its character"),
    )


def kappa(answers: Sequence[tuple[bool, bool, str]]) -> Score:
    """Give Cohen's kappa of two who answered; each row is both answers and the character."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for first, second, character in answers:
        counts[character][_CELLS[first, second]] += 1
    none = dict.fromkeys(_CELLS.values(), 0)
    cells = [CalibrationCell(character=name, **none | dict(counts[name])) for name in sorted(counts)]
    return _score("kappa", cohens_kappa(cells))


def mean_kappa(cases: Sequence[tuple[Opinions, str]]) -> Score | None:
    """Give the mean of Cohen's kappa over all pairs of people, on the pictures that both of them answered yes or no.

    None where no two people looked at the same picture. Pairs without a kappa (both always said the same) do not count.
    The interval is given where there is one pair only.
    """
    rows: dict[tuple[str, str], list[tuple[bool, bool, str]]] = defaultdict(list)
    for opinions, character in cases:
        answers = {name: said == "yes" for name, said in opinions.items() if said != "unsure"}
        for a, b in combinations(sorted(answers), 2):
            rows[a, b].append((answers[a], answers[b], character))
    if not rows:
        return None
    each = [kappa(of_pair) for _, of_pair in sorted(rows.items())]
    if len(each) == 1:
        return each[0]
    n, values = sum(score.n for score in each), [score.value for score in each if score.value is not None]
    if not values:
        return Score(name="kappa", value=None, n=n, reason="all answers are the same")
    return Score(name="kappa", value=fsum(values) / len(values), n=n)


def alpha(ratings: Sequence[tuple[Sequence[bool], str]]) -> Score:
    """Give Krippendorff's alpha for yes and no, for any number of people per picture.

    Args:
        ratings: the answers on each picture, and its character.
    """
    found = krippendorff_alpha([answers for answers, _ in ratings], [character for _, character in ratings])
    return _score("alpha", found)


def answers_of(opinions: Opinions) -> list[bool]:
    """Give what people said who said yes or no."""
    return [said == "yes" for said in opinions.values() if said != "unsure"]


# ------------------------------------------------------------------------------------- private


def _share(name: str, pairs: Sequence[Pair], needed: str) -> Score:
    hits = [pair.said == pair.case.truth for pair in pairs]
    return _score(name, share(hits, [pair.case.character for pair in pairs], f"there is not {needed}"))


_CELLS = {(True, True): "tp", (True, False): "fn", (False, True): "fp", (False, False): "tn"}


def _score(name: str, found: Agreement) -> Score:
    return Score(name=name, **found.model_dump())
