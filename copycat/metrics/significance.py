"""Tests of differences between two runs, and p values corrected for asking often.

A p value here is the same to the last bit on every machine and in every order of the rows: counts are whole numbers,
flips come from the raw stream of a bit generator, the only one that numpy promises to keep (NEP 19), and what scipy
gives is rounded to nine digits.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from copycat.metrics.effective import grouped

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LEVEL = 0.05
"""A p value that is at most this counts as significant."""

MOST_ENUMERATED = 14
"""Up to so many characters that changed, all 2^14 = 16,384 flips are counted; beyond, 10,000 are drawn."""

FLIPS = 10_000

_SEED = 20240621
_BITS = 64
_FIXED_POINT = 2.0**40
"""Sums are compared in units of 2^-40, about 1e-12."""


class Welch(NamedTuple):
    """Welch's t with its degrees of freedom; the one-sided p is for the first mean being the higher one."""

    t: float
    df: float
    p_one_sided: float
    p_two_sided: float


def mcnemar_exact(b: int, c: int) -> float:
    """Give the two-sided p of McNemar's exact test for paired zeros and ones.

    `p = min(1, 2 P(X <= min(b, c)))` with X binomial of b + c and 1/2. Pairs must be independent: one pair per
    character. With several pictures per character use `sign_flip`.

    Args:
        b: Pairs of 1 in the first run and 0 in the second.
        c: Pairs of 0 in the first run and 1 in the second.

    Raises:
        ValueError: a negative count.

    Source: McNemar 1947, Psychometrika 12:153, with the binomial in place of chi-squared.
    """
    if b < 0 or c < 0:
        raise ValueError(f"counts of pairs must be 0 or more, got b = {b} and c = {c}")
    n = b + c
    ways, tail = 1, 0  # ways to choose k of n, and their sum so far
    for k in range(min(b, c) + 1):
        tail += ways
        ways = ways * (n - k) // (k + 1)
    return min(1.0, 2 * tail / (1 << n))


def sign_flip(differences: Sequence[float], clusters: Sequence[str]) -> float:
    """Give the two-sided p of a mean difference of zero, by flipping the sign of whole clusters.

    If the two runs were alike, each cluster's sum could as well have had the other sign. `p` is the share of flips
    whose absolute total reaches the observed one: of all flips, for up to 14 clusters whose sum is not 0; of 10,000
    drawn flips and the observed one, for more, so that p is never below 1/10,001. Clusters whose sum is 0 have no part
    in it, whatever their number.

    Shapes:
        differences: (N,), each in [-1, 1], N >= 1.
        clusters: (N,), the cluster of each difference.

    Raises:
        ValueError: empty input, lengths that differ, a value out of range or NaN.

    Source: Fisher 1935, The Design of Experiments, section 21; the + 1 of drawn flips is that of Phipson & Smyth 2010,
        Stat. Appl. Genet. Mol. Biol. 9:39.
    """
    import numpy as np

    groups = grouped(differences, clusters)
    for value in differences:
        if not -1 <= value <= 1:  # NaN too
            raise ValueError(f"values must lie in [-1, 1], got {value}")
    sums = [round(math.fsum(group) * _FIXED_POINT) for group in groups]
    # Differences such as thirds are rounded themselves: what differs by less than a unit for each is the same number.
    changed = [total for total, group in zip(sums, groups, strict=True) if abs(total) > len(group)]
    least = abs(sum(changed)) - len(differences)
    # Sorted, so that neither the names of the clusters nor the order of the two runs moves a bit.
    magnitudes = np.sort(np.abs(np.array(changed, dtype=np.int64)))
    if len(magnitudes) <= MOST_ENUMERATED:
        totals = _every_total(magnitudes)
        return int(np.count_nonzero(np.abs(totals) >= least)) / len(totals)
    reached = int(np.count_nonzero(np.abs(_drawn_totals(magnitudes)) >= least))
    return (1 + reached) / (1 + FLIPS)


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p values so that the chance of one false finding or more stays below what they are compared with.

    The i-th smallest of m becomes the largest `(m - j + 1) p_(j)` of j <= i, at most 1.

    Shapes:
        p_values: (M,), each in [0, 1]; the result has the same order.

    Raises:
        ValueError: a value that is not in [0, 1].

    Source: Holm 1979, Scand. J. Stat. 6:65.
    """
    adjusted, highest = [0.0] * len(p_values), 0.0
    for step, i in enumerate(_ascending(p_values)):
        highest = max(highest, (len(p_values) - step) * p_values[i])
        adjusted[i] = min(1.0, highest)
    return adjusted


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Adjust p values so that the expected share of false ones among the findings stays below the limit.

    The i-th smallest of m becomes the smallest `m p_(j) / j` of j >= i, at most 1. Weaker than `holm`: some findings
    may be false.

    Shapes:
        p_values: (M,), each in [0, 1]; the result has the same order.

    Raises:
        ValueError: a value that is not in [0, 1].

    Source: Benjamini & Hochberg 1995, J. R. Stat. Soc. B 57:289.
    """
    adjusted, lowest, m = [0.0] * len(p_values), 1.0, len(p_values)
    for rank, i in reversed(list(enumerate(_ascending(p_values), start=1))):
        lowest = min(lowest, m * p_values[i] / rank)
        adjusted[i] = lowest
    return adjusted


