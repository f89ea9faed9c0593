"""Near duplicates: hashes within four bits of each other, against a comparison of every pair."""

from __future__ import annotations

import numpy as np
import pytest

from copycat.imitation.count.near import group_near


def by_every_pair(hashes: list[int], distance: int) -> list[int]:
    """Join every near pair by hand."""
    group = list(range(len(hashes)))
    for i, a in enumerate(hashes):
        for j, b in enumerate(hashes[:i]):
            if (a ^ b).bit_count() <= distance:
                old, new = group[i], group[j]
                group = [new if each == old else each for each in group]
    return group


def same_partition(one: list[int], other: list[int]) -> bool:
    return len(set(one)) == len(set(other)) == len(set(zip(one, other, strict=True)))


@pytest.mark.parametrize("distance", [0, 2, 4])
def test_groups_are_those_of_comparing_every_pair(distance: int) -> None:
    rng = np.random.default_rng(distance)
    hashes: list[int] = []
    for _ in range(40):
        start = int(rng.integers(0, 2**64, dtype=np.uint64))
        for _ in range(6):
            flipped = rng.choice(64, size=int(rng.integers(0, 7)), replace=False)
            hashes.append(start ^ sum(1 << int(bit) for bit in flipped))
    found = group_near(np.array(hashes, dtype=np.uint64), distance)
    assert same_partition(found.tolist(), by_every_pair(hashes, distance))
    assert 40 <= len(set(found.tolist())) < len(hashes)


def test_four_bits_are_near_and_five_are_not() -> None:
    assert len(set(group_near(np.array([0, 0b1111], dtype=np.uint64)).tolist())) == 1
    assert len(set(group_near(np.array([0, 0b11111], dtype=np.uint64)).tolist())) == 2
    spread = sum(1 << bit for bit in (0, 16, 40, 63))
    assert len(set(group_near(np.array([0, spread, 2**64 - 1], dtype=np.uint64)).tolist())) == 2


def test_a_chain_of_near_hashes_is_one_group() -> None:
    chain = [2 ** (4 * n) - 1 for n in range(8)]
    assert set(group_near(np.array(chain, dtype=np.uint64)).tolist()) == {0}


def test_nothing_and_one_have_their_groups() -> None:
    assert group_near(np.empty(0, dtype=np.uint64)).tolist() == []
    assert group_near(np.array([7, 7], dtype=np.uint64)).tolist() == [0, 0]


def test_a_distance_that_the_search_would_miss_is_refused() -> None:
    with pytest.raises(ValueError, match="distance 5"):
        group_near(np.array([1], dtype=np.uint64), 5)
