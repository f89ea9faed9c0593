"""What the readers of a dataset yield: batches of records, and faults in place of what cannot be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from copycat.provenance.records import Evidence

BATCH_ROWS = 8192
"""Records of a batch at most; fewer where they are large."""


class Fault(NamedTuple):
    """What cannot be read, and why: one record of a file, or the file from there on."""

    evidence: Evidence
    said: str
    loses_rest: bool = False


@dataclass(frozen=True)
class Batch:
    """Some records of one file, in their order.

    Attributes:
        file: relative to the dataset, with "/" between folders.
        first: the number of the first record in its file, from 1.
        size: how many records.
        columns: standard name -> pyarrow Array of `size` values, of whatever type it has in the file; only names that
            were asked for and that are there. Pictures are structs with `bytes` and `path`, or binary, or text.
        extra: columns as the file names them, for whoever asked for all of them.
        split: "train", "test", ..., where the layout tells.
        faults: of records that are not in the batch.
        keys: what names a record in its file where a number does not: a member of an archive, a file of a folder.
    """

    file: str
    first: int
    size: int
    columns: Mapping[str, Any]
    split: str = ""
    faults: tuple[Fault, ...] = ()
    keys: Sequence[str] | None = None
    lines: Sequence[int] | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    def column(self, name: str) -> Any:
        """Give the pyarrow Array of a standard column; None where the file has none."""
        return self.columns.get(name)

    def values(self, name: str) -> list[Any]:
        """Give the Python values of a standard column; all None where the file has none."""
        column = self.columns.get(name)
        return [None] * self.size if column is None else column.to_pylist()

    def texts(self, name: str) -> list[str]:
        """Give a standard column as stripped text, "" for null."""
        return ["" if value is None else str(value).strip() for value in self.values(name)]

    def id_of(self, row: int) -> str:
        """Name record `row` (from 0) of this batch: its id, or else its place."""
        column = self.columns.get("id")
        value = None if column is None else column[row].as_py()
        return str(value) if value not in (None, "") else self.place_of(row)

    def place_of(self, row: int) -> str:
        """Give where the record lies: "train.parquet:17", "shard-0.tar/000012", "cats/one.png"."""
        if self.keys is not None:
            return f"{self.file}/{self.keys[row]}" if self.file else self.keys[row]
        return f"{self.file}:{self.line_of(row)}"

    def line_of(self, row: int) -> int:
        """Give the row's number in its table or the line in its file, from 1."""
        return self.first + row if self.lines is None else self.lines[row]

    def evidence(self, row: int, pointer: str = "", value: str = "") -> Evidence:
        """Say where record `row` (from 0) of this batch lies."""
        if self.keys is None:
            return Evidence(file=self.file, line=self.line_of(row), pointer=pointer, value=value)
        if not self.file:
            return Evidence(file=self.keys[row], pointer=pointer, value=value)
        return Evidence(file=self.file, pointer=f"{self.keys[row]} {pointer}".strip(), value=value)
