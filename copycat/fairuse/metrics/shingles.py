"""The share of short windows that two texts have in common."""

from __future__ import annotations

from copycat.fairuse.metrics.numbers import Pair, gram_numbers


def jaccard(pair: Pair, n: int) -> float:
    """Give the windows of n words (or letters) that both texts have, over all that either has, each counted once.

    It is the exact number that MinHash estimates (Broder 1997). Where a text is shorter than a window, windows are as
    long as that text; 0 for an empty text.
    """
    import numpy as np

    if not pair.shorter:
        return 0.0
    first, second = (np.unique(part) for part in gram_numbers(pair, min(n, pair.shorter)))
    shared = len(np.intersect1d(first, second, assume_unique=True))
    return shared / (len(first) + len(second) - shared)
