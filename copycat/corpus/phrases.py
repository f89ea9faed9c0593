"""What documents say beside a character's name: the words and pairs of words that are candidates for its keywords."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from copycat.corpus.batches import Batch, read_batches, units_of
from copycat.corpus.reading import Corpus
from copycat.corpus.sieve import NameSieve
from copycat.corpus.units import in_order, n_threads
from copycat.errors import DataError
from copycat.names import Mention, Named, NameMatcher, words
from copycat.schema import Record

_ENGLISH = """
a an the this that these those some any each every all both such it its i me my we us our you your he him his she her
they them their who whom whose which what there here
of in on at to from by with without for into onto over under above below up down out off about after before between
through during near against as than and or nor but if so because while when where how why not no only just also very
too more most then now again
is are was were be been being am has have had do does did will would can could may might must shall should get got
ll re ve don doesn isn aren
"""
"""Articles and pronouns; prepositions, conjunctions and adverbs; verbs, and what is left of "we'll" and "don't"."""

STOP_WORDS = frozenset(_ENGLISH.split())
"""Words that tell nothing; a phrase neither begins nor ends with one."""

_PAUSE = re.compile(r"[,;:!?()\[\]{}|\"\u201c\u201d\n\u2013\u2014\u3001\u3002]|\.(?=\s|$)")
"""Where a writer pauses: no phrase reaches over a comma, a bracket or the end of a sentence."""

MAX_TRACKED = 2_000_000
"""Phrases that are counted at once, over all characters (some 300 MB)."""


class Phrase(Record):
    """Folded words, and how many documents hold them and name the character."""

    text: str
    together: int


def collect_phrases(
    corpus: Corpus,
    characters: Sequence[Named],
    *,
    min_documents: int = 2,
    limit: int = 500,
    advance: Callable[[int], object] = lambda _: None,
) -> dict[str, tuple[Phrase, ...]]:
    """Collect the words and two-word phrases of the documents that name a character, in one pass.

    A document names a character as in `count_documents`. The words of the name where it stands are left out, and no
    phrase reaches over them or over a comma; other characters' names are words like any other. A phrase neither
    begins nor ends with a stop word, a number or a single letter (a Han character is a word).

    Memory is bounded: where the phrases of a character outgrow its share of `MAX_TRACKED`, the rarest are dropped,
    and one that comes again starts from nought, so that the counts of rare phrases may be too low. Below that
    every count is exact. How often a phrase stands in the whole corpus is for `count_documents` to say.

    Args:
        min_documents: leave out phrases of fewer documents.
        limit: phrases of each character, at most.
        advance: told how many more rows are read.

    Returns:
        Character id -> phrases, the most frequent first, then in alphabetical order.

    Raises:
        DataError: the corpus has no rows, or a file is damaged.
    """
    matcher = NameMatcher(characters)
    sieve = NameSieve(characters)
    share = max(10_000, MAX_TRACKED // max(1, len(characters)))
    found = {character.id: _Tracked(share) for character in characters}
    rows = 0

    def near(batch: Batch) -> tuple[int, list[str]]:
        return len(batch.texts), batch.texts.gather(sieve.keep(batch.texts)).to_list()

    batches = (batch for unit in units_of(corpus) for batch in read_batches(corpus, unit))
    with ThreadPoolExecutor(n_threads()) as pool:
        for n, texts in in_order(pool, n_threads(), near, batches):
            rows += n
            for text in texts:
                mentions = matcher.find(text)
                for character_id in {mention.character_id for mention in mentions}:
                    found[character_id].add(set(_phrases(text, mentions, character_id)))
            advance(n)
    if rows == 0:
        raise DataError([f"corpus '{corpus.id}' is empty: {len(corpus.files)} files without a row"])
    return {character_id: _ranked(tracked.counts, min_documents, limit) for character_id, tracked in found.items()}


def _phrases(text: str, mentions: Sequence[Mention], character_id: str) -> Iterator[str]:
    """Give the phrases of a text outside the places that name the character."""
    start = 0
    spans = [(mention.start, mention.end) for mention in mentions if mention.character_id == character_id]
    for end, following in [*spans, (len(text), len(text))]:
        for piece in _PAUSE.split(text[start:end]):
            yield from _phrases_of(words(piece))
        start = following


def _phrases_of(here: Sequence[str]) -> Iterator[str]:
    tells = [_tells(word) for word in here]
    yield from (word for word, it_tells in zip(here, tells, strict=True) if it_tells)
    for i in range(len(here) - 1):
        if tells[i] and tells[i + 1]:
            yield f"{here[i]} {here[i + 1]}"


def _tells(word: str) -> bool:
    is_letter = len(word) == 1 and not "\u3400" <= word <= "\u9fff"
    return not (is_letter or word in STOP_WORDS or word.isnumeric())


def _ranked(counts: Counter[str], min_documents: int, limit: int) -> tuple[Phrase, ...]:
    often = [(text, n) for text, n in counts.items() if n >= min_documents]
    best = sorted(often, key=lambda item: (-item[1], item[0]))[:limit]
    return tuple(Phrase(text=text, together=n) for text, n in best)


class _Tracked:
    """Counts that drop their rarest when they grow too many."""

    def __init__(self, most: int) -> None:
        self.counts: Counter[str] = Counter()
        self.most = most

    def add(self, phrases: set[str]) -> None:
        self.counts.update(phrases)
        rare = 1
        while len(self.counts) > self.most:
            self.counts = Counter({text: n for text, n in self.counts.items() if n > rare})
            rare *= 2
