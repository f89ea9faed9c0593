"""Merkle trees: one hash over all records or files, and a short proof that one of them is in it.

The tree of RFC 6962, section 2.1 (Certificate Transparency; the same in RFC 9162): a leaf is sha256(0x00 | data), a
node sha256(0x01 | left | right), the left part of n leaves is the largest power of two below n, and the root of nothing
is sha256 of nothing. The prefixes keep a node from being taken for a leaf.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from hashlib import sha256

from copycat.schema import Record

BLOCK_LEVELS = 12
"""Levels of the subtrees that are hashed at once: 4,096 leaves."""


NODE = re.compile(r"[0-9a-f]{64}")


class Proof(Record):
    """That a leaf is part of a tree.

    Attributes:
        index: place of the leaf, from 0; size: leaves of the tree.
        path: hashes (hex) beside the way from the leaf to the root, the lowest first.
    """

    index: int
    size: int
    path: tuple[str, ...]


def leaf_hash(data: bytes) -> bytes:
    """Give the hash of a leaf, 32 bytes."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Give the hash of a node over two hashes of 32 bytes each."""
    return sha256(b"\x01" + left + right).digest()


class Merkle:
    """A root that grows leaf by leaf; holds one hash for each bit of the number of leaves."""

    def __init__(self) -> None:
        self.size = 0
        self._stack: list[bytes] = []

    def add(self, data: bytes) -> None:
        """Add the next leaf."""
        self._push(sha256(b"\x00" + data).digest(), 0)

    def extend(self, leaves: Sequence[bytes]) -> None:
        """Add leaves, a level of the tree at a time, which is quicker."""
        at = 0
        while at < len(leaves):
            height = min(BLOCK_LEVELS, (self.size & -self.size).bit_length() - 1 if self.size else BLOCK_LEVELS)
            while 1 << height > len(leaves) - at:
                height -= 1
            level = [sha256(b"\x00" + data).digest() for data in leaves[at : at + (1 << height)]]
            for _ in range(height):
                level = [sha256(b"\x01" + a + b).digest() for a, b in zip(level[::2], level[1::2], strict=True)]
            self._push(level[0], height)
            at += 1 << height

    def _push(self, got: bytes, height: int) -> None:
        """Put the root of a full tree of 2**height leaves behind those that are there."""
        self.size += 1 << height
        size = self.size >> height
        while not size & 1:
            got = sha256(b"\x01" + self._stack.pop() + got).digest()
            size >>= 1
        self._stack.append(got)

    def root(self) -> str:
        """Give the root of the leaves so far, in hex."""
        if not self._stack:
            return sha256().hexdigest()
        *lower, got = self._stack
        for left in reversed(lower):
            got = node_hash(left, got)
        return got.hex()


def merkle_root(leaves: Iterable[bytes]) -> str:
    """Give the root, in hex, over the data of leaves in their order."""
    tree = Merkle()
    for data in leaves:
        tree.add(data)
    return tree.root()


def prove(leaves: Sequence[bytes], index: int) -> Proof:
    """Give the proof that leaf `index` (from 0) is in the tree; needs 32 bytes for each leaf.

    Raises:
        IndexError: there is no such leaf.
    """
    if not 0 <= index < len(leaves):
        raise IndexError(f"no leaf {index} among {len(leaves)}")
    level, at, path = [leaf_hash(data) for data in leaves], index, []
    while len(level) > 1:
        beside = at ^ 1
        if beside < len(level):
            path.append(level[beside].hex())
        pairs = [node_hash(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level, at = pairs + level[len(level) & ~1 :], at // 2
    return Proof(index=index, size=len(leaves), path=tuple(path))


def proves(proof: Proof, data: bytes, root: str) -> bool:
    """Whether `proof` leads from a leaf's data to `root` (RFC 9162, section 2.1.3.2); what is no hash leads nowhere."""
    at, last = proof.index, proof.size - 1
    if not 0 <= at <= last or not all(NODE.fullmatch(beside) for beside in proof.path):
        return False
    got = leaf_hash(data)
    for beside in proof.path:
        if last == 0:
            return False
        if at & 1 or at == last:
            got = node_hash(bytes.fromhex(beside), got)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            got = node_hash(got, bytes.fromhex(beside))
        at, last = at >> 1, last >> 1
    return last == 0 and got.hex() == root
