"""Count documents: which name a character, which hold a phrase, which do both. One pass for everything."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any, NamedTuple

from pydantic import Field

from copycat.corpus.batches import Unit, units_of
from copycat.corpus.checkpoint import Checkpoint
from copycat.corpus.duplicates import SeenTexts
from copycat.corpus.executors import Where, tally_units
from copycat.corpus.named_rows import ROW
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


class NamedRows(NamedTuple):
    """Counts, and the rows behind them.

    `sole`: character id -> alias -> documents that name the character by this alias alone. `rows`: (N,) of
    `named_rows.ROW`, an entry for each document and character that it names; `who` is the place of the character.
    """

    counts: Counts
    sole: dict[str, dict[str, int]]
    rows: Any


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
    kept = Checkpoint(checkpoint, job, deduplicate) if checkpoint is not None else None
    return _counted(job, kept, seen, Where(executor, processes, advance))[0]


def count_named_rows(
    corpus: Corpus,
    characters: Sequence[Named],
    *,
    processes: int | None = None,
    checkpoint: Path | None = None,
    advance: Callable[[int], object] = lambda _: None,
) -> NamedRows:
    """Count as `count_documents` does, and keep of each document that names a character what tells its picture.

    Memory: some 40 bytes for each document and character that it names.

    Args:
        corpus: its `other_columns` are none or what `picture_columns` chose.
        characters, processes, checkpoint, advance: as of `count_documents`.

    Raises:
        DataError: the corpus has no rows, or a file is damaged.
    """
    import numpy as np

    job = Job(corpus, who_of(characters), keeps_rows=True)
    kept = Checkpoint(checkpoint, job, is_deduplicated=False) if checkpoint is not None else None
    counts, whole = _counted(job, kept, None, Where("local", processes, advance))
    rows = np.concatenate(whole.named) if whole.named else np.empty(0, dtype=ROW)
    return NamedRows(counts, whole.nested("sole", [who.id for who in job.characters]), rows)


def _counted(job: Job, kept: Checkpoint | None, seen: SeenTexts | None, where: Where) -> tuple[Counts, Tally]:
    corpus = job.corpus
    units = units_of(corpus)
    stop = Event()
    with ThreadPoolExecutor(1) as pool:
        hashed = kept.sha256 if kept is not None else partial(files_sha256, corpus)
        sha256 = pool.submit(hashed, stop.is_set)
        try:
            whole = _count_all(job, units, kept, seen, where)
            if whole.rows == 0:
                raise DataError([f"corpus '{corpus.id}' is empty: {len(corpus.files)} files without a row"])
            return _counts(job, whole, sha256.result()), whole
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
