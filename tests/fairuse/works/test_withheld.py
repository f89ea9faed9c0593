"""Withheld works (U10): no readable text, and yet they are found."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import numpy as np
import pytest

from copycat.errors import DataError, UserError
from copycat.fairuse.records import Work
from copycat.fairuse.text import canonical
from copycat.fairuse.text.canonical import letters_of
from copycat.fairuse.works import GRAM_LETTERS, WithheldGrams, load_works, withhold
from copycat.fairuse.works.loading import sha256_of, work_of_text

NOVEL = next(loaded.readable for loaded in load_works(["public-domain"]) if loaded.work.id == "alice-opening")


def novel_of(text: str = NOVEL) -> Work:
    return work_of_text(Path("novel.txt"), text, "The Novel")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    withhold(novel_of(), NOVEL, tmp_path / "novel.withheld")
    return tmp_path / "novel.withheld"


def test_nothing_of_the_text_can_be_read_in_the_folder(folder: Path) -> None:
    """U10: no longer word of the text stands in any file, in any case."""
    stored = b"".join(path.read_bytes() for path in folder.iterdir()).lower()
    assert {path.name for path in folder.iterdir()} == {"work.json", "grams.npy", "salt.key"}
    telling = {word for word in canonical(NOVEL).words if len(word) > 5}
    assert len(telling) > 40
    assert not [word for word in telling if word.encode() in stored]


def test_a_withheld_work_is_found_where_it_stands(folder: Path) -> None:
    (loaded,) = load_works([str(folder)])
    assert loaded.text is None and loaded.withheld is not None and loaded.work.withheld
    quote = NOVEL[100:400]
    output = f"It is told so: {quote} And that was all."
    (hit,) = loaded.withheld.hits(output)
    assert hit.letters >= len(letters_of(canonical(quote))) - 10
    assert output[hit.start : hit.end] in output and quote[10:280] in output[hit.start : hit.end]


@pytest.mark.parametrize("disguise", [str.upper, lambda text: text.replace("o", "0"), " ".join])
def test_a_disguise_does_not_hide_it(folder: Path, disguise: object) -> None:
    assert callable(disguise)
    found = WithheldGrams.load(folder).hits(disguise(NOVEL))
    assert sum(hit.letters for hit in found) == len(letters_of(canonical(NOVEL)))


def test_the_hits_are_those_of_a_search_through_the_readable_text(folder: Path) -> None:
    """Independent reference: the letters themselves, compared one by one."""
    letters = letters_of(canonical(NOVEL))
    pieces = [letters[50:90], "zzzz", letters[300:330], letters[10:20], letters[600:700]]
    found = WithheldGrams.load(folder).hits("".join(pieces))
    assert [(hit.first_letter, hit.last_letter) for hit in found] == [(50, 90), (300, 330), (600, 700)]


def test_other_texts_are_not_found(folder: Path) -> None:
    others = [loaded.readable for loaded in load_works(["public-domain"]) if loaded.work.id != "alice-opening"]
    assert not [hit for text in others for hit in WithheldGrams.load(folder).hits(text)]
    assert WithheldGrams.load(folder).hits("") == []


def test_another_salt_gives_other_hashes() -> None:
    one, two = (WithheldGrams.of_text(novel_of(), NOVEL) for _ in range(2))
    assert not np.isin(one.grams, two.grams).any()


def test_the_salt_is_readable_by_its_owner_alone(folder: Path) -> None:
    assert stat.S_IMODE((folder / "salt.key").stat().st_mode) == 0o600


def test_the_record_keeps_hash_and_lengths(folder: Path) -> None:
    stored = json.loads((folder / "work.json").read_text(encoding="utf-8"))
    assert stored["letters"] == len(letters_of(canonical(NOVEL))) == len(np.load(folder / "grams.npy")) + 23


def test_nothing_in_the_folder_tells_a_guess_of_the_text_without_the_salt(folder: Path) -> None:
    stored = json.loads((folder / "work.json").read_text(encoding="utf-8"))
    other = WithheldGrams.of_text(novel_of(), NOVEL).file
    assert sha256_of(NOVEL) not in json.dumps(stored)
    assert stored["work"]["sha256"] != other.work.sha256
    again = WithheldGrams.of_text(novel_of(), NOVEL, (folder / "salt.key").read_bytes()).file
    assert stored["work"]["sha256"] == again.work.sha256


@pytest.mark.parametrize("salt", [b"", b"{", b"a" * 32, b"a" * 65])
def test_another_salt_is_told_as_nothing_would_be_found(folder: Path, salt: bytes) -> None:
    (folder / "salt.key").write_bytes(salt)
    with pytest.raises(DataError, match="is not the salt of these hashes"):
        WithheldGrams.load(folder)


def test_a_text_with_half_a_letter_is_looked_up(folder: Path) -> None:
    assert len(WithheldGrams.load(folder).hits("\ud800" + NOVEL[:100] + "\udfff")) == 1


def test_a_work_shorter_than_a_window_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"has 3 letters, and a hash needs {GRAM_LETTERS}"):
        withhold(novel_of("a b c"), "a b c", tmp_path / "short.withheld")


def test_a_folder_that_holds_something_is_left_alone(folder: Path) -> None:
    before = (folder / "salt.key").read_bytes()
    with pytest.raises(UserError, match="holds something already"):
        withhold(novel_of(), NOVEL, folder)
    assert (folder / "salt.key").read_bytes() == before


def test_hashes_without_their_salt_say_whom_to_ask(folder: Path) -> None:
    (folder / "salt.key").unlink()
    with pytest.raises(DataError, match=r"salt.key is missing[\s\S]*ask whoever made the folder"):
        WithheldGrams.load(folder)


@pytest.mark.parametrize("name", ["work.json", "grams.npy"])
def test_a_damaged_file_is_told(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"{")
    with pytest.raises(DataError, match="make it again from the text"):
        WithheldGrams.load(folder)


def test_a_withheld_work_has_no_readable_text(folder: Path) -> None:
    with pytest.raises(UserError, match="its text is not stored"):
        _ = load_works([str(folder)])[0].readable
