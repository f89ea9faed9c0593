"""Columns of a batch as texts or bytes, whatever their type in the file is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from copycat.provenance.dataset import Batch

if TYPE_CHECKING:
    import polars as pl

MAX_DEPTH = 16


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
