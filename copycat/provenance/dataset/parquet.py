"""Parquet -> batches: only the columns that are needed are read, some megabytes at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from copycat.provenance.dataset.batches import BATCH_BYTES, BATCH_ROWS, Batch, Fault, python_values
from copycat.provenance.dataset.columns import find_columns
from copycat.provenance.dataset.tables import one_line
from copycat.provenance.records import Evidence

if TYPE_CHECKING:
    from copycat.provenance.dataset.files import DataFile
    from copycat.provenance.dataset.opening import Dataset

READ_BYTES = 1 << 20
"""A column is read in pieces of so much, and no row group before its turn; pyarrow's `pre_buffer` holds whole files."""

MEASURED_GROUPS = 16
"""Row groups whose sizes tell how many rows a batch may have."""

MEASURED_ROWS = 8
"""Of each, where the sizes do not tell."""

MAX_LEVELS = 4
"""Of structs in whose fields columns are looked for."""


def parquet_batches(dataset: Dataset, file: DataFile, needs: Sequence[str]) -> Iterator[Batch]:
    """Yield the rows of a Parquet file. A row group that is damaged is a fault, and the next one is read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    damaged = (pa.ArrowException, OSError, ValueError)
    try:
        table = pq.ParquetFile(file.path, buffer_size=READ_BYTES, pre_buffer=False)
        names = _names(table.schema_arrow)
    except damaged as error:
        yield _unreadable(file, f"cannot be read: {one_line(error)}", loses_rest=True)
        return
    with table:
        top = table.schema_arrow.names
        for name in dict.fromkeys(name for name in top if top.count(name) > 1):
            yield _unreadable(file, "is there twice; the first one is read", pointer=name)
        found = find_columns(names, dataset.columns)
        named = {standard: found[standard] for standard in needs if standard in found}
        if not named:
            yield from _empty_batches(file, table.metadata.num_rows)
            return
        columns = sorted(set(named.values()))
        for first, part in _parts(table, columns, damaged):
            if isinstance(part, str):
                yield _unreadable(file, part, line=first)
                continue
            arrays = {standard: plain_array(_taken(part, name)) for standard, name in named.items()}
            yield Batch(file.name, first, part.num_rows, arrays, file.split, named=named)


def _parts(table: Any, columns: Sequence[str], damaged: tuple[type[Exception], ...]) -> Iterator[tuple[int, Any]]:
    """Yield the number of a first row and a record batch from there on, or why a row group cannot be read.

    Batches run over the borders of row groups until one is damaged; from there on each group is read by itself.
    """
    ends = [0, *accumulate(table.metadata.row_group(at).num_rows for at in range(table.num_row_groups))]
    n_groups = len(ends) - 1
    group, done, is_careful = 0, 0, False
    try:
        size = rows_of_a_batch(table, columns)
    except damaged:  # reading tells of it
        size, is_careful = BATCH_ROWS // 8, True
    while group < n_groups:
        skipped = done - ends[group]
        try:
            groups = [group] if is_careful else range(group, n_groups)
            for part in table.iter_batches(batch_size=size, row_groups=groups, columns=columns):
                rest = part.slice(skipped)
                skipped = max(0, skipped - part.num_rows)
                if rest.num_rows:
                    yield done + 1, rest
                    done += rest.num_rows
            group = group + 1 if is_careful else n_groups
        except damaged as error:
            if is_careful:
                yield done + 1, f"cannot be read, up to row {ends[group + 1]}: {one_line(error)}"
                done = ends[group + 1]
                group += 1
            else:
                group, is_careful = next(at for at in range(n_groups) if ends[at + 1] > done), True


def rows_of_a_batch(table: Any, columns: Sequence[str]) -> int:
    """Give how many rows of these columns take about BATCH_BYTES, at most BATCH_ROWS.

    Told by the row groups' sizes where all of a row is small; otherwise by the first rows, since a row may hold
    pictures that nobody asks for. Not by the sizes of columns: pyarrow 26 ends the process on some damaged ones.
    """
    metadata = table.metadata
    groups = [metadata.row_group(at) for at in range(min(metadata.num_row_groups, MEASURED_GROUPS))]
    if max((group.total_byte_size / max(group.num_rows, 1) for group in groups), default=0) * BATCH_ROWS <= BATCH_BYTES:
        return BATCH_ROWS
    most = 1
    for at in range(len(groups)):
        part = next(table.iter_batches(batch_size=MEASURED_ROWS, row_groups=[at], columns=columns), None)
        if part is not None and part.num_rows:
            most = max(most, part.nbytes // part.num_rows)
    return int(min(BATCH_ROWS, max(1, BATCH_BYTES // most)))


def _names(schema: Any) -> list[str]:
    import pyarrow as pa

    def below(field: Any, prefix: str, level: int) -> Iterator[str]:
        name = f"{prefix}{field.name}"
        yield name
        if pa.types.is_struct(field.type) and level < MAX_LEVELS:
            for inner in field.type:
                yield from below(inner, f"{name}.", level + 1)

    return [name for field in schema for name in below(field, "", 1)]


def _taken(part: Any, name: str) -> Any:
    """Give a column of a record batch, or a field of a struct in it; of two with one name the first."""
    import pyarrow.compute as pc

    places = part.schema.get_all_field_indices(name)
    if places:
        return part.column(places[0])
    parent, *fields = name.split(".")
    column = part.column(part.schema.get_all_field_indices(parent)[0])
    return pc.struct_field(column, fields)


def plain_array(column: Any) -> Any:
    """Give a column in a type that rules know.

    Dictionaries, views and extensions become what they stand for; a map becomes a list of structs with `name` and
    `value`, as headers are kept; times beyond Python's years, or of a zone that nobody knows, become text.
    """
    import pyarrow as pa

    kind = column.type
    if isinstance(column, pa.ExtensionArray):
        return plain_array(column.storage)
    if pa.types.is_dictionary(kind):
        return plain_array(column.dictionary_decode())
    if pa.types.is_string_view(kind):
        return column.cast(pa.large_string())
    if pa.types.is_binary_view(kind):
        return column.cast(pa.large_binary())
    if pa.types.is_map(kind):
        return _as_named_values(column)
    return _as_readable_times(column) if pa.types.is_temporal(kind) else column


def _as_named_values(column: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    offsets = column.offsets
    if column.null_count:  # a null offset makes a null list; the last one says where the last list ends
        is_null = pa.concat_arrays([pc.is_null(column), pa.array([False])])
        offsets = pc.if_else(is_null, pa.scalar(None, offsets.type), offsets)
    pairs = pa.StructArray.from_arrays([column.keys, column.items], ["name", "value"])
    return pa.ListArray.from_arrays(offsets, pairs)


def _as_readable_times(column: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        if not pa.types.is_duration(column.type):
            ends = pc.min_max(column)
            ends["min"].as_py(), ends["max"].as_py()
    except (ValueError, OverflowError, KeyError, TypeError, ImportError, pa.ArrowException):
        texts = python_values(column)
        return pa.array([None if text is None else str(text) for text in texts], pa.large_string())
    return column


def _empty_batches(file: DataFile, n_rows: int) -> Iterator[Batch]:
    for first in range(0, n_rows, BATCH_ROWS):
        yield Batch(file.name, first + 1, min(BATCH_ROWS, n_rows - first), {}, file.split)


def _unreadable(
    file: DataFile, said: str, line: int | None = None, *, pointer: str = "", loses_rest: bool = False
) -> Batch:
    fault = Fault(Evidence(file=file.name, line=line, pointer=pointer), said, loses_rest)
    return Batch(file.name, line or 1, 0, {}, file.split, (fault,))
