"""Pictures that are alike: groups of perceptual hashes that differ in at most four of 64 bits."""

from __future__ import annotations

from functools import cache
from itertools import combinations
from typing import Any

import numpy as np

MAX_DISTANCE = 4
"""Bits in which the hashes of near duplicates may differ."""

_BLOCKS = ((0, 11), (11, 11), (22, 11), (33, 11), (44, 10), (54, 10))
"""Offset and width of six parts of a hash. Four bits touch at most four of them: two parts of near duplicates agree."""


def group_near(hashes: Any, max_distance: int = MAX_DISTANCE) -> Any:
    """Give each hash the number of its group: hashes are of one group where a chain of near ones joins them.

    Exact: no pair is missed, for distances up to four. Time grows with n log n unless very many hashes agree in two of
    six parts.

    Shapes:
        hashes: (N,) uint64.
        returns: (N,) int, from 0.

    Raises:
        ValueError: `max_distance` is above four, for which the search would miss pairs.
    """
    if not 0 <= max_distance <= MAX_DISTANCE:
        raise ValueError(f"distance {max_distance} is not in 0 to {MAX_DISTANCE}")
    from scipy.sparse import coo_matrix  # type: ignore[import-untyped]
    from scipy.sparse.csgraph import connected_components  # type: ignore[import-untyped]

    distinct, place = np.unique(np.asarray(hashes, dtype=np.uint64), return_inverse=True)
    if len(distinct) < 2:
        return np.zeros(len(place), dtype=np.intp)
    left, right = _near_pairs(distinct, max_distance)
    graph = coo_matrix((np.ones(len(left), dtype=np.int8), (left, right)), shape=(len(distinct), len(distinct)))
    return connected_components(graph, directed=False)[1][place]


def _near_pairs(distinct: Any, max_distance: int) -> tuple[Any, Any]:
    """Give the places of near hashes: those that agree in two parts are sorted together and compared."""
    lefts, rights = [], []
    for first, second in combinations(_BLOCKS, 2):
        key = _part(distinct, first) << np.uint64(11) | _part(distinct, second)
        order = np.argsort(key, kind="stable")
        key, hashes = key[order], distinct[order]
        here = np.arange(len(order))
        for lag in range(1, len(order)):
            here = here[here + lag < len(order)]
            here = here[key[here] == key[here + lag]]
            if not len(here):
                break
            near = here[_bits(hashes[here] ^ hashes[here + lag]) <= max_distance]
            lefts.append(order[near])
            rights.append(order[near + lag])
    if not lefts:
        return np.empty(0, dtype=np.intp), np.empty(0, dtype=np.intp)
    return np.concatenate(lefts), np.concatenate(rights)


def _part(hashes: Any, block: tuple[int, int]) -> Any:
    offset, width = block
    return (hashes >> np.uint64(offset)) & np.uint64(2**width - 1)


@cache
def _bits_of_16() -> Any:
    return np.array([number.bit_count() for number in range(2**16)], dtype=np.uint8)


def _bits(words: Any) -> Any:
    """Count the bits of each 64-bit word (numpy has this from version 2)."""
    return _bits_of_16()[np.ascontiguousarray(words).view(np.uint16)].reshape(len(words), 4).sum(axis=1)
