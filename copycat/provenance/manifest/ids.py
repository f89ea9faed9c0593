"""Where the ids of a dataset's records come from, and the paths of pictures as ids."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from copycat.provenance.dataset import Batch, DataFile, Dataset

Ids = Literal["column", "path", "content"]
"""Where ids come from: a column (or the name of a file that is a record), where there is one; the path of the picture,
as in `image.path` of the Hub's Parquet; or always the content. A record without id gets one from its content."""

NO_PATH = re.compile(r"^(?:$|[/\\~]|[A-Za-z]:[\\/]|.*://)|(?:^|[/\\])\.\.(?:[/\\]|$)|\n")
"""Absolute paths (which may name whoever made them), those that lead out of the dataset, and addresses."""

MAX_PATH = 1024


def chosen_ids(dataset: Dataset) -> Ids:
    """Give "path" where there is no column for ids, and every picture has a path of its own; otherwise "column".

    Reads no picture. So a folder of pictures and the Parquet made of it have the same ids.
    """
    import numpy as np
    import polars as pl

    if dataset.kind in ("folder", "webdataset"):
        return "column"  # the name of the file, or of the members
    hashes = []
    for paths in _path_arrays(dataset):
        if paths is None:
            return "column"
        names = pl.Series(pl.from_arrow(paths))
        if names.str.contains(NO_PATH.pattern).any() or (names.str.len_chars() > MAX_PATH).any():
            return "column"
        hashes.append(names.hash(0).to_numpy())
    together = np.concatenate(hashes) if hashes else np.empty(0, np.uint64)
    return "path" if len(together) and len(np.unique(together)) == len(together) else "column"


def _path_arrays(dataset: Dataset) -> Iterator[Any]:
    """Yield the paths of the pictures as arrays of text, "" for none; None where there is an id, or no such column."""
    for file in dataset.files:
        column = "image" if file.kind != "parquet" else _path_column(dataset, file)
        if column is None:
            yield None
            return
        # Of Parquet only the field with the path is read, under a name that no rule reads from the data.
        seen = replace(dataset, files=(file,), columns={**dataset.columns, "file": column})
        for batch in seen.content(("id", "file" if file.kind == "parquet" else "image")):
            if batch.size:
                yield None if "id" in batch.named else _paths(batch, "file" if file.kind == "parquet" else "image")


def _path_column(dataset: Dataset, file: DataFile) -> str | None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from copycat.provenance.dataset.columns import find_columns

    try:
        name = find_columns(pq.read_schema(file.path).names, dataset.columns).get("image")
    except (pa.ArrowException, OSError, ValueError):
        return None  # reading it tells of it
    return None if name is None else f"{name}.path"


def _paths(batch: Batch, column: str) -> Any:
    import pyarrow as pa

    found = batch.column(column)
    if found is None:
        return None
    if pa.types.is_struct(found.type):
        return pa.array(paths_of(batch.values(column)), pa.large_string())
    return batch.text_array(column) if pa.types.is_string(found.type) or pa.types.is_large_string(found.type) else None


def paths_of(pictures: Sequence[Any]) -> list[str]:
    """Give the path of each picture, "" where it has none."""
    paths = [value.get("path") if isinstance(value, dict) else value for value in pictures]
    return [path.strip() if isinstance(path, str) else "" for path in paths]
