"""A user's pictures of each character: which folder is whose, and what is said of files that are none."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
from PIL import Image
from tiny_judge import save_references

from copycat.errors import DataError, UserError
from copycat.judges import references as references_module
from copycat.judges.references import References
from copycat.schema import CharacterSet

RED, BLUE = Image.new("RGB", (8, 8), "red"), Image.new("RGB", (8, 8), "blue")


def references(folder: Path) -> References:
    return References(folder, "judge 'mine'")


def faults_of(folder: Path, characters: CharacterSet) -> tuple[str, ...]:
    with pytest.raises(DataError) as caught:
        references(folder).of(characters)
    assert "needed: --references FOLDER with a subfolder per character" in str(caught.value)
    return tuple(fault.removeprefix(f"{folder}/") for fault in caught.value.faults)


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    folder = tmp_path / "empty"
    folder.mkdir()
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return save_references(tmp_path / "refs", {"goofy": [RED, BLUE], "max": [RED], "bluto": [BLUE]})


@pytest.fixture
def named(characters: CharacterSet) -> CharacterSet:
    """Goofy with aliases, one of which is Bluto's name."""
    goofy = characters.characters[0].model_copy(update={"aliases": ("Long Dog", "Bluto")})
    return characters.model_copy(update={"characters": (goofy, *characters.characters[1:])})


def test_every_picture_comes_with_its_character_in_the_order_of_the_set(home: Path, characters: CharacterSet) -> None:
    found = references(home).of(characters)
    assert [(r.character, r.name) for r in found] == [
        ("goofy", "goofy/0.png"),
        ("goofy", "goofy/1.png"),
        ("max", "max/0.png"),
        ("bluto", "bluto/0.png"),
    ]
    assert [r.picture.getpixel((0, 0)) for r in found] == [(255, 0, 0), (0, 0, 255), (255, 0, 0), (0, 0, 255)]


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_png_jpeg_and_webp_are_read(empty: Path, characters: CharacterSet, suffix: str) -> None:
    (empty / "max").mkdir()
    RED.save(empty / "max" / f"a{suffix}")
    assert [r.character for r in references(empty).of(characters)] == ["max"]


@pytest.mark.parametrize(("name", "owner"), [("goofy", "goofy"), ("long_dog", "goofy"), ("BLUTO", "bluto")])
def test_a_folder_is_named_by_id_name_or_alias_and_the_nearer_claim_counts(
    empty: Path, named: CharacterSet, name: str, owner: str
) -> None:
    save_references(empty, {name: [RED]})
    assert [r.character for r in references(empty).of(named)] == [owner]


def test_two_folders_of_one_character_are_both_read(empty: Path, named: CharacterSet) -> None:
    save_references(empty, {"goofy": [RED], "Long Dog": [BLUE]})
    assert [r.character for r in references(empty).of(named)] == ["goofy", "goofy"]


def test_who_has_no_folder_is_listed(empty: Path, characters: CharacterSet) -> None:
    save_references(empty, {"max": [RED]})
    found = references(empty)
    assert found.missing(characters) == ("goofy", "bluto")
    assert found.facts()["without references, not judged"] == "bluto, goofy"


def test_a_folder_of_a_larger_set_serves_a_smaller_one(home: Path, characters: CharacterSet) -> None:
    smaller = characters.model_copy(update={"characters": characters.characters[:1]})
    assert {r.character for r in references(home).of(smaller)} == {"goofy"}
    assert "without references, not judged" not in references(home).facts()


def test_a_folder_that_is_probably_misspelt_is_refused_with_who_has_none(home: Path, characters: CharacterSet) -> None:
    (home / "goofy").rename(home / "gofy")
    assert faults_of(home, characters) == ("gofy: no character is called 'gofy'; without a folder: goofy",)


def test_everything_that_is_wrong_is_told_at_once(home: Path, characters: CharacterSet) -> None:
    (home / "readme.txt").write_text("hello")
    (home / "max" / "notes.txt").write_text("hello")
    (home / "max" / "deeper").mkdir()
    (home / "bluto" / "0.png").write_bytes((home / "bluto" / "0.png").read_bytes()[:40])
    (home / "goofy" / "empty.png").touch()
    faults = faults_of(home, characters)
    assert [fault.partition(":")[0] for fault in faults[:4]] == [
        "bluto/0.png",
        "goofy/empty.png",
        "max/deeper",
        "max/notes.txt",
    ]
    assert "readme.txt: lies outside of any character's folder" in faults


def test_an_alias_of_two_characters_names_neither(empty: Path, characters: CharacterSet) -> None:
    both = tuple(c.model_copy(update={"aliases": ("Dog",)}) for c in characters.characters[:2])
    save_references(empty, {"dog": [RED]})
    faults = faults_of(empty, characters.model_copy(update={"characters": both}))
    assert "dog: 'dog' may be goofy or max; use the id" in faults


def test_an_empty_subfolder_is_a_fault_and_hidden_files_are_passed_over(home: Path, characters: CharacterSet) -> None:
    (home / ".DS_Store").touch()
    (home / "max" / ".hidden").touch()
    assert len(references(home).of(characters)) == 4
    (home / "max" / "0.png").unlink()
    assert "max: holds no picture" in faults_of(home, characters)


def test_a_folder_without_anybody_of_the_set_is_refused(empty: Path, characters: CharacterSet) -> None:
    with pytest.raises(UserError, match="has no picture of anybody in the set"):
        references(empty).of(characters)


def test_a_folder_that_is_not_there_is_told_with_the_layout(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"judge 'mine': there is no folder .*absent\n  needed: --references FOLDER"):
        _ = references(tmp_path / "absent").sha256


def test_what_pillow_only_warns_of_is_a_fault(
    home: Path, characters: CharacterSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    def warn(data: bytes) -> Image.Image:
        warnings.warn("odd picture", UserWarning, stacklevel=1)
        return RED

    monkeypatch.setattr(references_module, "decode_picture", warn)
    assert "max/0.png: odd picture" in faults_of(home, characters)


def test_files_that_are_too_large_are_not_read(
    home: Path, characters: CharacterSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(references_module, "MAX_BYTES", 10)
    assert all("bytes; at most 10 are read" in fault for fault in faults_of(home, characters))


def test_the_hash_is_of_names_and_bytes(home: Path, tmp_path: Path) -> None:
    same = save_references(tmp_path / "same", {"goofy": [RED, BLUE], "max": [RED], "bluto": [BLUE]})
    assert references(home).sha256 == references(same).sha256
    (same / "max" / "0.png").rename(same / "max" / "1.png")
    renamed = references(same).sha256
    BLUE.save(same / "max" / "1.png")
    assert len({references(home).sha256, renamed, references(same).sha256}) == 3
