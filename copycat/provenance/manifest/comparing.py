"""What differs between two versions, or two datasets: the records added, removed, changed, renamed and moved."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, get_args

from pydantic import Field

from copycat.provenance.manifest.aligning import Pair, align, differing
from copycat.provenance.manifest.merging import NOT_COMPARED, PLACE, changed_fields
from copycat.provenance.rules.rule import shortened
from copycat.schema import Record

MAX_PAIRED = 1_000_000
"""Records that are gone, or new, of which others with the same content are looked for; more are told without."""

MADE_ID = re.compile(r"[0-9a-f]{32}(-\d+)?")
"""An id that was made from the content. Two of these at one place are one record that changed."""

CONTENT = ("sha256", "text_sha256")
Kind = Literal["added", "removed", "changed", "renamed", "moved"]


class Change(Record):
    """One record that is not the same on both sides.

    Attributes:
        change: added: it is new; removed: it is gone; changed: its content or a fact is another one, whatever its id;
            renamed: all is the same but its id (the name of a file is an id), so that roots differ; moved: all is the
            same, in another file. Another row of the same file is no move: one record less moves all that follow.
        id: on the old side; of an added record on the new one. new_id: on the new side where it is another one.
        old_place, new_place: "file:row" or the file; None where it is not there.
        fields: columns of the sidecar that differ; old, new: their values, shortened; of a struct the differing parts.
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

    `is_whole` is false where more than MAX_PAIRED records were added or removed: renamed ones among them are told as
    removed and added.
    """

    old: int = 0
    new: int = 0
    added: int = 0
    removed: int = 0
    changed: int = 0
    renamed: int = 0
    moved: int = 0
    is_whole: bool = True

    @property
    def is_same(self) -> bool:
        """Whether both sides hold the same records under the same ids, wherever they lie: then roots are the same."""
        return not (self.added or self.removed or self.changed or self.renamed)


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
        self.counts: dict[Kind, int] = dict.fromkeys(get_args(Kind), 0)
        self.gone: list[Any] = []
        self.come: list[Any] = []
        self.is_whole = True

    def take(self, pair: Pair) -> None:
        self.n_old += pair.old.num_rows
        self.n_new += pair.new.num_rows
        old, new = pair.old.take(pair.both[0]), pair.new.take(pair.both[1])
        changed = _changed(old, new)
        forgotten = _forgotten(old) | _forgotten(new)
        for row in sorted({*differing(old["file"], new["file"]), *changed}):
            if row in forgotten and not _other_content(old, new, row):
                continue
            fields = changed.get(row, ())
            (before,), (after,) = _named(old.slice(row, 1)), _named(new.slice(row, 1))
            self._tell(_change(before, after, fields, _values(old, new, row, fields)))
        self.gone.append(pair.old.take(pair.gone))
        self.come.append(pair.new.take(pair.come))
        waiting = max(sum(table.num_rows for table in side) for side in (self.gone, self.come))
        if waiting > MAX_PAIRED:
            self.is_whole = False
            self._flush(set(), set())

    def finish(self) -> Counts:
        gone, come = _together(self.gone), _together(self.come)
        left_gone, left_come = set(gone.rows), set(come.rows)
        pairs = []
        # The same facts first: of records with one content, each is paired with the one that says the same.
        for key in (_facts_key, _content_key, _place_key):
            pairs += _paired(gone, come, left_gone, left_come, key)
        if pairs:
            self._tell_pairs(gone.table.take([row for row, _ in pairs]), come.table.take([row for _, row in pairs]))
        self.gone, self.come = [gone.table], [come.table]
        self._flush(set(gone.rows) - left_gone, set(come.rows) - left_come)
        return Counts(old=self.n_old, new=self.n_new, is_whole=self.is_whole, **self.counts)

    def _tell_pairs(self, old: Any, new: Any) -> None:
        """Tell of records that are on both sides under another id, row by row."""
        changed = _changed(old, new)
        for row in _forgotten(old) | _forgotten(new):
            changed.pop(row, None)
        named = zip(_named(old), _named(new), strict=True)
        for row, (before, after) in enumerate(named):
            fields = changed.get(row, ())
            self._tell(_change(before, after, fields, _values(old, new, row, fields)))

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
        self.facts = _hashes_of_facts(table)


def _hashes_of_facts(table: Any) -> list[int]:
    """Give a number for each row that is the same where all facts are; one for all where there are no facts."""
    import polars as pl

    names = [name for name in table.column_names if name not in (*NOT_COMPARED, *CONTENT, "split")]
    if not names or not table.num_rows:
        return [0] * table.num_rows
    frame = pl.DataFrame(pl.from_arrow(table.select(names)))
    found: list[int] = frame.select(pl.struct(pl.all()).hash()).to_series().to_list()
    return found


def _changed(old: Any, new: Any) -> dict[int, list[str]]:
    """Give row -> the columns in which it differs.

    A split that one side tells and the other does not is none of them: it may be told by the name of the file alone.
    """
    import pyarrow.compute as pc

    found = changed_fields(old, new)
    if "split" not in old.column_names:
        return found
    is_untold = pc.or_(pc.is_null(old["split"]), pc.is_null(new["split"])).to_pylist()
    for row in [row for row, fields in found.items() if "split" in fields and is_untold[row]]:
        found[row].remove("split")
    return {row: fields for row, fields in found.items() if fields}


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


def _paired(
    gone: _Side, come: _Side, left_gone: set[int], left_come: set[int], key: Callable[[_Side, int], Any]
) -> list[tuple[int, int]]:
    """Take pairs of rows with the same key out of what is left; a key of None is of no use."""
    places: dict[Any, list[int]] = {}
    for row in sorted(left_come, reverse=True):
        if (name := key(come, row)) is not None:
            places.setdefault(name, []).append(row)
    found = []
    for row in sorted(left_gone):
        if at := places.get(key(gone, row)):
            found.append((row, at.pop()))
    left_gone.difference_update(row for row, _ in found)
    left_come.difference_update(row for _, row in found)
    return found


def _facts_key(side: _Side, row: int) -> Any:
    content = _content_key(side, row)
    return None if content is None else (*content, side.facts[row])


def _content_key(side: _Side, row: int) -> Any:
    content = side.columns["sha256"][row]
    return None if content is None else (content, side.columns["text_sha256"][row])


def _place_key(side: _Side, row: int) -> Any:
    is_made = MADE_ID.fullmatch(side.columns["id"][row]) is not None
    file = side.columns["file"][row]
    return (file, side.columns["row"][row]) if is_made and file is not None else None


Named = tuple[str, str | None, int | None]
"""Id, file and row of a record."""


def _named(table: Any) -> list[Named]:
    return list(zip(*(table[name].to_pylist() for name in ("id", *PLACE)), strict=True))


def _values(old: Any, new: Any, row: int, fields: Sequence[str]) -> dict[str, tuple[str | None, str | None]]:
    return {field: _told(old[field][row].as_py(), new[field][row].as_py()) for field in fields}


def _change(
    old: Named, new: Named, fields: Sequence[str], values: Mapping[str, tuple[str | None, str | None]]
) -> Change:
    return Change(
        change="changed" if fields else "renamed" if old[0] != new[0] else "moved",
        id=old[0],
        new_id=None if old[0] == new[0] else new[0],
        old_place=_place(*old[1:]),
        new_place=_place(*new[1:]),
        fields=tuple(fields),
        old={field: before for field, (before, _) in values.items()},
        new={field: after for field, (_, after) in values.items()},
    )


def place_of(table: Any, row: int) -> str | None:
    """Give where a record lies: "train.parquet:17", or the file that it is; None where a removal forgot it."""
    return _place(table["file"][row].as_py(), table["row"][row].as_py())


def _place(file: str | None, number: int | None) -> str | None:
    return file if file is None or number is None else f"{file}:{number}"


def _told(before: Any, after: Any) -> tuple[str | None, str | None]:
    """Give two values as text; of structs only the parts that differ, the first of them (spdx, model) without name."""
    if isinstance(before, dict) or isinstance(after, dict):
        old, new = before or {}, after or {}
        names = [name for name in (old or new) if old.get(name) != new.get(name)]
        return _parts_of(before, names), _parts_of(after, names)
    return _text(before), _text(after)


def _parts_of(value: Mapping[str, Any] | None, names: Sequence[str]) -> str | None:
    if value is None:
        return None
    main = next(iter(value))
    parts = [str(value[name]) if name == main else f"{name} {value[name]}" for name in names if value[name] is not None]
    return shortened(", ".join(parts)) if parts else None


def _text(value: Any) -> str | None:
    if value is None:
        return None
    return shortened(json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, list) else value)
