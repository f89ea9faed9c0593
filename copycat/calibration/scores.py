"""Accuracy, sensitivity, specificity, Cohen's kappa and Krippendorff's alpha, with 95 % intervals over characters.

Pictures of one character resemble each other, so intervals resample characters, not pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from copycat.calibration.cases import Pair
from copycat.calibration.consensus import Opinions
from copycat.metrics import rate_interval
from copycat.metrics.effective import FEW_CHANGED
from copycat.schema import Record

RESAMPLES = 5_000
_SEED = 20240620

Floats = NDArray[np.float64]


class Score(Record):
    """One figure with its 95 % interval; what cannot be given is null with a reason.

    `k` of `n` where the figure is a share.
    """

    name: str
    value: float | None
    low: float | None = None
    high: float | None = None
    k: int | None = None
    n: int
    reason: str | None = None


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
    return _bootstrapped("kappa", [(_cell(a, b), cluster) for a, b, cluster in answers], _kappa, len(answers))


def mean_kappa(cases: Sequence[tuple[Opinions, str]]) -> Score | None:
    """Give the mean of Cohen's kappa over all pairs of people, on the pictures that both of them answered yes or no.

    None where no two people looked at the same picture. Pairs without a kappa (both always said the same) do not count.
    """
    people = sorted({name for opinions, _ in cases for name in opinions})
    places = {pair: place for place, pair in enumerate(combinations(people, 2))}
    rows = []
    for opinions, cluster in cases:
        answers = {name: said == "yes" for name, said in opinions.items() if said != "unsure"}
        for a, b in combinations(sorted(answers), 2):
            counts = np.zeros((len(places), 4))
            counts[places[a, b]] = _cell(answers[a], answers[b])
            rows.append((counts.ravel(), cluster))
    if not rows:
        return None

    def of_all(sums: Floats) -> Floats:
        each = _kappa(sums.reshape(*sums.shape[:-1], len(places), 4))
        there = np.isfinite(each)
        with np.errstate(invalid="ignore"):
            return np.asarray(np.where(there, each, 0).sum(axis=-1) / there.sum(axis=-1))

    return _bootstrapped("kappa", rows, of_all, len(rows))


def alpha(ratings: Sequence[tuple[Sequence[bool], str]]) -> Score:
    """Give Krippendorff's alpha for yes and no, for any number of people per picture.

    With o_yn the pairs of different answers (each picture's a b / (m - 1) for a yes and b no of m), n_y and n_n the
    answers on pictures that at least two looked at, and n their sum: `alpha = 1 - (n - 1) o_yn / (n_y n_n)`.

    Unit: at most 1; 0 is chance.
    Direction: higher is better.

    Args:
        ratings: the answers on each picture, and its character.

    Source: Krippendorff 2011, Computing Krippendorff's Alpha-Reliability.
    """
    rows = [(_coincidences(answers), cluster) for answers, cluster in ratings if len(answers) > 1]
    return _bootstrapped("alpha", rows, _alpha, len(rows))


def answers_of(opinions: Opinions) -> list[bool]:
    """Give what people said who said yes or no."""
    return [said == "yes" for said in opinions.values() if said != "unsure"]


# ------------------------------------------------------------------------------------- private


def _share(name: str, pairs: Sequence[Pair], needed: str) -> Score:
    if not pairs:
        return Score(name=name, value=None, n=0, reason=f"there is not {needed}")
    hits = [pair.said == pair.case.truth for pair in pairs]
    interval = rate_interval(hits, [pair.case.character for pair in pairs])
    return Score(name=name, value=sum(hits) / len(hits), low=interval.low, high=interval.high, k=sum(hits), n=len(hits))


def _cell(a: bool, b: bool) -> Floats:
    """Both yes, only the first, only the second, both no."""
    return np.array([a and b, a and not b, b and not a, not a and not b], dtype=np.float64)


def _coincidences(answers: Sequence[bool]) -> Floats:
    """Give answers of yes, answers of no, pairs of different answers."""
    yes, n = sum(answers), len(answers)
    return np.array([yes, n - yes, yes * (n - yes) / (n - 1)], dtype=np.float64)


def _kappa(sums: Floats) -> Floats:
    both, first, second, neither = np.moveaxis(sums, -1, 0)
    total = both + first + second + neither
    with np.errstate(invalid="ignore", divide="ignore"):
        chance = ((both + first) * (both + second) + (neither + first) * (neither + second)) / total**2
        return np.asarray(((both + neither) / total - chance) / (1 - chance))


def _alpha(sums: Floats) -> Floats:
    yes, no, different = np.moveaxis(sums, -1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(1 - (yes + no - 1) * different / (yes * no))


def _bootstrapped(
    name: str, rows: Sequence[tuple[Floats, str]], statistic: Callable[[Floats], Floats], n: int
) -> Score:
    """Give a statistic of summed counts, and its percentiles over resampled characters."""
    if not rows:
        return Score(name=name, value=None, n=0, reason="nobody answered for the same picture")
    names = sorted({cluster for _, cluster in rows})
    sums = np.zeros((len(names), len(rows[0][0])))
    for counts, cluster in rows:
        sums[names.index(cluster)] += counts
    value = float(statistic(sums.sum(axis=0)))
    if not np.isfinite(value):
        return Score(name=name, value=None, n=n, reason="all answers are the same")
    drawn = np.random.Generator(np.random.PCG64(_SEED)).integers(0, len(names), (RESAMPLES, len(names)))
    resampled = statistic(sums[drawn].sum(axis=1))
    resampled = np.sort(resampled[np.isfinite(resampled)])
    if len(np.unique(resampled)) < FEW_CHANGED or len(names) < FEW_CHANGED:
        return Score(name=name, value=value, n=n, reason="too few characters differ for an interval")
    low, high = resampled[int(len(resampled) * 0.025)], resampled[int(len(resampled) * 0.975)]
    return Score(name=name, value=value, low=float(low), high=float(high), n=n)
