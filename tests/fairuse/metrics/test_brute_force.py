"""Every metric against the plainest way to compute it, on 500 random pairs of texts (U2)."""

from __future__ import annotations

import difflib
import math
import random
from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np
import pytest

from copycat.fairuse.metrics import blocks, near_verbatim, near_verbatim_grid, scores
from copycat.fairuse.metrics.blocks import matching_blocks
from copycat.fairuse.metrics.numbers import Pair, number_words
from copycat.fairuse.metrics.sequence import local_edit_similarity
from copycat.fairuse.metrics.suffixes import Match, longest_match

PAIRS = 500
WORDS = ["tide", "clock", "the", "of", "a", "lantern", "moss", "otter", "under", "bell"]


@cache
def pairs() -> list[tuple[list[str], list[str]]]:
    """Random texts, some with long parts in common, some of few different words, some empty."""
    rng = random.Random(11)
    made = []
    for _ in range(PAIRS):
        vocabulary = WORDS[: rng.choice((1, 2, 4, 10))]
        first, second = ([rng.choice(vocabulary) for _ in range(rng.randrange(28))] for _ in range(2))
        if rng.random() < 0.5:
            cut = rng.randrange(28)
            second = first[:cut] + second[: rng.randrange(8)] + first[cut:]
        made.append((first, second))
    return made


def texts() -> Iterator[tuple[list[str], list[str], str, str]]:
    for first, second in pairs():
        yield first, second, " ".join(first), " ".join(second)


scored = cache(scores)


# ----------------------------------------------------------------------------------- plain versions


def run_from(a: Sequence[str], b: Sequence[str], i: int, j: int) -> int:
    length = 0
    while i + length < len(a) and j + length < len(b) and a[i + length] == b[j + length]:
        length += 1
    return length


def substring(a: Sequence[str], b: Sequence[str]) -> int:
    return max((run_from(a, b, i, j) for i in range(len(a)) for j in range(len(b))), default=0)


def subsequence(a: Sequence[str], b: Sequence[str]) -> int:
    row = [0] * (len(b) + 1)
    for word in a:
        before = row[:]
        for j, other in enumerate(b, start=1):
            row[j] = before[j - 1] + 1 if word == other else max(before[j], row[j - 1])
    return row[-1]


def edits(a: Sequence[str], b: Sequence[str], free: int = 0) -> int:
    """Levenshtein; with `free`, what stands before and behind in b costs nothing."""
    row = [0 if free else j for j in range(len(b) + 1)]
    for i, word in enumerate(a, start=1):
        before, row = row, [i]
        for j, other in enumerate(b, start=1):
            row.append(min(before[j] + 1, row[-1] + 1, before[j - 1] + (word != other)))
    return min(row) if free else row[-1]


def acs(a: Sequence[str], b: Sequence[str], least: int) -> int:
    total = i = 0
    while i < len(a):
        length = max((run_from(a, b, i, j) for j in range(len(b))), default=0)
        total, i = (total + length, i + length) if length >= least else (total, i + 1)
    return total


def jaccard(a: Sequence[str], b: Sequence[str], n: int) -> float:
    if not a or not b:
        return 0.0
    n = min(n, len(a), len(b))
    first, second = ({tuple(t[i : i + n]) for i in range(len(t) - n + 1)} for t in (a, b))
    return len(first & second) / len(first | second)


def near(a: Sequence[str], b: Sequence[str], gap: int, least: int, block: int = 3) -> int:
    """Matched words of kept spans, by difflib."""
    shorter = min(len(a), len(b))
    of_both, of_work = (min(least, max(block, math.ceil(0.8 * n)), max(1, n)) for n in (shorter, len(b)))
    least = max(of_both, min(10, of_work))
    matcher = difflib.SequenceMatcher(None, a, b, autojunk=False)
    spans: list[list[tuple[int, int, int]]] = []
    for i, j, n in matcher.get_matching_blocks():
        if n < max(1, min(block, shorter)):
            continue
        if spans:
            p, q, m = spans[-1][-1]
            if i - p - m <= gap and j - q - m <= gap:
                spans[-1].append((i, j, n))
                continue
        spans.append([(i, j, n)])
    return sum(
        sum(n for _, _, n in span)
        for span in spans
        if min(span[-1][k] + span[-1][2] - span[0][k] for k in (0, 1)) >= least
    )


# ---------------------------------------------------------------------------------------- the tests


def test_u2_the_longest_common_substring_equals_brute_force_on_500_pairs() -> None:
    for first, second, output, reference in texts():
        found = scored(output, reference)
        assert found.common_substring == substring(first, second)
        assert found.common_substring_chars == (substring(output, reference) if first and second else 0)


