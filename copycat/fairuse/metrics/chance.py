"""What an open-weight model would give: from the probability of a passage to the chance that it is drawn."""

from __future__ import annotations

import math


def chance_of_extraction(log_p: float, n: int) -> float:
    """Give the chance that at least one of n independent draws is the passage, `1 - (1 - p_z)^n`.

    Args:
        log_p: natural logarithm of p_z, the product of the probabilities of its tokens by teacher forcing.
        n: draws, at least 0.

    Raises:
        ValueError: log_p is above 0 or no number, or n is below 0.

    Source: Cooper et al. (arXiv 2505.12546), (n, p)-discoverable extraction. Computed so that p_z of 1e-300 stays
        exact.
    """
    if not log_p <= 0:
        raise ValueError(f"the logarithm of a probability is at most 0, got {log_p}")
    if n < 0:
        raise ValueError(f"draws are counted from 0 on, got {n}")
    if log_p == 0:
        return float(n > 0)
    return -math.expm1(n * math.log1p(-math.exp(log_p)))


def draws_needed(log_p: float, chance: float = 0.5) -> float:
    """Give how many draws find the passage with this chance; infinite where p_z is too small for a computer.

    Raises:
        ValueError: log_p is above 0 or no number, or the chance is not between 0 and 1.
    """
    if not log_p <= 0:
        raise ValueError(f"the logarithm of a probability is at most 0, got {log_p}")
    if not 0 < chance < 1:
        raise ValueError(f"a chance lies between 0 and 1, got {chance}")
    if log_p == 0:
        return 1.0
    miss = math.log1p(-math.exp(log_p))
    return math.log1p(-chance) / miss if miss else math.inf


def log_p_per_letter(log_p: float, letters: int) -> float:
    """Divide by the passage's letters: what can be compared between models that cut words into other tokens.

    Unit: nats per letter, at most 0. Direction: nearer to 0 is better known by heart.

    Raises:
        ValueError: there is no letter.
    """
    if letters < 1:
        raise ValueError(f"a passage has at least one letter, got {letters}")
    return log_p / letters
