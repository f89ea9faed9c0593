"""The records that are part of a dataset now: rows of a sidecar keep those that were removed, too."""

from __future__ import annotations

from dataclasses import replace

from copycat.provenance.dataset.batches import Batch

_last: list[tuple[Batch, Batch]] = []


def in_dataset(batch: Batch) -> Batch:
    """Give the batch without records that were removed from the dataset.

    It must have been read with `version_removed`. Rules that see it one after the other get the same one.
    """
    removed = batch.column("version_removed")
    if removed is None or removed.null_count == batch.size:
        return batch
    if not _last or _last[0][0] is not batch:
        _last[:] = [(batch, _present(batch))]
    return _last[0][1]


def _present(batch: Batch) -> Batch:
    import pyarrow.compute as pc

    rows = pc.indices_nonzero(pc.equal(batch.text_array("version_removed"), ""))
    at = rows.to_pylist()
    return replace(
        batch,
        size=len(at),
        columns={name: column.take(rows) for name, column in batch.columns.items()},
        keys=None if batch.keys is None else [batch.keys[row] for row in at],
        lines=[batch.line_of(row) for row in at] if batch.keys is None else None,
        lies_in=None if batch.lies_in is None else (batch.lies_in[0].take(rows), batch.lies_in[1].take(rows)),
    )
