"""Every usual form of a dataset gives the same records."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small_datasets import ROWS, jsonl, read, shard, tar_bytes, write_all_kinds

from copycat.errors import DataError
from copycat.provenance.dataset import open_dataset
from copycat.provenance.dataset.columns import STANDARD, find_columns
from copycat.provenance.dataset.parquet import plain_array
from copycat.provenance.manifest import Order, write_manifest

KINDS = ("jsonl", "jsonl.gz", "csv", "tsv", "tar", "tar.gz", "parquet", "folder")


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return write_all_kinds(tmp_path_factory.mktemp("kinds"))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_gives_the_same_records(kinds: dict[str, Path], kind: str) -> None:
    found = read(kinds[kind])

    assert found.said == []
    assert found.texts("text") == [row["caption"] for row in ROWS]
    assert found.texts("licence") == ["CC0-1.0", "MIT", ""]
    assert found.texts("url") == [row["url"] for row in ROWS]
    names = [batch.id_of(row) for batch in found.batches for row in range(batch.size)]
    assert names == ["a", "b", "c"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_and_the_folder_that_holds_it_read_the_same(kinds: dict[str, Path], kind: str) -> None:
    path = kinds[kind]
    folder = path if path.is_dir() else path.parent

    assert read(folder).texts("url") == read(path).texts("url")


@pytest.mark.parametrize("kind", KINDS)
def test_a_record_is_placed_where_it_lies(kinds: dict[str, Path], kind: str) -> None:
    evidence = read(kinds[kind]).batches[0].evidence(1, "licence")

    expected = {
        "jsonl": "x.jsonl:2 licence",
        "jsonl.gz": "x.jsonl.gz:2 licence",
        "csv": "x.csv:3 licence",
        "tsv": "x.tsv:3 licence",
        "tar": "x.tar b licence",
        "tar.gz": "x.tar.gz b licence",
        "parquet": "x.parquet:2 licence",
        "folder": "b.txt licence",
    }
    assert evidence.place == expected[kind]


@pytest.mark.parametrize("kind", ["parquet", "jsonl", "folder"])
def test_a_row_of_a_sidecar_is_placed_where_its_record_lies(kinds: dict[str, Path], tmp_path: Path, kind: str) -> None:
    """Findings point at the data, not at provenance/records.parquet; rows that a removal emptied at the sidecar."""
    copy = tmp_path / kinds[kind].name
    (shutil.copytree if kind == "folder" else shutil.copy)(kinds[kind], copy)
    dataset = open_dataset(copy)
    write_manifest(dataset, Order(date(2026, 2, 1)))
    (facts,) = dataset.facts(("id", "licence"))
    assert set(facts.columns) <= {"id", "licence"}
    places = {batch.place_of(row) for batch in dataset.content(("id",)) for row in range(batch.size)}
    assert {facts.place_of(row) for row in range(facts.size)} == places
    assert {facts.evidence(row).place for row in range(facts.size)} == places
    assert facts.evidence(0, "licence", "?").pointer == "licence"
    forgotten = replace(facts, lies_in=(pa.nulls(facts.size, pa.string()), pa.nulls(facts.size, pa.int64())))
    assert forgotten.evidence(1).place.endswith("provenance/records.parquet:2")


def test_only_what_is_asked_for_is_read(kinds: dict[str, Path]) -> None:
    batch = read(kinds["parquet"], "url").batches[0]

    assert set(batch.columns) == {"url"}
    assert batch.named == {"url": "url"}
    assert batch.texts("licence") == ["", "", ""]
    assert batch.column("licence") is None


def test_a_hub_dataset_has_configurations_and_splits_from_its_card(tmp_path: Path) -> None:
    card = """---
configs:
- config_name: pictures
  data_files:
  - {split: train, path: "data/p-*.parquet"}
  - {split: test, path: [held/one.parquet]}
