"""Roots and proofs, against the definition in RFC 6962 and its published vectors."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copycat.provenance.manifest.merkle import Merkle, merkle_root, prove, proves

VECTORS = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
"""Leaves of the vectors that implementations of Certificate Transparency share."""

ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def by_definition(leaves: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, word by word."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    cut = 1
    while cut * 2 < len(leaves):
        cut *= 2
    return hashlib.sha256(b"\x01" + by_definition(leaves[:cut]) + by_definition(leaves[cut:])).digest()


@pytest.mark.parametrize("size", range(len(ROOTS)))
def test_the_root_is_that_of_the_published_vectors(size: int) -> None:
    assert merkle_root(VECTORS[:size]) == ROOTS[size]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.binary(max_size=4), max_size=70), st.data())
def test_the_root_is_that_of_the_definition_however_leaves_come(leaves: list[bytes], data: st.DataObject) -> None:
    tree, at = Merkle(), 0
    while at < len(leaves):
        count = data.draw(st.integers(1, len(leaves) - at))
        tree.extend(leaves[at : at + count])
        at += count
    assert tree.root() == merkle_root(leaves) == by_definition(leaves).hex()
    assert tree.size == len(leaves)


def test_blocks_larger_than_a_subtree_give_the_same_root() -> None:
    leaves = [str(number).encode() for number in range(9001)]
    tree = Merkle()
    tree.extend(leaves[:4097])
    tree.extend(leaves[4097:])
    assert tree.root() == by_definition(leaves).hex()


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 13])
def test_a_proof_holds_for_its_leaf_and_root_and_for_nothing_else(size: int) -> None:
    leaves = [bytes([number]) for number in range(size)]
    root = merkle_root(leaves)
    for index in range(size):
        proof = prove(leaves, index)
        assert proves(proof, leaves[index], root)
        assert not proves(proof, b"other", root)
        assert not proves(proof, leaves[index], merkle_root([*leaves, b"one more"]))
        assert not proves(proof.model_copy(update={"path": (*proof.path, "00" * 32)}), leaves[index], root)
        assert not proves(proof.model_copy(update={"index": size}), leaves[index], root)


def test_a_forged_proof_leads_nowhere() -> None:
    leaves = [bytes([number]) for number in range(5)]
    root, good = merkle_root(leaves), prove(leaves, 2)
    node = b"".join(hashlib.sha256(b"\x00" + leaf).digest() for leaf in leaves[2:4])  # what a node is the hash of
    assert not proves(good.model_copy(update={"size": 3, "index": 1, "path": good.path[1:]}), node, root)
    forged = (
        {"path": good.path[:-1]},
        {"path": good.path[::-1]},
        {"path": ()},
        {"path": ("no hash", *good.path[1:])},
        {"path": (good.path[0] + good.path[1], *good.path[2:])},
        {"index": -1},
        {"index": 3},
        {"size": 0},
        {"size": 10**400},
    )
    assert proves(good, leaves[2], root)
    assert not any(proves(good.model_copy(update=each), leaves[2], root) for each in forged)


def test_there_is_no_proof_of_a_leaf_that_is_not_there() -> None:
    with pytest.raises(IndexError, match="no leaf 3"):
        prove([b"a", b"b"], 3)
