"""What differs between two versions, or two datasets: every record that was added, removed, changed or moved."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Literal

from pydantic import Field

from copycat.provenance.manifest.aligning import Pair, align, differing
from copycat.provenance.manifest.merging import PLACE, changed_fields
from copycat.provenance.rules.rule import shortened
from copycat.schema import Record

MAX_PAIRED = 1_000_000
"""Records that are gone, or new, of which others with the same content are looked for; more are told without."""

MADE_ID = re.compile(r"[0-9a-f]{32}(-\d+)?")
"""An id that was made from the content. Two of these at one place are one record that changed."""

CONTENT = ("sha256", "text_sha256")
Kind = Literal["added", "removed", "changed", "moved"]


class Change(Record):
    """One record that is not the same on both sides.

    Attributes:
        change: added: it is new; removed: it is gone; changed: it says something else; moved: the same content lies in
            another file, or has another id (the name of a file is an id). Another row of the same file is no move: one
            record less moves all that follow.
        id: on the old side; of an added record on the new one. new_id: on the new side where it is another one.
        old_place, new_place: "file:row" or the file; None where it is not there.
        fields: columns of the sidecar that differ; old, new: their values, shortened.
    """

    change: Kind
    id: str
    new_id: str | None = None
    old_place: str | None = None
    new_place: str | None = None
    fields: tuple[str, ...] = ()
    old: dict[str, str | None] = Field(default_factory=dict)
    new: dict[str, str | None] = Field(default_factory=dict)


class Counts(Record):
    """How many records there are on both sides, and how many of each kind of change.

    `is_whole` is false where more than MAX_PAIRED records were added or removed: moves to another id among them are
    told as removed and added.
    """

    old: int = 0
    new: int = 0
    added: int = 0
    removed: int = 0
    changed: int = 0
    moved: int = 0
    is_whole: bool = True

    @property
    def is_same(self) -> bool:
        """Whether both sides hold the same records, wherever they lie."""
        return not (self.added or self.removed or self.changed)


def compare(old: Iterable[Any], new: Iterable[Any], tell: Callable[[Change], None] = lambda change: None) -> Counts:
    """Compare two streams of rows of the sidecar, both by id and with the same columns.

    Memory holds a part of both, and what is on one side alone (at most MAX_PAIRED records of each).

    Args:
        tell: is told of each change: by id those of records that are on both sides, then the others.
    """
    comparing = _Comparing(tell)
    for pair in align(old, new):
        comparing.take(pair)
    return comparing.finish()


class _Comparing:
    def __init__(self, tell: Callable[[Change], None]) -> None:
        self.tell = tell
        self.n_old = self.n_new = 0
        self.counts: dict[Kind, int] = {"added": 0, "removed": 0, "changed": 0, "moved": 0}
        self.gone: list[Any] = []
        self.come: list[Any] = []
        self.is_whole = True

    def take(self, pair: Pair) -> None:
        self.n_old += pair.old.num_rows
        self.n_new += pair.new.num_rows
        old, new = pair.old.take(pair.both[0]), pair.new.take(pair.both[1])
        changed = changed_fields(old, new)
        forgotten = _forgotten(old) | _forgotten(new)
        for row in sorted({*differing(old["file"], new["file"]), *changed}):
            if row in forgotten and not _other_content(old, new, row):
                continue
            self._tell(_change(old, row, new, row, changed.get(row, ())))
        self.gone.append(pair.old.take(pair.gone))
        self.come.append(pair.new.take(pair.come))
        waiting = max(sum(table.num_rows for table in side) for side in (self.gone, self.come))
        if waiting > MAX_PAIRED:
            self.is_whole = False
            self._flush(set(), set())

    def finish(self) -> Counts:
        gone, come = _together(self.gone), _together(self.come)
        left_gone, left_come = set(gone.rows), set(come.rows)
        for key in (_content_key, _place_key):
            places: dict[Any, list[int]] = {}
            for row in sorted(left_come, reverse=True):
                if (name := key(come, row)) is not None:
                    places.setdefault(name, []).append(row)
            for row in sorted(left_gone):
                if at := places.get(key(gone, row)):
                    other = at.pop()
                    left_gone.discard(row)
                    left_come.discard(other)
                    fields = [] if key is _content_key else [f for f in CONTENT if _differ(gone, row, come, other, f)]
                    self._tell(_change(gone.table, row, come.table, other, fields))
        self.gone, self.come = [gone.table], [come.table]
        self._flush(set(gone.rows) - left_gone, set(come.rows) - left_come)
        return Counts(old=self.n_old, new=self.n_new, is_whole=self.is_whole, **self.counts)

    def _flush(self, told_gone: set[int], told_come: set[int]) -> None:
        """Tell of records on one side, without those rows that were told of."""
        for table, row in _rows(self.gone, told_gone):
            self._tell(Change(change="removed", id=table["id"][row].as_py(), old_place=place_of(table, row)))
        for table, row in _rows(self.come, told_come):
            self._tell(Change(change="added", id=table["id"][row].as_py(), new_place=place_of(table, row)))
        self.gone, self.come = [], []

    def _tell(self, change: Change) -> None:
        self.counts[change.change] += 1
        self.tell(change)


class _Side:
    """Records of one side, with the columns by which they are found again."""

    def __init__(self, table: Any) -> None:
        self.table = table
        self.rows = range(table.num_rows)
        self.columns = {name: table[name].to_pylist() for name in ("id", *PLACE, *CONTENT)}


def _forgotten(table: Any) -> set[int]:
    """Give the rows of records that were removed since: all that is known of these are id and hashes."""
    import numpy as np

    return set(np.flatnonzero(np.asarray(table["file"].is_null())).tolist()) if table["file"].null_count else set()


def _other_content(old: Any, new: Any, row: int) -> bool:
    pairs = [(old[name][row].as_py(), new[name][row].as_py()) for name in CONTENT]
    return any(before is not None and after is not None and before != after for before, after in pairs)


def _rows(tables: Sequence[Any], told: set[int]) -> Iterator[tuple[Any, int]]:
    number = 0
    for table in tables:
        for row in range(table.num_rows):
            if number not in told:
                yield table, row
            number += 1


def _together(tables: Sequence[Any]) -> _Side:
    import pyarrow as pa

    from copycat.provenance.records import sidecar_schema

    held = [table for table in tables if table.num_rows]
    return _Side(pa.concat_tables(held) if held else sidecar_schema().empty_table())


def _content_key(side: _Side, row: int) -> Any:
    content = side.columns["sha256"][row]
    return None if content is None else (content, side.columns["text_sha256"][row])


def _place_key(side: _Side, row: int) -> Any:
    is_made = MADE_ID.fullmatch(side.columns["id"][row]) is not None
    return (side.columns["file"][row], side.columns["row"][row]) if is_made else None


def _differ(old: _Side, row: int, new: _Side, other: int, name: str) -> bool:
    return bool(old.columns[name][row] != new.columns[name][other])


def _change(old: Any, row: int, new: Any, other: int, fields: Sequence[str]) -> Change:
    name, new_name = old["id"][row].as_py(), new["id"][other].as_py()
    return Change(
        change="changed" if fields else "moved",
        id=name,
        new_id=None if name == new_name else new_name,
        old_place=place_of(old, row),
        new_place=place_of(new, other),
        fields=tuple(fields),
        old={field: _shown(old, row, field) for field in fields},
        new={field: _shown(new, other, field) for field in fields},
    )


def place_of(table: Any, row: int) -> str | None:
    """Give where a record lies: "train.parquet:17", or the file that it is; None where a removal forgot it."""
    file, number = table["file"][row].as_py(), table["row"][row].as_py()
    return file if file is None or number is None else f"{file}:{number}"


def _shown(table: Any, row: int, name: str) -> str | None:
    value = table[name][row].as_py()
    return None if value is None else shortened(value)
