"""What an earlier version held that cannot be searched any more, so that no "0 in version 1" is said of it.

A tombstone keeps ids and hashes. A record that left the files or changed keeps what the sidecar had of it, which is no
text. Such records are counted for each version that they were part of; what was found there is then the least.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from copycat.provenance.dataset import Dataset
from copycat.provenance.lookup.versions import History
from copycat.provenance.manifest.reading import Manifest, open_manifest
from copycat.provenance.records import sidecar_schema

if TYPE_CHECKING:
    import polars as pl

MARKS = ("version_added", "version_changed", "version_removed")


@dataclass(frozen=True)
class Past:
    """Rows of the manifest that are not what lies in the files; without a manifest there are none.

    Attributes:
        gone: id, since, until, is_tombstone, has_hash, has_phash of records that are not in the newest version.
        former: id, since, until, is_same of what rows were before they changed: whether what is searched is the same
            in the row that followed.
    """

    history: History
    gone: pl.DataFrame
    former: pl.DataFrame

    def former_versions(self, ids: Collection[str]) -> Counter[str]:
        """Count, by version, the former rows of these records in which what is searched was the same."""
        import polars as pl

        rows = self.former.filter(pl.col("is_same") & pl.col("id").is_in(list(ids))) if ids else self.former.clear()
        return self._by_version(rows)

    def unsearched(self, gone: pl.DataFrame) -> dict[str, int]:
        """Count, by version, the rows that cannot be searched: of `gone`, and former ones of these and of others.

        Args:
            gone: those of `self.gone` that cannot be searched, and were not found.
        """
        import polars as pl

        lost = self.former.filter(~pl.col("is_same") | pl.col("id").is_in(gone["id"].to_list()))
        counted = self._by_version(gone) + self._by_version(lost)
        return {version: counted[version] for version in self.history.versions if counted[version]}

    def _by_version(self, rows: pl.DataFrame) -> Counter[str]:
        counted: Counter[str] = Counter()
        for since, until, n in rows.group_by("since", "until").len().iter_rows():
            for version in self.history.versions_of(since, until):
                counted[version] += n
        return counted


def read_past(dataset: Dataset, history: History, needs: Sequence[str]) -> Past:
    """Read the rows of the manifest that are not what lies in the files.

    Args:
        needs: the standard columns that are searched; of records that changed, only changes in them count.
    """
    import polars as pl

    kept = {"id": pl.String, "since": pl.String, "until": pl.String}
    gone = {**kept, "is_tombstone": pl.Boolean, "has_hash": pl.Boolean, "has_phash": pl.Boolean}
    past = Past(history, pl.DataFrame(schema=gone), pl.DataFrame(schema={**kept, "is_same": pl.Boolean}))
    if not history.versions or dataset.records_file is None:
        return past
    manifest = open_manifest(dataset)
    compared = _compared(needs)
    now = (_marked(table, compared) for table in manifest.all_rows(_columns(compared)))
    rows = pl.concat([_marked(None, ()), *(each.filter(pl.col("is_gone") | pl.col("is_changed")) for each in now)])
    return Past(history, rows.filter("is_gone").select(*gone), _former(manifest, rows, compared))


def _former(manifest: Manifest, rows: pl.DataFrame, compared: Sequence[str]) -> pl.DataFrame:
    """Give former rows, each compared with the row of today."""
    import polars as pl

    past = (_marked(table.select(_columns(compared)), compared) for table in manifest.history_rows())
    today = rows.select("id", today="key").unique("id")
    found = pl.concat([_marked(None, ()), *past]).join(today, on="id", how="left")
    return found.select("id", "since", "until", is_same=(pl.col("key") == pl.col("today")).fill_null(False))


def _compared(needs: Sequence[str]) -> tuple[str, ...]:
    """Give the sidecar's columns that tell whether what is searched is the same."""
    known = set(sidecar_schema().names) - {"id", "phash"}
    content = ("sha256", "text_sha256") if {"text", "image"} & set(needs) else ()
    return tuple(dict.fromkeys(name for name in (*needs, *content) if name in known))


def _columns(compared: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(("id", *compared, "sha256", "phash", *MARKS, "tombstone_reason")))


def _marked(table: Any, compared: Iterable[str]) -> pl.DataFrame:
    """Give what is kept of rows of the table: since and until when they hold, and a hash of what is compared."""
    import polars as pl

    if table is None:
        table = sidecar_schema().empty_table().select(_columns(()))
    frame = pl.DataFrame(pl.from_arrow(table))
    return frame.select(
        "id",
        since=pl.coalesce("version_changed", "version_added"),
        until="version_removed",
        is_gone=pl.col("version_removed").is_not_null(),
        is_changed=pl.col("version_changed").is_not_null(),
        is_tombstone=pl.col("tombstone_reason").is_not_null(),
        has_hash=pl.col("sha256").is_not_null(),
        has_phash=pl.col("phash").is_not_null(),
        key=pl.struct("id", *compared).hash(),
    )
