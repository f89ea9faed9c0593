"""Deduplication before training, against what is known of the planted texts and against exact Jaccard similarity."""

from __future__ import annotations

from collections import Counter

from copycat.fairuse.text import words_of
from copycat.fairuse.world.mitigations.cleaning import SHINGLE_WORDS, keep_distinct, keep_first, near_groups
from copycat.fairuse.world.planted import background_texts, copies, copies_of, planted_works, unseen_texts


def jaccard(one: str, other: str) -> float:
    def shingles(text: str) -> set[tuple[str, ...]]:
        words = [word.lower() for word in words_of(text).words]
        return {tuple(words[i : i + SHINGLE_WORDS]) for i in range(len(words) - SHINGLE_WORDS + 1)}

    first, second = shingles(one), shingles(other)
    return len(first & second) / len(first | second)


def test_exact_repetitions_are_removed_and_their_first_is_kept() -> None:
    assert keep_distinct(["a b", "c", "a b", "a  b", "c"]) == [0, 1, 3]


def test_a_work_of_many_copies_is_one_group_and_strangers_are_their_own() -> None:
    texts = [*copies(planted_works()[20].work.id), *unseen_texts(8)]
    groups = near_groups(texts)
    n = len(texts) - 8
    assert all(jaccard(texts[0], text) > 0.6 for text in texts[:n])
    assert set(groups[:n]) == {0}
    assert groups[n:] == list(range(n, n + 8))


def test_exact_removal_leaves_other_editions_that_near_copies_does_not() -> None:
    works = [work.work.id for work in planted_works() if copies_of(work.work.id) <= 64]
    copied = [(work, text) for work in works for text in copies(work)]
    texts = [text for _, text in copied] + background_texts(60)
    exact = Counter(copied[i][0] for i in keep_distinct(texts) if i < len(copied))
    kept = keep_first(near_groups(texts))
    near = Counter(copied[i][0] for i in kept if i < len(copied))
    assert exact.total() > 120
    assert set(near) == set(works)
    assert near.total() < 1.25 * len(works)
    assert sum(i >= len(copied) for i in kept) == 60


def test_a_cap_keeps_the_first_few_of_each_group() -> None:
    assert keep_first([0, 0, 2, 0, 2, 0], most=2) == [0, 1, 2, 4]


def test_no_text_gives_no_group() -> None:
    assert near_groups([]) == []
    assert near_groups(["", ""]) == [0, 0]
