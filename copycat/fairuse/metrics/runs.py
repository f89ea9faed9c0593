"""Common runs in any order: what a text is stitched together from."""

from __future__ import annotations

from collections.abc import Sequence

from copycat.fairuse.metrics.suffixes import Match


def common_runs(lengths: Sequence[int], places: Sequence[int], min_words: int) -> list[Match]:
    """Cut an output into the runs that a reference holds, from left to right, each as long as it goes.

    A run of fewer than `min_words` words is passed over by one word. Runs do not overlap in the output; the
    reference may be used more than once and in any order, so that many short quotes from one work are found.

    Args:
        lengths, places: of `suffixes.longest_at_each`.
    """
    found: list[Match] = []
    place = 0
    while place < len(lengths):
        length = lengths[place]
        if length >= min_words:
            found.append(Match(place, places[place], length))
        place += length if length >= min_words else 1
    return found


def accumulated(lengths: Sequence[int], min_words: int) -> int:
    """Sum the lengths of `common_runs`: ACS, in words.

    Source: CoTaEval (arXiv 2406.18664), with runs of 3 tokens and more.
    """
    total = place = 0
    while place < len(lengths):
        length = lengths[place]
        total += length if length >= min_words else 0
        place += length if length >= min_words else 1
    return total
