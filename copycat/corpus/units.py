"""Counting one unit: its batches are tallied in threads, as the library that searches lets others run meanwhile."""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from copycat.corpus.batches import Batch, Unit, read_batches
from copycat.corpus.duplicates import SeenTexts
from copycat.corpus.named_rows import named_rows
from copycat.corpus.reading import Corpus
from copycat.corpus.sieve import NameSieve, PhraseFinder, Who, fold_texts
from copycat.corpus.tally import Pair, Tally
from copycat.names import Mention, NameMatcher

if TYPE_CHECKING:
    import polars as pl

MAX_THREADS = 8

Given = TypeVar("Given")
Done = TypeVar("Done")


class Job(NamedTuple):
    """What is counted, for all units alike."""

    corpus: Corpus
    characters: tuple[Who, ...]
    phrases: tuple[str, ...] = ()
    keeps_rows: bool = False


def n_threads() -> int:
    """Give how many threads tally at once; as many batches, and one more, are in memory."""
    return max(1, min(MAX_THREADS, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2))


def count_unit(job: Job, unit: Unit, threads: int) -> Tally:
    """Count one unit, here or in another process."""
    whole = Tally()
    with ThreadPoolExecutor(threads) as pool:
        for part in in_order(pool, threads, BatchTallier(job).tally, read_batches(job.corpus, unit)):
            whole.add(part)
    return whole


def in_order(
    pool: ThreadPoolExecutor, threads: int, work: Callable[[Given], Done], items: Iterable[Given]
) -> Iterator[Done]:
    """Do the work on a few items ahead in threads, and give what comes of it in order."""
    ahead: deque[Future[Done]] = deque()
    for item in items:
        ahead.append(pool.submit(work, item))
        if len(ahead) > threads:
            yield ahead.popleft().result()
    while ahead:
        yield ahead.popleft().result()


class BatchTallier:
    """Counts batches; many threads may share one."""

    def __init__(self, job: Job, seen: SeenTexts | None = None) -> None:
        self.matcher = NameMatcher(job.characters)
        self.sieve = NameSieve(job.characters)
        self.finder = PhraseFinder(job.phrases)
        self.seen = seen
        self.numbers = {who.id: number for number, who in enumerate(job.characters)} if job.keeps_rows else None
        names = [(who.id, alias) for who in job.characters for alias in (who.name, *who.aliases)]
        self.of_one_word = {(who, alias) for who, alias in names if alias.isalnum()}

    def tally(self, batch: Batch) -> Tally:
        """Count what the texts of a batch hold."""
        texts = batch.texts
        tally = Tally(
            rows=len(texts),
            empty=int((texts.str.strip_chars() == "").sum()),
            undecodable=batch.undecodable,
        )
        folded = fold_texts(texts) if self.seen is not None or self.finder.spellings else None
        if self.seen is not None and folded is not None:
            places, hashes = self.seen.fresh(folded)
            texts, folded = texts.gather(places), folded.gather(places)
            tally.duplicates = tally.rows - len(texts)
            tally.fresh = [hashes]
        named = self._count_names(tally, texts)
        if self.numbers is not None:
            tally.named = [named_rows(batch, named, self.numbers)]
        if self.finder.spellings and folded is not None:
            self._count_phrases(tally, folded, named)
        return tally

    def _count_names(self, tally: Tally, texts: pl.Series) -> dict[int, set[str]]:
        """Count names; returns row -> the characters that it names."""
        named: dict[int, set[str]] = {}
        near = self.sieve.keep(texts)
        for row, text in zip(near.to_list(), texts.gather(near).to_list(), strict=True):
            if mentions := self.matcher.find(text):
                named[row] = {mention.character_id for mention in mentions}
                tally.names.update(named[row])
                pairs = {(mention.character_id, mention.alias) for mention in mentions}
                tally.aliases.update(pairs)
                if self.numbers is not None:
                    by = Counter(who for who, _ in pairs)
                    tally.sole.update(pair for pair in pairs if by[pair[0]] == 1)
                self._count_case(tally, text, mentions)
        return named

    def _count_case(self, tally: Tally, text: str, mentions: list[Mention]) -> None:
        """Count whether names of one word are written small in a text that has capitals elsewhere."""
        written: dict[Pair, list[str]] = {}
        rest = text
        for mention in mentions:
            here = text[mention.start : mention.end]
            rest = rest.replace(here, " ")
            written.setdefault((mention.character_id, mention.alias), []).append(here)
        if rest == rest.lower():
            return
        for pair in self.of_one_word & set(written):
            tally.cased[pair] += 1
            tally.lower[pair] += all(here == here.lower() for here in written[pair])

    def _count_phrases(self, tally: Tally, folded: pl.Series, named: dict[int, set[str]]) -> None:
        held = self.finder.find(folded)
        for key, n in held.explode().drop_nulls().value_counts().iter_rows():
            for phrase in self.finder.spellings[key]:
                tally.phrases[phrase] += n
        for characters, keys in zip(named.values(), held.gather(list(named)).to_list(), strict=True):
            phrases = [phrase for key in keys for phrase in self.finder.spellings[key]]
            tally.together.update((who, phrase) for who in characters for phrase in phrases)
