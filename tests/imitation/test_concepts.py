"""Who is counted: character sets and files of a user's own, and what is wrong with them, told at once."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from copycat.catalog import read_character_set
from copycat.errors import DataError, UnknownNameError, UserError
from copycat.imitation.concepts import load_concepts, read_concepts, slug_of
from copycat.imitation.records import Concept

ROWS = [
    {
        "id": "ember",
        "name": "Captain Ember",
        "aliases": "Cpt. Ember|Ember",
        "noun": "cartoon fox",
        "stratum": "H",
    },
    {"name": "Jos\u00e9 Bramble", "aliases": ""},
]
CONCEPTS = (
    Concept(id="ember", name="Captain Ember", aliases=("Cpt. Ember", "Ember"), noun="cartoon fox", stratum="H"),
    Concept(id="jose-bramble", name="Jos\u00e9 Bramble"),
)


def test_a_character_set_gives_its_noun_and_its_franchise() -> None:
    who = read_character_set("sandbox").characters[0]
    first, *rest = load_concepts("sandbox")
    assert (first.id, first.name, first.aliases) == (who.id, who.name, who.aliases)
    assert (first.noun, first.stratum) == (who.key_characteristic, who.franchise)
    assert len(rest) == 49


def test_a_file_of_characters_is_taken_as_well(characters_file: Path) -> None:
    assert [concept.id for concept in load_concepts(characters_file)] == ["goofy", "max", "bluto"]


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet", "yaml"])
def test_a_file_of_any_form_gives_the_same_concepts(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"mine.{form}"
    if form == "csv":
        pl.DataFrame(ROWS).write_csv(path)
    elif form == "parquet":
        pl.DataFrame(ROWS).write_parquet(path)
    elif form == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    else:
        listed = {**ROWS[0], "aliases": ["Cpt. Ember", "Ember"]}
        path.write_text(json.dumps({"concepts": [listed, ROWS[1]]}))
    assert load_concepts(path) == CONCEPTS


def test_names_in_other_letters_have_ids_that_differ() -> None:
    assert slug_of("Captain  Ember's") == "captain-ember-s"
    assert slug_of("\u845b\u98fe\u5317\u658e") != slug_of("\u6b4c\u5ddd\u5e83\u91cd")
    assert slug_of("\u845b\u98fe\u5317\u658e").startswith("concept-")


def test_everything_that_is_wrong_with_a_file_is_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("id,name,alias\nember,Ember,x\nember,Other,\n,,\nUpper Case,Fine,\n,Twice,\n,TWICE!,\n,---,\n")
    with pytest.raises(DataError) as told:
        load_concepts(path)
    text = str(told.value)
    for fault in (
        "unknown column 'alias'; did you mean 'aliases'?",
        "mine.csv:3: id 'ember' is given 2 times, first at",
        "mine.csv:4: 'name' is missing",
        "mine.csv:5: id 'Upper Case' must be lower case letters",
        "id 'twice' is given 2 times",
        "mine.csv:8: '---' of 'none' holds no letter or digit",
    ):
        assert fault in text


def test_a_file_without_a_column_of_names_is_told_once(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("nom,noun\n" + "".join(f"A{n},cat\n" for n in range(20)), encoding="utf-8")
    with pytest.raises(DataError) as told:
        load_concepts(path)
    (fault,) = told.value.faults
    assert fault.endswith("own.csv: no column name; it has nom, noun")


def test_one_name_of_two_concepts_is_told(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("id,name\na,Captain Ember\nb,captain-ember\n")
    with pytest.raises(DataError, match="name 'captain ember' is given 2 times"):
        load_concepts(path)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("mine.csv", "name\n", "holds no concept"),
        ("mine.yaml", "concepts: 3\n", "holds no list of concepts"),
        ("mine.yaml", "- Captain Ember\n", "is no concept"),
        ("mine.jsonl", '{"name": "A", "aliases": 3}\n', "aliases 3"),
        ("mine.jsonl", "{\n", "no JSON"),
    ],
)
def test_a_file_without_concepts_is_told(tmp_path: Path, name: str, content: str, told: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match=told):
        load_concepts(tmp_path / name)


def test_bytes_that_are_no_text_are_told(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_bytes(b"name\n\xff\xfe\n")
    with pytest.raises(DataError, match=r"mine.csv: cannot be read"):
        load_concepts(tmp_path / "mine.csv")
    (tmp_path / "mine.parquet").write_bytes(b"no table")
    with pytest.raises(DataError, match=r"mine.parquet: cannot be read"):
        load_concepts(tmp_path / "mine.parquet")


def test_a_set_or_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'sandbox'"):
        load_concepts("sandbx")
    with pytest.raises(UserError, match="there is no file"):
        load_concepts(tmp_path / "none.csv")


def test_a_study_keeps_its_concepts_and_refuses_others(tmp_path: Path, characters_file: Path) -> None:
    study = tmp_path / "study"
    with pytest.raises(UserError, match="--characters SET or --concepts FILE"):
        read_concepts(study, None)
    first = read_concepts(study, characters_file)
    assert read_concepts(study, None) == read_concepts(study, characters_file) == first
    with pytest.raises(UserError, match="is of 3 other concepts than 'sandbox'"):
        read_concepts(study, "sandbox")
    assert len(read_concepts(study, "sandbox", may_replace=True)) == len(read_concepts(study, None)) == 50


def test_a_damaged_file_of_a_study_is_told(tmp_path: Path) -> None:
    (tmp_path / "concepts.json").write_text("[]")
    with pytest.raises(DataError, match=r"concepts.json: holds no concepts"):
        read_concepts(tmp_path, None)


def test_faults_are_told_with_the_lines_of_the_file_whatever_lines_are_empty_or_broken(tmp_path: Path) -> None:
    path = tmp_path / "concepts.csv"
    path.write_text('name,noun\n\nZoravi,"dog\nor cat"\n\n!,dog\n?,"dog\nor cat"\n', encoding="utf-8")
    with pytest.raises(DataError) as told:
        load_concepts(path)
    assert [fault.partition(": ")[0].rpartition(":")[2] for fault in told.value.faults] == ["6", "7"]


def test_a_row_with_more_cells_than_the_header_is_told(tmp_path: Path) -> None:
    path = tmp_path / "concepts.csv"
    path.write_text("name,noun\nZoravi,dog\nTarfo, the Great,cat\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"concepts\.csv:3: has 1 cell more than there are columns, from 'cat'") as told:
        load_concepts(path)
    assert "None" not in str(told.value)


def test_concepts_between_semicolons_are_told_what_separates_them(tmp_path: Path) -> None:
    path = tmp_path / "concepts.csv"
    path.write_text("Name;Aliases\nZoravi;Zo\n", encoding="utf-8")
    with pytest.raises(DataError, match="separated by semicolons, and have to be by commas"):
        load_concepts(path)
