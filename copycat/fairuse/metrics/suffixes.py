"""What two texts have in common in a row, by a suffix array over both: linear time, however repetitive they are."""

from __future__ import annotations

from bisect import bisect_left
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


FEW_NUMBERS = 2_000
"""Up to so many, slices are sorted: the library's tables take 16 ms for a single word, and most answers are short."""


def suffixes_of(pair: Pair) -> Suffixes:
    """Sort the suffixes of both texts; numbers are at least 0."""
    import numpy as np
    from pydivsufsort import divsufsort, kasai  # type: ignore[import-untyped]

    joined = np.concatenate([pair.output + 1, np.zeros(1, dtype=np.int32), pair.reference + 1])
    if len(joined) <= FEW_NUMBERS:
        spelt = joined.astype(">u4").tobytes()
        order = np.array(sorted(range(len(joined)), key=lambda start: spelt[4 * start :]), dtype=np.int32)
        return Suffixes(order, kasai(joined, order), len(pair.output) + 1)
    if int(joined.max()) < 256:
        joined = joined.astype(np.uint8)  # several times faster
    order = divsufsort(joined)
    return Suffixes(order, kasai(joined, order), len(pair.output) + 1)


def longest_match(pair: Pair) -> Match:
    """Find the longest run that both texts hold; of several the first in the output, then the first in the reference.

    That is what `difflib.SequenceMatcher.find_longest_match` gives. The length is 0 where they share nothing.
    """
    import numpy as np

    length, output, reference = _longest(pair)
    if not length:
        return Match(0, 0, 0)
    first = int(output[:, 0].argmin())
    group = reference[reference[:, 1] == output[first, 1], 0]
    return Match(int(output[first, 0]), int(np.min(group)), length)


def longest_matches(pair: Pair) -> list[Match]:
    """Find the longest run, then the first run of the same length behind it in both texts, and so on.

    The first is `longest_match`. There is no run of this length before the first, or between two of them.
    """
    length, output, reference = _longest(pair)
    places: dict[int, list[int]] = {}
    for place, group in sorted(reference.tolist()):
        places.setdefault(group, []).append(place)
    found: list[Match] = []
    free, free_reference = 0, 0
    for place, group in sorted(output.tolist()):
        if place < free:
            continue
        nth = bisect_left(places[group], free_reference)
        if nth < len(places[group]):
            found.append(Match(place, places[group][nth], length))
            free, free_reference = place + length, places[group][nth] + length
    return found


def _longest(pair: Pair) -> tuple[int, np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Find how long the longest common run is, and where runs of this length start.

    Returns: the length, and the places in the output and in the reference, each (K, 2): the place, and the number of
    its group. What starts in one group is the same; every group has places in both texts.
    """
    import numpy as np

    nothing = np.zeros((0, 2), dtype=np.int64)
    if not pair.shorter:
        return 0, nothing, nothing
    order, common, start = suffixes_of(pair)
    of_reference = order >= start
    across = common[:-1] * (of_reference[:-1] != of_reference[1:])
    length = int(across.max(initial=0))
    if not length:
        return 0, nothing, nothing
    # Suffixes between two places where less is common begin with the same `length` letters.
    group = np.concatenate([[0], np.cumsum(common[:-1] < length)])
    in_both = np.zeros(int(group[-1]) + 1, dtype=bool)
    in_both[group[1:][across == length]] = True
    kept = in_both[group]
    here, there = kept & ~of_reference, kept & of_reference
    return (
        length,
        np.stack([order[here], group[here]], axis=1),
        np.stack([order[there] - start, group[there]], axis=1),
    )


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
