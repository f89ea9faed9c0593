"""Count documents: which name a character, which hold a phrase, which do both. One pass for everything.

A library's search for many strings at once dismisses the documents that cannot matter; the rest are read exactly as
`copycat.names` reads them, so that a count means the same as a judge's reading of a name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence

from copycat.corpus.reading import Corpus, CorpusFacts, files_sha256, read_batches
from copycat.corpus.sieve import PhraseFinder, Sieve, sieved
from copycat.errors import DataError
from copycat.names import Named, NameMatcher
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
    sieve = Sieve(characters, finder)
    names: Counter[str] = Counter()
    held: Counter[str] = Counter()
    together: dict[str, Counter[str]] = {character.id: Counter() for character in characters}
    rows = empty = undecodable = 0
    batches = (batch for file in corpus.files for batch in read_batches(corpus, file))
    for batch, texts in sieved(batches, sieve):
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
