"""Retain prompts: our own lists, without what is erased."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import yaml

from copycat.catalog import read_character_set
from copycat.erasure.eraser import Concept
from copycat.erasure.retain import retain_prompts
from copycat.errors import DataError, UserError
from copycat.names import NameMatcher, words
from copycat.paths import data_folder
from copycat.sandbox.world import owned_pairs

ZORAVI = Concept(name="Zoravi", anchor="cat")


def test_the_list_of_objects_is_long_and_has_each_once() -> None:
    lines = (data_folder("prompts") / "retain" / "objects.txt").read_text(encoding="utf-8").split("\n")[:-1]
    assert len(lines) == len(set(lines)) >= 200
    assert all(line == line.strip().lower() for line in lines)


def test_the_card_knows_the_list() -> None:
    folder = data_folder("prompts") / "retain"
    card = yaml.safe_load((folder / "card.yaml").read_text(encoding="utf-8"))
    content = (folder / "objects.txt").read_bytes()
    assert card["files"]["objects.txt"]["sha256"] == hashlib.sha256(content).hexdigest()


def test_objects_lack_the_concept_and_its_anchor() -> None:
    prompts = retain_prompts(
        "objects", [Concept(name="bicycle", anchor="red apple"), Concept(name="X", anchor="dog")], "m"
    )
    assert "a picture of a kite" in prompts
    assert "a picture of an apple" in prompts, "one word of an anchor is not the anchor"
    assert not {"a picture of a bicycle", "a picture of a dog"} & set(prompts)


def test_captions_name_nobody_and_show_no_characters_theme_and_species() -> None:
    prompts = retain_prompts("captions", [Concept(name="Zoravi")], "sandbox")
    assert len(prompts) > 150
    assert "cat" in prompts
    matcher = NameMatcher(read_character_set("sandbox").characters)
    assert not [prompt for prompt in prompts if matcher.find(prompt)]
    pairs = [{theme, species} for theme, species in owned_pairs() if theme]
    assert not [prompt for prompt in prompts if any(pair <= set(words(prompt)) for pair in pairs)]
    assert retain_prompts("captions", [Concept(name="Zoravi")], "sandbox") == prompts


def test_captions_lack_the_anchor_as_a_whole_word_only() -> None:
    prompts = retain_prompts("captions", [ZORAVI], "sandbox")
    assert not [prompt for prompt in prompts if "cat" in words(prompt)]
    assert any("castle" in prompt for prompt in prompts)


def test_names_are_those_of_all_other_characters() -> None:
    prompts = retain_prompts("names", [ZORAVI, Concept(name="meklun")], "sandbox")
    assert len(prompts) == 48
    assert not {"Zoravi", "Meklun"} & set(prompts)


def test_an_alias_of_a_character_is_its_name(tmp_path: Path) -> None:
    character = next(c for c in read_character_set("copycat50").characters if c.aliases)
    path = tmp_path / "own.txt"
    path.write_text(f"a day with {character.name}\n\na kite\n{character.aliases[0]} at sea\n", encoding="utf-8")
    assert retain_prompts(f"file:{path}", [Concept(name=character.aliases[0])], "m") == ("a kite",)


def test_a_file_that_is_not_there_or_holds_nothing_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"own\.txt: cannot be read\n  needed: a text file in UTF-8"):
        retain_prompts(f"file:{tmp_path / 'own.txt'}", [ZORAVI], "m")
    (tmp_path / "own.txt").write_text("Zoravi!\n", encoding="utf-8")
    with pytest.raises(UserError, match="is left without the concept"):
        retain_prompts(f"file:{tmp_path / 'own.txt'}", [ZORAVI], "sandbox")


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(UserError, match="no retain prompts 'coco'\n  there are: objects, captions, names, file:PATH"):
        retain_prompts("coco", [ZORAVI], "m")
