"""Prefix, subsequence and edit distance, over whole texts and over the best window."""

from __future__ import annotations

from collections import defaultdict

from copycat.fairuse.metrics.numbers import Pair

MOST_CELLS = 4 * 10**10
"""Words x words up to which subsequence and edit distance are computed: 200,000 against 200,000, some two seconds each.
More where the texts are much alike: then only places near the diagonal count."""

MOST_WINDOW_CELLS = 4 * 10**9
"""The same for the best window: 20,000 words in 200,000, one second."""


def common_prefix(pair: Pair) -> int:
    """Count the words at the beginning that are the same; one wrong first word makes it 0."""
    import numpy as np

    differing = np.flatnonzero(pair.output[: pair.shorter] != pair.reference[: pair.shorter])
    return int(differing[0]) if len(differing) else pair.shorter


def common_subsequence(pair: Pair, at_least: int = 0) -> int | None:
    """Count the words of the longest common subsequence: in order, with any gaps; None beyond MOST_CELLS.

    Args:
        at_least: a length that it is known to have, such as that of blocks in order; the nearer, the faster.
    """
    if _cells(pair, len(pair.output) + len(pair.reference) - 2 * at_least) > MOST_CELLS:
        return None
    from rapidfuzz.distance import LCSseq

    return int(LCSseq.similarity(pair.output.tolist(), pair.reference.tolist(), score_cutoff=at_least))


def edit_similarity(pair: Pair, in_order: int = 0) -> float | None:
    """Give 1 - edits / words of the longer text, with edits of one word each; 0 for an empty text.

    None beyond MOST_CELLS.

    Args:
        in_order: length of a common subsequence; the longer, the faster.
    """
    if not pair.shorter:
        return 0.0
    longer = max(len(pair.output), len(pair.reference))
    most = min(longer, len(pair.output) + len(pair.reference) - 2 * in_order)
    if _cells(pair, most) > MOST_CELLS:
        return None
    from rapidfuzz.distance import Levenshtein

    edits = Levenshtein.distance(pair.output.tolist(), pair.reference.tolist(), score_cutoff=most)
    return 1 - int(edits) / longer


def _cells(pair: Pair, edits: int) -> int:
    """Count the places of the table that have to be filled where there are at most so many edits."""
    longer = max(len(pair.output), len(pair.reference))
    return min(pair.shorter, 2 * edits + 1) * longer


def local_edit_similarity(pair: Pair) -> float | None:
    """Give 1 - edits / words of the shorter text, against the window of the longer one that it fits best.

    The window may have any length, so that no edit is counted for what stands before and after it. 0 for an empty
    text, None beyond MOST_WINDOW_CELLS.
    """
    if not pair.shorter:
        return 0.0
    if len(pair.output) * len(pair.reference) > MOST_WINDOW_CELLS:
        return None
    pattern, text = (pair.output, pair.reference) if len(pair.output) < len(pair.reference) else pair[::-1]
    return 1 - _edits_to_best_window(pattern.tolist(), text.tolist()) / len(pattern)


def _edits_to_best_window(pattern: list[int], text: list[int]) -> int:
    """Find the fewest edits between a pattern and any window of a text.

    Source: Myers 1999, J. ACM 46:395; the column is one long integer, a bit for each word of the pattern.
    """
    places: defaultdict[int, int] = defaultdict(int)
    for place, word in enumerate(pattern):
        places[word] |= 1 << place
    bits, top = (1 << len(pattern)) - 1, 1 << (len(pattern) - 1)
    rises, falls = bits, 0
    edits = fewest = len(pattern)
    for word in text:
        here = places.get(word, 0)
        diagonal = (((here & rises) + rises) ^ rises) | here | falls
        right_rises = falls | (bits & ~(diagonal | rises))
        right_falls = rises & diagonal
        edits += bool(right_rises & top) - bool(right_falls & top)
        fewest = min(fewest, edits)
        right_rises, right_falls = right_rises << 1, right_falls << 1  # no edit for where the window starts
        rises = bits & (right_falls | ~(diagonal | right_rises))
        falls = bits & right_rises & diagonal
    return fewest
