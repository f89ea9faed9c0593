"""The files of a submission, written so that the same records give the same bytes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from copycat.leaderboard.records import (
    CALIBRATION,
    JUDGEMENTS,
    MANIFEST,
    METRICS,
    PICTURES,
    SAMPLES,
    SETTINGS,
    SUBMISSION,
    RunSettings,
    Submission,
    SubmittedSample,
)
from copycat.paths import file_sha256
from copycat.runs.folder import journal_bytes, json_bytes, write_bytes
from copycat.schema import Calibration, Judgement, Record, RunResult

ROWS_PER_GROUP, BYTES_PER_GROUP = 100, 50_000_000
"""Of the Parquet file: a viewer reads a whole group to show one picture of it."""

FEATURES = {
    "key": {"dtype": "string", "_type": "Value"},
    "sha256": {"dtype": "string", "_type": "Value"},
    "image": {"_type": "Image"},
}
"""What `datasets` is told of the columns, so that it shows pictures and not bytes."""


class Files(NamedTuple):
    """All records of a submission; its pictures come beside, a few at a time."""

    submission: Submission
    settings: RunSettings
    result: RunResult
    samples: Sequence[SubmittedSample]
    judgements: Sequence[Judgement]
    calibration: Calibration | None = None


def write_submission(folder: Path, files: Files, pictures: Iterable[tuple[str, bytes]]) -> None:
    """Write every file of a submission into a folder that is there; the manifest comes last.

    Args:
        pictures: key and bytes of each picture in the order of the samples; not asked for where they are withheld.
    """
    for name, content in text_files(files).items():
        write_bytes(folder / name, content)
    if files.submission.pictures == "included":
        write_pictures(folder / PICTURES, pictures)
    write_manifest(folder)


def text_files(files: Files) -> dict[str, bytes]:
    """Give the content of every file but the pictures and the manifest, by name."""
    content = {name: json_bytes(record.model_dump(mode="json")) for name, record in named_records(files).items()}
    return content | {SAMPLES: journal_bytes(files.samples), JUDGEMENTS: journal_bytes(files.judgements)}


def named_records(files: Files) -> dict[str, Record]:
    """Give the records that have a file of their own, by its name."""
    named: dict[str, Record | None] = {
        SUBMISSION: files.submission,
        SETTINGS: files.settings,
        METRICS: files.result,
        CALIBRATION: files.calibration,
    }
    return {name: record for name, record in named.items() if record is not None}


def write_pictures(path: Path, pictures: Iterable[tuple[str, bytes]]) -> None:
    """Write pictures as Parquet with the columns `key`, `sha256` and `image`, the last as `datasets` keeps images.

    Nothing is compressed: pictures are already, and the bytes depend on one library less.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    told = {"huggingface": json.dumps({"info": {"features": FEATURES}}, sort_keys=True)}
    schema = pa.schema([("key", pa.string()), ("sha256", pa.string()), ("image", image)], metadata=told)
    with pq.ParquetWriter(path, schema, compression="none", use_dictionary=False) as writer:
        for rows in _groups(_row(key, content) for key, content in pictures):
            writer.write_table(pa.Table.from_pylist(rows, schema=schema), row_group_size=ROWS_PER_GROUP)


def write_manifest(folder: Path) -> None:
    """Write the sha256 of every file of a folder, as `sha256sum` does and checks."""
    lines = [f"{file_sha256(path)}  {path.name}\n" for path in _files(folder)]
    write_bytes(folder / MANIFEST, "".join(lines).encode())


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.name != MANIFEST)


def _row(key: str, content: bytes) -> dict[str, Any]:
    image = {"bytes": content, "path": f"{key}.png"}
    return {"key": key, "sha256": hashlib.sha256(content).hexdigest(), "image": image}


def _groups(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    group: list[dict[str, Any]] = []
    for row in rows:
        group.append(row)
        if len(group) == ROWS_PER_GROUP or sum(len(one["image"]["bytes"]) for one in group) >= BYTES_PER_GROUP:
            yield group
            group = []
    if group:
        yield group
