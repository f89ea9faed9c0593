"""Small datasets of every kind with the same three records, and all that reading one gives."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from copycat.provenance.dataset import Batch, Dataset, Fault, open_dataset

ROWS = [
    {"id": "a", "caption": "one cat", "license": "CC0-1.0", "url": "https://example.org/a"},
    {"id": "b", "caption": "two cats", "license": "MIT", "url": "https://example.org/b"},
    {"id": "c", "caption": "no cat", "license": None, "url": "https://example.org/c"},
]
NEEDS = ("id", "text", "licence", "url")


class Reading:
    """All that a dataset gave when it was read."""

    def __init__(self, dataset: Dataset, needs: Sequence[str]) -> None:
        self.dataset = dataset
        self.batches: list[Batch] = list(dataset.content(needs))
        self.faults: list[Fault] = [*dataset.faults, *dataset.card.faults]
        self.faults += [fault for batch in self.batches for fault in batch.faults]

    def texts(self, name: str) -> list[str]:
        return [text for batch in self.batches for text in batch.texts(name)]

    def values(self, name: str) -> list[Any]:
        return [value for batch in self.batches for value in batch.values(name)]

    @property
    def n_records(self) -> int:
        return sum(batch.size for batch in self.batches)

    @property
    def said(self) -> list[str]:
        return [f"{fault.evidence.place} {fault.said}" for fault in self.faults]


def read(path: Path, *needs: str, columns: dict[str, str] | None = None) -> Reading:
    """Read all of a dataset."""
    return Reading(open_dataset(path, columns), needs or NEEDS)


def jsonl(rows: Iterable[Any]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def tar_bytes(members: Iterable[tuple[str, bytes]], mode: Any = "w") -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as archive:
        for name, content in members:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def shard(rows: Iterable[dict[str, Any]]) -> list[tuple[str, bytes]]:
    return [
        member
        for row in rows
        for member in (
            (f"{row['id']}.jpg", b"no picture"),
            (f"{row['id']}.json", json.dumps({"license": row["license"], "url": row["url"]}).encode()),
            (f"{row['id']}.txt", row["caption"].encode()),
        )
    ]


def csv_bytes() -> bytes:
    return "".join(f"{','.join(value or '' for value in row)}\n" for row in (ROWS[0], *map(dict.values, ROWS))).encode()


def write_all_kinds(folder: Path) -> dict[str, Path]:
    """Write the rows in every form; gives form -> path."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    files = {
        "jsonl": ("x.jsonl", jsonl(ROWS)),
        "jsonl.gz": ("x.jsonl.gz", gzip.compress(jsonl(ROWS))),
        "csv": ("x.csv", csv_bytes()),
        "tar": ("x.tar", tar_bytes(shard(ROWS))),
        "tar.gz": ("x.tar.gz", tar_bytes(shard(ROWS), "w:gz")),
    }
    paths = {}
    for kind, (name, content) in files.items():
        paths[kind] = folder / kind / name
        paths[kind].parent.mkdir(parents=True)
        paths[kind].write_bytes(content)
    paths["tsv"] = folder / "tsv" / "x.tsv"
    paths["tsv"].parent.mkdir()
    paths["tsv"].write_bytes(files["csv"][1].replace(b",", b"\t"))
    paths["parquet"] = folder / "parquet" / "x.parquet"
    paths["parquet"].parent.mkdir()
    pq.write_table(pa.Table.from_pylist(ROWS), paths["parquet"])
    paths["folder"] = folder / "folder"
    paths["folder"].mkdir()
    for row in ROWS:
        (paths["folder"] / f"{row['id']}.txt").write_text(str(row["caption"]))
        (paths["folder"] / f"{row['id']}.json").write_text(json.dumps({k: row[k] for k in ("id", "license", "url")}))
    return paths
