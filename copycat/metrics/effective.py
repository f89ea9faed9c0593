"""How many independent observations a clustered figure is worth: its size over its design effect.

Pictures of one character resemble each other. The design effect is how much larger the variance of a figure is for it,
taken from the spread between characters; an interval for independent observations then serves with n divided by it.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

FEW_HIT = 3
"""With fewer characters on one side of a share, their spread says too little about the design effect."""

FEW_CHANGED = 5
"""The same of characters in which any pair of two runs differs, and of those whose mean is off the most common one."""

ASSUMED_CORRELATION = 0.7
"""What is then assumed at least, of pictures of one character. Chosen, with the limits above, by
`benchmarks/coverage.py`: with 50 characters of 3 or 9 pictures, rates of 0.005 to 0.995 and correlations of 0 to 0.8
the intervals then cover 93 to 97 %."""

SAME_MEAN = 0.1
"""Characters whose mean probability lies this close to the most common one do not count as off it."""


class EffectiveShare(NamedTuple):
    """A share, the number of independent observations that it is worth, and how many characters it is of."""

    share: float
    n: float
    n_clusters: int


class ClusteredMean(NamedTuple):
    """A mean with its variance between characters; `n_off` characters are off the most common character mean."""

    mean: float
    variance: float
    n_clusters: int
    n_off: int


def effective_share(hits: Sequence[int], sizes: Sequence[int]) -> EffectiveShare | None:
    """Give a share and its effective size; None of nothing.

    `deff = v / (p (1 - p) / N)` with the linearised variance of a ratio over C clusters,
    `v = C / (C - 1) * sum (k_c - n_c p)^2 / N^2`, between 1 and the mean cluster size m (weighted by size); at least
    `1 + (m - 1) r` with the correlation r within clusters, to which small clusters tell as much as large ones; and at
    least `1 + (m - 1) * 0.7` where fewer than 3 clusters hold a hit, or a miss. Of unequal clusters, as many count as
    equal ones would, `N^2 / sum n_c^2`.

    Shapes:
        hits, sizes: (C,), k_c of n_c per cluster; clusters without an observation have no part.

    Source: Kish 1965, Survey Sampling, section 8.2; Fleiss & Cuzick 1979, Appl. Psychol. Meas. 3:537, for r; Korn &
        Graubard 1998, Survey Methodology 24:193, for its use in an interval.
    """
    rows = [(k, n) for k, n in zip(hits, sizes, strict=True) if n > 0]
    if not rows:
        return None
    total = sum(n for _, n in rows)
    share = sum(k for k, _ in rows) / total
    sizes = [n for _, n in rows]
    deff = max(design_effect(_mean_of(rows).variance, share * (1 - share), sizes), _modelled_effect(rows, share))
    if min(sum(k > 0 for k, _ in rows), sum(k < n for k, n in rows)) < FEW_HIT:
        deff = max(deff, assumed_effect([n for _, n in rows]))
    return EffectiveShare(share, total / deff, total * total // sum(n * n for n in sizes))


def design_effect(variance: float, of_one: float, sizes: Sequence[int]) -> float:
    """Give the variance of a clustered mean over that of independent observations, between 1 and the cluster size.

    Args:
        variance: of the clustered mean.
        of_one: variance of one observation.
    """
    total = sum(sizes)
    if of_one <= 0:
        return 1.0
    return min(max(variance / (of_one / total), 1.0), _usual_size(sizes))


def assumed_effect(sizes: Sequence[int]) -> float:
    """Give the design effect that is assumed where the clusters say too little about it."""
    return 1 + (_usual_size(sizes) - 1) * ASSUMED_CORRELATION


def clustered_mean(values: Sequence[float], clusters: Sequence[str]) -> ClusteredMean:
    """Give the mean of values and its variance between clusters; the order of the rows moves no bit.

    Shapes:
        values, clusters: (N,), N >= 1.

    Raises:
        ValueError: empty input, or lengths that differ.
    """
    groups = grouped(values, clusters)
    return _mean_of([(math.fsum(group), len(group)) for group in groups])


def grouped(values: Sequence[float], clusters: Sequence[str]) -> list[list[float]]:
    """Give the values of each cluster, in the order of the clusters' names.

    Raises:
        ValueError: empty input, or lengths that differ.
    """
    if len(values) == 0:
        raise ValueError("an interval needs at least one value, got none")
    if len(values) != len(clusters):
        raise ValueError(f"each value needs a cluster, got {len(values)} values and {len(clusters)} clusters")
    groups: dict[str, list[float]] = defaultdict(list)
    for value, cluster in zip(values, clusters, strict=True):
        groups[cluster].append(value)
    return [groups[name] for name in sorted(groups)]


@cache
def t_quantile(degrees: int) -> float:
    """Give the 97.5 % point of Student's t, to nine digits, so that it is the same with every scipy."""
    from scipy.special import stdtrit  # type: ignore[import-untyped]

    return round(float(stdtrit(max(degrees, 1), 0.975)), 9)


def _mean_of(rows: Sequence[tuple[float, int]]) -> ClusteredMean:
    """Do it for the sum and the size of each cluster."""
    total, count = sum(n for _, n in rows), len(rows)
    mean = math.fsum(k for k, _ in rows) / total
    spread = math.fsum((k - n * mean) ** 2 for k, n in rows)
    levels = Counter(round(k / n / SAME_MEAN) for k, n in rows)
    usual = min(level for level, n_at in levels.items() if n_at == max(levels.values())) * SAME_MEAN
    n_off = sum(abs(k / n - usual) > SAME_MEAN for k, n in rows)
    return ClusteredMean(mean, spread * count / max(count - 1, 1) / total**2, count, n_off)


def _modelled_effect(rows: Sequence[tuple[int, int]], share: float) -> float:
    """Give the design effect of the correlation within clusters, to which small clusters tell as much as large ones."""
    total = sum(n for _, n in rows)
    if share in (0, 1) or total == len(rows):
        return 1.0
    within = math.fsum(k * (n - k) / n for k, n in rows)
    correlation = 1 - within / ((total - len(rows)) * share * (1 - share))
    return 1 + (_usual_size([n for _, n in rows]) - 1) * max(0.0, correlation)


def _usual_size(sizes: Sequence[int]) -> float:
    """Give the mean cluster size, each cluster weighted by its size."""
    return sum(n * n for n in sizes) / sum(sizes)
