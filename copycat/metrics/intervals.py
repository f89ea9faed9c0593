"""95 % intervals for rates, means and paired differences, clustered by character.

Pictures of one character resemble each other, so 450 pictures of 50 characters are not 450 independent facts. Every
interval here is a score interval for as many observations as the pictures are worth (`metrics.effective`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from copycat.metrics.effective import (
    FEW_CHANGED,
    ClusteredMean,
    assumed_effect,
    clustered_mean,
    design_effect,
    effective_share,
    grouped,
    t_quantile,
)

Z_95 = 1.959963984540054
"""The 97.5 % point of the standard normal distribution."""

MOST_OBSERVATIONS = 1e12
"""Where values do not vary at all between many clusters that differ in something else; keeps the arithmetic finite."""


class Interval(NamedTuple):
    """A 95 % interval and the name of the method that made it."""

    low: float
    high: float
    method: str


class PairedDifference(NamedTuple):
    """A mean of treated minus base, with its interval."""

    mean: float
    interval: Interval


def wilson(k: float, n: int) -> Interval:
    """Bound a rate of independent observations by Wilson's score interval.

    `centre = (k + z^2/2) / (n + z^2)`, `half = z sqrt(k (n - k)/n + z^2/4) / (n + z^2)`, where
    z = 1.96. A rate of 0 or 1 still has a width: 0 of n gives [0, z^2/(n + z^2)].

    Unit: share in [0, 1].

    Args:
        k: Successes. A fraction is allowed: the mean of values in [0, 1], times n. Such values
            vary at most as much as a rate with the same mean, so the interval is then too wide
            rather than too narrow.
        n: Observations, at least 1.

    Raises:
        ValueError: n is below 1, or k is not in [0, n].

    Source: Wilson 1927, J. Am. Stat. Assoc. 22:209.
    """
    if n < 1:
        raise ValueError(f"an interval needs at least one observation, got n = {n}")
    if not 0 <= k <= n:
        raise ValueError(f"k must lie between 0 and n = {n}, got {k}")
    return score_interval(k, n, Z_95, "wilson")


def mean_interval(values: Sequence[float], clusters: Sequence[str]) -> Interval:
    """Bound the mean of probabilities by Wilson's score interval for as many observations as they are worth.

    With mean m and variance v of it between C clusters, that is `n = m (1 - m) / v` observations, and Student's t
    with C - 1 degrees of freedom takes the place of the normal quantile. Where the means of fewer than 5 clusters are
    off the most common one by more than 0.1, the spread says too little: n is then C at most, as if a cluster were one
    observation.

    Shapes:
        values: (N,), each in [0, 1], N >= 1.
        clusters: (N,), the cluster of each value.

    Unit: that of the values.

    Raises:
        ValueError: empty input, lengths that differ, a value that is not in [0, 1].

    Source: after Korn & Graubard 1998, Survey Methodology 24:193, with Wilson's interval, for values from 0 to 1.
    """
    _require_shares(values)
    found = clustered_mean(values, clusters)
    of_one = found.mean * (1 - found.mean)
    n = of_one / found.variance if found.variance > 0 and of_one > 0 else math.inf
    if found.n_off < FEW_CHANGED:
        n = min(n, found.n_clusters)
    n = min(n, MOST_OBSERVATIONS)
    return score_interval(found.mean * n, n, t_quantile(found.n_clusters - 1), "wilson-effective")


def rate_interval(values: Sequence[float], clusters: Sequence[str]) -> Interval:
    """Bound a rate by Wilson's score interval, for its effective size where clusters have several observations.

    The effective size is that of `effective_share`, and Student's t with C - 1 degrees of freedom takes the place of
    the normal quantile. Where every cluster has one observation, it is Wilson's interval as it is.

    Shapes:
        values: (N,), each 0 or 1 (or a bool), N >= 1.
        clusters: (N,), the cluster of each value.

    Unit: share in [0, 1].

    Raises:
        ValueError: empty input, lengths that differ, a value that is neither 0 nor 1.

    Source: Korn & Graubard 1998, Survey Methodology 24:193. Departs from it in Wilson's interval instead of
        Clopper and Pearson's, which covers too often.
    """
    for value in values:
        if value not in (0, 1):
            raise ValueError(f"a rate is made of zeros and ones, got {value}; use mean_interval")
    if len(values) == len(clusters) == len(set(clusters)):
        return wilson(sum(values), len(values))
    groups = grouped(values, clusters)
    found = effective_share([int(sum(group)) for group in groups], [len(group) for group in groups])
    assert found is not None  # noqa: S101  # grouped refuses empty input
    return score_interval(found.share * found.n, found.n, t_quantile(found.n_clusters - 1), "wilson-effective")


def paired_difference(treated: Sequence[float], base: Sequence[float], clusters: Sequence[str]) -> PairedDifference:
    """Give the mean of treated minus base over pairs, with its interval over clusters.

    Of zeros and ones, it is Tango's score interval for paired proportions with as many pairs as they are worth: the
    share of pairs that rose and the share that fell, times the effective number of pairs (N over the design effect of
    the differences; at least that of a correlation of 0.7 where fewer than 5 clusters changed), and Student's t with
    C - 1 degrees of freedom. Where nothing changed, that is +/- t^2/(n + t^2).

    Of probabilities, it is the mean +/- t standard errors, taken between clusters. Where fewer than 5 clusters are off
    the most common mean difference by more than 0.1, it is Tango's interval as if a cluster were one pair (the positive
    part of the differences rose, the negative part fell), which is wider than need be.

    Shapes:
        treated, base: (N,), each in [0, 1], N >= 1; row i of both is one pair.
        clusters: (N,), the cluster of each pair.

    Unit: difference in [-1, 1].
    Direction: above 0 means that treated is higher.

    Raises:
        ValueError: empty input, lengths that differ, a value that is not in [0, 1].

    Source: Tango 1998, Stat. Med. 17:891. Departs from it in effective numbers and t.
    """
    _require_shares(treated)
    _require_shares(base)
    if len(treated) != len(base):
        raise ValueError(f"pairs need as many treated as base values, got {len(treated)} and {len(base)}")
    differences = [t - b for t, b in zip(treated, base, strict=True)]
    found = clustered_mean(differences, clusters)
    quantile = t_quantile(found.n_clusters - 1)
    rose = math.fsum(d for d in differences if d > 0) / len(differences)
    fell = math.fsum(-d for d in differences if d < 0) / len(differences)
    if all(value in (0, 1) for value in (*treated, *base)):
        n = _effective_pairs(differences, clusters, found, rose + fell)
        return PairedDifference(found.mean, _tango(rose * n, fell * n, n, quantile))
    if found.n_off < FEW_CHANGED:
        n = float(found.n_clusters)
        return PairedDifference(found.mean, _tango(rose * n, fell * n, n, quantile))
    half = quantile * math.sqrt(found.variance)
    return PairedDifference(
        found.mean, Interval(max(-1.0, found.mean - half), min(1.0, found.mean + half), "t-over-characters")
    )


def _effective_pairs(
    differences: Sequence[float], clusters: Sequence[str], found: ClusteredMean, changed: float
) -> float:
    groups = grouped(differences, clusters)
    sizes = [len(group) for group in groups]
    deff = design_effect(found.variance, changed - found.mean**2, sizes)
    if sum(any(group) for group in groups) < FEW_CHANGED:
        deff = max(deff, assumed_effect(sizes))
    return len(differences) / deff


def score_interval(k: float, n: float, quantile: float, method: str) -> Interval:
    """Give Wilson's interval for k of n, which need not be whole, with a quantile of your own."""
    squared = quantile**2
    centre = (k + squared / 2) / (n + squared)
    half = quantile * math.sqrt(max(0.0, k * (n - k) / n) + squared / 4) / (n + squared)
    # Rounding leaves 1e-18 where the formula has an exact 0 or 1.
    low = 0.0 if k <= 0 else max(0.0, centre - half)
    high = 1.0 if k >= n else min(1.0, centre + half)
    return Interval(low, high, method)


