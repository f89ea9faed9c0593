"""Data-side mitigations: training texts that are repeated are thrown out before training."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import Any

from copycat.fairuse.text import words_of

SHINGLE_WORDS, PERMUTATIONS, THRESHOLD = 5, 128, 0.6
"""Texts are near copies where the MinHash estimate of the Jaccard similarity of their 5-word shingles reaches 0.6."""


def keep_distinct(texts: Sequence[str]) -> list[int]:
    """Give the places of the texts that are left when each exact repetition is thrown out."""
    first: dict[str, int] = {}
    for place, text in enumerate(texts):
        first.setdefault(hashlib.sha256(text.encode("utf-8")).hexdigest(), place)
    return sorted(first.values())


def near_groups(texts: Sequence[str]) -> list[int]:
    """Give each text the place of the first text that it is a near copy of, its own where there is none.

    Near copies of near copies are not chained: a text is compared with the first of each group alone.

    Source: MinHash with locality-sensitive hashing, Broder 1997; as used for training texts by Lee et al. 2022
        (arXiv:2107.06499).
    """
    from datasketch import MinHashLSH  # type: ignore[import-untyped]

    index = MinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS)
    signatures: dict[int, Any] = {}
    groups: list[int] = []
    known: dict[str, int] = {}
    for place, text in enumerate(texts):
        if text in known:
            groups.append(known[text])
            continue
        signature = _signature(text)
        near = [int(key) for key in index.query(signature)]
        first = min((n for n in near if signatures[n].jaccard(signature) >= THRESHOLD), default=place)
        if first == place:
            signatures[place] = signature
            index.insert(str(place), signature)
        known[text] = first
        groups.append(first)
    return groups


def keep_first(groups: Sequence[int], most: int = 1) -> list[int]:
    """Give the places that are left when each group of near copies keeps its first `most` texts."""
    seen: Counter[int] = Counter()
    kept: list[int] = []
    for place, group in enumerate(groups):
        seen[group] += 1
        if seen[group] <= most:
            kept.append(place)
    return kept


def _signature(text: str) -> Any:  # a MinHash of datasketch
    from datasketch import MinHash

    words = [word.lower() for word in words_of(text).words]
    shingles = {" ".join(words[i : i + SHINGLE_WORDS]) for i in range(max(1, len(words) - SHINGLE_WORDS + 1))}
    signature = MinHash(num_perm=PERMUTATIONS, seed=1)
    signature.update_batch(sorted(shingle.encode("utf-8") for shingle in shingles))
    return signature
