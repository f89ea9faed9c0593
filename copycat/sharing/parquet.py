"""Parquet files with the same bytes for the same rows, in pieces that a viewer can page through."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

ROWS_AT_ONCE = 100
"""Rows of a row group at most: the Hub's viewer reads a whole group to show one picture."""

BYTES_AT_ONCE = 32_000_000
"""So many bytes of pictures end a row group, too."""


class WrittenTable(NamedTuple):
    """One Parquet file of a dataset: which configuration and split it is, and what is in it."""

    config: str
    split: str
    path: str
    sha256: str
    n_rows: int
    schema: Any

    @property
    def title(self) -> str:
        """Name it in one word."""
        return self.config if self.split == ONLY_SPLIT else f"{self.config}-{self.split}"


ONLY_SPLIT = "train"
"""The split of what has only one, as `datasets` calls it."""


def text_list() -> Any:
    """Give the type of a list of texts."""
    import pyarrow as pa

    return pa.list_(pa.string())


def write_table(folder: Path, config: str, split: str, schema: Any, rows: Iterable[Mapping[str, Any]]) -> WrittenTable:
    """Write rows as `folder`/data/<config>/<split>.parquet; a schema of `datasets` features keeps them.

    Args:
        schema: a pyarrow schema; a column that a row lacks is null.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    relative = f"data/{config}/{split}.parquet"
    path = folder / relative
    path.parent.mkdir(parents=True, exist_ok=True)
    n_rows, n_bytes, waiting = 0, 0, []
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for row in rows:
            waiting.append(row)
            n_rows, n_bytes = n_rows + 1, n_bytes + _picture_bytes(row)
            if len(waiting) == ROWS_AT_ONCE or n_bytes >= BYTES_AT_ONCE:
                writer.write_table(pa.Table.from_pylist(waiting, schema))
                n_bytes, waiting = 0, []
        if waiting or n_rows == 0:
            writer.write_table(pa.Table.from_pylist(waiting, schema))
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return WrittenTable(config, split, relative, digest, n_rows, schema)


def _picture_bytes(row: Mapping[str, Any]) -> int:
    image = row.get("image")
    return len(image["bytes"]) if image else 0
