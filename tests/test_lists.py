"""Frozen lists of a user's own: written once, read by every run, refused where they were touched."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from copycat.catalog import build_prompts, derived_prompt_set, parse_anchor, with_lists, write_list
from copycat.errors import DataError, UserError
from copycat.schema import CharacterSet

MADE = {"by": "a test", "date": "2026-11-25"}


def freeze(folder: Path, characters: CharacterSet, name: str = "laion", *words: str) -> Path:
    texts = {c.id: words or ("sea", "hat") for c in characters.characters}
    return write_list(folder, characters, "keywords", name, texts, provenance=MADE)


def test_a_frozen_list_is_an_anchor_of_the_next_run(tmp_path: Path, characters: CharacterSet) -> None:
    freeze(tmp_path, characters)
    prompt_set = with_lists(derived_prompt_set(characters), tmp_path)
    (prompt, *_) = build_prompts(characters, prompt_set, [parse_anchor("keywords:laion-2", None)])
    assert prompt.text == "sea, hat"


def test_the_first_description_of_a_list_is_the_anchor(tmp_path: Path, characters: CharacterSet) -> None:
    texts = {c.id: (f"best of {c.id}", "second") for c in characters.characters}
    write_list(tmp_path, characters, "description", "mine", texts, provenance=MADE)
    prompt_set = with_lists(derived_prompt_set(characters), tmp_path)
    (prompt, *_) = build_prompts(characters, prompt_set, [parse_anchor("description:mine", None)])
    assert (prompt.anchor, prompt.text) == ("description:mine", "best of goofy")
    with pytest.raises(UserError, match="did you mean 'description:mine'"):
        build_prompts(characters, prompt_set, [parse_anchor("description:mein", None)])


def test_a_list_of_descriptions_without_one_of_a_character_is_refused(tmp_path: Path, characters: CharacterSet) -> None:
    write_list(tmp_path, characters, "description", "mine", {"goofy": ("x",)}, provenance=MADE)
    prompt_set = with_lists(derived_prompt_set(characters), tmp_path)
    with pytest.raises(DataError, match=r"'max' has no description in list 'mine'(.|\n)* needed: a description for"):
        build_prompts(characters, prompt_set, [parse_anchor("description:mine", None)])


def test_rewrites_are_found_by_version_and_prompt(tmp_path: Path, characters: CharacterSet) -> None:
    write_list(tmp_path, characters, "rewrite", "v-a", {"my-set/goofy/name": ("A dog.",)}, provenance=MADE)
    assert with_lists(derived_prompt_set(characters), tmp_path).rewrites == {"v-a": {"my-set/goofy/name": ("A dog.",)}}


def test_a_set_without_lists_stays_as_it_is(tmp_path: Path, characters: CharacterSet) -> None:
    prompt_set = derived_prompt_set(characters)
    assert with_lists(prompt_set, tmp_path / "nowhere") == prompt_set


def test_a_character_that_a_list_leaves_out_has_no_keywords_of_it(tmp_path: Path, characters: CharacterSet) -> None:
    write_list(tmp_path, characters, "keywords", "few", {"goofy": ("dog",)}, provenance=MADE)
    prompt_set = with_lists(derived_prompt_set(characters), tmp_path)
    with pytest.raises(DataError, match=r"'max' has 0 keywords of ranker 'few'(.|\n)* needed: 1 keyword"):
        build_prompts(characters, prompt_set, [parse_anchor("keywords:few-1", None)])


def test_the_same_list_may_be_written_again_and_another_may_not(tmp_path: Path, characters: CharacterSet) -> None:
    first = freeze(tmp_path, characters).read_bytes()
    path = freeze(tmp_path, characters)
    assert path.read_bytes() == first
    with pytest.raises(UserError, match="lists are frozen"):
        freeze(tmp_path, characters, "laion", "other")
    assert path.read_bytes() == first


def test_an_edited_list_is_refused(tmp_path: Path, characters: CharacterSet) -> None:
    path = freeze(tmp_path, characters)
    path.write_text(path.read_text().replace("sea", "lake"))
    with pytest.raises(DataError, match="differ from its sha256"):
        with_lists(derived_prompt_set(characters), tmp_path)


def test_every_damaged_list_is_told_at_once(tmp_path: Path, characters: CharacterSet) -> None:
    freeze(tmp_path, characters, "authored")
    folder = freeze(tmp_path, characters).parent
    (folder / "keywords-laion.json").rename(folder / "keywords-other.json")
    (folder / "keywords-broken.json").write_text("{")
    with pytest.raises(DataError) as caught:
        with_lists(derived_prompt_set(characters), tmp_path)
    text = str(caught.value)
    assert "has keywords 'authored' of its own" in text
    assert "keywords-broken.json: is no frozen list" in text
    assert "this is 'keywords-laion.json'" in text


@pytest.mark.parametrize("name", ["LAION", "laion-5", "../x", ""])
def test_a_name_that_no_anchor_could_say_is_refused(tmp_path: Path, characters: CharacterSet, name: str) -> None:
    with pytest.raises(UserError, match="cannot name a list"):
        freeze(tmp_path, characters, name)
    assert not (tmp_path / characters.id).exists()


def test_a_list_says_how_it_was_made(tmp_path: Path, characters: CharacterSet) -> None:
    assert json.loads(freeze(tmp_path, characters).read_text())["provenance"] == MADE
