"""What two texts have in common in a row, by a suffix array over both: linear time, however repetitive they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from copycat.fairuse.metrics.numbers import Pair

if TYPE_CHECKING:
    import numpy as np


class Match(NamedTuple):
    """A run that two texts share: where it starts in each, and how long it is."""

    output: int
    reference: int
    length: int


class Suffixes(NamedTuple):
    """A suffix array of output + separator + reference.

    Shapes: all (N + M + 1,). `common[i]` is how much of suffixes i and i + 1 of the order is the same, the last 0.
    `start_of_reference` is N + 1.
    """

    order: np.ndarray[Any, Any]
    common: np.ndarray[Any, Any]
    start_of_reference: int


def suffixes_of(pair: Pair) -> Suffixes:
    """Sort the suffixes of both texts; numbers are at least 0."""
    import numpy as np
    from pydivsufsort import divsufsort, kasai  # type: ignore[import-untyped]

    joined = np.concatenate([pair.output + 1, np.zeros(1, dtype=np.int32), pair.reference + 1])
    if int(joined.max()) < 256:
        joined = joined.astype(np.uint8)  # several times faster
    order = divsufsort(joined)
    return Suffixes(order, kasai(joined, order), len(pair.output) + 1)


def longest_match(pair: Pair) -> Match:
    """Find the longest run that both texts hold; of several the first in the output, then the first in the reference.

    That is what `difflib.SequenceMatcher.find_longest_match` gives. The length is 0 where they share nothing.
    """
    import numpy as np

    if not pair.shorter:
        return Match(0, 0, 0)
    order, common, start = suffixes_of(pair)
    of_reference = order >= start
    across = common[:-1] * (of_reference[:-1] != of_reference[1:])
    length = int(across.max(initial=0))
    if not length:
        return Match(0, 0, 0)
    # Suffixes between two places where less is common begin with the same `length` letters.
    groups = np.concatenate([[0], np.flatnonzero(common[:-1] < length) + 1])
    nowhere = len(order)
    output = np.minimum.reduceat(np.where(of_reference, nowhere, order), groups)
    reference = np.minimum.reduceat(np.where(of_reference, order, nowhere), groups)
    output[reference == nowhere] = nowhere
    best = int(output.argmin())
    return Match(int(output[best]), int(reference[best]) - start, length)


def longest_at_each(pair: Pair) -> tuple[list[int], list[int]]:
    """Find, for each place of the output, how much from there on stands anywhere in the reference, and where.

    Returns: (N,) lengths and (N,) places in the reference; a place means nothing where the length is 0.

    Source: Chang & Lawler 1994, Algorithmica 12:327 (matching statistics).
    """
    found = suffixes_of(pair)
    order, common, start = found.order.tolist(), found.common.tolist(), found.start_of_reference
    lengths, places = [0] * (start - 1), [0] * (start - 1)
    _sweep(order, [0, *common[:-1]], start, lengths, places)
    _sweep(order[::-1], [0, *common[-2::-1]], start, lengths, places)
    return lengths, places


def _sweep(order: list[int], before: list[int], start: int, lengths: list[int], places: list[int]) -> None:
    """Take the nearest suffix of the reference that came before; `before[i]` is what suffixes i - 1 and i share."""
    length = place = 0
    separator = start - 1
    for suffix, shared in zip(order, before, strict=True):
        length = min(length, shared)
        if suffix >= start:
            place, length = suffix - start, len(order)
        elif suffix < separator and length > lengths[suffix]:
            lengths[suffix], places[suffix] = length, place
