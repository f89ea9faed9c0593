"""Count documents: which name a character, which hold a phrase, which do both. One pass for everything.

A library's search for many strings at once dismisses the documents that cannot matter; the rest are read exactly as
`copycat.names` reads them, so that a count means the same as a judge's reading of a name.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from copycat.corpus.reading import Batch, Corpus, CorpusFacts, files_sha256, read_batches
from copycat.errors import DataError, UserError
from copycat.names import Named, NameMatcher, words
from copycat.schema import Record

if TYPE_CHECKING:
    import polars as pl


THREADS = 4
"""Batches that are sieved at once, and so many are in memory."""


class Counts(Record):
    """Documents, not occurrences: one that says a name twice counts once.

    `names`: character id -> documents that name it. `phrases`: phrase -> documents that hold it.
    `together`: character id -> phrase -> documents that do both; phrases that never do are left out.
    """

    corpus: CorpusFacts
    names: dict[str, int]
    phrases: dict[str, int]
    together: dict[str, dict[str, int]]


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


def count_documents(
    corpus: Corpus,
    characters: Sequence[Named],
    phrases: Collection[str] = (),
    *,
    advance: Callable[[int], object] = lambda _: None,
) -> Counts:
    """Count the documents of a corpus in one pass.

    Args:
        characters: a document names one if `NameMatcher(characters)` finds it there: the longest name wins, and
            `not_aliases` use up their words.
        phrases: whole words, folded as names are; none of them is a pattern.
        advance: told how many more rows are read.

    Raises:
        DataError: the corpus has no rows, or a file is damaged.
        UserError: a phrase holds no letter or digit.
    """
    matcher, finder = NameMatcher(characters), PhraseFinder(phrases)
    sieve = _Sieve(characters, finder)
    names: Counter[str] = Counter()
    held: Counter[str] = Counter()
    together: dict[str, Counter[str]] = {character.id: Counter() for character in characters}
    rows = empty = undecodable = 0
    batches = (batch for file in corpus.files for batch in read_batches(corpus, file))
    for batch, texts in _sieved(batches, sieve):
        rows += len(batch.texts)
        undecodable += batch.undecodable
        empty += int((batch.texts.str.strip_chars() == "").sum())
        for text in texts:
            here, named = finder.find(text), matcher.named_in(text)
            held.update(here)
            names.update(named)
            for character in named:
                together[character].update(here)
        advance(len(batch.texts))
    if rows == 0:
        raise DataError([f"corpus '{corpus.id}' is empty: {len(corpus.files)} files without a row"])
    facts = CorpusFacts(
        id=corpus.id,
        revision=corpus.revision,
        files=len(corpus.files),
        rows=rows,
        empty=empty,
        undecodable=undecodable,
        text_column=corpus.text_column,
        sha256=files_sha256(corpus),
    )
    return Counts(
        corpus=facts,
        names={character.id: names[character.id] for character in characters},
        phrases={phrase: held[phrase] for phrase in phrases},
        together={who: dict(sorted(counts.items())) for who, counts in together.items()},
    )


def _sieved(batches: Iterator[Batch], sieve: _Sieve) -> Iterator[tuple[Batch, list[str]]]:
    """Sieve a few batches ahead in threads: the library that searches lets others run meanwhile."""
    ahead: deque[tuple[Batch, Future[list[str]]]] = deque()
    with ThreadPoolExecutor(THREADS) as pool:
        for batch in batches:
            ahead.append((batch, pool.submit(sieve.keep, batch.texts)))
            if len(ahead) > THREADS:
                done, kept = ahead.popleft()
                yield done, kept.result()
        yield from ((done, kept.result()) for done, kept in ahead)


class _Sieve:
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


_BETWEEN = "[^0-9a-z]+"
