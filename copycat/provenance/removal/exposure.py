"""How many pictures of a concept each version holds, and which models were trained on them.

Captions of a version are counted as `copycat.imitation count` counts any corpus: whole names, the longest wins,
pictures that are there several times once where hashes or addresses tell them. A version's captions are those of the
records that the manifest says are part of it, read from the files. Counts of versions whose records have since left the
files are kept in exposure.json, so that "412 in version 3, 0 in version 4" can still be said. Of a version that was not
counted in time, what is left of it is counted: a least figure.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from copycat.errors import UserError
from copycat.imitation.records import COUNTS_FILE, Concept
from copycat.provenance.dataset import Dataset
from copycat.provenance.lookup.columns import text_column
from copycat.provenance.lookup.looking import place_key
from copycat.provenance.lookup.records import ModelUse
from copycat.provenance.lookup.versions import EXPOSURE_FILE, MODELS_FILE, read_exposure, read_models
from copycat.provenance.manifest import Manifest
from copycat.provenance.removal.records import Exposure
from copycat.runs.folder import write_bytes, write_json

if TYPE_CHECKING:
    from copycat.imitation.count.counting import Counted


@dataclass(frozen=True)
class Counting:
    """What is counted around a removal.

    Attributes:
        concepts: whose pictures. models: trained on a version; kept in models.yaml.
        study: a folder of `copycat.imitation` whose counts.csv is to be that of the new version.
    """

    concepts: Sequence[Concept] = ()
    models: Sequence[ModelUse] = ()
    study: Path | None = None


def count_version(
    dataset: Dataset,
    manifest: Manifest,
    concepts: Sequence[Concept],
    without: Collection[str] = (),
    tell: Callable[[int], None] = lambda records: None,
    *,
    version: str | None = None,
) -> Counted:
    """Count the pictures of concepts in a version; of an older one, those of its records that are there as they were.

    Args:
        without: ids that are left out. tell: is told of how many more captions were read.
        version: None: the newest, whose records must lie in the files.

    Raises:
        UserError: the records have no captions.
    """
    import polars as pl

    from copycat.corpus import open_corpus
    from copycat.imitation.count.counting import count_concepts

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write_captions(dataset, folder / "captions.parquet", tell)
        columns = _write_rows(manifest, folder / "rows.parquet", without, version)
        captions, rows = pl.scan_parquet(folder / "captions.parquet"), pl.scan_parquet(folder / "rows.parquet")
        joined = rows.join(captions, on="key", how="inner").select("caption", *columns).collect()
        if joined.is_empty():
            joined = pl.DataFrame({name: [""] for name in ("caption", *columns)})  # a corpus has rows
        joined.write_parquet(folder / "corpus.parquet")
        corpus = open_corpus([folder / "corpus.parquet"], text_column="caption", id=dataset.name)
        return count_concepts(corpus, concepts)


def _write_captions(dataset: Dataset, path: Path, tell: Callable[[int], None]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    n_captions = 0
    schema = pa.schema({"key": pa.string(), "caption": pa.string()})
    with pq.ParquetWriter(path, schema) as writer:
        for batch in dataset.content(("text",)):
            tell(batch.size)
            texts = text_column(batch, "text")
            if texts is None or not batch.size:
                continue
            n_captions += len(texts)
            keys = [place_key(batch, row) for row in range(batch.size)]
            writer.write_table(pa.table({"key": keys, "caption": texts.to_list()}, schema=schema))
    if not n_captions:
        raise UserError(
            f"{dataset.name}: its records have no captions, so that no pictures of a concept can be counted\n"
            "  leave out --characters and --concepts, or name the column: a column 'caption' or 'text'"
        )


def is_whole(manifest: Manifest, version: str) -> bool:
    """Whether all records of a version are part of the newest, as they were."""
    return all(
        table["version_removed"].null_count == table.num_rows for table in manifest.rows(version, ("version_removed",))
    )


def _write_rows(manifest: Manifest, path: Path, without: Collection[str], version: str | None) -> list[str]:
    """Write place and what tells pictures of the records of a version; gives the columns that say something.

    Of an older version only what is still as it was.

    The hash of a record is that of a picture only where a text goes with it (`text_sha256`); elsewhere it is of the
    caption itself, and addresses tell pictures.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    gone = set(without)
    named = ("sha256", "phash", "url")
    schema = pa.schema({"key": pa.string(), **dict.fromkeys(named, pa.string())})
    there: set[str] = set()
    with pq.ParquetWriter(path, schema) as writer:
        wanted = ("id", "file", "row", "sha256", "text_sha256", "phash", "url", "version_removed")
        for table in manifest.rows(version, wanted):
            rows = [row for row in table.to_pylist() if row["id"] not in gone and row["version_removed"] is None]
            there |= {name for row in rows for name in ("phash", "url") if row[name]}
            there |= {"sha256" for row in rows if row["text_sha256"]}
            keys = [f"{row['file']}\0{'' if row['row'] is None else row['row']}" for row in rows]
            columns = {name: [row[name] or "" for row in rows] for name in named}
            writer.write_table(pa.table({"key": keys, **columns}, schema=schema))
    return [name for name in named if name in there]


