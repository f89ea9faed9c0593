"""Columns of a batch as texts or bytes, whatever their type in the file is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from copycat.provenance.dataset import Batch, Dataset
from copycat.provenance.dataset.columns import STANDARD, find_columns
from copycat.provenance.dataset.tables import csv_rows, json_rows

if TYPE_CHECKING:
    import polars as pl

MAX_DEPTH = 16

SEVERAL = ("url", "author", "title", "text", "source")
"""Standard columns of which a file may have several, each to be looked in."""


def text_column(batch: Batch, name: str) -> pl.Series | None:
    """Give a standard column as texts, "" for null; of lists and structs the texts in them, a line each.

    None where the file has no such column. Bytes that are no UTF-8 are replaced.
    """
    import polars as pl
    import pyarrow as pa

    column = batch.column(name)
    if column is None:
        return None
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        try:
            column.validate(full=True)
        except pa.ArrowInvalid:
            column = column.cast(pa.binary())
        else:
            return pl.Series(name, pl.from_arrow(column), dtype=pl.String).fill_null("").str.strip_chars()
    return pl.Series(name, ["\n".join(_texts(value)).strip() for value in column.to_pylist()], dtype=pl.String)


def variants(dataset: Dataset, needs: Sequence[str]) -> Iterator[tuple[Dataset, tuple[str, ...]]]:
    """Yield the dataset with its columns, and again with others that mean the same, such as page_url beside image_url.

    A standard column is the first of several; whoever asks whether they are in it must be found in all of them. Which
    there are is told from the first file of tables; other forms have none.

    Returns: what to read, and the standard columns to read of it.
    """
    yield dataset, tuple(needs)
    names = _column_names(dataset)
    taken = find_columns(names, dataset.columns)
    others = {
        need: [name for name in names if name != taken.get(need) and _means(name, need)]
        for need in needs
        if need in SEVERAL and need not in dataset.columns
    }
    for at in range(max(map(len, others.values()), default=0)):
        chosen = {need: columns[at] for need, columns in others.items() if at < len(columns)}
        yield replace(dataset, columns={**dataset.columns, **chosen}), tuple(chosen)


def _means(name: str, need: str) -> bool:
    low = name.casefold()
    is_address = need == "url" and low.endswith(("url", "uri", "link")) and "licen" not in low
    return low in STANDARD[need] or is_address


def _column_names(dataset: Dataset) -> list[str]:
    """Give the columns of the first file with records; [] where it has none that can be read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    for file in dataset.files[:1]:
        if file.kind == "parquet":
            try:
                return list(pq.read_schema(file.path).names)
            except (pa.ArrowException, OSError, ValueError):
                return []
        if file.kind in ("jsonl", "csv"):
            rows = json_rows(file) if file.kind == "jsonl" else csv_rows(file)
            heads = islice((row[1] for row in rows if isinstance(row[1], dict)), 100)
            return list(dict.fromkeys(str(name) for head in heads for name in head))
    return []


def binary_values(batch: Batch, name: str, row: int | None = None) -> Sequence[bytes | None] | None:
    """Give the bytes of a column of pictures: of structs with `bytes`, or binary; None where it has neither.

    Args:
        row: only of this one.
    """
    column = batch.column(name)
    if column is None:
        return None
    if row is not None:
        column = column.slice(row, 1)
    values = [value.get("bytes") if isinstance(value, dict) else value for value in column.to_pylist()]
    found = [value if isinstance(value, bytes) else None for value in values]
    return found if any(value is not None for value in found) else None


def _texts(value: Any, depth: int = 0) -> Iterator[str]:
    if value is None or depth > MAX_DEPTH:
        return
    if isinstance(value, bytes):
        yield value.decode("utf-8", "replace")
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each, depth + 1)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each, depth + 1)
    else:
        yield str(value).encode("utf-8", "replace").decode("utf-8")
