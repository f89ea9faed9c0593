"""What counting leaves in the folder of a study: counts.csv, counts.json, aliases.csv, sample.csv."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from copycat.corpus import Corpus
from copycat.corpus.batches import read_batches, units_of
from copycat.corpus.lines import form_of, opened
from copycat.corpus.named_rows import ALIVE_WORDS, IS_DEAD, PICTURE_COLUMNS, as_texts
from copycat.imitation.count.adjusting import Told
from copycat.imitation.count.counting import Counted
from copycat.imitation.records import (
    ALIASES_FILE,
    COUNT_FACTS_FILE,
    COUNTS_FILE,
    SAMPLE_FILE,
    Concept,
    ConceptCount,
    StudyFacts,
)
from copycat.imitation.tables import write_table
from copycat.imitation.whose import few_concepts, listed
from copycat.runs.folder import write_json
from copycat.schema import Record

MIN_LINKS = 20
"""Links of a concept from which on its share of dead ones is told."""


class AliasRow(Record):
    """Captions that name a concept by one of its names, and those that its count would lose without this name."""

    concept: str
    alias: str
    captions: int
    gain: int


class SampledRow(Record):
    """A caption that names a concept, drawn at random for a look at its picture; `matched`, `shown` are to fill in.

    `picture` is FILE:N, where N is the line on which the caption's row begins, as an editor counts them; of Parquet the
    row, from 1.
    """

    concept: str
    picture: str
    caption: str
    address: str = ""
    matched: bool | None = None
    shown: bool | None = None


class _Caption(NamedTuple):
    text: str
    address: str


def write_counts(study: Path, counted: Counted, counts: Sequence[ConceptCount], told: Told) -> StudyFacts:
    """Write the counts of a study, and where they come from."""
    facts = StudyFacts(
        facts={**corpus_facts(counted), **told.facts},
        warnings=(
            *count_warnings(counted),
            *told.warnings,
            *few_concepts(sum(count.count is not None for count in counts), "a count"),
        ),
    )
    write_table(study / COUNTS_FILE, counts, ConceptCount)
    rows = [
        AliasRow(concept=who, alias=alias, captions=n.captions, gain=n.gain)
        for who, aliases in counted.aliases.items()
        for alias, n in aliases.items()
    ]
    write_table(study / ALIASES_FILE, rows, AliasRow)
    write_json(study / COUNT_FACTS_FILE, facts.model_dump(mode="json"))
    return facts


def corpus_facts(counted: Counted) -> dict[str, str]:
    """Say what was counted, and how."""
    corpus = counted.found.counts.corpus
    facts = {
        "corpus": corpus.id,
        "corpus.files": f"{corpus.files:,}",
        "corpus.captions": f"{corpus.rows:,}",
        "corpus.empty": f"{corpus.empty:,}",
        "corpus.sha256": corpus.sha256,
        "corpus.columns": ", ".join((corpus.text_column, *counted.corpus.other_columns)) or "plain text",
        "count": counted.use,
        "concepts": f"{len(counted.counts):,}",
    }
    if corpus.undecodable:
        facts["corpus.undecodable"] = f"{corpus.undecodable:,}"
    facts |= {f"no_{use}_count": why for use, why in sorted(counted.lacking.items())}
    links = counted.links
    if links.known:
        facts["dead_links"] = f"{links.dead:,} of {links.known:,} ({links.dead / links.known:.1%})"
        facts["dead_links.counted"] = how_dead_links_count(counted)
    if links.unknown:
        facts["dead_links.without_status"] = f"{links.unknown:,} captions that name a concept"
    if counted.n_without:
        facts["without_picture"] = f"{counted.n_without:,} of {counted.n_named:,} captions that name a concept"
    return facts


def how_dead_links_count(counted: Counted) -> str:
    """Say what a dead link is to the count that is used."""
    if counted.use == "raw":
        return "raw counts captions, whether or not the picture can be had"
    if counted.use == "exact" and counted.by == "address":
        return "exact tells pictures by caption and address, which dead links have: they count as any other"
    column = "phash" if counted.use == "near" else "sha256"
    return f"those with a {column} count as any other, the others are estimated as if they were missing at random"


def _link_warnings(counted: Counted) -> Iterator[str]:
    links = counted.links
    if links.unknown:
        n = f"{links.unknown:,} of {counted.n_named:,}"
        yield f"{n} captions that name a concept have no status: whether their links are dead is not known"
    if not links.dead:
        return
    shares = [each.dead / each.known for each in counted.links_of.values() if each.known >= MIN_LINKS]
    by_concept = f", {min(shares):.0%} to {max(shares):.0%} by concept" if len(shares) > 1 else ""
    yield (
        f"{links.dead:,} of {links.known:,} links ({links.dead / links.known:.1%}{by_concept}) are dead. A model may "
        f"have been trained on their pictures all the same, so they are not taken off: {how_dead_links_count(counted)}"
    )
    if links.dead == links.known:
        yield f"no link is alive: does the status have other words? Alive are {', '.join(ALIVE_WORDS)} and 200 to 299"


def count_warnings(counted: Counted) -> tuple[str, ...]:
    """Give the warnings of a count in sentences."""
    told = [*_link_warnings(counted), *counted.warnings]
    if counted.n_without:
        told.append(
            f"{counted.n_without:,} of {counted.n_named:,} captions that name a concept have nothing to tell their "
            "picture by: counts are corrected as if these were missing at random, and have intervals"
        )
    if uncounted := [count.concept for count in counted.counts if count.count is None]:
        column = "phash" if counted.use == "near" else counted.by
        such = "concepts have" if len(uncounted) > 1 else "concept has"
        told.append(
            f"{len(uncounted):,} {such} no count, for too few of their captions have their {column}: "
            f"{listed(uncounted)}; --use raw counts captions"
        )
    if counted.lacking and counted.use != "near":
        told.append(f"equal pictures are {_told_apart(counted)}: {'; '.join(counted.lacking.values())}")
    return tuple(told)


def write_sample(study: Path, counted: Counted, concepts: Sequence[Concept], n: int, seed: int = 0) -> Path:
    """Draw captions of each concept at random, and write them for a look at their pictures.

    The same corpus, concepts and seed give the same sample; dead links are left out. Reads again those parts of the
    corpus that hold a sampled caption.
    """
    picked = [tuple(map(int, row)) for row in _picked(counted.found.rows, n, seed)[["who", "file", "row"]]]
    wanted: dict[int, set[int]] = {}
    for _, file, row in picked:
        wanted.setdefault(file, set()).add(row)
    files = counted.corpus.files
    captions = _captions_of(counted.corpus, wanted)
    lines = {file: line_numbers(files[file], rows) for file, rows in wanted.items()}
    rows = [
        SampledRow(
            concept=concepts[who].id,
            picture=f"{files[file].name}:{lines[file][row]}",
            caption=captions[file, row].text,
            address=captions[file, row].address,
        )
        for who, file, row in picked
    ]
    write_table(study / SAMPLE_FILE, rows, SampledRow)
    return study / SAMPLE_FILE


def _captions_of(corpus: Corpus, wanted: Mapping[int, Collection[int]]) -> dict[tuple[int, int], _Caption]:
    """Read rows of a corpus again, by the place of their file and their own place in it, both from 0."""
    address = tuple(name for name in corpus.other_columns if PICTURE_COLUMNS[name.lower()] == "url")
    corpus = corpus.model_copy(update={"other_columns": address})
    found = {}
    for unit in units_of(corpus):
        file = corpus.files.index(unit.file)
        here = [row for row in wanted.get(file, ()) if not unit.stop or unit.start <= row < unit.stop]
        for batch in read_batches(corpus, unit) if here else ():
            for row in here:
                if 0 <= (at := row - batch.first) < len(batch.texts):
                    where = as_texts(batch.others[address[0]])[at] if batch.others is not None and address else ""
                    found[file, row] = _Caption(batch.texts[at], where)
    return found


def line_numbers(file: Path, rows: Iterable[int]) -> dict[int, int]:
    """Give the number by which people find rows that are counted from 0: the line, from 1; of Parquet the row, from 1.

    A CSV file is read again: a row may have several lines, and empty ones are no rows.
    """
    if form_of(file) != ".csv":
        return {row: row + 1 for row in rows}
    wanted, found, row, begins = set(rows), {}, -1, 1
    with opened(file) as stream:
        # Lines end as in counting, which has read every one of them.
        reader = csv.reader(line.decode("utf-8", errors="replace") for line in stream)
        for cells in reader:
            if cells and row in wanted:
                found[row] = begins
            row += bool(cells)
            begins = reader.line_num + 1
            if len(found) == len(wanted):
                break
    return found


def _picked(rows: Any, n: int, seed: int) -> Any:
    """Draw at most n rows of each concept, without dead links, in the order of concepts and places."""
    alive = rows[(rows["has"] & IS_DEAD) == 0]
    alive = alive[np.lexsort((alive["row"], alive["file"], alive["who"]))]
    order = np.lexsort((np.random.default_rng(seed).random(len(alive)), alive["who"]))
    who = alive["who"][order]
    rank = np.arange(len(order)) - np.searchsorted(who, who)
    return alive[np.sort(order[rank < n])]


def _told_apart(counted: Counted) -> str:
    return "counted each" if counted.use == "raw" else "told by bytes or address alone, near duplicates count each"
