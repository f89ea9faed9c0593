"""Two streams of tables, both by id -> pairs of tables over the same ranges of ids, and which rows belong together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple


class Pair(NamedTuple):
    """Rows of two streams over the same range of ids; each has all that its stream has there.

    `both` are (row of old, row of new) of ids that both have, `gone` rows of old alone, `come` rows of new alone: numpy
    arrays of int64.
    """

    old: Any
    new: Any
    both: tuple[Any, Any]
    gone: Any
    come: Any


def align(old: Iterable[Any], new: Iterable[Any]) -> Iterator[Pair]:
    """Yield pairs until both streams end; memory holds two tables of each."""
    left, right = Stream(old), Stream(new)
    while True:
        left.fill()
        right.fill()
        if left.table is None and right.table is None:
            return
        lasts = [stream.last for stream in (left, right) if stream.last is not None]
        cut = min(lasts)
        here, there = left.take(cut), right.take(cut)
        here = there.slice(0, 0) if here is None else here
        there = here.slice(0, 0) if there is None else there
        yield _pair(here, there)


class Stream:
    """A stream of tables by id that can be cut at an id; `table` are the rows at hand, None at the end."""

    def __init__(self, tables: Iterable[Any]) -> None:
        self.tables = iter(tables)
        self.table: Any = None

    def fill(self) -> None:
        """Read on until there are rows, or the end."""
        while self.table is None or not self.table.num_rows:
            self.table = next(self.tables, None)
            if self.table is None:
                return

    @property
    def last(self) -> str | None:
        """The last id of the rows at hand."""
        return None if self.table is None else self.table["id"][-1].as_py()

    def take(self, cut: str) -> Any:
        """Take all rows up to and including an id; None where there is nothing left at all."""
        if self.table is None:
            return None
        from bisect import bisect_right

        from copycat.provenance.manifest.sorting import Ids

        end = bisect_right(Ids(self.table["id"]), cut)
        part, self.table = self.table.slice(0, end), self.table.slice(end)
        return part

    def take_all(self, cut: str) -> Any:
        """Take all rows up to and including an id, from as many tables as they lie in; None where there is none."""
        import pyarrow as pa

        parts = []
        self.fill()
        while self.table is not None and self.table["id"][0].as_py() <= cut:
            parts.append(self.take(cut))
            self.fill()
        return pa.concat_tables(parts) if parts else None


def _pair(old: Any, new: Any) -> Pair:
    import numpy as np
    import pyarrow.compute as pc

    old_ids, new_ids = old["id"].combine_chunks(), new["id"].combine_chunks()
    found = pc.index_in(new_ids, value_set=old_ids)
    is_there = found.is_valid().to_numpy(zero_copy_only=False)
    at_new = np.flatnonzero(is_there)
    at_old = found.drop_null().to_numpy(zero_copy_only=False).astype(np.int64)
    gone = np.setdiff1d(np.arange(old.num_rows), at_old, assume_unique=True)
    return Pair(old, new, (at_old, at_new), gone, np.flatnonzero(~is_there))


def differing(old: Any, new: Any) -> list[int]:
    """Give the rows, from 0, in which two columns of the same length and type differ; nulls are equal.

    Halves are compared as a whole and halved again where they differ, so that nested columns stay in Arrow.
    """
    if old.equals(new):
        return []
    if not _is_nested(old.type):
        return _differing_plain(old, new)
    found, waiting = [], [(0, len(old))]
    while waiting:
        start, size = waiting.pop()
        if old.slice(start, size).equals(new.slice(start, size)):
            continue
        if size == 1:
            found.append(start)
            continue
        half = size // 2
        waiting += [(start + half, size - half), (start, half)]
    return found


def _is_nested(kind: Any) -> bool:
    from pyarrow import types

    return bool(types.is_nested(kind))


def _differing_plain(old: Any, new: Any) -> list[int]:
    import numpy as np
    import pyarrow.compute as pc

    one_is_null = pc.xor(pc.is_null(old), pc.is_null(new))
    found = pc.or_(pc.fill_null(pc.not_equal(old, new), False), one_is_null)
    rows: list[int] = np.flatnonzero(np.asarray(found)).tolist()
    return rows