- config_name: texts
  data_files: texts/*.jsonl
- config_name: more
  data_dir: extra
  data_files: {validation: "**/*.jsonl"}
---
A card.
"""
    (tmp_path / "README.md").write_text(card)
    for name in ("data/p-0.parquet", "data/p-1.parquet", "held/one.parquet"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        pq.write_table(pa.Table.from_pylist(ROWS), tmp_path / name)
    for name in ("texts/t.jsonl", "extra/deep/v.jsonl"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_bytes(jsonl(ROWS))

    found = read(tmp_path)

    assert found.said == []
    assert {(batch.file, batch.config, batch.split) for batch in found.batches} == {
        ("data/p-0.parquet", "pictures", "train"),
        ("data/p-1.parquet", "pictures", "train"),
        ("held/one.parquet", "pictures", "test"),
        ("texts/t.jsonl", "texts", ""),
        ("extra/deep/v.jsonl", "more", "validation"),
    }


def test_a_card_that_names_files_that_are_not_there_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("---\nconfigs:\n- config_name: x\n  data_files: gone-*.parquet\n---\n")
    (tmp_path / "a.jsonl").write_bytes(jsonl(ROWS))

    found = read(tmp_path)

    assert found.said == ["README.md configs names data files that are not there: gone-*.parquet"]
    assert found.n_records == 3


@pytest.mark.parametrize(
    "configs",
    ["7", "[7]", "[{data_files: 7}]", "[{data_files: [{path: {}}]}]", "{}", '[{config_name: [], data_files: "*"}]'],
)
def test_strange_configs_of_a_card_break_nothing(tmp_path: Path, configs: str) -> None:
    (tmp_path / "README.md").write_text(f"---\nconfigs: {configs}\n---\n")
    (tmp_path / "a.jsonl").write_bytes(jsonl(ROWS))

    assert read(tmp_path).n_records == 3


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train.jsonl", "train"), ("data/test-00000-of-00001.jsonl", "test"), ("dev/x.jsonl", "validation"),
        ("val_2.jsonl", "validation"), ("latest.jsonl", ""), ("contest/a.jsonl", ""),
    ],
)  # fmt: skip
def test_a_split_is_told_from_the_name_as_on_the_hub(tmp_path: Path, name: str, split: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(jsonl(ROWS))

    assert [batch.split for batch in read(tmp_path).batches] == [split]


def test_of_several_kinds_one_is_read_and_the_others_are_told_of(tmp_path: Path) -> None:
    pq.write_table(pa.Table.from_pylist(ROWS), tmp_path / "a.parquet")
    (tmp_path / "b.csv").write_text("id\n1\n")
    (tmp_path / "plot.png").write_bytes(b"no picture")

    dataset = open_dataset(tmp_path)

    assert (dataset.kind, [file.name for file in dataset.files]) == ("parquet", ["a.parquet"])
    assert [file.name for file in dataset.beside] == ["b.csv", "plot.png"]
    assert not dataset.is_declared


def test_what_speaks_of_a_dataset_is_no_record(tmp_path: Path) -> None:
    for name in ("README.md", "LICENSE", "croissant.json", "provenance.yaml", ".hidden", "dataset_infos.json"):
        (tmp_path / name).write_text("{}")
    (tmp_path / "provenance").mkdir()
    (tmp_path / "provenance" / "records.parquet").write_bytes(b"")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "x.txt").write_text("x")
    (tmp_path / "a.txt").write_text("a record")

    assert [file.name for file in open_dataset(tmp_path).files] == ["a.txt"]


def test_a_deeper_folder_that_is_only_called_provenance_is_read(tmp_path: Path) -> None:
    (tmp_path / "towns" / "provenance").mkdir(parents=True)
    (tmp_path / "towns" / "provenance" / "a.txt").write_text("Provenance is a town in an invented land")

    assert read(tmp_path).texts("id") == ["towns/provenance/a.txt"]


def test_facts_of_a_folder_come_from_metadata_and_from_json_beside_a_file(tmp_path: Path) -> None:
    for name in ("cats/one.png", "cats/two.png", "three.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"no picture")
    rows = [{"file_name": "one.png", "license": "MIT"}, {"file_name": "./two.png", "license": "CC0-1.0"}]
    (tmp_path / "cats" / "metadata.jsonl").write_bytes(jsonl(rows))
    (tmp_path / "three.jpg.json").write_text('{"id": "third", "license": "CC-BY-4.0", "file": "a lie"}')

    found = read(tmp_path, "id", "licence", "file", "image")

    assert found.said == []
    assert found.texts("file") == ["cats/one.png", "cats/two.png", "three.jpg"]
    assert found.texts("licence") == ["MIT", "CC0-1.0", "CC-BY-4.0"]
    assert found.texts("id") == ["cats/one.png", "cats/two.png", "third"]
    assert [value["bytes"] for value in found.values("image")] == [b"no picture"] * 3


def test_metadata_csv_is_read_too(tmp_path: Path) -> None:
    (tmp_path / "one.png").write_bytes(b"no picture")
    (tmp_path / "metadata.csv").write_text("file_name,license\none.png,MIT\n")

    assert read(tmp_path).texts("licence") == ["MIT"]


def test_a_json_file_on_its_own_is_a_record(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{}")

    assert read(tmp_path).texts("id") == ["a.json"]


def test_members_of_a_shard_with_one_key_are_one_record(tmp_path: Path) -> None:
    members = [("d/1.seg.png", b"x"), ("d/1.json", b'{"id": "7"}'), ("d/1.cls", b"3"), ("e/1.json", b"{}")]
    (tmp_path / "x.tar").write_bytes(tar_bytes(members))

    found = read(tmp_path, "id")

    assert found.batches[0].keys == ["d/1", "e/1"]
    assert [found.batches[0].id_of(row) for row in range(2)] == ["7", "x.tar/e/1"]


def test_pictures_of_a_shard_are_read_where_they_are_asked_for(tmp_path: Path) -> None:
    (tmp_path / "x.tar").write_bytes(tar_bytes(shard(ROWS)))

    assert [value["bytes"] for value in read(tmp_path, "image").values("image")] == [b"no picture"] * 3
    assert read(tmp_path, "url").batches[0].column("image") is None


def test_what_this_project_exports_reads_as_a_hub_dataset(tmp_path: Path) -> None:
    from copycat.sharing.suite_export import export_suite

    export_suite(tmp_path / "suite", ["sandbox"])

    found = read(tmp_path / "suite")

    assert found.said == []
    assert (found.dataset.kind, found.dataset.is_declared) == ("parquet", True)
    assert {"characters", "prompts"} <= {batch.config for batch in found.batches}
    assert {batch.split for batch in found.batches} >= {"sandbox"}
    assert {file.path.parent.parent.name for file in found.dataset.files} == {"data"}


# ------------------------------------------------------------------------------------------ columns


def test_columns_are_found_by_their_usual_names_whatever_their_letters() -> None:
    assert find_columns(["Image_URL", "LICENSE", "Caption"]) == {
        "url": "Image_URL",
        "licence": "LICENSE",
        "text": "Caption",
    }


def test_the_likelier_name_and_a_named_column_go_first() -> None:
    there = ["license", "licence", "rights"]

    assert find_columns(there)["licence"] == "licence"
    assert find_columns(there, {"licence": "rights"})["licence"] == "rights"
    assert "licence" not in find_columns(there, {"licence": "gone"})


def test_no_name_stands_for_two_standard_columns() -> None:
    names = [name for others in STANDARD.values() for name in others]

    assert len(names) == len(set(names))


@pytest.mark.parametrize("kind", ["parquet", "jsonl", "tar"])
def test_facts_in_a_struct_are_found(tmp_path: Path, kind: str) -> None:
    rows = [{"id": "1", "metadata": {"license": "MIT", "deep": {"who": "a"}}}, {"id": "2", "metadata": None}]
    if kind == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), tmp_path / "x.parquet")
    elif kind == "jsonl":
        (tmp_path / "x.jsonl").write_bytes(jsonl(rows))
    else:
        members = [(f"{row['id']}.json", json.dumps(row).encode()) for row in rows]
        (tmp_path / "x.tar").write_bytes(tar_bytes(members))

    found = read(tmp_path, "licence", "author", columns={"author": "metadata.deep.who"})

    assert found.texts("licence") == ["MIT", ""]
    assert found.texts("author") == ["a", ""]
    assert found.batches[0].named == {"licence": "metadata.license", "author": "metadata.deep.who"}


STRANGE = {
    "decimal": pa.array([Decimal("1.50"), None]),
    "timestamp": pa.array([datetime(2026, 1, 2, tzinfo=UTC), None]),
    "a time beyond Python": pa.array([2**50, None], pa.timestamp("s")),
    "a zone that nobody knows": pa.array([0, None], pa.timestamp("ns", "Nowhere/Town")),
    "dictionary": pa.array(["x", None]).dictionary_encode(),
    "large_string": pa.array(["x", None], pa.large_string()),
    "string_view": pa.array(["x", None], pa.string_view()),
    "binary": pa.array([b"\xffx", None]),
    "map": pa.array([[("a", 1)], None], pa.map_(pa.string(), pa.int64())),
    "list of structs": pa.array([[{"name": "a", "value": "b"}], None]),
    "bool": pa.array([True, None]),
    "float": pa.array([float("nan"), None]),
    "null": pa.nulls(2),
    "int": pa.array([7, None]),
}


@pytest.mark.parametrize("name", STRANGE)
def test_a_column_of_any_type_can_be_taken_as_text(tmp_path: Path, name: str) -> None:
    pq.write_table(pa.table({"id": STRANGE[name]}), tmp_path / "x.parquet")

    batch = read(tmp_path, "id").batches[0]

    first, second = batch.texts("id")
    assert second == ""
    assert (first == "") == (name in {"float", "null"})
    assert batch.text_array("id").to_pylist() == [first, second]
    assert batch.id_of(0) == (first or "x.parquet:1")
    assert len(batch.values("id")) == 2


def test_a_map_of_headers_reads_as_a_list_of_names_and_values(tmp_path: Path) -> None:
    maps = pa.array([[("a", "1"), ("b", None)], None, [], [("c", "3")]], pa.map_(pa.string(), pa.string()))
    pq.write_table(pa.table({"headers": maps}), tmp_path / "x.parquet")

    assert read(tmp_path, "headers").values("headers") == [
        [{"name": "a", "value": "1"}, {"name": "b", "value": None}],
        None,
        [],
        [{"name": "c", "value": "3"}],
    ]


@pytest.mark.parametrize("at", [1, 3])
def test_a_part_of_a_map_column_keeps_its_own_values(at: int) -> None:
    maps = pa.array([[("a", "1")], None, [("b", "2")], [("c", "3")], None], pa.map_(pa.string(), pa.string()))

    part = plain_array(maps.slice(at, 2))

    expected = [None if each is None else [{"name": n, "value": v} for n, v in each] for each in maps.to_pylist()]
    assert part.to_pylist() == expected[at : at + 2]


# ------------------------------------------------------------------------------------------- errors


def test_what_is_no_dataset_is_said_with_what_would_be_one(tmp_path: Path) -> None:
    (tmp_path / "a.xyz").write_text("x")

    with pytest.raises(DataError, match=r"a\.xyz: is no dataset\n  needed: a folder, or a file \.parquet"):
        open_dataset(tmp_path / "a.xyz")
    with pytest.raises(DataError, match=r"gone: is not there\n  needed: the folder or file"):
        open_dataset(tmp_path / "gone")
