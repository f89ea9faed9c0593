"""Whole rows of tables, for records that are neither pictures nor texts."""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from copycat.provenance.dataset import Batch, DataFile, Dataset


PANDAS_INDEX = "__index_level_"
"""How pandas names a column with an index that has no name, such as the numbers of rows before they were shuffled."""


class WholeRows:
    """Gives all columns of some records of batches, which must come in their order; other records are passed over."""

    def __init__(self, dataset: Dataset) -> None:
        self.files = {file.name: file for file in dataset.files}
        self._file = ""
        self._rows: Iterator[tuple[int, Mapping[str, Any]]] = iter(())

    def of(self, batch: Batch, rows: Sequence[int]) -> list[Mapping[str, Any] | None]:
        """Give some rows of a batch (from 0, rising); None for one that cannot be found again."""
        if not rows:
            return []
        if batch.file != self._file:
            self._file = batch.file
            file = self.files.get(batch.file)
            self._rows = iter(()) if file is None else _rows(file)
        found: list[Mapping[str, Any] | None] = []
        for row in rows:
            line = batch.first + row if batch.keys is not None else batch.line_of(row)
            found.append(next((cells for at, cells in self._rows if at >= line), None))
        return found


def _rows(file: DataFile) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield number (or line) and cells of each record of a file."""
    from copycat.provenance.dataset import tables

    if file.kind == "parquet":
        yield from _parquet_rows(file)
        return
    if file.kind in ("jsonl", "csv"):
        for row in tables.json_rows(file) if file.kind == "jsonl" else tables.csv_rows(file):
            if isinstance(row.said, dict):
                yield row.line, row.said
        return
    yield from _archive_rows(file)


def _parquet_rows(file: DataFile) -> Iterator[tuple[int, Mapping[str, Any]]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    try:
        with pq.ParquetFile(file.path) as table:
            for part in table.iter_batches(batch_size=1024):
                names = [name for name in part.schema.names if not name.startswith(PANDAS_INDEX)]
                for cells in part.select(names).to_pylist():
                    number += 1
                    yield number, cells
    except (pa.ArrowException, OSError, ValueError, OverflowError):
        return  # the reader of the dataset tells of it


def _archive_rows(file: DataFile) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield, of each record of a shard, the bytes of its members by their ending."""
    number, key, cells = 0, "", dict[str, Any]()
    try:
        with tarfile.open(file.path, "r|*") as archive:
            for member in archive:
                if not member.isfile():
                    continue
                folder, _, name = member.name.rpartition("/")
                stem, _, ending = name.partition(".")
                if cells and f"{folder}/{stem}" != key:
                    number += 1
                    yield number, cells
                    cells = {}
                key, stream = f"{folder}/{stem}", archive.extractfile(member)
                cells[ending.lower()] = _digest(stream)
    except (tarfile.TarError, OSError, EOFError, ValueError):
        pass  # the reader of the dataset tells of it
    if cells:
        yield number + 1, cells


def _digest(stream: IO[bytes] | None) -> str:
    whole = hashlib.sha256()
    while stream is not None and (part := stream.read(1 << 20)):
        whole.update(part)
    return f"sha256:{whole.hexdigest()}"
