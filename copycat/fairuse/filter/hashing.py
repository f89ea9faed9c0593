"""Hashes of letter windows: rolling along a stream, and of whole arrays; both give the same numbers.

A window of n letters has the sum of value(letter i) x BASE^(n - 1 - i) modulo 2^64, with its bits mixed at the end. The
value of a letter is its code point scattered by the seed (splitmix64, Steele et al. 2014), so that two seeds share no
collisions. Collisions are harmless: letters are compared wherever a hash is found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

MASK = (1 << 64) - 1
BASE = 0x9E3779B97F4A7C15 | 1
MIX = 0xD6E8FEB86659FD93
_SPLIT_1, _SPLIT_2 = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB


class LetterValues(dict[str, int]):
    """Letter -> its 64-bit value under a seed, filled on demand."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.seed = seed

    def __missing__(self, letter: str) -> int:
        state = (ord(letter) * BASE + self.seed) & MASK
        state = ((state ^ (state >> 30)) * _SPLIT_1) & MASK
        state = ((state ^ (state >> 27)) * _SPLIT_2) & MASK
        self[letter] = value = state ^ (state >> 31)
        return value


def mixed(state: int) -> int:
    """Mix the bits of a window's sum."""
    state = ((state ^ (state >> 32)) * MIX) & MASK
    return state ^ (state >> 32)


def window_hash(window: str, seed: int) -> int:
    """Hash one window by the definition; what the fast ways are checked against."""
    values, state = LetterValues(seed), 0
    for letter in window:
        state = (state * BASE + values[letter]) & MASK
    return mixed(state)


def window_hashes(codes: np.ndarray[Any, Any], window: int, seed: int) -> np.ndarray[Any, Any]:
    """Hash each window of an array of code points.

    Doubling: the sums of 2n letters are those of n letters, shifted and added. So a window of 24 takes five steps.

    Shapes:
        codes: (n,) unsigned integers.
        returns: (n - window + 1,) uint64, empty where the letters are fewer than a window.
    """
    import numpy as np

    n = len(codes) - window + 1
    if n <= 0:
        return np.empty(0, np.uint64)
    with np.errstate(over="ignore"):
        power, width = _values_of(codes, seed), 1
        total, done = np.zeros(0, np.uint64), 0  # sums of the first `done` letters of each window
        while True:
            if window & width:
                here = power[done : done + n]
                shift = np.uint64(pow(BASE, width, 1 << 64))
                total = total * shift + here if done else here
                done += width
            if done == window:
                break
            power = power[:-width] * np.uint64(pow(BASE, width, 1 << 64)) + power[width:]
            width *= 2
        total = (total ^ (total >> np.uint64(32))) * np.uint64(MIX)
        return total ^ (total >> np.uint64(32))


def _values_of(codes: np.ndarray[Any, Any], seed: int) -> np.ndarray[Any, Any]:
    import numpy as np

    state = codes.astype(np.uint64) * np.uint64(BASE) + np.uint64(seed)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(_SPLIT_1)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(_SPLIT_2)
    return state ^ (state >> np.uint64(31))
