"""Pictures of a user's own: found by concept, arm and prompt; what is wrong with a file costs coverage and no more."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from copycat.errors import DataError, UserError
from copycat.imitation.generate.pictures import Generations, read_generations
from copycat.imitation.records import GENERATIONS_FILE, Concept
from copycat.models.decode import UndecodableError

CONCEPTS = (
    Concept(id="zoravi", name="Zoravi", aliases=("Zora the Cat", "Vivi")),
    Concept(id="meklun", name="Mék-Lun", aliases=("Vivi",)),
    Concept(id="tarfo", name="Tarfo"),
)


def save(path: Path, shade: int = 0, **options: object) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.linear_gradient("L").resize((24, 24)).convert("RGB").point(lambda v: v ^ shade).save(path, **options)  # type: ignore[arg-type]
    return path.read_bytes()


def cells(found: Generations, arm: str = "named") -> dict[tuple[str, str], int]:
    return dict(Counter((row.concept, row.prompt) for row in found.rows if row.arm == arm))


def test_pictures_lie_below_the_id_the_name_or_an_alias_of_their_concept(tmp_path: Path) -> None:
    content = save(tmp_path / "zoravi" / "a.png")
    save(tmp_path / "Zora the Cat" / "close up" / "b.JPG", format="JPEG")
    save(tmp_path / "mek lun" / "c.webp")
    found = read_generations(tmp_path, CONCEPTS)
    assert cells(found) == {("zoravi", ""): 1, ("zoravi", "close up"): 1, ("meklun", ""): 1}
    (first,) = (row for row in found.rows if row.path == "zoravi/a.png" and row.arm == "named")
    assert first.sha256 == hashlib.sha256(content).hexdigest()
    assert found.read(first).size == (24, 24)
    assert any("1 of 3 concepts have no picture: Tarfo" in text for text in found.warnings)


def test_an_alias_of_two_concepts_is_nobodys_folder(tmp_path: Path) -> None:
    save(tmp_path / "Vivi" / "a.png")
    save(tmp_path / "tarfo" / "a.png")
    found = read_generations(tmp_path, CONCEPTS)
    assert cells(found) == {("tarfo", ""): 1}
    said = "folder 'Vivi' is left out: it is a name of zoravi and of meklun; call it by the id of one of them"
    assert said in found.warnings
    (tmp_path / "tarfo" / "a.png").unlink()
    with pytest.raises(UserError, match=r"no picture of these concepts(.|\n)*'Vivi' is left out: it is a name of"):
        read_generations(tmp_path, CONCEPTS)


def test_two_folders_of_one_concept_are_told_and_a_picture_in_both_counts_once(tmp_path: Path) -> None:
    for name in ("Zoravi", "zoravi", "tarfo"):
        for number in range(3):
            save(tmp_path / "named" / name / f"{number}.png", number)
        save(tmp_path / "unnamed" / name.lower() / "a.png")
    save(tmp_path / "named" / "zoravi" / "other.png", 9)
    found = read_generations(tmp_path, CONCEPTS)
    assert cells(found) == {("zoravi", ""): 4, ("tarfo", ""): 3}
    assert [row.repeat for row in found.rows if row.concept == "zoravi" and row.arm == "named"] == [0, 1, 2, 3]
    said = "folders Zoravi and zoravi are of one concept, zoravi: a picture that is in both counts once"
    assert said in found.warnings


def test_equal_pictures_of_one_folder_are_all_pictures(tmp_path: Path) -> None:
    for number in range(3):
        save(tmp_path / "tarfo" / f"{number}.png")
    assert cells(read_generations(tmp_path, CONCEPTS)) == {("tarfo", ""): 3}


def test_a_folder_of_nobody_is_told_once_for_all_arms(tmp_path: Path) -> None:
    for arm in ("named", "unnamed", "zero"):
        for name in ("tarfo", "stranger", "nobody"):
            save(tmp_path / arm / name / "a.png")
    assert "2 folders are of no concept: nobody, stranger" in read_generations(tmp_path, CONCEPTS).warnings


def test_a_folder_of_nobody_is_told_with_the_name_that_may_be_meant(tmp_path: Path) -> None:
    for name in ("tarfo", "Zorawi"):
        save(tmp_path / name / "a.png")
    said = "1 folder is of no concept: Zorawi (did you mean Zoravi?)"
    assert said in read_generations(tmp_path, CONCEPTS).warnings


def test_folders_named_by_arms_hold_control_pictures(tmp_path: Path) -> None:
    for arm, n in (("named", 3), ("unnamed", 2), ("zero", 1)):
        for number in range(n):
            save(tmp_path / arm / "zoravi" / f"{number}.png", number)
    found = read_generations(tmp_path, CONCEPTS)
    assert Counter(row.arm for row in found.rows) == {"named": 3, "unnamed": 2, "zero": 1}


@pytest.mark.parametrize("arm", ["unnamed", "zero", "shuffled"])
def test_a_control_arm_is_not_taken_for_the_named_pictures(tmp_path: Path, arm: str) -> None:
    save(tmp_path / arm / "zoravi" / "a.png")
    with pytest.raises(UserError, match=f"is the arm {arm}; give its parent"):
        read_generations(tmp_path / arm, CONCEPTS)
    assert read_generations(tmp_path / arm, [*CONCEPTS, Concept(id=arm, name=arm)]).rows


def test_every_folder_of_pictures_has_the_shuffled_arm_for_nothing(tmp_path: Path) -> None:
    for concept in CONCEPTS:
        save(tmp_path / concept.id / "a.png", len(concept.id))
    found = read_generations(tmp_path, CONCEPTS)
    shuffled = [row for row in found.rows if row.arm == "shuffled"]
    assert {row.concept for row in shuffled} == {concept.id for concept in CONCEPTS}
    assert all(row.path is not None and not row.path.startswith(row.concept) for row in shuffled)
    assert len({row.path for row in shuffled}) == 3


def test_one_concept_alone_has_nobody_to_be_shuffled_with(tmp_path: Path) -> None:
    save(tmp_path / "tarfo" / "a.png")
    assert {row.arm for row in read_generations(tmp_path, CONCEPTS[2:]).rows} == {"named"}


def test_damaged_files_are_counted_and_stop_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "zoravi"
    content = save(folder / "whole.png")
    (folder / "cut.png").write_bytes(content[: len(content) // 2])
    (folder / "empty.png").write_bytes(b"")
    (folder / "text.jpg").write_text("no picture", encoding="utf-8")
    (folder / ".hidden.png").write_bytes(content)
    (folder / "moving.gif").write_bytes(b"GIF89a")
    found = read_generations(tmp_path, CONCEPTS[:1])
    assert Counter(row.status for row in found.rows) == {"ok": 1, "damaged": 3}
    assert all(row.detail and row.path is None and row.sha256 is None for row in found.rows if row.status != "ok")
    assert "3 of 4 pictures are damaged: they lower the coverage" in found.warnings
    assert "1 file .gif is not read; convert to .png" in found.warnings


def test_one_damaged_picture_is_told_as_one(tmp_path: Path) -> None:
    save(tmp_path / "zoravi" / "whole.png")
    (tmp_path / "zoravi" / "empty.png").write_bytes(b"")
    found = read_generations(tmp_path, CONCEPTS[:1])
    assert "1 of 2 pictures is damaged: it lowers the coverage" in found.warnings


def test_what_only_decoding_shows_is_told_when_the_picture_is_read(tmp_path: Path) -> None:
    content = save(tmp_path / "tarfo" / "a.jpg")
    (tmp_path / "tarfo" / "a.jpg").write_bytes(content[:-8])
    save(tmp_path / "tarfo" / "b.png")
    found = read_generations(tmp_path, CONCEPTS[2:])
    cut, gone = found.rows
    (tmp_path / "tarfo" / "b.png").unlink()
    with pytest.raises(UndecodableError, match="damaged or cut off"):
        found.read(cut)
    with pytest.raises(UndecodableError, match="cannot be read"):
        found.read(gone)


def test_unequal_numbers_of_pictures_are_told(tmp_path: Path) -> None:
    for number in range(3):
        save(tmp_path / "zoravi" / f"{number}.png", number)
    save(tmp_path / "tarfo" / "0.png")
    assert "concepts and prompts have from 1 to 3 pictures" in read_generations(tmp_path, CONCEPTS).warnings


def test_a_study_may_hold_pictures_of_a_users_own(tmp_path: Path) -> None:
    save(tmp_path / "generations" / "tarfo" / "a.png")
    assert cells(read_generations(tmp_path, CONCEPTS)) == {("tarfo", ""): 1}


def test_a_folder_of_nobody_says_what_it_should_hold(tmp_path: Path) -> None:
    save(tmp_path / "somebody" / "a.png")
    with pytest.raises(UserError, match=r"holds no picture of these concepts\n  needed: .* such as zoravi/ or meklun/"):
        read_generations(tmp_path, CONCEPTS)
    with pytest.raises(UserError, match=r"there is no folder .*\n  draw pictures first"):
        read_generations(tmp_path / "nowhere", CONCEPTS)


def test_a_damaged_generations_file_is_told(tmp_path: Path) -> None:
    (tmp_path / GENERATIONS_FILE).write_text("{", encoding="utf-8")
    with pytest.raises(DataError, match="run the same `generate` again"):
        read_generations(tmp_path, CONCEPTS)
