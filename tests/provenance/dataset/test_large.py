"""Large datasets: many files, and more bytes than memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small_datasets import jsonl, read

from copycat.provenance.dataset import batches, tables
from copycat.provenance.dataset.parquet import rows_of_a_batch

MEASURE = """
import json, sys
from pathlib import Path
from copycat.provenance.dataset import open_dataset
from copycat.provenance.dataset.ahead import read_ahead
import pyarrow, pyarrow.parquet, pyarrow.compute
def peak_kib():  # not getrusage: that remembers the memory of whoever started the process
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
before = peak_kib()
n = held = 0
for batch in read_ahead(open_dataset(Path(sys.argv[1])).content(sys.argv[2].split(","))):
    n += batch.size
    held += sum(column.nbytes for column in batch.columns.values())
print(json.dumps({"records": n, "held": held, "more_mib": (peak_kib() - before) / 1024}))
"""


def measured(path: Path, needs: str) -> dict[str, float]:
    """Read all of a dataset in a process of its own; gives records, bytes that went by, MiB more at the peak."""
    done = subprocess.run([sys.executable, "-c", MEASURE, path, needs], capture_output=True, check=True, text=True)
    return dict(json.loads(done.stdout))


def test_a_batch_of_large_rows_has_few_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "BATCH_BYTES", 1000)
    (tmp_path / "x.jsonl").write_bytes(jsonl({"id": n, "text": "x" * 300} for n in range(20)))

    found = read(tmp_path)

    assert max(batch.size for batch in found.batches) <= 4
    assert found.n_records == 20


def test_rows_of_a_batch_are_told_from_the_sizes_of_the_columns_that_are_read(tmp_path: Path) -> None:
    rows = [{"id": str(n), "image": {"bytes": os.urandom(1 << 16), "path": "x"}} for n in range(64)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "x.parquet")
    table = pq.ParquetFile(tmp_path / "x.parquet")

    assert rows_of_a_batch(table, ["id"]) == batches.BATCH_ROWS
    assert 400 < rows_of_a_batch(table, ["id", "image"]) < 600


def test_a_folder_of_many_files_is_opened_quickly(tmp_path: Path) -> None:
    for n in range(1000):
        (tmp_path / f"{n}.txt").touch()
    start = time.perf_counter()

    assert read(tmp_path, "id").n_records == 1000
    assert time.perf_counter() - start < 3


@pytest.mark.slow
def test_a_folder_of_100000_files_takes_seconds(tmp_path: Path) -> None:
    for n in range(1000):
        (tmp_path / str(n)).mkdir()
        for m in range(100):
            (tmp_path / str(n) / f"{m}.txt").touch()
    start = time.perf_counter()

    assert read(tmp_path, "id", "url").n_records == 100_000
    assert time.perf_counter() - start < 20


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["parquet", "jsonl", "tar"])
def test_memory_does_not_grow_with_the_dataset(tmp_path: Path, kind: str) -> None:
    """1.2 GB of pictures or text go by; less than a third of them is ever held."""
    piece = os.urandom(1 << 17)
    n = 9600
    if kind == "parquet":
        schema = pa.schema({"id": pa.string(), "image": pa.struct({"bytes": pa.binary(), "path": pa.string()})})
        with pq.ParquetWriter(
            tmp_path / "x.parquet", schema, compression="none", use_dictionary=False, write_batch_size=8
        ) as writer:
            for first in range(0, n, 2400):  # row groups of 300 MB
                rows = [{"id": str(first + m), "image": {"bytes": piece, "path": "p"}} for m in range(2400)]
                writer.write_table(pa.Table.from_pylist(rows, schema), row_group_size=2400)
    elif kind == "jsonl":
        with (tmp_path / "x.jsonl").open("wb") as file:
            for m in range(n):
                file.write(b'{"id": "%d", "text": "%s"}\n' % (m, b"x" * (1 << 17)))
    else:
        import io
        import tarfile

        with tarfile.open(tmp_path / "x.tar", "w") as archive:
            for m in range(n):
                member = tarfile.TarInfo(f"{m}.jpg")
                member.size = len(piece)
                archive.addfile(member, io.BytesIO(piece))

    got = measured(tmp_path, "id,text" if kind == "jsonl" else "id,image")

    assert got["records"] == n
    assert got["held"] > 1.2e9
    print(kind, got)
    assert got["more_mib"] < 400


@pytest.mark.slow
def test_a_gz_that_unpacks_to_gigabytes_in_one_line_is_a_fault_and_held_in_pieces(tmp_path: Path) -> None:
    import gzip

    with gzip.open(tmp_path / "x.jsonl.gz", "wb", compresslevel=1) as file:
        for _ in range(2048):
            file.write(b"[" * (1 << 20))

    got = measured(tmp_path, "id")

    assert got["records"] == 0
    assert got["more_mib"] < 400
    assert read(tmp_path).said[0].endswith(f"is longer than {tables.MAX_LINE_BYTES} bytes")
