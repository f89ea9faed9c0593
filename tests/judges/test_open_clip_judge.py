"""The open_clip judge, through a real model with random weights."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from copycat.errors import DataError, MissingExtraError
from copycat.judges import JudgeRow
from copycat.judges.open_clip_judge import OpenClipJudge
from copycat.schema import CharacterSet


def noise(seed: int) -> Image.Image:
    return Image.frombytes("RGB", (16, 16), random.Random(seed).randbytes(16 * 16 * 3))


def judge_in(folder: Path) -> OpenClipJudge:
    row = JudgeRow(name="tiny", target="unused:Unused", source=str(folder), summary="", is_calibrated=False)
    return OpenClipJudge(row, "cpu")


@pytest.fixture(scope="module")
def judge(tiny_judge: Path) -> OpenClipJudge:
    return judge_in(tiny_judge)


@pytest.fixture
def copied(tiny_judge: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_judge, tmp_path / "copied"))


def change_settings(folder: Path, **settings: Any) -> None:
    path = folder / "judge.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | settings))


def test_a_verdict_is_a_character_of_the_set_with_probabilities(judge: OpenClipJudge, characters: CharacterSet) -> None:
    verdicts = judge.judge([noise(i) for i in range(8)], ["goofy"] * 8, characters)
    assert {v.detected for v in verdicts} <= {"goofy", "max", "bluto"}
    assert all(0 < v.confidence < 1 and 0 < v.consistency < 1 for v in verdicts)


def test_what_was_asked_for_has_no_part_in_who_is_detected(judge: OpenClipJudge, characters: CharacterSet) -> None:
    pictures = [noise(i) for i in range(6)]
    one = judge.judge(pictures, ["goofy"] * 6, characters)
    other = judge.judge(pictures, ["bluto"] * 6, characters)
    assert [(v.detected, v.confidence) for v in one] == [(v.detected, v.confidence) for v in other]
    assert [v.consistency for v in one] != [v.consistency for v in other]


def test_the_probabilities_of_all_key_characteristics_add_up_to_one(
    judge: OpenClipJudge, characters: CharacterSet
) -> None:
    verdicts = [judge.judge([noise(1)], [c.id], characters)[0] for c in characters.characters]
    assert sum(v.consistency for v in verdicts) == pytest.approx(1, abs=1e-5)


def test_a_key_characteristic_that_two_characters_share_counts_once(
    judge: OpenClipJudge, characters: CharacterSet
) -> None:
    twin = characters.characters[1].model_copy(update={"key_characteristic": "tall cartoon dog"})
    shared = characters.model_copy(update={"characters": (characters.characters[0], twin, characters.characters[2])})
    goofy, twin_of_goofy, bluto = judge.judge([noise(1)] * 3, ["goofy", "max", "bluto"], shared)
    assert goofy.consistency == twin_of_goofy.consistency
    assert goofy.consistency + bluto.consistency == pytest.approx(1, abs=1e-5)


def test_a_picture_gets_the_same_verdict_alone_and_in_a_batch(judge: OpenClipJudge, characters: CharacterSet) -> None:
    pictures = [noise(i) for i in range(5)]
    batch = judge.judge(pictures, ["max"] * 5, characters)
    alone = [judge.judge([picture], ["max"], characters)[0] for picture in pictures]
    assert [v.detected for v in batch] == [v.detected for v in alone]
    assert [v.confidence for v in batch] == pytest.approx([v.confidence for v in alone], abs=2e-6)


def test_nobody_is_detected_below_the_threshold(copied: Path, characters: CharacterSet) -> None:
    (sure,) = judge_in(copied).judge([noise(1)], ["max"], characters)
    change_settings(copied, threshold=sure.confidence + 1e-4)
    (unsure,) = judge_in(copied).judge([noise(1)], ["max"], characters)
    assert sure.detected is not None
    assert unsure.detected is None
    assert unsure.confidence == sure.confidence


def test_the_texts_of_nobody_take_their_share(copied: Path, characters: CharacterSet) -> None:
    (with_two,) = judge_in(copied).judge([noise(1)], ["max"], characters)
    change_settings(copied, none_texts=[])
    (without,) = judge_in(copied).judge([noise(1)], ["max"], characters)
    assert without.confidence > with_two.confidence


def test_the_revision_changes_with_the_weights_and_with_the_threshold(copied: Path, judge: OpenClipJudge) -> None:
    revisions = {judge.revision(), judge_in(copied).revision()}
    assert len(revisions) == 1
    change_settings(copied, threshold=0.5)
    revisions.add(judge_in(copied).revision())
    weights = copied / "open_clip_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x01")
    revisions.add(judge_in(copied).revision())
    assert len(revisions) == 3


@pytest.mark.parametrize("content", [None, "{", '{"threshold": 0.5}'], ids=["missing", "no JSON", "fields missing"])
def test_settings_that_cannot_be_read_are_a_data_error(
    copied: Path, characters: CharacterSet, monkeypatch: pytest.MonkeyPatch, content: str | None
) -> None:
    monkeypatch.chdir(copied.parent)
    path = copied / "judge.json"
    path.unlink()
    if content is not None:
        path.write_text(content)
    with pytest.raises(DataError) as caught:
        judge_in(copied).judge([noise(1)], ["max"], characters)
    assert str(caught.value).startswith("copied/judge.json: cannot be read (")
    assert str(caught.value).endswith("\n  install copycat again")


def test_a_judge_that_is_not_there_is_told_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(MissingExtraError, match="no weights in"):
        judge_in(tmp_path / "missing").revision()


@pytest.mark.parametrize("how", ["missing", "truncated"])
def test_a_judge_without_its_weights_never_judges_with_random_ones(
    copied: Path, characters: CharacterSet, how: str
) -> None:
    weights = copied / "open_clip_model.safetensors"
    if how == "missing":
        weights.unlink()
    else:
        weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(DataError, match="copied: cannot be loaded"):
        judge_in(copied).judge([noise(1)], ["max"], characters)
