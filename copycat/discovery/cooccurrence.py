"""How strongly a word goes with a name, from counts of documents. Pure formulas.

Source: document co-occurrence is CopyCat (arXiv 2406.14526), section 3.2; pointwise mutual information is Church and
Hanks (1990), "Word association norms, mutual information, and lexicography"; the log-likelihood ratio is Dunning
(1993), "Accurate methods for the statistics of surprise and coincidence".
"""

from __future__ import annotations

from math import inf, log, log2

from copycat.errors import BugError


def pointwise_mutual_information(together: int, with_name: int, with_word: int, total: int) -> float:
    """Give log2 p(name, word) / (p(name) p(word)), in bits; -inf where they never meet.

    High for rare words that meet a name once: read it beside the count, or use the log-likelihood ratio.
    """
    _require_counts(together, with_name, with_word, total)
    return log2(together * total / (with_name * with_word)) if together else -inf


def log_likelihood_ratio(together: int, with_name: int, with_word: int, total: int) -> float:
    """Give the signed G2 of the two-by-two table, in nats: positive where they meet more often than by chance."""
    _require_counts(together, with_name, with_word, total)
    cells = (
        (together, with_name, with_word),
        (with_name - together, with_name, total - with_word),
        (with_word - together, total - with_name, with_word),
        (total - with_name - with_word + together, total - with_name, total - with_word),
    )
    g2 = 2 * sum(seen * log(seen * total / (row * column)) for seen, row, column in cells if seen)
    return g2 if together * total >= with_name * with_word else -g2


def _require_counts(together: int, with_name: int, with_word: int, total: int) -> None:
    fits = 0 <= together <= min(with_name, with_word) and with_name + with_word - together <= total
    if not fits:
        raise BugError(f"no such counts: {together} of {with_name} and {with_word} documents, {total} in all")
