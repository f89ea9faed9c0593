"""What the records of a dataset look like: its columns, and whether they hold text or pictures."""

from __future__ import annotations

from itertools import islice

from copycat.provenance.dataset import DataFile, Dataset

ROWS_LOOKED_AT = 20


def modalities_of(dataset: Dataset) -> tuple[str, ...]:
    """Say what the first records hold: "text", "image"."""
    first = next((batch for batch in islice(dataset.content(("text", "image")), ROWS_LOOKED_AT) if batch.size), None)
    if first is None:
        return ()
    columns = {name: first.column(name) for name in ("text", "image")}
    return tuple(name for name, column in columns.items() if column is not None and column.null_count < len(column))


def columns_of(dataset: Dataset) -> tuple[str, ...]:
    """Give the names of the dataset's own columns, from its first file; () where that has none."""
    if not dataset.files or dataset.kind in {"folder", "webdataset"}:
        return ()
    file = dataset.files[0]
    return _parquet_columns(file) if dataset.kind == "parquet" else _row_keys(dataset, file)


def _parquet_columns(file: DataFile) -> tuple[str, ...]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return tuple(pq.read_schema(file.path).names)
    except (pa.ArrowException, OSError, ValueError):
        return ()


def _row_keys(dataset: Dataset, file: DataFile) -> tuple[str, ...]:
    from copycat.provenance.dataset.tables import csv_rows, json_rows

    rows = csv_rows(file) if dataset.kind == "csv" else json_rows(file)
    found = [row[1] for row in islice(rows, ROWS_LOOKED_AT) if isinstance(row[1], dict)]
    return tuple(dict.fromkeys(str(name) for row in found for name in row))
