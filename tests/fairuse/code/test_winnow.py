"""Fingerprints against a plain version of the algorithm, and the promise that it makes."""

from __future__ import annotations

import random

import pytest

from copycat.fairuse.code.records import Settings
from copycat.fairuse.code.winnow import MIN_KINDS, fingerprints_of, run_hashes


def plain_winnowing(hashes: list[int], window: int) -> list[int]:
    """Places of the smallest of each window, the rightmost of equal ones, as the paper tells it."""
    chosen = set()
    for start in range(max(1, len(hashes) - window + 1)):
        part = hashes[start : start + window]
        chosen.add(max(start + i for i, value in enumerate(part) if value == min(part)))
    return sorted(chosen)


def test_the_chosen_fingerprints_are_those_of_the_plain_algorithm() -> None:
    chance = random.Random(1)
    for _ in range(200):
        settings = Settings(k=5, window=chance.randint(1, 8))
        tokens = chance.choices("abcdefghijkl", k=chance.randint(5, 80))
        hashes = run_hashes(tokens, settings.k)
        found = fingerprints_of(tokens, settings)
        wanted = [place for place in plain_winnowing(hashes.tolist(), settings.window) if hashes[place] != 2**64 - 1]
        assert found.places.tolist() == wanted


def test_any_two_sequences_that_share_the_guaranteed_length_share_a_fingerprint() -> None:
    chance = random.Random(2)
    for _ in range(500):
        settings = Settings(k=chance.randint(10, 25), window=chance.randint(1, 12))
        shared = chance.choices("abcdefghijklmnop", k=settings.guarantee)
        first, second = (
            [*chance.choices("abcdefghijklmnop", k=chance.randrange(50)), *shared, *chance.choices("abc", k=9)]
            for _ in range(2)
        )
        inside = set(run_hashes(shared, settings.k).tolist())
        one, two = (set(fingerprints_of(tokens, settings).hashes.tolist()) for tokens in (first, second))
        assert one & two & inside


def test_equal_runs_have_equal_hashes_and_different_ones_have_not() -> None:
    hashes = run_hashes([*"abcdefg", *"abcdefg"], 6)
    assert hashes[0] == hashes[7]
    assert len(set(hashes.tolist())) == 7


def test_runs_of_few_kinds_are_no_fingerprints() -> None:
    few = [*"abcde"] * 30
    assert len(set(few)) == MIN_KINDS - 1
    assert not len(fingerprints_of(few, Settings()).hashes)
    assert len(fingerprints_of([*"abcdef"] * 30, Settings()).hashes)


@pytest.mark.parametrize(("n", "fingerprints"), [(0, 0), (24, 0), (25, 1), (29, 1)])
def test_short_sequences_give_what_they_have(n: int, fingerprints: int) -> None:
    assert len(fingerprints_of([*"abcdefghijklmnopqrstuvwxyzABCDEFG"][:n], Settings()).hashes) == fingerprints


def test_the_guarantee_is_window_plus_k_less_one() -> None:
    assert Settings(k=25, window=6).guarantee == 30
