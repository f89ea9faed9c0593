"""Which pictures are copies of each other, though their bytes differ: re-encoded, brightened, moved by a pixel.

How the limits were chosen: of 900 pictures of the sandbox (50 characters, 3 anchors, 3 seeds, with and without a
negative prompt), no two of one run are nearer than 22 of 256 bits, or than 7 grey levels once one is moved and made
as bright as the other. Copies as JPEG (75) or WebP (80), with noise of 8 levels, 10 % brighter or resized are within
10 bits (99.9 %); those moved by a pixel or with noise of 2 levels are within 4 grey levels (all).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from copycat.leaderboard.pictures import Look

MAX_BITS = 10
"""Bits, of 256, in which the hashes of a picture and its copy differ at most."""
MAX_LEVELS = 20.0
"""Grey levels, of 255, that a copy may be brighter or darker on average."""

MAX_BITS_MOVED = 72
MAX_LEVELS_MOVED = 4.0
"""The same once a copy is moved back by a pixel and made as bright: its hash says little, and its pixels say all."""

COARSE_PX, MAX_LEVELS_COARSE = 8, 16.0
"""Pictures that differ by more, square by square, are not compared pixel by pixel."""

WORDS, BANDS = 4, MAX_BITS + 1
BLOCK = 1024
HASH_BITS = 256

Hashes = npt.NDArray[np.uint64]
"""(N, 4): hashes of 256 bits in four words."""
Groups = npt.NDArray[np.int64]


def packed_hashes(texts: Sequence[str]) -> Hashes:
    """Pack hashes in hex, 64 digits each."""
    content = bytes.fromhex("".join(texts))
    return np.frombuffer(content, dtype=">u8").astype(np.uint64).reshape(-1, WORDS)


def distances(one: Hashes, other: Hashes) -> npt.NDArray[np.int64]:
    """Give the number of differing bits for each pair, (N, M)."""
    differing = one[:, None, :] ^ other[None, :, :]
    return np.asarray(_count_bits(differing).sum(axis=-1, dtype=np.int64))


def near_pairs(hashes: Hashes, most: int, groups: Groups | None = None) -> Iterator[tuple[int, int, int]]:
    """Give (i, j, bits) for each pair i < j that differs in `most` bits or fewer, looking at every pair.

    Args:
        groups: (N,) integers; only pairs of two different groups are given.
    """
    for start in range(0, len(hashes), BLOCK):
        block = hashes[start : start + BLOCK]
        for other in range(start, len(hashes), BLOCK):
            found = distances(block, hashes[other : other + BLOCK])
            is_near = found <= most
            if groups is not None:
                is_near &= groups[start : start + BLOCK, None] != groups[None, other : other + BLOCK]
            for i, j in zip(*np.nonzero(is_near), strict=True):
                if start + i < other + j:
                    yield int(start + i), int(other + j), int(found[i, j])


def near_pairs_by_bands(hashes: Hashes, groups: Groups | None = None) -> Iterator[tuple[int, int, int]]:
    """Give what `near_pairs` gives for MAX_BITS, without looking at every pair.

    Of 11 bands of bits, two hashes that differ in at most 10 bits share one whole band, so that only hashes
    in one bucket of some band are compared. A pair is given once.
    """
    bits = np.unpackbits(hashes.astype(">u8").view(np.uint8).reshape(-1, HASH_BITS // 8), axis=1)
    edges = np.linspace(0, HASH_BITS, BANDS + 1).astype(int)
    for band, (left, right) in enumerate(pairwise(edges)):
        packed = np.packbits(bits[:, left:right], axis=1)
        order = np.lexsort(packed.T)
        sorted_rows = packed[order]
        starts = np.flatnonzero(np.r_[True, np.any(sorted_rows[1:] != sorted_rows[:-1], axis=1)])
        for start, stop in zip(starts, [*starts[1:], len(order)], strict=True):
            if stop - start > 1:
                members = np.sort(order[start:stop])
                of_members = None if groups is None else groups[members]
                pairs = near_pairs(hashes[members], MAX_BITS, of_members)
                yield from _not_given_before(pairs, members, bits, edges[: band + 1])


def is_copy(one: Look, other: Look, bits: int, *, may_be_alike: bool = False) -> bool:
    """Say whether two pictures are copies of each other.

    Args:
        bits: in which their hashes differ.
        may_be_alike: whether they come of one prompt: a model that has learnt a picture by heart draws it again from
            another seed, so that likeness alone does not tell, and only the pixels do.
    """
    if bits > MAX_BITS_MOVED:
        return False
    if not may_be_alike and bits <= MAX_BITS and _levels(one.thumbnail, other.thumbnail) <= MAX_LEVELS:
        return True
    return _levels_moved(one.thumbnail, other.thumbnail) <= MAX_LEVELS_MOVED


def _not_given_before(
    pairs: Iterable[tuple[int, int, int]],
    members: npt.NDArray[np.int64],
    bits: npt.NDArray[np.uint8],
    edges: npt.NDArray[np.int64],
) -> Iterator[tuple[int, int, int]]:
    """Give the pairs of one bucket; one that shares an earlier band was given there."""
    for i, j, differing in pairs:
        one, other = int(members[i]), int(members[j])
        unequal = bits[one] != bits[other]
        if all(unequal[left:right].any() for left, right in pairwise(edges)):
            yield one, other, differing


def _levels(one: npt.NDArray[np.uint8], other: npt.NDArray[np.uint8]) -> float:
    return float(np.abs(one.astype(np.int16) - other.astype(np.int16)).mean())


def _levels_moved(one: npt.NDArray[np.uint8], other: npt.NDArray[np.uint8]) -> float:
    """Give the least mean difference when one is moved by up to a pixel of its thumbnail, and made as bright."""
    first, second = (np.moveaxis(each, -1, 0).astype(np.float32) for each in (one, other))
    if float(np.abs(_coarse(first) - _coarse(second)).mean()) > MAX_LEVELS_COARSE:
        return float("inf")
    inner = np.ascontiguousarray(first[:, 1:-1, 1:-1])
    side = inner.shape[1]
    moved = (second[:, y : y + side, x : x + side] - inner for y in range(3) for x in range(3))
    return min(float(np.abs(by - by.mean(axis=(1, 2), keepdims=True)).mean()) for by in moved)


def _coarse(planes: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Average squares of 8 x 8, which a move by a pixel hardly changes, and take the brightness away."""
    count, side = planes.shape[0], planes.shape[1] // COARSE_PX
    squares = planes.reshape(count, side, COARSE_PX, side, COARSE_PX).mean(axis=(2, 4))
    return np.asarray(squares - squares.mean(axis=(1, 2), keepdims=True), dtype=np.float32)


def _count_bits(words: Hashes) -> npt.NDArray[np.uint8]:
    if hasattr(np, "bitwise_count"):
        return np.asarray(np.bitwise_count(words), dtype=np.uint8)
    table = np.array([bin(value).count("1") for value in range(256)], dtype=np.uint8)  # numpy before 2.0
    counted = table[words.view(np.uint8)]
    return np.asarray(counted.reshape(*words.shape, 8).sum(axis=-1), dtype=np.uint8)
