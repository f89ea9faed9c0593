"""The records of the version before, and what the dataset holds now -> the records of the next version."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from copycat.provenance.manifest.aligning import Pair, align, differing
from copycat.provenance.manifest.merkle import Merkle
from copycat.provenance.manifest.scanning import leaves
from copycat.provenance.records import sidecar_schema

PLACE = ("file", "row")
NOT_COMPARED = {
    "id", *PLACE, "phash", "rule_version", "version_added", "version_changed", "version_removed", "tombstone_reason",
}  # fmt: skip
"""What may differ between two rows of a record that is the same; a perceptual hash follows from the content."""

MAX_KEPT = 10


class Merged(NamedTuple):
    """A range of ids: rows of records.parquet, and rows that go to history.parquet (None: none)."""

    records: Any
    history: Any


class Merger:
    """Merges ranges of ids, and counts.

    Attributes:
        version: the name of the next version. tombstones: id -> why it was removed.
        tree: over the records of the next version.
        n_added, n_removed, n_changed, n_moved: against the version before; a move to another file is no change.
        returned: ids of removed records that are in the data again, and may not be: the record was removed with a
            tombstone, or another content has its id. n_returned: how many.
    """

    def __init__(self, version: str, tombstones: Mapping[str, str]) -> None:
        self.version, self.tombstones = version, tombstones
        self.tree = Merkle()
        self.n_added = self.n_removed = self.n_changed = self.n_moved = self.n_returned = 0
        self.returned: list[str] = []

    @property
    def is_same(self) -> bool:
        """Whether no record was added, removed or changed."""
        return not (self.n_added or self.n_removed or self.n_changed)

    def merge(self, old: Iterable[Any], new: Iterable[Any]) -> Iterator[Merged]:
        """Yield ranges of ids. `old` are all rows of records.parquet, `new` those of the dataset, both by id."""
        for pair in align(old, new):
            self.tree.extend(leaves(pair.new))
            yield self._merged(pair)

    def _merged(self, pair: Pair) -> Merged:
        import pyarrow as pa

        kept, history = self._both(pair)
        self.n_added += len(pair.come)
        come = with_texts(pair.new.take(pair.come), version_added=[self.version] * len(pair.come))
        parts = [table for table in (self._gone(pair), kept, come) if table.num_rows]
        records = pa.concat_tables(parts or [come])
        return Merged(records.sort_by([("id", "ascending")]) if len(parts) > 1 else records, history)

    def _gone(self, pair: Pair) -> Any:
        """Mark the records that are no longer there; those that went earlier stay as they are."""
        gone = pair.old.take(pair.gone)
        removed, reasons = gone["version_removed"].to_pylist(), gone["tombstone_reason"].to_pylist()
        for at, name in enumerate(gone["id"].to_pylist()):
            if removed[at] is None:
                self.n_removed += 1
                removed[at] = self.version
            if name in self.tombstones:
                reasons[at] = self.tombstones[name]
        return with_texts(gone, version_removed=removed, tombstone_reason=reasons)

    def _both(self, pair: Pair) -> tuple[Any, Any]:
        """Give the rows of records that stay or come back, and what of them goes to the history."""
        old, new = pair.old.take(pair.both[0]), pair.new.take(pair.both[1])
        self.n_moved += len(differing(old["file"], new["file"]))
        removed, reasons = old["version_removed"].to_pylist(), old["tombstone_reason"].to_pylist()
        changed = set(changed_fields(old, new))
        same_content = (
            set(range(old.num_rows)) - set(differing(old["sha256"], new["sha256"])) if any(removed) else set()
        )
        since = old["version_changed"].to_pylist()
        past = []
        for at, ended in enumerate(removed):
            if ended is not None:
                self._come_back(old["id"][at].as_py(), may=reasons[at] is None and at in same_content)
            elif at in changed:
                self.n_changed += 1
                removed[at] = self.version
            else:
                continue
            past.append(at)
            since[at] = self.version
        history = with_texts(old, version_removed=removed).take(past) if past else None
        added = old["version_added"].to_pylist()
        return with_texts(_with_phash(old, new), version_added=added, version_changed=since), history

    def _come_back(self, name: str, *, may: bool) -> None:
        self.n_added += 1
        if not may:
            self.n_returned += 1
            self.returned += [name] if len(self.returned) < MAX_KEPT else []


def _with_phash(old: Any, new: Any) -> Any:
    """Keep the perceptual hash of a picture that is the same."""
    import pyarrow.compute as pc

    is_same = pc.fill_null(pc.equal(old["sha256"], new["sha256"]), False)
    known = pc.coalesce(new["phash"], pc.if_else(is_same, old["phash"], None))
    return new.set_column(new.schema.get_field_index("phash"), new.schema.field("phash"), known)


def changed_fields(old: Any, new: Any) -> dict[int, list[str]]:
    """Give row -> the columns in which it differs, for two tables with the same ids in the same order."""
    found: dict[int, list[str]] = {}
    for name in old.column_names:
        if name not in NOT_COMPARED:
            for row in differing(old[name], new[name]):
                found.setdefault(row, []).append(name)
    return found


def with_texts(table: Any, **columns: Iterable[str | None]) -> Any:
    """Give a table of the sidecar with other values in some columns."""
    import pyarrow as pa

    schema = sidecar_schema()
    for name, values in columns.items():
        at = table.schema.get_field_index(name)
        table = table.set_column(at, schema.field(name), pa.array(values, pa.string()))
    return table