def welch(  # noqa: PLR0917  # in the order of scipy's ttest_ind_from_stats
    mean1: float, std1: float, n1: int, mean2: float, std2: float, n2: int, ddof: Literal[0, 1] = 1
) -> Welch:
    """Compare two means with unequal variances, from their published mean, std and count.

    `t = (mean1 - mean2) / sqrt(s1^2/n1 + s2^2/n2)` with sample variances s^2 and the degrees of freedom of Welch and
    Satterthwaite. It treats both groups as independent and is meant for figures of which no more is known; for two runs
    at hand use `sign_flip`.

    Unit: means and stds in the same unit.
    Direction: t is above 0 where the first mean is higher.

    Args:
        ddof: How the stds were made: 1 for sample stds (divided by n - 1), 0 for population stds (divided by n), which
            are converted. CopyCat's Table 1 prints population stds, its Table 3 takes them for sample stds.

    Raises:
        ValueError: a group below 2, a negative or infinite std, two stds of 0, or a ddof that is neither 0 nor 1.

    Source: Welch 1947, Biometrika 34:28.
    """
    from scipy.special import stdtr  # type: ignore[import-untyped]

    first, second = _variance_of_mean(std1, n1, ddof), _variance_of_mean(std2, n2, ddof)
    if first + second == 0:
        raise ValueError("both stds are 0, so there is no spread to compare the means with")
    t = (mean1 - mean2) / math.sqrt(first + second)
    df = (first + second) ** 2 / (first**2 / (n1 - 1) + second**2 / (n2 - 1))
    return Welch(t, df, nine_digits(float(stdtr(df, -t))), nine_digits(2 * float(stdtr(df, -abs(t)))))


def nine_digits(value: float) -> float:
    """Round to nine significant digits, on which every version of scipy agrees."""
    return float(f"{value:.9g}")


def _every_total(magnitudes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give the total of each of the 2^M ways to sign M numbers."""
    import numpy as np

    totals = np.zeros(1, dtype=np.int64)
    for magnitude in magnitudes:
        totals = np.concatenate([totals + magnitude, totals - magnitude])
    return totals


def _drawn_totals(magnitudes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give the totals of 10,000 drawn ways to sign M numbers, one random bit for each sign."""
    import numpy as np

    stream = np.random.PCG64(_SEED)
    totals = np.zeros(FLIPS, dtype=np.int64)
    for start in range(0, len(magnitudes), _BITS):
        part = magnitudes[start : start + _BITS]
        bits = (stream.random_raw(FLIPS)[:, None] >> np.arange(len(part), dtype=np.uint64)) & np.uint64(1)
        totals += (2 * bits.astype(np.int64) - 1) @ part
    return totals


def _ascending(p_values: Sequence[float]) -> list[int]:
    """Give the places of the p values, smallest first."""
    for p in p_values:
        if not 0 <= p <= 1:  # NaN too
            raise ValueError(f"p values must lie in [0, 1], got {p}")
    return sorted(range(len(p_values)), key=lambda i: p_values[i])


def _variance_of_mean(std: float, n: int, ddof: int) -> float:
    if n < 2:
        raise ValueError(f"a spread needs at least two values, got n = {n}")
    if ddof not in (0, 1):
        raise ValueError(f"ddof must be 1 (sample std) or 0 (population std), got {ddof}")
    if not 0 <= std < math.inf:  # NaN too
        raise ValueError(f"a std must be a number from 0 up, got {std}")
    return std**2 / (n - 1 + ddof)
