"""Which texts must be read word by word: a library's search for many strings at once dismisses the others."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from copycat.corpus.reading import Batch
from copycat.errors import UserError
from copycat.names import Named, words

if TYPE_CHECKING:
    import polars as pl


THREADS = 4
"""Batches that are sieved at once, and so many are in memory."""


_BETWEEN = "[^0-9a-z]+"


class PhraseFinder:
    """Finds whole words and runs of words; phrases may overlap, and each that is there counts.

    Raises:
        UserError: a phrase holds no letter or digit.
    """

    def __init__(self, phrases: Iterable[str]) -> None:
        self.by_words: dict[tuple[str, ...], list[str]] = {}
        for phrase in phrases:
            if not (key := tuple(words(phrase))):
                raise UserError(f"phrase '{phrase}' holds no letter or digit\n  needed: words to count; leave it out")
            self.by_words.setdefault(key, []).append(phrase)
        self.lengths = sorted({len(key) for key in self.by_words})

    def find(self, text: str) -> set[str]:
        """Give the phrases that a text holds."""
        if not self.by_words:
            return set()
        there = words(text)
        return {
            phrase
            for n in self.lengths
            for run in zip(*(there[i:] for i in range(n)), strict=False)
            if run in self.by_words
            for phrase in self.by_words[run]
        }


class Sieve:
    """Leaves out the texts that hold no name and no phrase.

    In an ASCII text a folded word stands as it is but for case, between characters that are no letters and no
    digits; any other text is always read. The search for many words at once is fast and knows no bounds of words,
    so that a regular expression looks at what it leaves.
    """

    def __init__(self, characters: Sequence[Named], finder: PhraseFinder) -> None:
        aliases = [words(alias) for character in characters for alias in (character.name, *character.aliases)]
        runs = {tuple(run) for run in (*aliases, *finder.by_words) if run and "".join(run).isascii()}
        self.longest = sorted({max(run, key=len) for run in runs})
        whole = sorted(_BETWEEN.join(run) for run in runs)
        self.bounded = rf"(?i)(?:^|{_BETWEEN})(?:{'|'.join(whole)})(?:{_BETWEEN}|$)"

    def keep(self, texts: pl.Series) -> list[str]:
        """Give the texts that must be read."""
        is_ascii = texts.str.len_bytes() == texts.str.len_chars()
        other = texts.filter(~is_ascii).to_list()
        if not self.longest:
            return other
        near = texts.filter(is_ascii & texts.str.contains_any(self.longest, ascii_case_insensitive=True))
        return near.filter(near.str.contains(self.bounded)).to_list() + other


def sieved(batches: Iterator[Batch], sieve: Sieve) -> Iterator[tuple[Batch, list[str]]]:
    """Sieve a few batches ahead in threads: the library that searches lets others run meanwhile."""
    ahead: deque[tuple[Batch, Future[list[str]]]] = deque()
    with ThreadPoolExecutor(THREADS) as pool:
        for batch in batches:
            ahead.append((batch, pool.submit(sieve.keep, batch.texts)))
            if len(ahead) > THREADS:
                done, kept = ahead.popleft()
                yield done, kept.result()
        yield from ((done, kept.result()) for done, kept in ahead)
