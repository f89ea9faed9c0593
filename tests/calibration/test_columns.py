"""Which column is which, and what its cells mean."""

from __future__ import annotations

from typing import Any

import pytest

from copycat.calibration.columns import Columns, Namesakes, choose_columns, parse_columns, read_label
from copycat.errors import DataError, UserError
from copycat.schema import CharacterSet


@pytest.mark.parametrize(
    ("there", "found"),
    [
        (["image", "character", "label"], Columns("image", "character", "label")),
        (["Image", "Character_Name", "is_character"], Columns("Image", "Character_Name", "is_character")),
        (["id", "file_name", "name", "votes"], Columns("file_name", "name", "votes")),
        (["png", "target", "yes_votes", "n_votes"], Columns("png", "target", "yes_votes", "n_votes")),
        (["img", "character", "human_label", "label"], Columns("img", "character", "label")),
    ],
)
def test_usual_names_are_guessed(there: list[str], found: Columns) -> None:
    assert choose_columns(there, {}, "set") == found


def test_what_is_asked_for_goes_first_and_is_not_taken_twice() -> None:
    there = ["image", "name", "character", "label", "human"]
    assert choose_columns(there, {"label": "human", "character": "name"}, "set") == Columns("image", "name", "human")
    assert choose_columns(["image", "name", "label"], {"image": "name", "character": "label", "label": "image"}, "s")


def test_where_guessing_fails_the_columns_that_exist_are_told_and_how_to_name_them() -> None:
    with pytest.raises(DataError) as told:
        choose_columns(["image", "who", "what"], {}, "org/name")
    text = str(told.value)
    assert "org/name: none of its columns is plainly the character" in text
    assert "org/name: none of its columns is plainly the label" in text
    assert "it has: image, who, what" in text
    assert "--columns image=image,character=...,label=..." in text


def test_a_column_that_does_not_exist_is_told() -> None:
    with pytest.raises(DataError, match="has no column 'foo'"):
        choose_columns(["image", "character", "label"], {"label": "foo"}, "set")


def test_the_option_is_read_and_a_wrong_form_refused() -> None:
    assert parse_columns("image = a, label=b") == {"image": "a", "label": "b"}
    assert parse_columns(None) == {}
    for wrong in ("image", "picture=a", "image=", "=a", ","):
        with pytest.raises(UserError, match=r"--columns .* has the wrong form"):
            parse_columns(wrong)


@pytest.mark.parametrize(
    ("value", "votes"),
    [
        (True, (1, 0)),
        (False, (0, 1)),
        (1, (1, 0)),
        (0, (0, 1)),
        (1.0, (1, 0)),
        (0.25, (0, 1)),
        (0.5, (0, 0)),
        ("Yes", (1, 0)),
        ("n", (0, 1)),
        ("FALSE", (0, 1)),
        ("unsure", (0, 0)),
        ("3/5", (3, 2)),
        ([1, 1, 0], (2, 1)),
        (["yes", None, "no", ""], (1, 1)),
        ([], None),
        ([None], None),
        ("", None),
        (None, None),
        (float("nan"), None),
    ],
)
def test_labels_of_many_forms_are_read_as_votes(value: Any, votes: tuple[int, int] | None) -> None:
    assert read_label(value) == votes


def test_votes_for_yes_are_read_beside_the_number_of_all() -> None:
    assert read_label(3, 5) == (3, 2)
    assert read_label("0", "2") == (0, 2)
    assert read_label(None, 5) is None


def test_numbers_that_stand_for_words_are_read_as_those_words() -> None:
    assert read_label(0, names=("yes", "no")) == (1, 0)
    assert read_label([0, 1, 1], names=("yes", "no")) == (1, 2)
    with pytest.raises(ValueError, match="'batman' is no label"):
        read_label(0, names=("batman", "robin"))


@pytest.mark.parametrize("value", ["perhaps", 2, -1, "7/5", 3.5])
def test_what_is_no_label_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"no label|no votes"):
        read_label(value)


def test_votes_that_are_more_than_all_are_refused() -> None:
    for yes, total in ((6, 5), (-1, 5), ("x", 5), (1, float("nan"))):
        with pytest.raises(ValueError, match="are no votes"):
            read_label(yes, total)


def test_characters_are_found_by_id_name_alias_or_a_text_that_names_one(characters: CharacterSet) -> None:
    first, second, third = characters.characters
    named = first.model_copy(update={"aliases": ("The Goof",)})
    namesakes = Namesakes(characters.model_copy(update={"characters": (named, second, third)}))
    for text in ("goofy", "GOOFY", "the goof", "a drawing of Goofy with a hat"):
        assert namesakes.find(text) == "goofy"
    assert namesakes.unknown == {}


def test_who_is_not_known_or_not_clear_is_counted(characters: CharacterSet) -> None:
    namesakes = Namesakes(characters)
    for text in ("Somebody", "Somebody", "Goofy and Max", None):
        assert namesakes.find(text) is None
    assert namesakes.unknown == {"Somebody": 2, "Goofy and Max": 1, "": 1}
