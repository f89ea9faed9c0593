"""How often a work is taken for public domain by mistake, where two facts were read to tell, and both can be wrong.

A book is looked up in a register of renewals by its title and its registration number. It is missed, and wrongly taken
for public domain, where both are wrong. With error rates a and b of the two, that is

    a b                                     if the errors are independent
    from max(0, a + b - 1) to min(a, b)     whatever they are (Fréchet 1935; Hoeffding 1940)
    a b + r sqrt(a (1 - a) b (1 - b))       if they are correlated by r

Errors of one scan, one bad page or one model are rarely independent, so the first is the best case but for negative
correlation. Source of the example: "Towards Best Practices for Open Datasets for LLM Training" (arXiv 2501.08365): it
has accuracies of 96.58 % (title) and 97.20 % (registration), and about 0.09 % of 424,059; the product is 0.0958 %, 406.
"""

from __future__ import annotations

import math

from copycat.metrics.intervals import Z_95, score_interval
from copycat.schema import Record

CORRELATIONS = (0.0, 0.1, 0.3, 0.5)
"""For which a rate is shown, and the largest that is possible."""

Z_97_5 = 2.241402727604947
"""Two intervals of 97.5 % hold together in at least 95 % (Bonferroni)."""


class Correlated(Record):
    """The rate for one correlation of the two errors, and how many works that is."""

    correlation: float
    rate: float
    expected: float


class PublicDomainError(Record):
    """How many works are wrongly taken for public domain, as a rate and as a number.

    Attributes:
        rate, expected: if the errors are independent. spread_low, spread_high: between which the number then lies in
            95 % (normal approximation of the binomial).
        lowest, highest: rates that no dependence can leave; `expected_lowest`, `expected_highest` the numbers.
        correlated: for some correlations, the largest possible one last.
        low, high: interval of `rate` from the sizes of the samples, of at least 95 %; None without sizes.
    """

    title_accuracy: float
    registration_accuracy: float
    n: int
    measured_on: int | None
    rate: float
    expected: float
    spread_low: float
    spread_high: float
    lowest: float
    highest: float
    expected_lowest: float
    expected_highest: float
    correlated: tuple[Correlated, ...]
    low: float | None = None
    high: float | None = None


def public_domain_error(
    title_accuracy: float, registration_accuracy: float, n: int, measured_on: int | None = None
) -> PublicDomainError:
    """Work out how many of n works are wrongly taken for public domain.

    Args:
        title_accuracy, registration_accuracy: shares from 0 to 1 that are read right.
        measured_on: works that each accuracy was measured on, for an interval.

    Raises:
        ValueError: an accuracy is not in [0, 1], or a number is too small.
    """
    for name, value in (("title", title_accuracy), ("registration", registration_accuracy)):
        if not 0 <= value <= 1:  # NaN is refused, too
            raise ValueError(f"the accuracy of the {name} must lie between 0 and 1, got {value}")
    if n < 0 or (measured_on is not None and measured_on < 1):
        raise ValueError(f"numbers of works must be positive, got {n if n < 0 else measured_on}")
    a, b = 1 - title_accuracy, 1 - registration_accuracy
    rate, lowest, highest = a * b, max(0.0, a + b - 1), min(a, b)
    half = Z_95 * math.sqrt(n * rate * (1 - rate))
    low = high = None
    if measured_on is not None:
        first, second = (score_interval(error * measured_on, measured_on, Z_97_5, "wilson") for error in (a, b))
        low, high = first.low * second.low, first.high * second.high
    return PublicDomainError(
        title_accuracy=title_accuracy,
        registration_accuracy=registration_accuracy,
        n=n,
        measured_on=measured_on,
        rate=rate,
        expected=n * rate,
        spread_low=max(0.0, n * rate - half),
        spread_high=min(float(n), n * rate + half),
        lowest=lowest,
        highest=highest,
        expected_lowest=n * lowest,
        expected_highest=n * highest,
        correlated=_correlated(a, b, n),
        low=low,
        high=high,
    )


def _correlated(a: float, b: float, n: int) -> tuple[Correlated, ...]:
    spread = math.sqrt(a * (1 - a) * b * (1 - b))
    if spread == 0:
        return ()
    largest = (min(a, b) - a * b) / spread
    steps = [*(one for one in CORRELATIONS if one < largest), largest]
    rates = [a * b + step * spread for step in steps]
    return tuple(
        Correlated(correlation=step, rate=rate, expected=n * rate) for step, rate in zip(steps, rates, strict=True)
    )
