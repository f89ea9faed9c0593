"""Association of a word with a name, against references that others wrote."""

from __future__ import annotations

import math
import random

import pytest
from scipy.stats import chi2_contingency

from copycat.discovery.cooccurrence import log_likelihood_ratio, pointwise_mutual_information
from copycat.errors import BugError


def random_counts(seed: int) -> tuple[int, int, int, int]:
    rng = random.Random(seed)
    total = rng.randint(20, 10_000)
    with_name, with_word = rng.randint(1, total - 1), rng.randint(1, total - 1)
    low = max(0, with_name + with_word - total)
    return rng.randint(low, min(with_name, with_word)), with_name, with_word, total


@pytest.mark.parametrize("seed", range(40))
def test_the_log_likelihood_ratio_is_scipys_g_and_its_sign_says_attraction(seed: int) -> None:
    together, a, b, n = random_counts(seed)
    table = [[together, a - together], [b - together, n - a - b + together]]
    expected = chi2_contingency(table, correction=False, lambda_="log-likelihood").statistic
    value = log_likelihood_ratio(together, a, b, n)
    assert abs(value) == pytest.approx(expected, abs=1e-6)
    assert (value >= 0) == (together >= a * b / n)


def test_mutual_information_is_in_bits() -> None:
    assert pointwise_mutual_information(10, 10, 20, 160) == 3.0  # eight times as often as by chance
    assert pointwise_mutual_information(5, 10, 50, 100) == 0.0
    assert pointwise_mutual_information(0, 10, 20, 160) == -math.inf


def test_counts_that_cannot_be_are_refused() -> None:
    with pytest.raises(BugError, match="no such counts"):
        log_likelihood_ratio(5, 4, 10, 100)
