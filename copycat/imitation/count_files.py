"""What counting leaves in the folder of a study: counts.csv, counts.json, aliases.csv, sample.csv."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from copycat.corpus.batches import read_batches, units_of
from copycat.corpus.named_rows import PICTURE_COLUMNS, as_texts
from copycat.imitation.adjusting import Told
from copycat.imitation.counting import Counted
from copycat.imitation.records import Concept, ConceptCount, StudyFacts
from copycat.imitation.tables import write_table
from copycat.runs.folder import write_json
from copycat.schema import Record

COUNTS, FACTS, ALIASES, SAMPLE = "counts.csv", "counts.json", "aliases.csv", "sample.csv"


class AliasRow(Record):
    """Captions that name a concept by one of its names, and those that its count would lose without this name."""

    concept: str
    alias: str
    captions: int
    gain: int


class SampledRow(Record):
    """A caption that names a concept, drawn at random for a look at its picture; `matched`, `shown` are to fill in."""

    concept: str
    picture: str
    caption: str
    address: str = ""
    matched: bool | None = None
    shown: bool | None = None


def write_counts(study: Path, counted: Counted, counts: Sequence[ConceptCount], told: Told) -> StudyFacts:
    """Write the counts of a study, and where they come from."""
    facts = StudyFacts(
        facts={**corpus_facts(counted), **told.facts}, warnings=(*count_warnings(counted), *told.warnings)
    )
    write_table(study / COUNTS, counts, ConceptCount)
    rows = [
        AliasRow(concept=who, alias=alias, captions=n.captions, gain=n.gain)
        for who, aliases in counted.aliases.items()
        for alias, n in aliases.items()
    ]
    write_table(study / ALIASES, rows, AliasRow)
    write_json(study / FACTS, facts.model_dump(mode="json"))
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
    if counted.links:
        facts["dead_links"] = f"{counted.dead:,} of {counted.links:,} ({counted.dead / counted.links:.1%})"
    if counted.n_without:
        facts["without_picture"] = f"{counted.n_without:,} of {counted.n_named:,} captions that name a concept"
    return facts


def count_warnings(counted: Counted) -> tuple[str, ...]:
    """Give the warnings of a count in sentences."""
    told = list(counted.warnings)
    if counted.n_without:
        told.append(
            f"{counted.n_without:,} of {counted.n_named:,} captions that name a concept have nothing to tell their "
            "picture by: counts are corrected as if these were missing at random, and have intervals"
        )
    if counted.lacking and counted.use != "near":
        told.append(f"equal pictures are {_told_apart(counted)}: {'; '.join(counted.lacking.values())}")
    return tuple(told)


def write_sample(study: Path, counted: Counted, concepts: Sequence[Concept], n: int, seed: int = 0) -> Path:
    """Draw captions of each concept at random, and write them for a look at their pictures.

    The same corpus, concepts and seed give the same sample; dead links are left out. Reads again those parts of the
    corpus that hold a sampled caption.
    """
    picked = _picked(counted.rows, n, seed)
    found: dict[tuple[int, int], tuple[str, str]] = {}
    wanted: dict[int, set[int]] = {}
    for row in picked:
        wanted.setdefault(int(row["file"]), set()).add(int(row["row"]))
    address = [name for name in counted.corpus.other_columns if PICTURE_COLUMNS[name.lower()] == "url"]
    corpus = counted.corpus.model_copy(update={"other_columns": tuple(address)})
    for unit in units_of(corpus):
        file = corpus.files.index(unit.file)
        here = {row for row in wanted.get(file, ()) if not unit.stop or unit.start <= row < unit.stop}
        if not here:
            continue
        for batch in read_batches(corpus, unit):
            for row in sorted(here):
                if 0 <= (at := row - batch.first) < len(batch.texts):
                    where = as_texts(batch.others[address[0]])[at] if batch.others is not None and address else ""
                    found[file, row] = (batch.texts[at], where)
    rows = [
        SampledRow(
            concept=concepts[int(row["who"])].id,
            picture=f"{corpus.files[int(row['file'])].name}:{int(row['row'])}",
            caption=found[int(row["file"]), int(row["row"])][0],
            address=found[int(row["file"]), int(row["row"])][1],
        )
        for row in picked
    ]
    write_table(study / SAMPLE, rows, SampledRow)
    return study / SAMPLE


def _picked(rows: Any, n: int, seed: int) -> Any:
    """Draw at most n rows of each concept, without dead links, in the order of concepts and places."""
    from copycat.corpus.named_rows import IS_DEAD

    alive = rows[(rows["has"] & IS_DEAD) == 0]
    alive = alive[np.lexsort((alive["row"], alive["file"], alive["who"]))]
    order = np.lexsort((np.random.default_rng(seed).random(len(alive)), alive["who"]))
    who = alive["who"][order]
    rank = np.arange(len(order)) - np.searchsorted(who, who)
    return alive[np.sort(order[rank < n])]


def _told_apart(counted: Counted) -> str:
    return "counted each" if counted.use == "raw" else "told by bytes or address alone, near duplicates count each"
