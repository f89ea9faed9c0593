"""The judge by likeness through a real DINOv2 with random weights."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from tiny_judge import COMMIT, put_in_cache, save_references, save_tiny_dino

from copycat.errors import DataError, MissingExtraError, UserError
from copycat.judges.dino import DinoJudge
from copycat.judges.families import build_judge, resolve_judge
from copycat.schema import CharacterSet

WEIGHTS = "model.safetensors"


def noise(seed: int) -> Image.Image:
    return Image.frombytes("RGB", (60, 56), random.Random(seed).randbytes(60 * 56 * 3))


def judge_of(name: str, references: Path | None) -> Any:
    return build_judge(resolve_judge(name, None if references is None else str(references)), "cpu")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_dino(tmp_path_factory.mktemp("dino") / "tiny")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pictures = {"goofy": [noise(1), noise(2)], "max": [noise(3)], "bluto": [noise(4)]}
    return save_references(tmp_path_factory.mktemp("dino") / "refs", pictures)


@pytest.fixture(scope="module")
def judge(folder: Path, home: Path) -> DinoJudge:
    return judge_of(f"dino:{folder}@0.99999", home)


@pytest.fixture
def copied(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "copied"))


def test_the_nearest_reference_decides(judge: DinoJudge, characters: CharacterSet) -> None:
    judge.check(characters)
    verdicts = judge.judge([noise(2), noise(4), noise(9)], ["max"] * 3, characters)
    assert [v.detected for v in verdicts] == ["goofy", "bluto", None]
    assert [v.consistency for v in verdicts] == [None] * 3
    assert verdicts[0].confidence == pytest.approx(1, abs=1e-6)
    assert judge.rate([noise(1)], ["max"], characters) == [None]


def test_a_vector_is_the_class_token_of_length_one(judge: DinoJudge, folder: Path) -> None:
    from transformers import AutoImageProcessor, Dinov2Model

    pixels = AutoImageProcessor.from_pretrained(folder)(images=[noise(1)], return_tensors="pt")
    with torch.inference_mode():
        token = Dinov2Model.from_pretrained(folder)(**pixels).last_hidden_state[0, 0]
    assert torch.allclose(judge.embed([noise(1)])[0], token / token.norm(), atol=1e-6)


def test_confidence_is_half_of_one_plus_the_largest_cosine(judge: DinoJudge, characters: CharacterSet) -> None:
    vectors = judge.embed([noise(i) for i in (9, 1, 2, 3, 4)])
    (verdict,) = judge.judge([noise(9)], ["max"], characters)
    assert verdict.confidence == pytest.approx((float((vectors[1:] @ vectors[0]).max()) + 1) / 2, abs=1e-6)


def test_who_has_no_reference_is_not_judged(folder: Path, tmp_path: Path, characters: CharacterSet) -> None:
    judge = judge_of(f"dino:{folder}", save_references(tmp_path / "few", {"max": [noise(3)]}))
    known, unknown = judge.judge([noise(3), noise(3)], ["max", "goofy"], characters)
    assert known.detected == "max"
    assert unknown.reason == "there is no reference picture of 'goofy'"
    assert judge.facts()["without references, not judged"] == "bluto, goofy"


def test_facts_tell_commit_references_and_that_the_threshold_is_not_calibrated(folder: Path, home: Path) -> None:
    facts = judge_of(f"dino:{folder}", home).facts()
    assert facts["weights"] == str(folder)
    assert facts["commit"].startswith("fingerprint ")
    assert facts["threshold"] == "0.6 (cosine; the default, UNCALIBRATED)"


def test_the_revision_changes_with_weights_references_and_threshold(
    folder: Path, copied: Path, home: Path, tmp_path: Path
) -> None:
    others = save_references(tmp_path / "others", {"max": [noise(3)]})
    same = [judge_of(f"dino:{place}", home).revision() for place in (folder, copied)]
    (copied / WEIGHTS).write_bytes((copied / WEIGHTS).read_bytes()[:-1] + b"\x01")
    changed = [(f"dino:{copied}", home), (f"dino:{folder}@0.7", home), (f"dino:{folder}", others)]
    assert same[0] == same[1]
    assert len({same[0], *(judge_of(*pair).revision() for pair in changed)}) == 4


def test_without_references_the_layout_is_shown() -> None:
    with pytest.raises(
        UserError, match=r"compares with pictures, and none are given\n(.|\n)*FOLDER/some-character/1.png"
    ):
        judge_of("dino", None)


def test_weights_of_the_hub_are_read_from_the_cache_at_their_commit(
    folder: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, judge: DinoJudge
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    put_in_cache(tmp_path, "some-lab/dino", {path.name: path for path in folder.iterdir()})
    cached = judge_of("dino:some-lab/dino", home)
    assert cached.facts()["commit"] == COMMIT
    assert torch.equal(cached.embed([noise(1)]), judge.embed([noise(1)]))


def test_weights_that_are_not_there_offline_are_told_with_what_to_do(home: Path) -> None:
    with pytest.raises(MissingExtraError, match=r"the Hub cannot be reached(.|\n)*name the folder instead"):
        judge_of("dino:some-lab/absent", home).revision()


def test_a_cached_config_without_weights_is_told_with_what_to_do(
    folder: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    put_in_cache(tmp_path, "some-lab/dino", {n: folder / n for n in ("config.json", "preprocessor_config.json")})
    with pytest.raises(MissingExtraError, match=r"cannot be fetched(.|\n)*dino:./FOLDER"):
        judge_of("dino:some-lab/dino", home).embed([noise(1)])


def test_a_file_that_lacks_weights_never_judges_with_random_ones(copied: Path, home: Path) -> None:
    state = load_file(copied / WEIGHTS)
    lacking = {name: tensor for name, tensor in state.items() if "layer.1.norm1" not in name}
    save_file(lacking, copied / WEIGHTS, metadata={"format": "pt"})
    with pytest.raises(DataError, match=r"lacks .*layer\.1\.norm1"):
        judge_of(f"dino:{copied}", home).embed([noise(1)])


@pytest.mark.parametrize("how", ["missing", "truncated", "config"])
def test_a_damaged_folder_is_a_data_error(copied: Path, home: Path, how: str) -> None:
    if how == "config":
        (copied / "config.json").write_text(json.dumps({"model_type": "nothing-known"}))
    elif how == "missing":
        (copied / WEIGHTS).unlink()
    else:
        (copied / WEIGHTS).write_bytes((copied / WEIGHTS).read_bytes()[:500])
    with pytest.raises(DataError, match="cannot be loaded"):
        judge_of(f"dino:{copied}", home).embed([noise(1)])


def test_a_folder_that_is_none_is_told_what_belongs_into_it(tmp_path: Path, home: Path) -> None:
    with pytest.raises(UserError, match="is no folder of a transformers model"):
        judge_of(f"dino:{tmp_path}", home).revision()
