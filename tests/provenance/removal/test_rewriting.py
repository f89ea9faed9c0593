"""Records leave files of every form, and what stays is byte for byte what it was."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from planted_worlds import png, write_folder, write_shard

from copycat.errors import UserError
from copycat.provenance.dataset import DataFile, open_dataset
from copycat.provenance.removal.finding import Place
from copycat.provenance.removal.rewriting import rewrite_file, rewrite_files


def place(file: str, at: int, key: str = "") -> Place:
    return Place(file, at, key, "", None, True, False)


def data_file(path: Path) -> DataFile:
    return open_dataset(path).files[0]


def test_rows_of_parquet_keep_values_types_metadata_and_compression(tmp_path: Path) -> None:
    schema = pa.schema(
        {"n": pa.int16(), "d": pa.dictionary(pa.int32(), pa.string()), "s": pa.struct({"x": pa.list_(pa.string())})},
        metadata={"huggingface": "{}"},
    )
    table = pa.table(
        {"n": range(10), "d": ["a", None] * 5, "s": [{"x": ["u", str(i)]} for i in range(10)]}, schema=schema
    )
    pq.write_table(table, tmp_path / "x.parquet", row_group_size=4, compression="gzip")

    before = pq.read_schema(tmp_path / "x.parquet")

    rewrite_file(data_file(tmp_path / "x.parquet"), {1, 5, 10})

    new = pq.ParquetFile(tmp_path / "x.parquet")
    kept = [i for i in range(10) if i + 1 not in {1, 5, 10}]
    assert new.read().equals(table.take(kept))
    assert new.schema_arrow.equals(before, check_metadata=True)
    assert new.metadata.row_group(0).column(0).compression == "GZIP"


def test_a_parquet_file_can_lose_all_its_rows(tmp_path: Path) -> None:
    pq.write_table(pa.table({"n": [1, 2]}), tmp_path / "x.parquet")

    rewrite_file(data_file(tmp_path / "x.parquet"), {1, 2})

    assert pq.read_table(tmp_path / "x.parquet").num_rows == 0


@pytest.mark.parametrize("name", ["x.jsonl", "x.jsonl.gz"])
def test_lines_of_jsonl_stay_as_they_are_even_those_that_are_damaged(tmp_path: Path, name: str) -> None:
    lines = [b'{"id": 1}\r\n', b"not json\n", b"\n", b'{"id":   2, "x": "\xc3\xa9"}\n', b'{"id": 3}']
    (tmp_path / name).write_bytes(gzip.compress(b"".join(lines)) if name.endswith("gz") else b"".join(lines))

    rewrite_file(data_file(tmp_path / name), {4})

    content = (tmp_path / name).read_bytes()
    assert (gzip.decompress(content) if name.endswith("gz") else content) == b"".join(lines[:3] + lines[4:])


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_records_of_csv_with_several_lines_leave_whole(tmp_path: Path, end: bytes) -> None:
    records = [
        b"\xef\xbb\xbfid,text",
        b'1,"one' + end + b'two, ""three"""',
        b"",
        b"2,plain",
        b'3,"four' + end + b'five"',
    ]
    (tmp_path / "x.csv").write_bytes(end.join(records) + end)
    dataset = open_dataset(tmp_path / "x.csv")
    lines = [batch.line_of(row) for batch in dataset.content(("id",)) for row in range(batch.size)]

    rewrite_file(dataset.files[0], {lines[0]})

    assert (tmp_path / "x.csv").read_bytes() == end.join([records[0], *records[2:]]) + end
    again = [value for batch in open_dataset(tmp_path / "x.csv").content(("id",)) for value in batch.values("id")]
    assert again == ["2", "3"]


def test_members_of_an_archive_stay_byte_for_byte(tmp_path: Path) -> None:
    root = write_shard(tmp_path / "s", 4)
    with tarfile.open(root / "shard-0.tar") as archive:
        before = archive.getnames()

    rewrite_file(data_file(root / "shard-0.tar"), {2})

    with tarfile.open(root / "shard-0.tar") as archive:
        after = archive.getmembers()
        assert [member.name for member in after] == [name for name in before if not name.startswith("00001")]
        stream = archive.extractfile("00003.png")
        assert stream is not None
        assert stream.read() == png(3)


def test_long_names_of_members_leave_with_their_headers(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "x.tar", "w", format=tarfile.PAX_FORMAT) as archive:
        for key in ("a" * 150, "b" * 150, "ü" * 60):
            member = tarfile.TarInfo(f"{key}.txt")
            member.size = 3
            archive.addfile(member, io.BytesIO(b"abc"))

    rewrite_file(data_file(tmp_path / "x.tar"), {2})

    with tarfile.open(tmp_path / "x.tar") as archive:
        assert archive.getnames() == [f"{'a' * 150}.txt", f"{'ü' * 60}.txt"]
    assert b"bbb" not in (tmp_path / "x.tar").read_bytes()


def test_a_compressed_archive_is_refused_before_any_file_changes(tmp_path: Path) -> None:
    root = write_shard(tmp_path / "s", 2)
    (root / "shard-1.tar").write_bytes(gzip.compress((root / "shard-0.tar").read_bytes()))
    before = (root / "shard-0.tar").read_bytes()

    with pytest.raises(UserError, match="no plain tar archive"):
        rewrite_files(open_dataset(root), [place("shard-0.tar", 1), place("shard-1.tar", 1)])

    assert (root / "shard-0.tar").read_bytes() == before


def test_a_file_that_is_a_record_goes_with_what_is_said_of_it(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "f", 3)
    (root / "1.json").write_text('{"author": "x"}')

    rewrite_files(open_dataset(root), [place("1.png", 1)])

    assert sorted(path.name for path in root.iterdir()) == ["0.png", "2.png", "metadata.jsonl"]
    told = [json.loads(line)["file_name"] for line in (root / "metadata.jsonl").read_text().splitlines()]
    assert told == ["0.png", "2.png"]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x.jsonl").write_text('{"id": 1}\n{"id": 2}\n')

    def broken(path: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("copycat.provenance.removal.rewriting.flush", broken)
    with pytest.raises(OSError, match="No space"):
        rewrite_file(data_file(tmp_path / "x.jsonl"), {1})

    assert [path.name for path in tmp_path.iterdir()] == ["x.jsonl"]
    assert (tmp_path / "x.jsonl").read_text() == '{"id": 1}\n{"id": 2}\n'


@pytest.mark.parametrize("name", ["x.jsonl", "x.jsonl.gz"])
def test_a_text_file_that_loses_all_its_lines_is_deleted(tmp_path: Path, name: str) -> None:
    """An empty file would be taken for a damaged one, and stop the next version."""
    (tmp_path / name).write_bytes(gzip.compress(b'{"id": 1}\n') if name.endswith("gz") else b'{"id": 1}\n')

    rewrite_file(data_file(tmp_path / name), {1})

    assert not list(tmp_path.iterdir())


def test_a_damaged_footer_does_not_end_the_process(tmp_path: Path) -> None:
    """pyarrow 26 ends it where such a file is asked for a column's compression."""
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"n": [1, 2]}), path)
    whole = path.read_bytes()
    start, n_refused = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little"), 0

    for at in (*range(16, 24), 40, 71):
        path.write_bytes(whole[: start + at] + b"\x15" + whole[start + at + 1 :])
        try:
            rewrite_file(DataFile(path, "x.parquet", len(whole), "parquet"), {1})
        except (ValueError, OSError):
            n_refused += 1

    assert n_refused
    assert [file.name for file in tmp_path.iterdir()] == ["x.parquet"]
