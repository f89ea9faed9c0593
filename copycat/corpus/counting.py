"""Count documents: which name a character, which hold a phrase, which do both. One pass for everything.

A library's search for many strings at once dismisses the documents that cannot matter; the rest are read exactly as
`copycat.names` reads them, so that a count means the same as a judge's reading of a name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence

from copycat.corpus.reading import Corpus, CorpusFacts, files_sha256, read_batches
from copycat.errors import DataError, UserError
from copycat.names import Named, NameMatcher, words
from copycat.schema import Record


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
    telling = _telling_words(characters, finder)
    names: Counter[str] = Counter()
    held: Counter[str] = Counter()
    together: dict[str, Counter[str]] = {character.id: Counter() for character in characters}
    rows = empty = undecodable = 0
    for file in corpus.files:
        for batch in read_batches(corpus, file):
            rows += len(batch.texts)
            undecodable += batch.undecodable
            empty += sum(not text.strip() for text in batch.texts)
            for text in _candidates(batch.texts, telling):
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


def _telling_words(characters: Sequence[Named], finder: PhraseFinder) -> list[str]:
    """Give one word for each name and phrase without which it cannot be there, the longest of each."""
    aliases = [words(alias) for character in characters for alias in (character.name, *character.aliases)]
    runs = [run for run in (*aliases, *finder.by_words) if run]
    return sorted({max(run, key=len) for run in runs})


def _candidates(texts: Sequence[str], telling: list[str]) -> list[str]:
    """Leave out the texts that hold no telling word.

    In an ASCII text a folded word stands as it is but for case; any other text is always read.
    """
    import polars as pl

    if not telling:
        return []
    column = pl.Series("text", texts, dtype=pl.String)
    is_ascii = column.str.len_bytes() == column.str.len_chars()
    return column.filter(column.str.contains_any(telling, ascii_case_insensitive=True) | ~is_ascii).to_list()
