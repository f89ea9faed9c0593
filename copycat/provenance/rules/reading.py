"""F1 and F2: what the other rules stand on. Files and records can be read; ids are there and unique."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar, Literal

from copycat.provenance.dataset import Batch, DataFile, Fault
from copycat.provenance.dataset.pictures import broken_pictures
from copycat.provenance.dataset.present import in_dataset
from copycat.provenance.records import Evidence, Finding, Severity
from copycat.provenance.rules.rule import MAX_EVIDENCE, Context, Found, Rule, shortened


class Readable(Rule):
    """F1: every file and every record can be read, and there is at least one record.

    Read are the columns that some rule asks for. Of pictures, beginning, header and end are looked at, not each pixel
    (`dataset.pictures`). Files beside tables hold no records; it says so.
    """

    id = "F1"
    reads: ClassVar[Literal["nothing", "facts", "content"]] = "content"
    needs = ("image",)
    severities: ClassVar[tuple[Severity, ...]] = ("error", "warning", "note")

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.n_records = 0
        self.faults: list[Fault] = []
        self.n_faults = self.n_cut = 0
        self.named: set[str] = set()
        self.broken = Found()

    def see(self, batch: Batch) -> None:
        """Take note of one batch."""
        self.n_records += batch.size
        self.named.update(batch.named)
        broken = broken_pictures(batch)
        self.broken.add(batch, list(broken), "image", list(broken.values()))

    def note_faults(self, faults: Sequence[Fault]) -> None:
        """Take note of what could not be read."""
        self.n_faults += len(faults)
        self.n_cut += sum(fault.loses_rest for fault in faults)
        self.faults += faults[: MAX_EVIDENCE - len(self.faults)]

    def finish(self) -> Iterable[Finding]:
        """Give what was found."""
        dataset = self.context.dataset
        self.note_faults((*dataset.faults, *dataset.card.faults))
        if self.n_faults:
            evidence = [fault.evidence.model_copy(update={"value": shortened(fault.said)}) for fault in self.faults]
            cut = f"; {_files(self.n_cut)} could not be read to the end" if self.n_cut else ""
            yield self.finding(
                "error",
                f"{_stands(self.n_faults)}{cut}",
                "mend or take out what is listed; what cannot be read was not checked by any rule",
                *evidence,
                n_records=self.n_faults,
            )
        if self.broken:
            yield self.finding(
                "error",
                f"{self.broken.n_records:,} picture{'s' * (self.broken.n_records != 1)} cannot be read",
                "restore them, or take them out; what they say inside themselves is not known",
                *self.broken.evidence,
                n_records=self.broken.n_records,
            )
        if not self.n_records:
            yield self.finding("error", "there is no record", "name the folder or file that holds the records")
        yield from self._columns()
        yield from self._containers()
        yield from self._beside()
        yield from self._unseen()

    def _columns(self) -> Iterator[Finding]:
        lost = {standard: name for standard, name in self.context.dataset.columns.items() if standard not in self.named}
        if lost and self.n_records:
            said = ", ".join(f"'{shortened(name)}' for '{standard}'" for standard, name in lost.items())
            advice = "name a column that is there: --column STANDARD=NAME; a field of a struct is parent.child"
            yield self.finding("error", f"no file has the column that was named: {said}", advice)

    def _containers(self) -> Iterator[Finding]:
        """Tell of files that hold many records and were taken for one, or for none."""
        dataset = self.context.dataset
        names = [file.name for file in (*dataset.files, *dataset.beside) if file.kind == "folder" and _holds_many(file)]
        if names:
            yield self.finding(
                "warning",
                f"{_files(len(names))} in a form that holds many records, and is not read",
                "convert them to Parquet or JSONL, such as by datasets.load_from_disk(FOLDER).to_parquet(FILE); JSON "
                "with an object in each line needs the ending .jsonl",
                *(Evidence(file=name) for name in names[:MAX_EVIDENCE]),
            )

    def _beside(self) -> Iterator[Finding]:
        beside = self.context.dataset.beside
        tables = [file.name for file in beside if file.kind != "folder"]
        if tables:
            severity: Severity = "note" if self.context.dataset.is_declared else "warning"
            yield self.finding(
                severity,
                f"{_files(len(tables))} beside the records, in a form that holds records too, not read: the records "
                f"are read from {self.context.dataset.kind}",
                "say in the card which files hold the records (configs: data_files), or check these by themselves",
                *(Evidence(file=name) for name in tables[:MAX_EVIDENCE]),
            )
        others = [file.name for file in beside if file.kind == "folder"]
        if others:
            yield self.finding(
                "note",
                f"{_files(len(others))} beside the tables, not read",
                "nothing, if they hold no records of their own; otherwise check their folder by itself",
                *(Evidence(file=name) for name in others[:MAX_EVIDENCE]),
            )
        if others and any(file.path.name == "metadata.parquet" for file in self.context.dataset.files):
            yield self.finding(
                "warning",
                "metadata.parquet is read as the records, and the files that it speaks of are not",
                "write it as metadata.jsonl: then each file is a record, with its facts",
            )

    def _unseen(self) -> Iterator[Finding]:
        """Tell of what a person who looks into the folder would not see."""
        hidden, outside = self.context.dataset.hidden, self.context.dataset.outside
        if hidden:
            yield self.finding(
                "note",
                f"{len(hidden):,} hidden {'file or folder' if len(hidden) == 1 else 'files and folders'}, not read",
                "nothing, if they hold no records; otherwise give them names without a dot in front",
                *(Evidence(file=name) for name in hidden[:MAX_EVIDENCE]),
            )
        if outside:
            yield self.finding(
                "note",
                f"{_files(len(outside))} that a link brings from outside the dataset's folder, read like the others",
                "nothing, if you made the links (a cache of the Hub does); otherwise look where they lead before you "
                "pass this report on",
                *(Evidence(file=name) for name in outside[:MAX_EVIDENCE]),
            )

    def passed(self) -> str:
        """Say what was seen."""
        return f"{_records(self.n_records)} in {_files(len(self.context.dataset.files))}"


CONTAINERS = (".arrow", ".feather", ".zip", ".zst", ".xz", ".bz2", ".7z", ".gz", ".tfrecord", ".tfrecords", ".h5",
              ".hdf5", ".npz", ".pkl", ".pickle", ".db", ".sqlite", ".sqlite3", ".lmdb", ".mdb", ".xlsx", ".ods",
              ".orc", ".avro", ".lance", ".warc", ".beton")  # fmt: skip
"""Endings of files that hold many records in a form that is not read here."""


def _holds_many(file: DataFile) -> bool:
    """Whether it is such a file, or a JSON list, or JSON with an object in each line."""
    name = file.name.lower()
    if not name.endswith(".json"):
        return name.endswith(CONTAINERS)
    try:
        with file.path.open("rb") as stream:
            first, second = (stream.readline(1 << 16).strip(b"\xef\xbb\xbf \t\r\n") for _ in range(2))
            return first.startswith(b"[") or (first.endswith(b"}") and second.startswith(b"{"))
    except OSError:
        return False  # reading it tells of it


class UniqueIds(Rule):
    """F2: records have an id each, by which they can be asked for and removed, and no two have the same.

    Removed ones too: an id is never used again. Within one configuration of the card; two of them may tell of the same
    records. Holds 8 bytes a record: a hash of its id. Where two hashes are the same the ids themselves are read again,
    so that a collision is no finding.
    """

    id = "F2"
    reads: ClassVar[Literal["nothing", "facts", "content"]] = "facts"
    needs = ("id", "version_removed")
    severities: ClassVar[tuple[Severity, ...]] = ("error", "warning")

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.hashes: list[Any] = []  # Any: numpy arrays of uint64
        self.missing = Found()
        self.n_records = self.n_removed = 0

    def see(self, batch: Batch) -> None:
        """Take note of one batch."""
        n_there = in_dataset(batch).size
        self.n_records += n_there
        self.n_removed += batch.size - n_there
        if batch.column("id") is None:
            self.missing.add(batch, range(batch.size), "id")
            return
        hashes, is_missing = _hashes(batch)
        self.missing.add(batch, is_missing.nonzero()[0].tolist(), "id")
        self.hashes.append(hashes[~is_missing])

    def finish(self) -> Iterable[Finding]:
        """Give what was found."""
        repeated = self._repeated()
        if repeated:
            yield self.finding(
                "error",
                f"{_records(repeated.n_records)} with the id of another record",
                "give each record an id of its own; a removal would hit the wrong one",
                *repeated.evidence,
                n_records=repeated.n_records,
            )
        if self.missing:
            yield self.finding(
                "warning",
                f"{_records(self.missing.n_records)} without an id, named by their place instead",
                "add a column 'id', or run 'python -m copycat.provenance manifest', which makes them",
                *self.missing.evidence,
                n_records=self.missing.n_records,
            )

    def _repeated(self) -> Found:
        """Find the records whose id an earlier one has."""
        import numpy as np

        found = Found()
        together = np.sort(np.concatenate(self.hashes)) if self.hashes else np.empty(0, np.uint64)
        self.hashes.clear()
        twice = np.unique(together[1:][together[1:] == together[:-1]])
        del together
        if not len(twice):
            return found
        seen: set[tuple[str, str]] = set()
        for batch in self.context.dataset.facts(("id",)):
            if batch.column("id") is None:
                continue
            hashes, is_missing = _hashes(batch)
            rows = (np.isin(hashes, twice) & ~is_missing).nonzero()[0].tolist()
            names = batch.text_array("id").take(rows).to_pylist() if rows else []
            again = []
            for row, name in zip(rows, names, strict=True):
                if (batch.config, name) in seen:
                    again.append((row, name))
                seen.add((batch.config, name))
            found.add(batch, [row for row, _ in again], "id", [name for _, name in again])
        return found

    def not_applicable(self) -> str | None:
        """Say so where there is no record."""
        return None if self.n_records or self.n_removed else "there is no record"

    def passed(self) -> str:
        """Say what was seen."""
        removed = f"; so are those of the {_records(self.n_removed)} removed" if self.n_removed else ""
        return f"{self.n_records:,} id{'s' * (self.n_records != 1)}, all different{removed}"


def _hashes(batch: Batch) -> tuple[Any, Any]:
    """Give a 64-bit hash of each id and its configuration, and which ids are missing; the same in every process."""
    import numpy as np
    import polars as pl
    import pyarrow.compute as pc

    names = batch.text_array("id")
    seed = int.from_bytes(batch.config.encode()[:8], "little")
    hashes = pl.Series(pl.from_arrow(names)).hash(seed).to_numpy()
    return hashes, np.asarray(pc.equal(names, ""))


def _stands(number: int) -> str:
    return "1 place cannot be read as it stands" if number == 1 else f"{number:,} places cannot be read as they stand"


def _files(number: int) -> str:
    return f"{number:,} file{'' if number == 1 else 's'}"


def _records(number: int) -> str:
    return f"{number:,} record{'' if number == 1 else 's'}"
