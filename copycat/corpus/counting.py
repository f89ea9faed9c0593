"""Count documents: which name a character, which hold a phrase, which do both. One pass for everything."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from threading import Event

from pydantic import Field

from copycat.corpus.batches import Unit, units_of
from copycat.corpus.checkpoint import Checkpoint
from copycat.corpus.duplicates import SeenTexts
from copycat.corpus.executors import Where, tally_units
from copycat.corpus.reading import Corpus, CorpusFacts, files_sha256
from copycat.corpus.sieve import PhraseFinder, who_of
from copycat.corpus.tally import Tally
from copycat.corpus.units import Job
from copycat.errors import DataError, UnsupportedError
from copycat.names import Named
from copycat.schema import Record


class Counts(Record):
    """Documents, not occurrences: one that says a name twice counts once.

    `names`: character id -> documents that name it. `phrases`: phrase -> documents that hold it.
    `together`: character id -> phrase -> documents that do both; phrases that never do are left out.
    `aliases`: character id -> name or alias as the record spells it -> documents that name the character so.
    `cased` and `lower`, of names of one word, alike: documents that have a capital elsewhere, and those of them in
    which the name is written without one.
    """

    corpus: CorpusFacts
    names: dict[str, int]
    phrases: dict[str, int]
    together: dict[str, dict[str, int]]
    aliases: dict[str, dict[str, int]] = Field(default_factory=dict)
    cased: dict[str, dict[str, int]] = Field(default_factory=dict)
    lower: dict[str, dict[str, int]] = Field(default_factory=dict)


def count_documents(
    corpus: Corpus,
    characters: Sequence[Named],
    phrases: Collection[str] = (),
    *,
    deduplicate: bool = False,
    executor: str = "local",
    processes: int | None = None,
    checkpoint: Path | None = None,
    advance: Callable[[int], object] = lambda _: None,
) -> Counts:
    """Count the documents of a corpus in one pass; the counts are those of reading every document by itself.

    Args:
        characters: a document names one if `NameMatcher(characters)` finds it there: the longest name wins, and
            `not_aliases` use up their words.
        phrases: whole words, folded as names are; none of them is a pattern.
        deduplicate: leave out a document that folds to the same text as an earlier one; 8 bytes of memory for each
            text that differs (16 for a moment). In this process only.
        executor: "local", or "ray", a task for each unit (a text file, about a million rows of Parquet) on the
            cluster that was joined, that RAY_ADDRESS names, or that is started here.
        processes: count units in so many processes; None means here, in threads, which keeps some cores busy. A
            script that asks for processes needs `if __name__ == "__main__"`.
        checkpoint: a folder. Finished units are written there and not read again by the next count of the same
            files (path, size and time of change), names and phrases.
        advance: told how many more rows are read, or known from the checkpoint.

    Raises:
        DataError: the corpus has no rows, or a file is damaged.
        UserError: a phrase holds no letter or digit.
        UnsupportedError: duplicates are to be left out by several processes.
        MissingExtraError: ray is not installed.
    """
    if deduplicate and (executor != "local" or (processes or 1) > 1):
        raise UnsupportedError(
            "duplicates are found in one process, which sees every text\n"
            "  use executor='local' without processes, or leave out deduplicate"
        )
    PhraseFinder(phrases)  # refuses a phrase without words before anything is read
    job = Job(corpus, who_of(characters), tuple(dict.fromkeys(phrases)))
    seen = SeenTexts() if deduplicate else None
    units = units_of(corpus)
    kept = Checkpoint(checkpoint, job, deduplicate) if checkpoint is not None else None
    stop = Event()
    with ThreadPoolExecutor(1) as pool:
        hashed = kept.sha256 if kept is not None else partial(files_sha256, corpus)
        sha256 = pool.submit(hashed, stop.is_set)
        try:
            whole = _count_all(job, units, kept, seen, Where(executor, processes, advance))
            if whole.rows == 0:
                raise DataError([f"corpus '{corpus.id}' is empty: {len(corpus.files)} files without a row"])
            return _counts(job, whole, sha256.result())
        finally:
            stop.set()


def _count_all(job: Job, units: Sequence[Unit], kept: Checkpoint | None, seen: SeenTexts | None, where: Where) -> Tally:
    """Add up the units that are known and those that are left, and keep each that is finished."""
    whole = Tally()
    known = kept.load_all(units) if kept is not None else {}
    for tally in known.values():
        _take_in(whole, tally, seen)
        where.advance(tally.rows)
    left = [unit for unit in units if unit not in known]
    with closing(tally_units(job, left, seen, where)) as finished:
        for unit, tally in finished:
            if kept is not None:
                kept.save(unit, tally)
            _take_in(whole, tally, None)
    return whole


def _take_in(whole: Tally, tally: Tally, seen: SeenTexts | None) -> None:
    if seen is not None:
        for hashes in tally.fresh:
            seen.remember(hashes)
    tally.fresh.clear()
    whole.add(tally)


def _counts(job: Job, whole: Tally, sha256: str) -> Counts:
    facts = CorpusFacts(
        id=job.corpus.id,
        revision=job.corpus.revision,
        files=len(job.corpus.files),
        rows=whole.rows,
        empty=whole.empty,
        undecodable=whole.undecodable,
        duplicates=whole.duplicates,
        text_column=job.corpus.text_column,
        sha256=sha256,
    )
    ids = [who.id for who in job.characters]
    return Counts(
        corpus=facts,
        names={who: whole.names[who] for who in ids},
        phrases={phrase: whole.phrases[phrase] for phrase in job.phrases},
        together=whole.nested("together", ids),
        aliases=whole.nested("aliases", ids),
        cased=whole.nested("cased", ids),
        lower=whole.nested("lower", ids),
    )
