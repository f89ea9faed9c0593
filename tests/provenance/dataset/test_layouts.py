"""Datasets as they lie on the Hub and as tools leave them: the records are found, and what is not read is told."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small_datasets import jsonl, read, tar_bytes

from copycat.provenance.dataset import open_dataset
from copycat.provenance.records import Finding
from copycat.provenance.removal.finding import Place
from copycat.provenance.removal.rewriting import rewrite_files
from copycat.provenance.rules import Context
from copycat.provenance.rules.running import run_rules


def findings(path: Path) -> list[Finding]:
    return list(run_rules(Context(open_dataset(path)), ["F1"]).findings)


DOT = bytes.fromhex("474946383761010001008100008080800000000000000000002c000000000100010000080400010404003b")
"""A GIF of one grey dot."""


def told(path: Path) -> list[tuple[str, str, list[str]]]:
    found = findings(path)
    return [(each.severity, each.said, [evidence.file for evidence in each.evidence]) for each in found]


def write_parquet(path: Path, **columns: list[object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)


def write_pictures(folder: Path, *lines: dict[str, object]) -> None:
    folder.mkdir(parents=True)
    for name in ("0.png", "1.png"):
        (folder / name).write_bytes(name.encode())
    (folder / "metadata.jsonl").write_bytes(jsonl(list(lines)))


def test_archives_of_img2dataset_are_the_records_and_the_tables_beside_them_logs(tmp_path: Path) -> None:
    facts = json.dumps({"key": "00", "url": "https://example.org/a", "caption": "c"}).encode()
    (tmp_path / "00000.tar").write_bytes(tar_bytes([("00.gif", DOT), ("00.txt", b"c"), ("00.json", facts)]))
    write_parquet(tmp_path / "00000.parquet", key=["00", "01"], status=["success", "failed_to_download"])
    (tmp_path / "00000_stats.json").write_text("{}")

    assert (read(tmp_path).dataset.kind, read(tmp_path).texts("id"), read(tmp_path).texts("url")) == (
        "webdataset",
        ["00"],
        ["https://example.org/a"],
    )
    assert [(severity, files) for severity, _, files in told(tmp_path)] == [
        ("warning", ["00000.parquet"]),
        ("note", ["00000_stats.json"]),
    ]


def test_tables_that_are_no_logs_of_archives_go_before_them(tmp_path: Path) -> None:
    (tmp_path / "raw.tar").write_bytes(tar_bytes([("00.txt", b"c")]))
    write_parquet(tmp_path / "train.parquet", id=["a"])

    assert read(tmp_path).dataset.kind == "parquet"


def test_columns_in_capitals_are_found(tmp_path: Path) -> None:
    write_parquet(tmp_path / "x.snappy.parquet", SAMPLE_ID=[1], URL=["https://example.org"], TEXT=["a"], LICENSE=["?"])

    assert read(tmp_path).texts("url") == ["https://example.org"]
    assert read(tmp_path).texts("text") == ["a"]
    assert read(tmp_path).texts("licence") == ["?"]


def test_the_headers_of_a_web_archive_are_found_in_metadata(tmp_path: Path) -> None:
    headers = {"warc-target-uri": "https://example.org/x", "warc-date": "2021-01-01T00:00:00Z"}
    (tmp_path / "x.jsonl").write_bytes(jsonl([{"text": "a", "metadata": {"warc_headers": headers}}]))

    assert read(tmp_path).texts("url") == ["https://example.org/x"]
    assert read(tmp_path, "retrieved_at").texts("retrieved_at") == ["2021-01-01T00:00:00Z"]


@pytest.mark.parametrize(
    "lines",
    [
        [{"file_name": "0.png", "license": "MIT"}, {"file_name": "./1.png", "license": "MIT"}],
        [{"image_file_name": "0.png", "license": "MIT"}, {"image_file_name": "1.png", "license": "MIT"}],
        [{"file_names": ["0.png", "1.png"], "license": "MIT"}],
    ],
)
def test_metadata_in_split_folders_speaks_of_the_files_it_names(tmp_path: Path, lines: list[dict[str, object]]) -> None:
    write_pictures(tmp_path / "train", *lines)

    assert (read(tmp_path).said, read(tmp_path).texts("licence")) == ([], ["MIT", "MIT"])
    assert read(tmp_path, "split").texts("split") == ["train", "train"]


def test_what_is_removed_leaves_metadata_however_it_is_named_there(tmp_path: Path) -> None:
    write_pictures(tmp_path / "train", {"file_name": "./0.png"}, {"image_file_name": "1.png"})

    rewrite_files(open_dataset(tmp_path), [Place("train/0.png", 1, "train/0.png", "", None, True, False)])

    assert (tmp_path / "train" / "metadata.jsonl").read_bytes() == jsonl([{"image_file_name": "1.png"}])


def test_metadata_in_parquet_is_told_not_to_lead_to_its_pictures(tmp_path: Path) -> None:
    (tmp_path / "0.png").write_bytes(b"x")
    write_parquet(tmp_path / "metadata.parquet", file_name=["0.png"])

    assert ("warning", "metadata.parquet is read as the records, and the files that it speaks of are not", []) in told(
        tmp_path
    )


@pytest.mark.parametrize("text", ['[{"text": "a"}]', '{"text": "a"}\n{"text": "b"}\n'])
def test_json_with_many_records_is_told_not_to_be_read(tmp_path: Path, text: str) -> None:
    (tmp_path / "train.json").write_text(text)

    assert told(tmp_path) == [
        ("warning", "1 file in a form that holds many records, and is not read", ["train.json"]),
    ]


def test_a_configuration_may_name_a_folder_alone(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(
        "---\nconfigs:\n- config_name: en\n  data_dir: en\n- config_name: fr\n  data_dir: fr\n---\n"
    )
    for name in ("en", "fr"):
        write_parquet(tmp_path / name / "train-0.parquet", id=["1"])

    assert [(file.name, file.config) for file in open_dataset(tmp_path).files] == [
        ("en/train-0.parquet", "en"),
        ("fr/train-0.parquet", "fr"),
    ]


def test_links_out_of_the_folder_are_read_and_told(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (tmp_path / "x.jsonl").write_bytes(jsonl([{"id": "a"}]))
    (data / "own.jsonl").write_bytes(jsonl([{"id": "b"}]))
    (data / "far.jsonl").symlink_to("../x.jsonl")
    (data / "near.jsonl").symlink_to("own.jsonl")

    assert read(data).texts("id") == ["a", "b", "b"]
    assert told(data) == [
        ("note", "1 file that a link brings from outside the dataset's folder, read like the others", ["far.jsonl"]),
    ]


def test_hidden_files_are_told_but_not_those_that_git_and_caches_leave(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_bytes(jsonl([{"id": "a"}]))
    (tmp_path / ".more.jsonl").write_bytes(jsonl([{"id": "b"}]))
    (tmp_path / ".gitattributes").touch()
    (tmp_path / ".git").mkdir()

    assert told(tmp_path) == [("note", "1 hidden file or folder, not read", [".more.jsonl"])]
