"""How small a difference between two runs can be and still be seen, before a run is made and after."""

from __future__ import annotations

import math
from collections.abc import Sequence

from copycat.metrics.effective import clustered_mean, t_quantile

_HALVINGS = 60


def smallest_difference(
    n_characters: int,
    repeats: int,
    rate: float,
    correlation: float,
    *,
    paired: bool,
    paired_correlation: float = 0.5,
    power: float = 0.8,
) -> float:
    """Give the smallest difference of rates that a two-sided test at 5 % finds with the given power, before any run.

    A character mean of a rate p has variance `v(p) = p (1 - p) (1 + (repeats - 1) correlation) / repeats`. The
    difference d solves `d = (t_0.975 + t_power) sqrt(V / n_characters)`, with V = v(rate) + v(other) for different
    characters in both runs (2 (C - 1) degrees of freedom), less `2 paired_correlation sqrt(v(rate) v(other))` for the
    same characters (C - 1). The other rate lies d away on the side of one half, where rates vary more: up from a rate
    of 0.5 or less, down from a higher one.

    Unit: difference of shares.

    Args:
        n_characters: Characters in each run.
        repeats: Pictures of each character in each run.
        rate: Share expected in one of the two runs.
        correlation: Of two pictures of one character in one run; 0.7 is common, 0 makes each picture a fact of its own.
        paired: Whether both runs draw the same characters.
        paired_correlation: Of the two runs' character means; has no part in it unless paired.
        power: Chance of finding the difference.

    Raises:
        ValueError: a value out of its range, or no difference is large enough to be found.

    Source: Donner & Klar 2000, Design and Analysis of Cluster Randomization Trials, chapter 5, for the variance and the
        use of t.
    """
    _require_plan(n_characters, repeats, rate, correlation, paired_correlation)
    degrees = n_characters - 1 if paired else 2 * (n_characters - 1)
    quantiles = _quantiles(degrees, power)
    per_character = (1 + (repeats - 1) * correlation) / repeats
    shared = paired_correlation if paired else 0.0
    side = 1 if rate <= 0.5 else -1

    def is_seen(difference: float) -> bool:
        other = rate + side * difference
        here, there = rate * (1 - rate) * per_character, other * (1 - other) * per_character
        variance = here + there - 2 * shared * math.sqrt(here * there)
        return difference >= quantiles * math.sqrt(variance / n_characters)

    low, high = 0.0, max(rate, 1 - rate)
    if not is_seen(high):
        raise ValueError(f"{n_characters} characters are too few to see any difference from a rate of {rate}")
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if is_seen(middle) else (middle, high)
    return high


def smallest_difference_seen(differences: Sequence[float], clusters: Sequence[str], power: float = 0.8) -> float:
    """Give the smallest mean difference that a two-sided test at 5 % would have found, from pairs at hand.

    `(t_0.975 + t_power) s`, with the standard error s of the mean between C clusters and C - 1 degrees of freedom. It
    tells how fine the comparison was, not whether this difference is significant.

    Shapes:
        differences: (N,), treated minus base of each pair, N >= 2.
        clusters: (N,), the cluster of each pair, two different ones at least.

    Unit: that of the differences.

    Raises:
        ValueError: empty input, lengths that differ, a difference that is not finite, a single cluster, or clusters
            that all have the same mean, which tell nothing about the spread.

    Source: Bloom 1995, Evaluation Review 19:547 (minimum detectable effect).
    """
    for difference in differences:
        if not math.isfinite(difference):
            raise ValueError(f"differences must be finite numbers, got {difference}")
    found = clustered_mean(differences, clusters)
    if found.n_clusters < 2:
        raise ValueError("the spread between characters needs at least two of them, got one")
    if found.variance == 0:
        raise ValueError("all characters have the same difference, which tells no spread; use smallest_difference")
    return _quantiles(found.n_clusters - 1, power) * math.sqrt(found.variance)


def _quantiles(degrees: int, power: float) -> float:
    """Give how many standard errors a difference must be away from 0 to be found."""
    from scipy.special import stdtrit  # type: ignore[import-untyped]

    if not 0.5 <= power < 1:
        raise ValueError(f"power must lie in [0.5, 1), got {power}")
    # To nine digits, as t_quantile, so that it is the same with every scipy.
    return t_quantile(degrees) + round(float(stdtrit(degrees, power)), 9)


def _require_plan(n_characters: int, repeats: int, rate: float, correlation: float, paired_correlation: float) -> None:
    if n_characters < 2:
        raise ValueError(f"a comparison needs at least two characters, got {n_characters}")
    if repeats < 1:
        raise ValueError(f"a character needs at least one picture, got {repeats} repeats")
    if not 0 <= rate <= 1:
        raise ValueError(f"a rate must lie in [0, 1], got {rate}")
    if not 0 <= correlation <= 1:
        raise ValueError(f"the correlation of pictures must lie in [0, 1], got {correlation}")
    if not -1 <= paired_correlation < 1:
        raise ValueError(f"the correlation of runs must lie in [-1, 1), got {paired_correlation}")
