"""What a search saved comes back into the prompts of its concept, and into no others."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from saved_attacks import found, save

from copycat.attacks import attack_files, build_attack, canonical_attack
from copycat.attacks.saved import learned_text, read_attack
from copycat.catalog import prompt_set_of
from copycat.errors import DataError, UserError
from copycat.mitigations import Setting
from copycat.schema import Attack, Character, CharacterSet, ImageRequest


@pytest.fixture
def setting(characters: CharacterSet) -> Setting:
    return Setting(characters, prompt_set_of(characters))


@pytest.fixture
def goofy(characters: CharacterSet) -> Character:
    return characters.characters[0]


def asked(text: str, seed: int = 1) -> ImageRequest:
    return ImageRequest(
        key="k", character="goofy", anchor="name", prompt_id="p", repeat=0, prompt=text, prompt_sent=text, seed=seed
    )


def prefix_for(folder: Path, setting: Setting, request: ImageRequest, target: Character | None) -> tuple[int, ...]:
    attack = build_attack(str(folder), setting).apply(request, target).attack
    return () if attack is None else attack.prefix


def test_the_prefix_of_the_very_prompt_and_seed_goes_first(tmp_path: Path, setting: Setting, goofy: Character) -> None:
    folder = save(tmp_path / "a", found("Goofy", 1, (7,)), found("Goofy", 2, (8,)), found("dog", 1, (9,), loss=0.1))
    assert prefix_for(folder, setting, asked("Goofy", 2), goofy) == (8,)
    assert prefix_for(folder, setting, asked("Goofy", 3), goofy) == (7,)


def test_another_prompt_gets_the_most_successful_prefix(tmp_path: Path, setting: Setting, goofy: Character) -> None:
    rows = (
        found("a", prefix=(1,), loss=0.1, after=False),
        found("b", prefix=(2,), loss=0.3),
        found("c", prefix=(3,), loss=0.2),
    )
    assert prefix_for(save(tmp_path / "a", *rows), setting, asked("new"), goofy) == (3,)
    assert prefix_for(save(tmp_path / "b", rows[0]), setting, asked("new"), goofy) == (1,)


def test_a_prompt_that_showed_the_concept_by_itself_stays(tmp_path: Path, setting: Setting, goofy: Character) -> None:
    folder = save(tmp_path / "a", found("Goofy", prefix=(), before=True), found("dog", prefix=(9,)))
    assert build_attack(str(folder), setting).apply(asked("Goofy"), goofy) == asked("Goofy")


def test_other_characters_and_nobody_are_left_alone(tmp_path: Path, setting: Setting) -> None:
    folder = save(tmp_path / "a", found("Goofy"))
    other = setting.characters.characters[1]
    for target in (other, None):
        assert build_attack(str(folder), setting).apply(asked("Goofy"), target) == asked("Goofy")


def test_learned_embeddings_take_the_place_of_the_name(tmp_path: Path, setting: Setting, goofy: Character) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "learned.safetensors").write_bytes(b"embeddings")
    learned = hashlib.sha256(b"embeddings").hexdigest()
    folder = save(tmp_path / "a", found("Goofy", prefix=()), method="cce", learned=learned)
    sent = build_attack(str(folder), setting).apply(asked("a drawing of GOOFY, Goofy"), goofy)
    assert (sent.prompt_sent, sent.attack) == ("a drawing of <learned>, Goofy", Attack(method="cce", learned=learned))
    assert sent.prompt == "a drawing of GOOFY, Goofy"
    assert attack_files([str(folder)]) == {learned: str((folder / "learned.safetensors").resolve())}
    (folder / "learned.safetensors").write_bytes(b"others")
    with pytest.raises(DataError, match=r"learned.safetensors: missing, or not the embeddings"):
        read_attack(folder)


def test_a_prompt_without_the_name_gets_the_embeddings_in_front(goofy: Character) -> None:
    assert learned_text("tall dog, green hat", goofy) == "<learned>, tall dog, green hat"
    assert learned_text("<learned> Goofy", goofy).count("<learned>") == 1
    assert learned_text("", goofy) == "<learned>"


def test_a_saved_attack_is_called_the_same_wherever_it_lies(tmp_path: Path, setting: Setting) -> None:
    one, two, other = (
        canonical_attack(str(save(tmp_path / name, found("Goofy", prefix=prefix))), setting)
        for name, prefix in (("a", (1,)), ("b", (1,)), ("c", (2,)))
    )
    assert one == two != other
    assert one.startswith("unlearndiffatk:goofy-")


def test_a_folder_without_a_slash_is_told_how_to_name_it(
    tmp_path: Path, setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path / "mine", found("Goofy"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"'mine' is a folder.*\n  type: --attack ./mine"):
        build_attack("mine", setting)


def test_an_attack_that_would_attack_nobody_is_refused(tmp_path: Path, setting: Setting) -> None:
    with pytest.raises(
        UserError, match=r"attacks Zoravi of the characters 'my-set', and .* has nobody of the id 'zoravi'"
    ):
        build_attack(str(save(tmp_path / "a", found("Zoravi"), concept="zoravi", name="Zoravi")), setting)
    row = found("Goofy", prefix=()).model_copy(update={"form": "arc:O2"})
    folder = save(tmp_path / "b", row, method="arc")
    for using in (build_attack, canonical_attack):
        with pytest.raises(UserError, match=r"holds pictures of 'arc', .*\n  type: --attack arc:O2"):
            using(str(folder), setting)


def test_a_broken_file_is_told_with_its_faults(tmp_path: Path, setting: Setting) -> None:
    folder = save(tmp_path / "a", found("Goofy"))
    (folder / "attack.json").write_text('{"method": 1}', encoding="utf-8")
    with pytest.raises(DataError, match=r"attack.json: method: Input should be a valid string"):
        build_attack(str(folder), setting)
