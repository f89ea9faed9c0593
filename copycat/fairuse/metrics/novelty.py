"""Novelty: how much of an output stands in no text of an index."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

Seen = Callable[[Sequence[str]], bool]
"""Whether an index holds these words in a row."""


class GramIndex:
    """The windows of n canonical words of some texts, in memory; for a large corpus use an index on disk."""

    def __init__(self, texts: Iterable[Sequence[str]], n: int) -> None:
        if n < 1:
            raise ValueError(f"a window has at least one word, got n = {n}")
        self.n = n
        self._grams = {tuple(words[i : i + n]) for words in texts for i in range(len(words) - n + 1)}

    def __call__(self, words: Sequence[str]) -> bool:
        """Tell whether the n words stand in a text."""
        return tuple(words) in self._grams


def novelty(words: Sequence[str], seen: Seen, n: int) -> float | None:
    """Give the share of an output's windows of n words that the index lacks, each window as often as it occurs.

    None for an output of fewer than n words: it has no window. Higher is newer.

    Source: Merrill et al. 2024 (arXiv 2406.13069), n-novelty.
    """
    windows = [words[i : i + n] for i in range(len(words) - n + 1)]
    return sum(not seen(window) for window in windows) / len(windows) if windows else None
