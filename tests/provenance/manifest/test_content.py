"""The hash of a record is the same on every mirror, whatever its files look like."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from manifests import hashes_of, roots_of

from copycat.provenance.manifest import record_sha256
from copycat.provenance.manifest.content import canonical


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_the_content_of_a_file_is_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"\xff\x00\xfe")
    (tmp_path / "b.txt").write_bytes(b"caf\xe9 in Latin-1\r\n")
    assert hashes_of(tmp_path) == {
        "a.bin": (sha(b"\xff\x00\xfe"), None),
        "b.txt": (sha(b"caf\xe9 in Latin-1\r\n"), None),
    }


def test_the_content_of_a_row_is_its_picture_and_the_text_has_a_hash_of_its_own(tmp_path: Path) -> None:
    rows = [
        {"id": "both", "image": {"bytes": b"png", "path": "x.png"}, "text": " a cat\n"},
        {"id": "text", "image": None, "text": "é"},
        {"id": "none", "image": None, "text": None},
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "train.parquet")
    assert hashes_of(tmp_path) == {
        "both": (sha(b"png"), sha(b" a cat\n")),
        "text": (sha("é".encode()), None),
        "none": (record_sha256({"id": "none"}), None),
    }


def test_a_picture_that_a_table_names_is_that_file_if_it_lies_in_the_dataset(tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(b"not ours")
    folder = tmp_path / "data"
    (folder / "pictures").mkdir(parents=True)
    (folder / "pictures" / "a.png").write_bytes(b"ours")
    rows = [
        {"id": "in", "image": "pictures/a.png"},
        {"id": "out", "image": "../secret.png"},
        {"id": "no", "image": "?"},
    ]
    (folder / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert hashes_of(folder) == {"in": (sha(b"ours"), None), "out": (None, None), "no": (None, None)}


@pytest.mark.parametrize(
    ("row", "encoded"),
    [
        ({"b": 1, "a": "é", "none": None}, '{"a":"é","b":1}'),
        ({"x": 1.0, "y": 0.5, "z": float("nan"), "w": float("inf")}, '{"w":"inf","x":1,"y":0.5}'),
        ({"at": datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=1)))}, '{"at":"2026-01-01T00:00:00+00:00"}'),
        ({"at": datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=1)))}, '{"at":"0001-01-01T00:00:00+01:00"}'),
        ({"list": [1, None, {"k": None}], "flag": True}, '{"flag":true,"list":[1,null,{}]}'),
        ({"raw": b"ab"}, '{"raw":"sha256:%s"}' % sha(b"ab")),  # noqa: UP031 - braces
        ({"lone": "\ud800"}, '{"lone":"?"}'),
    ],
)
def test_a_row_has_one_canonical_encoding(row: dict[str, Any], encoded: str) -> None:
    assert canonical(row) == encoded.encode()
    assert record_sha256(row) == sha(encoded.encode())


def test_rows_without_picture_and_text_are_hashed_whole_and_alike_in_jsonl_and_parquet(tmp_path: Path) -> None:
    rows = [{"id": "q1", "question": "why?", "score": 2.0}, {"id": "q2", "question": "how?", "score": None}]
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "a" / "train.jsonl").write_text("".join(json.dumps(row) + "\n\n" for row in rows))
    pq.write_table(pa.Table.from_pylist(rows).select(["score", "id", "question"]), tmp_path / "b" / "train.parquet")
    found = hashes_of(tmp_path / "a")
    assert found == hashes_of(tmp_path / "b")
    assert found["q1"] == (record_sha256(rows[0]), None)


def test_members_of_a_shard_without_picture_and_text_are_hashed_by_their_endings(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "shard-0.tar", "w") as archive:
        for name, data in (("001.mp3", b"sound"), ("001.json", b"{}"), ("002.mp3", b"noise"), ("002.json", b"{}")):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    found = hashes_of(tmp_path)
    assert found["001"][0] == record_sha256({"mp3": f"sha256:{sha(b'sound')}", "json": f"sha256:{sha(b'{}')}"})
    assert found["001"] != found["002"]


def test_the_root_does_not_depend_on_files_row_groups_compression_or_order(tmp_path: Path) -> None:
    table = pa.table({"id": [f"r{i}" for i in range(50)], "text": [f"text {i}" for i in range(50)]})
    for name in ("one", "two", "three"):
        (tmp_path / name).mkdir()
    pq.write_table(table, tmp_path / "one" / "train.parquet", row_group_size=7, compression="zstd")
    backwards = table.take(list(range(49, -1, -1)))
    pq.write_table(backwards.slice(0, 20), tmp_path / "two" / "a.parquet", compression="none")
    pq.write_table(backwards.slice(20), tmp_path / "two" / "b.parquet", row_group_size=3)
    lines = [json.dumps({"text": f"text {i}", "id": f"r{i}", "url": None}) for i in range(50)]
    (tmp_path / "three" / "train.jsonl").write_text("\n".join(lines))
    assert len({roots_of(tmp_path / name) for name in ("one", "two", "three")}) == 1


def test_rows_are_alike_whoever_wrote_them(tmp_path: Path) -> None:
    """Indices and NaN of pandas, kinds of numbers and texts, time zones: none of them is content."""
    rows: list[dict[str, Any]] = [
        {
            "id": f"q{i}",
            "question": f"why {i}?",
            "score": None if i == 1 else i,
            "at": datetime(2026, 1, 1, i, tzinfo=UTC),
        }
        for i in range(4)
    ]
    table = pa.Table.from_pylist(rows)
    written = {
        "arrow": table,
        "kinds": table.set_column(2, "score", table["score"].cast(pa.float32()))
        .set_column(1, "question", table["question"].dictionary_encode())
        .set_column(3, "at", table["at"].cast(pa.timestamp("ns", "Europe/Paris"))),
        "nan": table.set_column(2, "score", pa.array([0.0, float("nan"), 2.0, 3.0])),
        "index": pa.Table.from_pandas(table.to_pandas().iloc[[2, 0, 1, 3]]),
    }
    assert "__index_level_0__" in written["index"].column_names
    for name, each in written.items():
        (tmp_path / name).mkdir()
        pq.write_table(each, tmp_path / name / "train.parquet")
    (tmp_path / "lines").mkdir()
    lines = [json.dumps(row | {"at": row["at"].isoformat()}) for row in rows]
    (tmp_path / "lines" / "train.jsonl").write_text("\n".join(lines))
    assert len({roots_of(tmp_path / name) for name in (*written, "lines")}) == 1


def test_a_record_without_picture_and_text_is_its_row_whichever_file_comes_first(tmp_path: Path) -> None:
    row, text = '{"id": "row", "question": "why?"}\n', '{"id": "text", "text": "hello"}\n'
    for name, first, second in (("one", row, text), ("two", text, row), ("three", text + row, "")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.jsonl").write_text(first)
        if second:
            (tmp_path / name / "b.jsonl").write_text(second)
    found = [hashes_of(tmp_path / name) for name in ("one", "two", "three")]
    assert found[0] == found[1] == found[2]
    assert found[0]["row"] == (record_sha256({"id": "row", "question": "why?"}), None)


def test_ids_that_pandas_made_floats_of_are_the_same_ids(tmp_path: Path) -> None:
    rows = [{"id": 7, "text": "a"}, {"id": 2**40, "text": "b"}, {"id": None, "text": "c"}]
    table = pa.Table.from_pylist(rows)
    for name, ids in (("whole", table["id"]), ("floats", table["id"].cast(pa.float64()))):
        (tmp_path / name).mkdir()
        pq.write_table(table.set_column(0, "id", ids), tmp_path / name / "train.parquet")
    (tmp_path / "lines").mkdir()
    (tmp_path / "lines" / "train.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    assert len({roots_of(tmp_path / name) for name in ("whole", "floats", "lines")}) == 1
    assert {"7", str(2**40)} < hashes_of(tmp_path / "floats").keys()
