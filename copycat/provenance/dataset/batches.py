"""What the readers of a dataset yield: batches of records, and faults in place of what cannot be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from copycat.provenance.records import Evidence

BATCH_ROWS = 8192
"""Records of a batch at most; fewer where they are large."""

BATCH_BYTES = 32 << 20
"""About as much of a dataset is held in one batch, or one record where that is larger."""


LARGEST_WHOLE = 2**53
"""Whole numbers up to here are the same as floats and as integers."""


class Fault(NamedTuple):
    """What cannot be read, and why: one record of a file, or the file from there on."""

    evidence: Evidence
    said: str
    loses_rest: bool = False


@dataclass(frozen=True)
class Batch:
    """Some records of one file, in their order.

    Attributes:
        file: relative to the dataset, with "/" between folders; "" where each file is a record.
        first: the number of the first record in its file, from 1.
        size: how many records.
        columns: standard name -> pyarrow Array of `size` values, of whatever type it has in the file; only names that
            were asked for and that are there. Pictures are structs with `bytes` and `path`, or binary, or text.
        split: "train", "test", ..., where the layout or the card tells; config: the configuration the card names.
        faults: of records that are not in the batch, or that were read with something replaced.
        keys: what names a record in its file where a number does not: a member of an archive, a file of a folder.
        lines: the line of each record where it differs from its number.
        named: standard name -> what the file calls it, such as "metadata.license".
        lies_in: of rows of a sidecar, the data file and the row there of each record (two pyarrow Arrays of `size`).
    """

    file: str
    first: int
    size: int
    columns: Mapping[str, Any]
    split: str = ""
    faults: tuple[Fault, ...] = ()
    keys: Sequence[str] | None = None
    lines: Sequence[int] | None = None
    named: Mapping[str, str] = field(default_factory=dict)
    config: str = ""
    lies_in: tuple[Any, Any] | None = None

    def column(self, name: str) -> Any:
        """Give the pyarrow Array of a standard column; None where the file has none."""
        return self.columns.get(name)

    def values(self, name: str) -> list[Any]:
        """Give the Python values of a standard column; all None where the file has none.

        A value that Python has no type for, such as a time in the year 200,000, comes as text.
        """
        column = self.columns.get(name)
        return [None] * self.size if column is None else python_values(column)

    def texts(self, name: str) -> list[str]:
        """Give a standard column as stripped text, "" for null and NaN; bytes are read as UTF-8."""
        column = self.columns.get(name)
        if column is None:
            return [""] * self.size
        return [as_stripped(value) for value in python_values(column)]

    def text_array(self, name: str) -> Any:
        """Give the same as a pyarrow array of large_string, for whoever works on whole columns; None without column."""
        import pyarrow as pa
        import pyarrow.compute as pc

        column = self.columns.get(name)
        if column is None:
            return None
        is_plain = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
        if not is_plain and not pa.types.is_integer(column.type):
            return pa.array(self.texts(name), pa.large_string())
        return pc.utf8_trim_whitespace(pc.fill_null(pc.cast(column, pa.large_string()), ""))

    def id_of(self, row: int) -> str:
        """Name record `row` (from 0) of this batch: its id, or else its place."""
        column = self.columns.get("id")
        name = "" if column is None else as_stripped(python_values(column.slice(row, 1))[0])
        return name or self.place_of(row)

    def place_of(self, row: int) -> str:
        """Give where the record lies: "train.parquet:17", "shard-0.tar/000012", "cats/one.png"."""
        file, line = self._data_place(row)
        if file:
            return file if line is None else f"{file}:{line}"
        if self.keys is not None:
            return f"{self.file}/{self.keys[row]}" if self.file else self.keys[row]
        return f"{self.file}:{self.line_of(row)}"

    def line_of(self, row: int) -> int:
        """Give the row's number in its table or the line in its file, from 1."""
        return self.first + row if self.lines is None else self.lines[row]

    def evidence(self, row: int, pointer: str = "", value: str = "") -> Evidence:
        """Say where record `row` (from 0) of this batch lies; of a sidecar's row, where its record lies in the data."""
        file, line = self._data_place(row)
        if file:
            return Evidence(file=file, line=line, pointer=pointer, value=value)
        if self.keys is None:
            return Evidence(file=self.file, line=self.line_of(row), pointer=pointer, value=value)
        if not self.file:
            return Evidence(file=self.keys[row], pointer=pointer, value=value)
        return Evidence(file=self.file, pointer=f"{self.keys[row]} {pointer}".strip(), value=value)

    def _data_place(self, row: int) -> tuple[str, int | None]:
        """Give the data file and row that a sidecar names; "" where this is no row of one, or a removal forgot it."""
        if self.lies_in is None:
            return "", None
        file, line = python_values(self.lies_in[0].slice(row, 1))[0], python_values(self.lies_in[1].slice(row, 1))[0]
        return as_stripped(file), line if isinstance(line, int) and line > 0 else None


def python_values(column: Any) -> list[Any]:
    """Give the Python values of a pyarrow Array; one that has none comes as pyarrow's text for it."""
    import pyarrow as pa

    odd = (ValueError, OverflowError, KeyError, TypeError, ImportError, pa.ArrowException)
    try:
        values: list[Any] = column.to_pylist()
        return values
    except odd:
        return [_python_value(column, row, odd) for row in range(len(column))]


def _python_value(column: Any, row: int, odd: tuple[type[Exception], ...]) -> Any:
    import pyarrow as pa

    try:
        return column[row].as_py()
    except odd:
        pass
    try:
        return column.slice(row, 1).cast(pa.string())[0].as_py()
    except odd:
        return f"a {column.type} that cannot be read"


def as_stripped(value: Any) -> str:
    """Give a value as stripped text: "" for None and NaN, bytes as UTF-8, whole numbers without a point.

    pandas makes floats of integers where one is missing; the id 7 would be another one on every such mirror.
    """
    if isinstance(value, str):
        return value.strip()
    if value is None or value != value:  # noqa: PLR0124 - NaN is what is not itself
        return ""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace").strip()
    if isinstance(value, float) and value.is_integer() and abs(value) <= LARGEST_WHOLE:
        return str(int(value))
    return str(value).strip()
