"""The adapter to infini-gram, on a small index that its own package makes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from copycat.errors import MissingExtraError, UserError
from copycat.fairuse.attribution.infini import InfiniGram
from copycat.fairuse.works import load_works


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Needs the extra `index`; it is part of the environment that the tests are run in."""
    pytest.importorskip("infini_gram")  # has no wheels but for Linux
    place = tmp_path_factory.mktemp("infini")
    (place / "data").mkdir()
    with (place / "data" / "works.jsonl").open("w", encoding="utf-8") as file:
        for work in load_works(["public-domain"]):
            file.write(json.dumps({"text": work.readable, "id": work.work.id}) + "\n")
    options = ("--token_dtype", "u8", "--add_metadata", "--shards", "1", "--mem", "1", "--cpus", "1", "--ulimit", "512")
    command = (
        sys.executable,
        "-m",
        "infini_gram.indexing",
        "--data_dir",
        place / "data",
        "--save_dir",
        place / "index",
    )
    subprocess.run([*map(str, command), *options], check=True, capture_output=True)
    return place / "index"


@pytest.mark.slow
def test_a_span_is_traced_to_its_document(folder: Path) -> None:
    output = "Hm. Two vast and trunkless legs of stone, caf\xe9, and that government of the people, by the people."
    found = InfiniGram(folder).attribute(output)
    assert [row.work for row in found.works] == ["gettysburg-address", "ozymandias"]
    assert output[found.spans[0].start : found.spans[0].end] == " Two vast and trunkless legs of stone"
    assert output[found.spans[1].start : found.spans[1].end].startswith("and that government of the people")
    assert found.words == len(output.encode())


@pytest.mark.slow
def test_what_stands_nowhere_is_new(folder: Path) -> None:
    engine = InfiniGram(folder)
    assert engine.attribute("Four score and seven years ago").novelty[8] == 0.0
    assert engine.attribute("zqxj wvkk").novelty[5] == 1.0
    assert engine.attribute("").novelty == {}


@pytest.mark.slow
def test_occurrences_are_counted(folder: Path) -> None:
    text = next(work.readable for work in load_works(["public-domain"]) if work.work.id == "gettysburg-address")
    assert InfiniGram(folder).count("the people") == text.count("the people")
    assert InfiniGram(folder).facts().works == 6


def test_a_folder_without_an_index_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no index of infini-gram"):
        InfiniGram(tmp_path)


@pytest.mark.slow
def test_without_the_package_the_extra_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "infini_gram.engine", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'copycat\[index\]'"):
        InfiniGram(folder)
