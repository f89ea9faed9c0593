"""What a tombstone keeps: its id, versions and hashes. Everything else of the record goes, from its history too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from copycat.provenance.manifest import Manifest
from copycat.provenance.manifest.publishing import publish, unfinished, writing
from copycat.provenance.records import HISTORY_FILE, RECORDS_FILE, sidecar_schema
from copycat.provenance.removal.records import LogLine

if TYPE_CHECKING:
    from pathlib import Path

HASHES = ("sha256", "text_sha256", "phash")
KEPT = ("id", "split", *HASHES, "retrieved_at", "http_status", "language", "rule_version", "version_added",
        "version_changed", "version_removed", "tombstone_reason")  # fmt: skip
"""Columns that say nothing of what was in a record, or of whose it was."""

GROUP_ROWS = 65_536

Tombstones = Mapping[str, LogLine]
"""Id -> the line of the log that removed it."""


def scrub(manifest: Manifest, tombstones: Tombstones) -> bool:
    """Take out of the sidecar what removed records held, in one step for all of its files.

    A line without a hash takes the hashes out, too, once the record has left the newest version, whose root needs them:
    the roots of the versions that it was part of can then no longer be computed from the table. Rows that have left
    their version without a reason get that of the line.

    Returns: whether anything was changed.
    """
    if not tombstones:
        return False
    sources = {RECORDS_FILE: manifest.all_rows, HISTORY_FILE: manifest.history_rows}
    with writing(manifest.sidecar):
        changed = [
            name
            for name, rows in sources.items()
            if any(not _scrubbed(table, tombstones).equals(table) for table in rows())
        ]
        for name in changed:
            _write(unfinished(manifest.sidecar, name), (_scrubbed(table, tombstones) for table in sources[name]()))
        if changed:
            publish(manifest.sidecar, changed)
    return bool(changed)


def _scrubbed(table: Any, tombstones: Tombstones) -> Any:
    names = table["id"].to_pylist()
    rows = [row for row, name in enumerate(names) if name in tombstones]
    if not rows:
        return table
    has_left = table["version_removed"].is_valid().to_pylist()
    forgotten = [row for row in rows if tombstones[names[row]].sha256 is None and has_left[row]]
    table = _without(table, [name for name in table.column_names if name not in KEPT], rows)
    table = _without(table, HASHES, forgotten)
    removed, told, hashes = (table[name].to_pylist() for name in ("version_removed", "tombstone_reason", "phash"))
    for row in rows:
        line = tombstones[names[row]]
        hashes[row] = hashes[row] or line.phash
        if removed[row] is not None and told[row] is None:
            told[row] = line.reason
    return _with(_with(table, "tombstone_reason", told), "phash", hashes)


def _without(table: Any, columns: Sequence[str], rows: Sequence[int]) -> Any:
    """Make the values of some rows null."""
    import numpy as np
    import pyarrow as pa

    mask = np.zeros(table.num_rows, dtype=bool)
    mask[list(rows)] = True
    places = pa.array(np.arange(table.num_rows), mask=mask)
    for name in columns if rows else ():
        at = table.schema.get_field_index(name)
        table = table.set_column(at, table.schema.field(name), table[name].combine_chunks().take(places))
    return table


def _with(table: Any, name: str, values: Sequence[str | None]) -> Any:
    import pyarrow as pa

    at = table.schema.get_field_index(name)
    return table.set_column(at, table.schema.field(at), pa.chunked_array([pa.array(values, pa.string())]))


def _write(path: Path, tables: Iterator[Any]) -> None:
    import pyarrow.parquet as pq

    schema = sidecar_schema()
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for table in tables:
            writer.write_table(table.select(schema.names).cast(schema), row_group_size=GROUP_ROWS)