def test_prefix_subsequence_rouge_and_edits_equal_brute_force_on_500_pairs() -> None:
    for first, second, output, reference in texts():
        found, longest = scored(output, reference), max(len(first), len(second), 1)
        in_order = subsequence(first, second)
        assert found.common_prefix == run_from(first, second, 0, 0)
        assert found.common_subsequence == in_order
        assert found.rouge_l_recall == (in_order / len(second) if second else 0)
        assert found.rouge_l_precision == (in_order / len(first) if first else 0)
        assert found.edit_similarity == (1 - edits(first, second) / longest if first and second else 0)


def test_the_best_window_equals_brute_force_on_500_pairs() -> None:
    for first, second, output, reference in texts():
        found = scored(output, reference).local_edit_similarity
        pattern, text = (first, second) if len(first) < len(second) else (second, first)
        assert found == (1 - edits(pattern, text, free=1) / len(pattern) if pattern else 0)


def test_acs_equals_brute_force_on_500_pairs() -> None:
    for first, second, output, reference in texts():
        found = scored(output, reference)
        assert (found.acs_3, found.acs_6, found.acs_15) == tuple(acs(first, second, n) for n in (3, 6, 15))


def test_the_jaccard_figures_equal_brute_force_on_500_pairs() -> None:
    for first, second, output, reference in texts():
        found = scored(output, reference)
        assert found.minhash_words == jaccard(first, second, 5)
        assert found.minhash_chars == (jaccard(output, reference, 3) if first and second else 0)


def test_near_verbatim_recall_and_precision_equal_difflib_on_500_pairs() -> None:
    for first, second, output, reference in texts():
        found, matched = scored(output, reference), near(first, second, gap=5, least=50)
        assert found.near_verbatim_recall == (matched / len(second) if second else 0)
        assert found.near_verbatim_precision == (matched / len(first) if first else 0)


def test_the_grid_of_gaps_and_lengths_equals_difflib_on_500_pairs() -> None:
    for first, second, _, _ in texts():
        grid = near_verbatim_grid(number_words(first, second), gaps=(0, 2, 5), lengths=(4, 9, 50))
        for (gap, length), recall in grid.items():
            assert recall == (near(first, second, gap, length) / len(second) if second else 0)


@pytest.mark.parametrize("listed_for_each_word", [4.0, 0.2], ids=["by pairs", "by suffix arrays"])
def test_blocks_equal_difflib_on_500_pairs_by_either_way(
    listed_for_each_word: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "PAIRS_PER_WORD", listed_for_each_word)
    monkeypatch.setattr(blocks, "MIN_PAIRS", 0)
    for first, second in pairs():
        for least in (1, 2, 3):
            matcher = difflib.SequenceMatcher(None, first, second, autojunk=False)
            found = matching_blocks(number_words(first, second), least)
            assert found.exact
            assert found.blocks == [Match(*block) for block in matcher.get_matching_blocks() if block.size >= least]


def test_blocks_of_long_texts_with_many_changes_equal_difflib() -> None:
    rng = random.Random(5)
    first = [str(rng.randrange(60)) for _ in range(1500)]
    second = [str(rng.randrange(60)) if rng.random() < 0.15 else word for word in first]
    second = second[700:] + second[:750]

    found = matching_blocks(number_words(first, second), 3)

    matcher = difflib.SequenceMatcher(None, first, second, autojunk=False)
    assert found.blocks == [Match(*block) for block in matcher.get_matching_blocks() if block.size >= 3]


def test_the_longest_match_is_the_first_of_several_as_in_difflib() -> None:
    for first, second in pairs():
        wanted = difflib.SequenceMatcher(None, first, second, autojunk=False).find_longest_match()
        found = longest_match(number_words(first, second))
        assert found == (Match(*wanted) if wanted.size else Match(0, 0, 0))


def test_where_the_bound_on_work_is_met_the_blocks_are_said_to_be_inexact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "MAX_SORTED", 0)
    rng = np.random.default_rng(3)
    pair = Pair(*(rng.integers(0, 2, 800).astype(np.int32) for _ in range(2)))

    found = near_verbatim(pair)

    assert not found.exact
    for block in found.blocks:
        part = slice(block.output, block.output + block.length)
        other = slice(block.reference, block.reference + block.length)
        assert pair.output[part].tolist() == pair.reference[other].tolist()


def test_the_best_window_of_a_long_text_is_found_where_it_was_put() -> None:
    rng = random.Random(2)
    page = [str(rng.randrange(500)) for _ in range(120)]
    book = [str(rng.randrange(500)) for _ in range(4000)]
    book[1700:1820] = [*page[:50], "changed", *page[51:]]

    assert local_edit_similarity(number_words(page, book)) == 1 - 1 / 120