# ---------------------------------------------------------------------------- what is kept


def keep_counts(sidecar: Path, kept: Mapping[str, Any]) -> None:
    """Keep the counts of all versions (see `with_counts`)."""
    if kept != read_exposure(sidecar):
        write_json(sidecar / EXPOSURE_FILE, {"concepts": kept})


def with_counts(
    kept: Mapping[str, Any], version: str, counted: Counted, concepts: Sequence[Concept], *, is_at_least: bool = False
) -> dict[str, Any]:
    """Give what is kept with the counts of one more version; `is_at_least`: of what was left of it.

    Counts that are kept of it already stay, since its records may be gone by now.
    """
    names = {concept.id: concept.name for concept in concepts}
    found = {
        name: {**row, "counts": dict(row["counts"]), "at_least": dict(row["at_least"])} for name, row in kept.items()
    }
    for count in counted.counts:
        empty: dict[str, Any] = {"use": counted.use, "counts": {}, "at_least": {}}
        row = found.setdefault(count.concept, {"name": names[count.concept], **empty})
        if row["use"] != counted.use:  # figures that were counted in another way do not compare
            row |= empty
        if is_at_least and count.count is not None:
            row["at_least"][version] = max(count.count, row["at_least"].get(version, 0))
        elif not is_at_least and version not in row["counts"]:
            row["counts"][version] = count.count
    return found


def exposures(
    kept: Mapping[str, Any], concepts: Sequence[Concept], versions: Sequence[str], models: Sequence[ModelUse]
) -> tuple[Exposure, ...]:
    """Give, for each concept, its counts by version in the order of versions, and what each model was trained on."""
    found = []
    for concept in concepts:
        row = kept.get(concept.id)
        if row is None:
            continue
        counts = {version: row["counts"][version] for version in versions if version in row["counts"]}
        known = {**row["at_least"], **{version: n for version, n in counts.items() if n is not None}}
        uses = tuple(
            model.model_copy(
                update={"n_records": round(known[model.version]), "is_at_least": model.version not in counts}
            )
            for model in models
            if model.version in known
        )
        found.append(Exposure(concept=concept.id, name=concept.name, use=row["use"], counts=counts, models=uses))
    return tuple(found)


def keep_models(sidecar: Path, models: Sequence[ModelUse]) -> tuple[ModelUse, ...]:
    """Add models to models.yaml; gives all that are known."""
    import yaml

    known = read_models(sidecar / MODELS_FILE)
    new = [one for one in models if (one.model, one.version) not in {(each.model, each.version) for each in known}]
    if new:
        rows = [
            {"name": one.model, "version": one.version} | ({"date": one.date} if one.date else {})
            for one in (*known, *new)
        ]
        text = yaml.safe_dump(rows, sort_keys=False, allow_unicode=True)
        write_bytes(sidecar / MODELS_FILE, text.encode())
    return (*known, *new)


def write_study(study: Path, counted: Counted, dataset: str, version: str, before: str) -> None:
    """Put the counts of the new version into a study; the former ones stay beside them, under the version's name.

    `imitation report` compares counts.csv with those of its analysis, and says by itself what has changed.
    """
    from copycat.imitation.count.adjusting import Told
    from copycat.imitation.count.files import write_counts

    old = study / COUNTS_FILE
    if old.is_file():
        write_bytes(study / f"counts-before-{_as_name(before)}.csv", old.read_bytes())
    write_counts(study, counted, counted.counts, Told({"dataset": dataset, "version": version}))


def _as_name(version: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in version)[:80]
