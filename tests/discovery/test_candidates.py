"""Candidates from files, lists, a corpus and a language model's answers; nobody is silently left out."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from copycat.catalog import derived_prompt_set
from copycat.corpus import open_corpus
from copycat.discovery.candidates import from_answers, from_corpus, from_list, joined, read_file
from copycat.errors import DataError, UnknownNameError, UserError
from copycat.llm import Failure
from copycat.schema import CharacterSet


@pytest.fixture
def characters() -> CharacterSet:
    """Two characters without keywords."""
    plain = {"franchise": "x y", "key_characteristic": "dog", "description": "A dog."}
    people = [{"id": "goofy", "name": "Goofy", **plain}, {"id": "max", "name": "Max", **plain}]
    return CharacterSet.model_validate({"id": "my-set", "characters": people})


def test_lines_of_a_text_file_are_for_every_character(tmp_path: Path, characters: CharacterSet) -> None:
    (tmp_path / "w.txt").write_text("red hat\n\ntall dog\n", encoding="utf-8")
    source = read_file(tmp_path / "w.txt", characters)
    assert source.pool == {"goofy": ("red hat", "tall dog"), "max": ("red hat", "tall dog")}
    assert source.label == "file:w.txt"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("w.csv", 'character,text\nGOOFY,"hat, green"\nmax,skateboard\n*,dog\n'),
        ("w.tsv", "character\ttext\ngoofy\that, green\nmax\tskateboard\n*\tdog\n"),
        (
            "w.jsonl",
            '{"character": "Goofy", "text": "hat, green"}\n{"character": "max", "texts": ["skateboard"]}\n\n'
            '{"character": "*", "texts": ["dog"]}\n',
        ),
    ],
)
def test_tables_name_a_character_by_id_or_name_or_everybody(
    tmp_path: Path, characters: CharacterSet, name: str, content: str
) -> None:
    (tmp_path / name).write_text("\ufeff" + content, encoding="utf-8")
    assert read_file(tmp_path / name, characters).pool == {"goofy": ("hat, green", "dog"), "max": ("skateboard", "dog")}


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("w.csv", "who,word\ngoofy,hat\n", "needs the columns 'character' and 'text'; it has: who, word"),
        ("w.csv", "character,text\nnobody,hat\n", r"w\.csv:2: 'nobody' is not a character of set 'my-set'"),
        ("w.jsonl", '{"character": "goofy"}\n[1]\n', r"w\.jsonl:2: needs a JSON object"),
        ("w.jsonl", '{"character": "goofy", "texts": "hat"}\n', r"w\.jsonl:1: needs a JSON object"),
        ("w.txt", "\n\n", "holds no candidate"),
    ],
)
def test_a_wrong_row_is_told_with_its_line(
    tmp_path: Path, characters: CharacterSet, name: str, content: str, said: str
) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=said):
        read_file(tmp_path / name, characters)


def test_bytes_that_are_no_text_and_forms_that_are_unknown_are_refused(
    tmp_path: Path, characters: CharacterSet
) -> None:
    (tmp_path / "w.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="is not UTF-8"):
        read_file(tmp_path / "w.txt", characters)
    with pytest.raises(UserError, match="no file of candidates"):
        read_file(tmp_path / "w.docx", characters)


def test_lists_of_the_set_are_candidates_by_name(characters: CharacterSet) -> None:
    prompt_set = derived_prompt_set(characters)
    assert from_list(prompt_set, "description", descriptions=True).pool["goofy"] == (prompt_set.descriptions["goofy"],)
    with pytest.raises(UnknownNameError, match="'laoin'"):
        from_list(prompt_set.model_copy(update={"keywords": {"laion": {}}}), "laoin")


def test_a_corpus_gives_what_stands_beside_the_name_and_says_who_is_never_named(
    tmp_path: Path, characters: CharacterSet
) -> None:
    captions = ["Goofy in a green hat", "green hat, Goofy", "a dog", "a red dog"]
    pl.DataFrame({"caption": captions}).write_parquet(tmp_path / "c.parquet")
    source = from_corpus(open_corpus([tmp_path / "c.parquet"]), characters, limit=10)
    assert set(source.pool["goofy"]) == {"green", "hat", "green hat"}
    assert source.silent == ("max: no phrase in two documents that name it",)


def test_a_language_model_that_says_nothing_or_prose_is_told() -> None:
    answers = {"a": "1. red hat\n2. dog", "b": "", "c": "I cannot help with that.", "d": Failure("timed out")}
    source = from_answers("llm:x", answers)
    assert source.pool == {"a": ("red hat", "dog"), "b": (), "c": (), "d": ()}
    assert [said[:2] for said in source.silent] == ["b:", "c:", "d:"]
    assert source.silent[2] == "d: timed out"


def test_a_description_of_a_language_model_is_one_text_without_its_quotes() -> None:
    source = from_answers("llm:x", {"a": '"A tall dog,\nin a hat."', "b": " "}, descriptions=True)
    assert source.pool == {"a": ("A tall dog, in a hat.",), "b": ()}
    assert source.silent == ("b: the language model answered with nothing",)


def test_sources_are_joined_in_their_order_without_repeats(characters: CharacterSet) -> None:
    one = from_answers("x", {"goofy": "dog, hat"})
    two = from_answers("y", {"goofy": "hat, shoe", "max": "cap"})
    assert joined([one, two], characters) == {"goofy": ("dog", "hat", "shoe"), "max": ("cap",)}
