"""The suite as a Hub dataset: `datasets` loads it, mlcroissant finds no fault in it, and its bytes are fixed."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from harness import Cli
from run_folders import tree

from copycat.catalog import (
    NOTES_YEAR,
    benign_prompts,
    build_prompts,
    legal_notes,
    list_anchors,
    list_character_sets,
    parse_anchor,
    prompt_set_of,
    read_character_set,
)
from copycat.paths import data_folder
from copycat.sharing.suite import suite_faults


def front_matter(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((folder / "README.md").read_text(encoding="utf-8").split("---\n")[1])
    return found


def test_datasets_loads_the_characters_of_a_set(suite: Path, load: Any) -> None:
    rows = load(str(suite), "characters", split="copycat50")

    characters = read_character_set("copycat50").characters
    assert rows["id"] == [character.id for character in characters]
    assert rows["aliases"] == [list(character.aliases) for character in characters]
    assert rows[0]["first_appearance_year"] == 1989


def test_datasets_loads_the_very_prompts_that_a_run_asks_for(suite: Path, load: Any) -> None:
    rows = load(str(suite), "prompts", split="copycat50")

    characters = read_character_set("copycat50")
    anchors = [parse_anchor(label, "authored") for label in list_anchors(characters)]
    assert list(rows) == [p.model_dump() for p in build_prompts(characters, prompt_set_of(characters), anchors)]


def test_the_lists_that_ship_with_the_sandbox_are_prompts_and_keywords(suite: Path, load: Any) -> None:
    anchors = set(load(str(suite), "prompts", split="sandbox")["anchor"])

    assert {"keywords:cooccurrence-5", "keywords:embedding-5", "keywords:lm-5"} <= anchors
    assert set(load(str(suite), "keywords", split="sandbox")["ranker"]) == {"cooccurrence", "embedding", "lm"}


def test_legal_notes_sources_and_benign_prompts_travel(suite: Path, load: Any) -> None:
    characters = read_character_set("unseen50")

    notes = load(str(suite), "legal_status", split="unseen50")
    computed = [note for character in characters.characters for note in legal_notes(character)]
    assert [(note["version"], note["status"]) for note in notes] == [(note.version, note.status) for note in computed]
    assert set(notes["as_of"]) == {NOTES_YEAR}
    assert set(load(str(suite), "sources", split="unseen50")["field"]) >= {"name", "description", "versions"}
    assert set(load(str(suite), "licences", split="unseen50")["licence_status"]) == {"fact", "Apache-2.0"}
    versions = load(str(suite), "versions", split="unseen50")
    assert len(versions) == sum(len(character.versions) for character in characters.characters)
    assert load(str(suite), "benign", split="everyday")["text"] == [p.text for p in benign_prompts(characters)[1]]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of mlcroissant's own libraries
def test_mlcroissant_finds_no_error_and_reads_the_rows(suite: Path) -> None:
    import mlcroissant

    dataset = mlcroissant.Dataset(suite / "croissant.json")

    assert not dataset.metadata.ctx.issues.errors
    assert not dataset.metadata.ctx.issues.warnings
    first = next(iter(dataset.records("prompts-copycat50")))
    assert first["prompts-copycat50/text"] == b"Ariel"
    described = json.loads((suite / "croissant.json").read_text(encoding="utf-8"))
    assert "no legal advice" in described["rai:dataSocialImpact"]
    for file in described["distribution"]:
        assert hashlib.sha256((suite / file["contentUrl"]).read_bytes()).hexdigest() == file["sha256"]


def test_the_card_tells_the_hub_what_is_where(suite: Path) -> None:
    front = front_matter(suite)

    assert front["license"] == "apache-2.0"
    assert front["language"] == ["en"]
    assert front["size_categories"] == ["1K<n<10K"]
    configs = {config["config_name"]: config["data_files"] for config in front["configs"]}
    law = {"legal_status", "versions", "sources", "licences"}
    assert set(configs) == {"characters", "prompts", "keywords", "benign", *law}
    assert all((suite / file["path"]).is_file() for files in configs.values() for file in files)


def test_the_files_of_the_suite_are_those_that_ship(suite: Path) -> None:
    manifest = json.loads((suite / "suite" / "suite.json").read_text(encoding="utf-8"))

    for relative, entry in manifest["files"].items():
        part, _, rest = relative.partition("/")
        content = (data_folder(part) / rest).read_bytes()
        assert (suite / "suite" / relative).read_bytes() == content
        assert entry == {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    assert {f"characters/{name}.yaml" for name in list_character_sets()} <= set(manifest["files"])
    assert suite_faults(suite / "suite") == []


def test_there_is_no_picture_in_it(suite: Path) -> None:
    assert {Path(name).suffix for name in tree(suite)} == {".md", ".json", ".jsonl", ".yaml", ".parquet"}


def test_the_same_suite_gives_the_same_bytes(suite: Path, data: Cli, tmp_path: Path) -> None:
    answer = data("export", "suite", "--out", "copycat-suite")
    again = data("export", "suite", "--out", "copycat-suite")

    assert (answer.code, again.code) == (0, 0)
    assert tree(tmp_path / "copycat-suite") == tree(suite)


def test_one_set_can_be_exported_alone(data: Cli, tmp_path: Path) -> None:
    answer = data("export", "suite", "--characters", "unseen50", "--hub-id", "somebody/suite", "--out", "alone")

    assert answer.code == 0
    assert not any("copycat50" in name for name in tree(tmp_path / "alone"))
    assert (
        'load_dataset("somebody/suite", "characters", split="unseen50")' in (tmp_path / "alone/README.md").read_text()
    )
    assert suite_faults(tmp_path / "alone" / "suite") == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--characters", "copycat5"), "unknown character set 'copycat5'\n  did you mean 'copycat50'?"),
        (
            ("--out", "/proc/nowhere/suite"),
            "cannot make the folder /proc/nowhere/suite\n  choose another folder: --out DIR",
        ),
        (("--characters", "unseen50", "--out", "full"), "full holds other files\n  choose another folder: --out DIR"),
    ],
)
def test_what_cannot_be_exported_is_told_and_nothing_changes(
    data: Cli, tmp_path: Path, options: tuple[str, ...], said: str
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")

    answer = data("export", "suite", *(() if "--out" in options else ("--out", "new")), *options)

    assert answer.code == 2
    assert said in answer.err
    assert tree(tmp_path) == {"full/mine.txt": b"mine"}