def _require_shares(values: Sequence[float]) -> None:
    for value in values:
        if not 0 <= value <= 1:  # NaN too
            raise ValueError(f"values must lie in [0, 1], got {value}")


def _tango(rose: float, fell: float, n: float, quantile: float) -> Interval:
    """Give Tango's score interval for (rose - fell) / n; the counts may be fractions."""
    estimate = (rose - fell) / n
    low = _tango_limit(rose, fell, n, quantile, inside=estimate, outside=-1.0)
    high = _tango_limit(rose, fell, n, quantile, inside=estimate, outside=1.0)
    return Interval(low, high, "tango-effective")


def _tango_limit(rose: float, fell: float, n: float, quantile: float, *, inside: float, outside: float) -> float:
    """Find the difference between `inside` and `outside` whose squared score is the quantile's square."""
    for _ in range(60):
        middle = (inside + outside) / 2
        # The likeliest share that fell, were the true difference `middle`: root of a quadratic.
        b = (2 * n - rose + fell) * middle - rose - fell
        c = -fell * middle * (1 - middle)
        share_fell = (math.sqrt(max(0.0, b * b - 8 * n * c)) - b) / (4 * n)
        variance = n * (2 * share_fell + middle * (1 - middle))
        if (rose - fell - n * middle) ** 2 <= quantile**2 * variance:
            inside = middle
        else:
            outside = middle
    return inside
