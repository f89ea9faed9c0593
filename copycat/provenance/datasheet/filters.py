"""What filters kept and dropped, counted: from their log, or from the reasons of removals.

The log is `provenance/filters.parquet`, `.jsonl` or `.csv` in the dataset, one row for each record that a filter looked
at, in the order of the filters or not:

    id        of the record, whether it is still there or not
    filter    which filter, with its version
    kept      true or false
    language, source, topic    of the record; any of them may be missing

Without a log, records of the sidecar that were removed with the reason "filter: NAME" are what that filter dropped, and
records that are still there are what it kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from copycat.provenance.dataset import Batch, DataFile, Fault
from copycat.provenance.records import Evidence

DIMENSIONS = ("language", "source", "topic")
LOGS = ("filters.parquet", "filters.jsonl", "filters.csv")
REASON = "filter:"
TRUE_WORDS = {"true", "1", "yes", "kept", "keep", "t"}
FALSE_WORDS = {"false", "0", "no", "dropped", "drop", "removed", "f"}
MOST_GROUPS = 50_000
"""Groups that are counted; further ones are left out and told of."""


class Group(NamedTuple):
    """Records of one filter that are alike in one thing: ("langid 2", "language", "de")."""

    filter: str
    dimension: str
    name: str


class Counts:
    """How many records of each group were kept, and how many there were."""

    def __init__(self) -> None:
        self.kept: Counter[Group] = Counter()
        self.all: Counter[Group] = Counter()
        self.n_left_out = 0

    def add(self, group: Group, is_kept: bool, count: int = 1) -> None:
        """Count records of a group."""
        if group not in self.all and len(self.all) >= MOST_GROUPS:
            self.n_left_out += count
            return
        self.all[group] += count
        self.kept[group] += count * is_kept


def find_log(sidecar: Path) -> Path | None:
    """Give the log of filters in a dataset's sidecar; None where there is none."""
    return next((path for name in LOGS if (path := sidecar / name).is_file()), None)


def read_log(path: Path, name: str) -> tuple[Counts, list[Fault]]:
    """Count a log.

    Args:
        name: what faults call the file.
    """
    counts, faults = Counts(), []
    for line, row in _rows(path, name):
        fault = row if isinstance(row, Fault) else _count(row, counts, Evidence(file=name, line=line))
        if fault is not None:
            faults.append(fault)
    return counts, faults


def _rows(path: Path, name: str) -> Iterator[tuple[int, Any]]:
    from copycat.provenance.dataset.tables import csv_rows, json_rows

    if path.suffix == ".parquet":
        yield from _parquet_rows(path, name)
        return
    is_csv = path.suffix == ".csv"
    file = DataFile(path, name, path.stat().st_size, "csv" if is_csv else "jsonl")
    for row in csv_rows(file) if is_csv else json_rows(file):
        yield row[0], row[1]


def _parquet_rows(path: Path, name: str) -> Iterator[tuple[int, Any]]:
    """Yield rows that are alike as one, with how many they are: a log has millions of rows and few kinds of them."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    line = 1
    try:
        with pq.ParquetFile(path) as table:
            wanted = [one for one in ("filter", "kept", *DIMENSIONS) if one in table.schema_arrow.names]
            for part in table.iter_batches(columns=wanted):
                whole = pa.Table.from_batches([part])
                if wanted:
                    whole = whole.group_by(wanted).aggregate([([], "count_all")])
                for row in whole.to_pylist():
                    yield line, row
                line += part.num_rows
    except (pa.ArrowException, OSError, ValueError) as error:
        said = " ".join(str(error).split())[:200]
        yield line, Fault(Evidence(file=name, line=line), f"cannot be read on: {said}", True)


def _count(row: Any, counts: Counts, place: Evidence) -> Fault | None:
    if not isinstance(row, dict):
        return Fault(place, "is no object")
    name, kept = str(row.get("filter") or "").strip(), str(row.get("kept")).strip().casefold()
    if not name:
        return Fault(place, "names no filter")
    if kept not in TRUE_WORDS | FALSE_WORDS:
        return Fault(place, f"says neither that it was kept nor that it was not ('kept': {kept[:40]})")
    many = row.get("count_all")
    count = many if isinstance(many, int) and not isinstance(many, bool) else 1
    counts.add(Group(name, "", ""), kept in TRUE_WORDS, count)
    for dimension in DIMENSIONS:
        value = row.get(dimension)
        if value not in (None, ""):
            counts.add(Group(name, dimension, str(value).strip()[:200]), kept in TRUE_WORDS, count)
    return None


class Dropped:
    """Counts batches of facts: what filters dropped, by the reasons of removals, and what is still there."""

    def __init__(self) -> None:
        self.gone: Counter[tuple[str, str, str]] = Counter()
        self.there: Counter[tuple[str, str]] = Counter()

    def add(self, batch: Batch) -> None:
        """Count one batch that has version_removed, tombstone_reason, and columns of DIMENSIONS."""
        import pyarrow as pa
        import pyarrow.compute as pc

        removed = batch.text_array("version_removed")
        if removed is None:
            return
        reasons = batch.text_array("tombstone_reason")
        reasons = pa.array([""] * batch.size, pa.large_string()) if reasons is None else reasons
        is_there = pc.equal(removed, "")
        is_filter = pc.and_(pc.invert(is_there), pc.starts_with(pc.utf8_lower(reasons), REASON))
        counted = pc.or_(is_there, is_filter)
        names = pc.if_else(is_there, "", reasons)
        self._count(pc.filter(names, counted), None, "")
        for dimension in DIMENSIONS:
            values = batch.text_array(dimension)
            if values is not None:
                self._count(pc.filter(names, counted), pc.filter(values, counted), dimension)

    def _count(self, names: Any, values: Any, dimension: str) -> None:
        import pyarrow as pa

        if values is None:
            values = names
        table = pa.table({"name": names, "value": values}).group_by(["name", "value"]).aggregate([([], "count_all")])
        for row in table.to_pylist():
            name = row["name"][len(REASON) :].strip()
            value = row["value"] if dimension else ""
            if dimension and not value:
                continue
            if row["name"]:
                self.gone[name or "unnamed", dimension, value] += row["count_all"]
            else:
                self.there[dimension, value] += row["count_all"]

    def close(self) -> Counts:
        """Give the counts: each filter is taken to have looked at what it dropped and at what is still there."""
        counts = Counts()
        for name in sorted({name for name, _, _ in self.gone}):
            own = {(dimension, value): n for (one, dimension, value), n in self.gone.items() if one == name}
            for dimension, value in dict.fromkeys([*self.there, *own]):
                group = Group(name, dimension, value)
                counts.add(group, True, self.there[dimension, value])
                counts.add(group, False, own.get((dimension, value), 0))
        return counts


def filters_of(counts: Counts) -> Sequence[str]:
    """Give the names of the filters, in order."""
    return sorted({group.filter for group in counts.all})
