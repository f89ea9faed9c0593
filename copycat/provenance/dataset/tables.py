"""Parquet, JSONL and CSV -> batches."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from copycat.provenance.dataset.batches import BATCH_ROWS, Batch, Fault
from copycat.provenance.dataset.columns import find_columns
from copycat.provenance.records import Evidence

if TYPE_CHECKING:
    from copycat.provenance.dataset.opening import DataFile, Dataset

MAX_LINE_BYTES = 64 << 20
"""Of one record of a text file; a longer one is a fault, and reading goes on after it."""

HEAVY_COLUMNS = {"image", "text"}
HEAVY_ROWS = 256
"""Records of a batch where it holds pictures."""


def parquet_batches(dataset: Dataset, file: DataFile, needs: Sequence[str]) -> Iterator[Batch]:
    """Yield the rows of a Parquet file; only the columns that are needed are read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(file.path)
    except (pa.ArrowException, OSError, ValueError) as error:
        yield _unreadable(file, error)
        return
    with table:
        found = find_columns(table.schema_arrow.names, dataset.columns)
        wanted = {standard: found[standard] for standard in needs if standard in found}
        first = 1
        rows = HEAVY_ROWS if "image" in wanted else BATCH_ROWS
        if not wanted:
            yield from _empty_batches(file, table.metadata.num_rows)
            return
        try:
            for part in table.iter_batches(batch_size=rows, columns=sorted(set(wanted.values()))):
                size = part.num_rows
                columns = {standard: part.column(name) for standard, name in wanted.items()}
                yield Batch(file.name, first, size, columns, file.split)
                first += size
        except (pa.ArrowException, OSError, ValueError) as error:
            yield _unreadable(file, error, first)


def jsonl_batches(dataset: Dataset, file: DataFile, needs: Sequence[str]) -> Iterator[Batch]:
    """Yield the lines of a JSONL file, gzipped or not; a line that is no object is a fault."""
    yield from _rows_to_batches(dataset, file, needs, json_rows(file))


def csv_batches(dataset: Dataset, file: DataFile, needs: Sequence[str]) -> Iterator[Batch]:
    """Yield the rows of a CSV file with a header."""
    yield from _rows_to_batches(dataset, file, needs, csv_rows(file))


def arrays_of(rows: Sequence[Mapping[str, Any]], wanted: Mapping[str, str]) -> dict[str, Any]:
    """Give standard name -> pyarrow Array of the rows' values; values of mixed types become text (JSON)."""
    return {standard: array_of([row.get(name) for row in rows]) for standard, name in wanted.items()}


def array_of(values: Sequence[Any]) -> Any:
    """Give a pyarrow Array; values of mixed or strange types become text: JSON for lists and mappings."""
    import pyarrow as pa

    try:
        return pa.array(values, from_pandas=False)
    except (pa.ArrowException, ValueError, TypeError, OverflowError, RecursionError):
        return pa.array([None if value is None else as_text(value) for value in values], pa.string())


def as_text(value: Any) -> str:
    """Give a value as text: itself, or JSON; letters that are no Unicode scalar are replaced."""
    text = value
    if not isinstance(value, str):
        try:
            text = json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
        except (ValueError, TypeError, RecursionError):
            text = "unreadable"
    return str(text).encode("utf-8", "replace").decode("utf-8")


def _rows_to_batches(
    dataset: Dataset, file: DataFile, needs: Sequence[str], rows: Iterator[tuple[int, Any]]
) -> Iterator[Batch]:
    taken: list[dict[str, Any]] = []
    lines: list[int] = []
    faults: list[Fault] = []

    def batch() -> Batch:
        columns = arrays_of(taken, wanted_columns(dataset, needs, taken))
        first = lines[0] if lines else 1
        return Batch(file.name, first, len(taken), columns, file.split, tuple(faults), lines=lines)

    for line, row in rows:
        if isinstance(row, dict):
            taken.append({str(name): value for name, value in row.items()})
            lines.append(line)
        else:
            faults.append(row if isinstance(row, Fault) else Fault(_at(file, line), f"is no object but {_kind(row)}"))
        if len(taken) + len(faults) >= BATCH_ROWS:
            yield batch()
            taken, lines, faults = [], [], []
    if taken or faults:
        yield batch()


def wanted_columns(dataset: Dataset, needs: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Give standard name -> key, for those of `needs` that any of the rows has."""
    found = find_columns(dict.fromkeys(name for row in rows for name in row), dataset.columns)
    return {standard: found[standard] for standard in needs if standard in found}


def json_rows(file: DataFile) -> Iterator[tuple[int, Any]]:
    """Yield line number and what the line says, or a Fault."""
    line = 0
    try:
        with gzip.open(file.path, "rb") if file.name.lower().endswith(".gz") else file.path.open("rb") as stream:
            while raw := stream.readline(MAX_LINE_BYTES):
                line += 1
                if len(raw) == MAX_LINE_BYTES and not raw.endswith(b"\n"):
                    while (rest := stream.readline(MAX_LINE_BYTES)) and not rest.endswith(b"\n"):
                        pass
                    yield line, Fault(_at(file, line), f"is longer than {MAX_LINE_BYTES} bytes")
                elif raw.strip():
                    yield line, _json_row(file, line, raw)
    except (OSError, EOFError) as error:
        yield line + 1, Fault(_at(file, line + 1), f"cannot be read on: {error}", loses_rest=True)


def _json_row(file: DataFile, line: int, raw: bytes) -> Any:
    try:
        return json.loads(raw.decode("utf-8-sig" if line == 1 else "utf-8"))
    except UnicodeDecodeError as error:
        return Fault(_at(file, line), f"is not UTF-8 from byte {error.start + 1} on")
    except (ValueError, RecursionError) as error:
        return Fault(_at(file, line), f"is not JSON: {error}")


def csv_rows(file: DataFile) -> Iterator[tuple[int, Any]]:
    """Yield the rows as mappings; bytes that are not UTF-8 are replaced, since a table may hold just one of them."""
    line = 1
    csv.field_size_limit(MAX_LINE_BYTES)
    try:
        with io.TextIOWrapper(file.path.open("rb"), "utf-8-sig", errors="replace", newline="") as stream:
            reader = csv.DictReader(stream)
            for row in reader:
                line = reader.line_num
                if None in row:
                    yield line, Fault(_at(file, line), "has more cells than the header")
                else:
                    yield line, {name: value or None for name, value in row.items()}
    except (csv.Error, OSError) as error:
        yield line + 1, Fault(_at(file, line + 1), f"cannot be read on: {error}", loses_rest=True)


def _empty_batches(file: DataFile, n_rows: int) -> Iterator[Batch]:
    for first in range(0, n_rows, BATCH_ROWS):
        yield Batch(file.name, first + 1, min(BATCH_ROWS, n_rows - first), {}, file.split)


def _unreadable(file: DataFile, error: Exception, line: int | None = None) -> Batch:
    said = f"cannot be read{'' if line is None else ' on'}: {' '.join(str(error).split())[:200]}"
    return Batch(file.name, line or 1, 0, {}, file.split, (Fault(Evidence(file=file.name, line=line), said, True),))


def _at(file: DataFile, line: int) -> Evidence:
    return Evidence(file=file.name, line=line)


def _kind(value: Any) -> str:
    return {"list": "a list", "str": "text", "NoneType": "null"}.get(type(value).__name__, "a number")
