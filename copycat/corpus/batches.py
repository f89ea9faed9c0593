"""Parts of a corpus that are counted by themselves, and the batches of texts that each is read in."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from copycat.corpus.footers import read_chunks
from copycat.corpus.lines import Row, damaged_file_told, form_of, read_rows
from copycat.corpus.reading import Corpus
from copycat.errors import DataError
from copycat.paths import shown

if TYPE_CHECKING:
    import polars as pl

BATCH_ROWS = 131_072
BATCH_BYTES = 32 * 2**20
BATCHES_READ = 4
"""Parquet is read in stretches of so many batches: a stretch that ends within a row group costs reading it twice."""

UNIT_ROWS = 1_000_000
"""Row groups of Parquet are taken together until they have so many rows."""


class Unit(NamedTuple):
    """A part of a corpus: a text file, or some row groups of a Parquet file (`start` and `stop` are rows)."""

    file: Path
    start: int = 0
    stop: int = 0


class Batch(NamedTuple):
    """Texts, a polars Series of strings without nulls, and how many rows of the batch could not be decoded.

    `first` is the place of the first text among the rows of its file, `file` the place of the file in the corpus;
    `others` holds the corpus's other columns.
    """

    texts: pl.Series
    undecodable: int = 0
    first: int = 0
    others: pl.DataFrame | None = None
    file: int = 0


def units_of(corpus: Corpus) -> list[Unit]:
    """Divide a corpus; the same corpus is always divided alike.

    Raises:
        DataError: a file is damaged.
    """
    return [unit for file in corpus.files for unit in _units_of(file)]


def read_batches(corpus: Corpus, unit: Unit) -> Iterator[Batch]:
    """Give the texts of one unit in batches of at most `BATCH_ROWS` rows and about `BATCH_BYTES` bytes.

    Raises:
        DataError: a line is longer than allowed, or the file is damaged.
    """
    file, others = corpus.files.index(unit.file), corpus.other_columns
    if form_of(unit.file) == ".parquet":
        batches = _read_parquet(unit, corpus.text_column, others)
    else:
        batches = _in_batches(read_rows(unit.file, corpus.text_column, corpus.max_line_bytes, others), others)
    yield from (batch._replace(file=file) for batch in batches)


def _units_of(file: Path) -> Iterator[Unit]:
    if form_of(file) != ".parquet":
        yield Unit(file)
        return
    facts = _metadata(file)
    bounds, end = [0], 0
    for group in range(facts.num_row_groups):
        end += facts.row_group(group).num_rows
        if end - bounds[-1] >= UNIT_ROWS:
            bounds.append(end)
    if end > bounds[-1]:
        bounds.append(end)
    yield from (Unit(file, start, stop) for start, stop in pairwise(bounds))


def _metadata(file: Path) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with damaged_file_told(file):
        try:
            return pq.read_metadata(file)
        except pa.ArrowException as error:
            raise _unreadable(file, error) from error


def _unreadable(file: Path, error: BaseException) -> DataError:
    what = str(error).strip().splitlines()
    return DataError([f"{shown(file)}: cannot be read ({what[0] if what else type(error).__name__})"])


def _read_parquet(unit: Unit, column: str, others: tuple[str, ...]) -> Iterator[Batch]:
    rows = _rows_at_once(unit.file, column)
    for start in range(unit.start, unit.stop, rows):
        n = min(rows, unit.stop - start)
        part = _read_column(unit.file, column, start, n)
        if len(part) != n:
            raise DataError([f"{shown(unit.file)}: row {start + len(part)} is missing; is the file in one piece?"])
        batch = _decoded(part)._replace(first=start)
        if others:
            batch = batch._replace(others=_read_others(unit.file, others, start, n))
        yield from _bounded(batch)


def _read_column(file: Path, column: str, start: int, n: int) -> pl.Series:
    import polars as pl

    try:
        return pl.scan_parquet(file, glob=False).select(column).slice(start, n).collect().to_series()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
        return _read_bytes(file, column, start, n)  # "string data contained invalid UTF-8", most often


def _read_others(file: Path, columns: tuple[str, ...], start: int, n: int) -> pl.DataFrame:
    import polars as pl

    try:
        return pl.scan_parquet(file, glob=False).select(columns).slice(start, n).collect()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
        return pl.DataFrame([_read_column(file, column, start, n).alias(column) for column in columns])


def _rows_at_once(file: Path, column: str) -> int:
    """Give how many rows come to about `BATCHES_READ` batches by what the file says of its columns."""
    n_rows = _metadata(file).num_rows
    size = _column_bytes(file, column, file.stat().st_mtime_ns)
    return int(max(1, BATCHES_READ * min(BATCH_ROWS, BATCH_BYTES * n_rows // max(1, size))))


@lru_cache(maxsize=64)
def _column_bytes(file: Path, column: str, changed: int) -> int:
    """Give what a column takes in memory; `changed` is there so that a file that has changed is read again."""
    try:
        return sum(each.uncompressed_size for group in read_chunks(file) for each in group if each.path == column)
    except (ValueError, OSError) as error:
        raise _unreadable(file, error) from error


def _read_bytes(file: Path, column: str, start: int, n: int) -> pl.Series:
    """Read rows with the other library, which does not mind what the bytes of a text are."""
    import polars as pl
    import pyarrow as pa
    import pyarrow.parquet as pq

    parts: list[pl.Series] = []
    first = 0
    try:
        stored = pq.ParquetFile(file)
        for group in range(stored.num_row_groups):
            last = first + stored.metadata.row_group(group).num_rows
            if first < start + n and last > start:
                table = stored.read_row_group(group, columns=[column]).column(0)
                wanted = table.slice(max(0, start - first), min(last, start + n) - max(first, start))
                parts += [pl.Series(values=part.cast(pa.large_binary())) for part in wanted.chunks]
            first = last
    except (pa.ArrowException, OSError, IndexError) as error:
        raise _unreadable(file, error) from error
    return pl.concat(parts) if parts else pl.Series(dtype=pl.Binary)


def _decoded(column: pl.Series) -> Batch:
    """Make texts of what a column holds: nothing is an empty text, bytes are decoded."""
    import polars as pl

    if column.dtype != pl.Binary:
        return Batch(column.cast(pl.String).fill_null(""))
    rows = [_decoded_row(value or b"") for value in column]
    return Batch(pl.Series([row.text for row in rows], dtype=pl.String), sum(row.is_undecodable for row in rows))


def _decoded_row(value: bytes) -> Row:
    try:
        return Row(value.decode("utf-8"))
    except UnicodeDecodeError:
        return Row(value.decode("utf-8", errors="replace"), is_undecodable=True)


def _bounded(batch: Batch) -> Iterator[Batch]:
    """Divide what was read into batches, by what the texts turn out to take."""
    texts, undecodable, first, others, _ = batch
    n_parts = min(len(texts), max(-(-len(texts) // BATCH_ROWS), 1 + int(texts.str.len_bytes().sum()) // BATCH_BYTES))
    for part in range(n_parts):
        start, stop = len(texts) * part // n_parts, len(texts) * (part + 1) // n_parts
        beside = others.slice(start, stop - start) if others is not None else None
        yield Batch(texts.slice(start, stop - start), undecodable if part == 0 else 0, first + start, beside)


def _in_batches(rows: Iterator[Row], columns: tuple[str, ...]) -> Iterator[Batch]:
    held: list[Row] = []
    size = first = 0
    for row in rows:
        held.append(row)
        size += len(row.text)
        if len(held) == BATCH_ROWS or size >= BATCH_BYTES:
            yield _batch_of(held, first, columns)
            first += len(held)
            held, size = [], 0
    if held:
        yield _batch_of(held, first, columns)


def _batch_of(rows: list[Row], first: int, columns: tuple[str, ...]) -> Batch:
    import polars as pl

    others = None
    if columns:
        beside = [row.others or (None,) * len(columns) for row in rows]
        others = pl.DataFrame(beside, schema=dict.fromkeys(columns, pl.String), orient="row")
    texts = pl.Series([row.text for row in rows], dtype=pl.String)
    return Batch(texts, sum(row.is_undecodable for row in rows), first, others)
