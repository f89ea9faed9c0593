"""Labelled pictures from Parquet, CSV, JSON Lines, folders and the Hub, through the library that reads them."""

from __future__ import annotations

import io
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from copycat.calibration.labelled_sets import OpenedSet, is_labelled_set, open_set
from copycat.errors import DataError, MissingExtraError, UserError


def png(number: int) -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (8, 8), (number, 0, 0)).save(written, "PNG")
    return written.getvalue()


def read(opened: OpenedSet) -> list[tuple[bytes, Any, Any]]:
    return [(opened.read_picture(row), row[opened.columns.character], row[opened.columns.label]) for row in opened.rows]


EXPECTED = [(png(number), f"name {number}", number % 2) for number in range(5)]


def write_parquet(path: Path, image: str = "image", kind: str = "struct") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pictures = [content for content, _, _ in EXPECTED]
    cells = pictures if kind == "bytes" else [{"bytes": content, "path": None} for content in pictures]
    columns = {image: cells, "character": [name for _, name, _ in EXPECTED], "label": [label for *_, label in EXPECTED]}
    pq.write_table(pa.table(columns), path)
    return path


@pytest.mark.parametrize("kind", ["struct", "bytes"])
def test_parquet_files_with_pictures_inside_are_read(tmp_path: Path, kind: str) -> None:
    opened = open_set(str(write_parquet(tmp_path / "set.parquet", kind=kind)), {})
    assert read(opened) == EXPECTED
    assert opened.n_rows == 5


def test_parquet_files_that_the_library_wrote_give_the_very_bytes_of_the_pictures(tmp_path: Path) -> None:
    features = datasets.Features(
        {
            "image": datasets.Image(),
            "character": datasets.Value("string"),
            "label": datasets.ClassLabel(names=["no", "yes"]),
        }
    )
    rows = [{"image": {"bytes": c, "path": None}, "character": n, "label": v} for c, n, v in EXPECTED]
    datasets.Dataset.from_list(rows, features=features).to_parquet(str(tmp_path / "data" / "train.parquet"))
    opened = open_set(str(tmp_path), {})
    assert read(opened) == EXPECTED
    assert opened.label_names == ("no", "yes")


def test_all_parquet_files_of_a_folder_are_one_set(tmp_path: Path) -> None:
    write_parquet(tmp_path / "a" / "1.parquet")
    write_parquet(tmp_path / "b" / "2.parquet")
    opened = open_set(str(tmp_path), {})
    assert read(opened) == EXPECTED * 2
    assert opened.n_rows == 10


@pytest.mark.parametrize("separator", [",", ";"])
def test_a_folder_with_a_table_beside_the_pictures_is_read(tmp_path: Path, separator: str) -> None:
    lines = [separator.join(["file_name", "character", "label"])]
    for place, (content, name, label) in enumerate(EXPECTED):
        (tmp_path / f"{place}.png").write_bytes(content)
        lines.append(separator.join([f"{place}.png", name, str(label)]))
    (tmp_path / "labels.csv").write_text("\n".join(lines), encoding="utf-8")
    assert read(open_set(str(tmp_path), {})) == EXPECTED


def test_json_lines_are_read(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    with (tmp_path / "labels.jsonl").open("w", encoding="utf-8") as file:
        for place, (content, name, label) in enumerate(EXPECTED):
            (tmp_path / "p" / f"{place}.png").write_bytes(content)
            file.write(json.dumps({"path": f"p/{place}.png", "name": name, "votes": [label, label]}) + "\n")
    opened = open_set(str(tmp_path / "labels.jsonl"), {})
    assert read(opened) == [(content, name, [label, label]) for content, name, label in EXPECTED]


@pytest.mark.parametrize(
    "path", ["../secret.png", "/etc/passwd", "https://example.org/a.png", "a/../../secret.png", "file:///etc/passwd"]
)
def test_pictures_outside_the_data_set_are_not_read(tmp_path: Path, path: str, network: list[str]) -> None:
    (tmp_path / "secret.png").write_bytes(png(1))
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "labels.csv").write_text(f"image,character,label\n{path},a,yes\n", encoding="utf-8")
    opened = open_set(str(tmp_path / "set"), {})
    with pytest.raises(ValueError, match="outside the data set"):
        read(opened)
    assert network == []


def test_a_picture_that_is_not_there_is_told(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("image,character,label\nnone.png,a,yes\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"none.png cannot be read"):
        read(open_set(str(tmp_path), {}))


def test_what_holds_no_labelled_pictures_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x", encoding="utf-8")
    for place in ("", "a.txt", "nowhere"):
        with pytest.raises(DataError, match="needed: a table with a picture"):
            open_set(str(tmp_path / place), {})


def test_labels_of_a_run_are_not_taken_for_labelled_pictures(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("key,image,character,label,rater,anyone,sha256\na,b,c,yes,,,\n", encoding="utf-8")
    with pytest.raises(DataError, match="holds labels of a run"):
        open_set(str(path), {})


# --------------------------------------------------------------------------------------- the Hub


def test_names_of_data_sets_are_told_from_files() -> None:
    assert is_labelled_set("copychars")
    assert is_labelled_set("hf:org/name")
    assert not is_labelled_set("labels.csv")


def test_without_a_network_it_says_what_to_do(network: list[str]) -> None:
    with pytest.raises(MissingExtraError, match=r"winteryetta/COPYCHARS cannot be reached .*\n.*--labels ./FOLDER"):
        open_set("copychars", {})
    network.clear()


def test_a_name_that_cannot_be_one_is_told() -> None:
    with pytest.raises(UserError, match=r"needed: --labels hf:ORG/NAME"):
        open_set("hf:org/na me", {})


def test_a_data_set_is_read_at_the_commit_that_the_hub_gives(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: dict[str, Any] = {}
    load = datasets.load_dataset
    path = write_parquet(tmp_path / "set.parquet", image="picture")

    def info(_: object, repository: str, **options: Any) -> SimpleNamespace:
        asked["info"] = (repository, options["revision"])
        return SimpleNamespace(sha="c0ffee" * 6 + "1234")

    def load_locally(repository: str, config: str | None, **options: Any) -> Any:
        asked["load"] = (repository, config, options)
        return load("parquet", data_files={"train": str(path), "test": str(path)}, streaming=True)

    monkeypatch.setattr("huggingface_hub.HfApi.dataset_info", info)
    monkeypatch.setattr(datasets, "load_dataset", load_locally)
    opened = open_set("hf:org/name/part@main", {})
    assert asked["info"] == ("org/name", "main")
    assert asked["load"] == ("org/name", "part", {"revision": "c0ffee" * 6 + "1234", "streaming": True})
    assert opened.source == "org/name at commit c0ffeec0ffee"
    assert read(opened) == EXPECTED * 2


def test_an_error_of_the_library_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise ValueError("Config name is missing.\nPlease pick one among: ['a', 'b']")

    monkeypatch.setattr("huggingface_hub.HfApi.dataset_info", lambda *_, **__: SimpleNamespace(sha="c" * 40))
    monkeypatch.setattr(datasets, "load_dataset", refuse)
    with pytest.raises(DataError, match=r"cannot be opened \(Config name is missing.*\)\n.*hf:org/name/PART"):
        open_set("hf:org/name", {})
