"""95 % intervals for rates, means and paired differences, clustered by character.

Pictures of one character resemble each other, so 450 pictures of 50 characters are not 450
independent facts. Every interval here resamples, or counts, characters.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from copycat.metrics.resampling import Clusters

Z_95 = 1.959963984540054
"""The 97.5 % point of the standard normal distribution."""

MIN_VARIED_CLUSTERS = 5
"""With fewer clusters more than 0.01 off the most common cluster mean, a bootstrap cannot see what it did not draw:
three detected characters of 50 are missing from one resample in 22. In simulations (50 clusters of
3 pictures, rates of 0.02 to 0.1) the bare bootstrap covers down to 89 %, with this limit 94 %."""


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
    z2 = Z_95**2
    centre = (k + z2 / 2) / (n + z2)
    half = Z_95 * math.sqrt(k * (n - k) / n + z2 / 4) / (n + z2)
    # Rounding leaves 1e-18 where the formula has an exact 0 or 1.
    low = 0.0 if k == 0 else max(0.0, centre - half)
    high = 1.0 if k == n else min(1.0, centre + half)
    return Interval(low, high, "wilson")


def clustered_bootstrap(values: Sequence[float], clusters: Sequence[str]) -> Interval:
    """Bound the mean of values in [0, 1] by resampling whole clusters.

    Draws as many clusters as there are, with replacement, 10,000 times; a resample's mean is the
    ratio of its sum to its size; the 2.5 % and 97.5 % percentiles of those means are the interval.

    Where fewer than 5 clusters differ by more than 0.01 from the most common cluster mean (all values equal, a rate
    near 0 or 1, few clusters), the percentiles collapse towards that mean. The interval is then
    Wilson's for mean * C successes in C clusters, as if a cluster were one observation; its method
    is "wilson-over-characters". For probabilities, which vary less than a rate with the same mean,
    it is wider than need be.

    Shapes:
        values: (N,), each in [0, 1], N >= 1.
        clusters: (N,), the cluster of each value.

    Unit: that of the values.

    Raises:
        ValueError: empty input, lengths that differ, a value that is not in [0, 1].

    Source: Davison & Hinkley 1997, Bootstrap Methods and their Application, section 3.8. Departs
        from it in the fallback.
    """
    _require_shares(values)
    grouped = Clusters.build(values, clusters)
    if grouped.n_varied() >= MIN_VARIED_CLUSTERS:
        return Interval(*grouped.percentiles(), "cluster-bootstrap")
    n_clusters = len(grouped.sizes)
    successes = math.fsum(values) / len(values) * n_clusters
    # The product can pass C by one rounding error.
    return wilson(min(successes, n_clusters), n_clusters)._replace(method="wilson-over-characters")


def rate_interval(values: Sequence[float], clusters: Sequence[str]) -> Interval:
    """Bound a rate: Wilson where every cluster has one observation, else the clustered bootstrap.

    Shapes:
        values: (N,), each 0 or 1 (or a bool), N >= 1.
        clusters: (N,), the cluster of each value.

    Unit: share in [0, 1].

    Raises:
        ValueError: empty input, lengths that differ, a value that is neither 0 nor 1.
    """
    for value in values:
        if value not in (0, 1):
            raise ValueError(f"a rate is made of zeros and ones, got {value}; use clustered_bootstrap")
    if len(values) == len(clusters) == len(set(clusters)):
        return wilson(sum(values), len(values))
    return clustered_bootstrap(values, clusters)


def paired_difference(treated: Sequence[float], base: Sequence[float], clusters: Sequence[str]) -> PairedDifference:
    """Give the mean of treated minus base over pairs, with its interval over clusters.

    The interval is the clustered bootstrap of the pairs' differences. Where fewer than 5 clusters
    differ from the most common mean difference (no pair changed, or only a few did), it is
    Tango's score interval for paired proportions, as if a cluster were one pair: of C clusters,
    C times the mean positive part of the differences rose, and C times the mean negative part fell;
    its method is "tango-over-characters". Where nothing changed, that is +/- z^2/(C + z^2), the
    upper Wilson limit of 0 in C. For probabilities it is wider than need be.

    Shapes:
        treated, base: (N,), each in [0, 1], N >= 1; row i of both is one pair.
        clusters: (N,), the cluster of each pair.

    Unit: difference in [-1, 1].
    Direction: above 0 means that treated is higher.

    Raises:
        ValueError: empty input, lengths that differ, a value that is not in [0, 1].

    Source: Tango 1998, Stat. Med. 17:891, for the fallback.
    """
    _require_shares(treated)
    _require_shares(base)
    if len(treated) != len(base):
        raise ValueError(f"pairs need as many treated as base values, got {len(treated)} and {len(base)}")
    differences = [t - b for t, b in zip(treated, base, strict=True)]
    grouped = Clusters.build(differences, clusters)
    mean = math.fsum(differences) / len(differences)
    if grouped.n_varied() >= MIN_VARIED_CLUSTERS:
        return PairedDifference(mean, Interval(*grouped.percentiles(), "cluster-bootstrap"))
    n_clusters = len(grouped.sizes)
    per_pair = n_clusters / len(differences)
    rose = math.fsum(d for d in differences if d > 0) * per_pair
    fell = math.fsum(-d for d in differences if d < 0) * per_pair
    return PairedDifference(mean, _tango(rose, fell, n_clusters))


def _require_shares(values: Sequence[float]) -> None:
    for value in values:
        if not 0 <= value <= 1:  # NaN too
            raise ValueError(f"values must lie in [0, 1], got {value}")


def _tango(rose: float, fell: float, n: int) -> Interval:
    """Give Tango's score interval for (rose - fell) / n; the counts may be fractions."""
    estimate = (rose - fell) / n
    low = _tango_limit(rose, fell, n, inside=estimate, outside=-1.0)
    high = _tango_limit(rose, fell, n, inside=estimate, outside=1.0)
    return Interval(low, high, "tango-over-characters")


def _tango_limit(rose: float, fell: float, n: int, *, inside: float, outside: float) -> float:
    """Find the difference between `inside` and `outside` whose squared score is z^2."""
    for _ in range(60):
        middle = (inside + outside) / 2
        # The likeliest share that fell, were the true difference `middle`: root of a quadratic.
        b = (2 * n - rose + fell) * middle - rose - fell
        c = -fell * middle * (1 - middle)
        share_fell = (math.sqrt(max(0.0, b * b - 8 * n * c)) - b) / (4 * n)
        variance = n * (2 * share_fell + middle * (1 - middle))
        if (rose - fell - n * middle) ** 2 <= Z_95**2 * variance:
            inside = middle
        else:
            outside = middle
    return inside
