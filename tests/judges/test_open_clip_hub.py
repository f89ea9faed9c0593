"""Any open_clip model as a judge: its texts and arithmetic, and where its weights come from."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import huggingface_hub
import numpy as np
import open_clip
import open_clip.factory
import open_clip.pretrained
import pytest
import torch
from huggingface_hub import errors as hub
from PIL import Image
from safetensors.torch import load_file
from tiny_judge import COMMIT, MODEL_CONFIG, put_in_cache, save_references

from copycat.errors import DataError, MissingExtraError, UnknownNameError, UserError
from copycat.judges import Judge
from copycat.judges.families import build_judge, resolve_judge
from copycat.judges.open_clip_encoder import OpenClipEncoder, stack_pixels
from copycat.judges.open_clip_hub import DISTRACTORS, TEMPLATES, LikenessJudge, ZeroShotJudge, who_is_shown
from copycat.judges.open_clip_judge import OpenClipJudge
from copycat.judges.open_clip_weights import find_weights
from copycat.schema import CharacterSet

WEIGHTS = "open_clip_model.safetensors"
REPOSITORY = "some-lab/tiny"
TAG_SETTINGS = {"mean": (0.1, 0.2, 0.3), "std": (0.5, 0.6, 0.7), "interpolation": "bilinear", "resize_mode": "squash"}


def noise(seed: int, size: tuple[int, int] = (16, 16)) -> Image.Image:
    return Image.frombytes("RGB", size, random.Random(seed).randbytes(size[0] * size[1] * 3))


def judge_of(name: str, references: Path | None = None) -> Any:
    return build_judge(resolve_judge(name, None if references is None else str(references)), "cpu")


@pytest.fixture(scope="module")
def folder(tiny_judge: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """open_clip's own format, without texts of a judge."""
    copied = Path(shutil.copytree(tiny_judge, tmp_path_factory.mktemp("hub") / "plain"))
    (copied / "judge.json").unlink()
    return copied


@pytest.fixture(scope="module")
def judge(folder: Path) -> ZeroShotJudge:
    return judge_of(f"open_clip:{folder}")


@pytest.fixture
def copied(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "copied"))


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the Hub."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def known_tag(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """Teach open_clip a model 'Tiny' with weights 'made_up'."""
    settings: dict[str, Any] = {"url": "", "hf_hub": f"{REPOSITORY}/", **TAG_SETTINGS}
    monkeypatch.setitem(open_clip.factory._MODEL_CONFIGS, "Tiny", MODEL_CONFIG)
    monkeypatch.setitem(open_clip.pretrained._PRETRAINED, "Tiny", {"made_up": settings})
    return settings


# ----------------------------------------------------------------------------------- zero-shot


class Vectors:
    """An encoder whose vectors are given: text by text, where a text that is not listed is far from everything."""

    scale = 10.0

    def __init__(self, texts: dict[str, Sequence[float]]) -> None:
        self.texts = texts

    def embed_texts(self, texts: tuple[str, ...]) -> torch.Tensor:
        bare = [next(text[len(t) - 2 :] for t in TEMPLATES if text.startswith(t[:-2])) for text in texts]
        return torch.tensor([self.texts.get(text, (0.0, 0.0, 1.0)) for text in bare])


def test_a_character_is_as_probable_as_its_best_name_against_the_others_and_the_distractors(
    characters: CharacterSet,
) -> None:
    goofy, max_, bluto = characters.characters
    goofy = goofy.model_copy(update={"aliases": ("The Dog", "The Hat")})
    cast = characters.model_copy(update={"characters": (goofy, max_, bluto)})
    encoder: Any = Vectors({"Goofy": (0.0, 1.0, 0.0), "The Hat": (1.0, 0.0, 0.0), "a bearded sailor": (0.6, 0.8, 0.0)})
    picture = torch.tensor([[0.8, 0.6, 0.0]])

    (found,) = who_is_shown(encoder, picture, cast).tolist()

    others = len(DISTRACTORS) + 2  # general ones, and two key characteristics that are far from it
    exponentials = np.exp(10 * np.array([0.8, 0.0, 0.0, 0.8 * 0.6 + 0.6 * 0.8, *[0.0] * others]))
    assert found == pytest.approx((exponentials / exponentials.sum())[:3].tolist(), abs=1e-6)


def test_more_aliases_do_not_make_a_character_more_probable(judge: ZeroShotJudge, characters: CharacterSet) -> None:
    repeated = characters.characters[0].model_copy(update={"aliases": ("Goofy", "Goofy", "Goofy")})
    more = characters.model_copy(update={"characters": (repeated, *characters.characters[1:])})
    one, other = (judge.judge([noise(1)], ["max"], cast)[0] for cast in (characters, more))
    assert one.confidence == pytest.approx(other.confidence, abs=2e-6)


def test_a_verdict_has_probabilities_and_what_was_asked_for_has_no_part_in_it(
    judge: ZeroShotJudge, characters: CharacterSet
) -> None:
    pictures = [noise(i) for i in range(5)]
    one = judge.judge(pictures, ["goofy"] * 5, characters)
    other = judge.judge(pictures, ["bluto"] * 5, characters)
    assert [(v.detected, v.confidence) for v in one] == [(v.detected, v.confidence) for v in other]
    assert all(0 < v.confidence < 1 and 0 < v.consistency < 1 for v in one)
    assert sum(judge.judge([noise(1)], [c.id], characters)[0].consistency for c in characters.characters) == (
        pytest.approx(1, abs=1e-5)
    )


def test_consistency_alone_is_the_one_of_the_verdicts(judge: ZeroShotJudge, characters: CharacterSet) -> None:
    pictures, asked = [noise(1), noise(2)], ["max", "bluto"]
    assert judge.rate(pictures, asked, characters) == [v.consistency for v in judge.judge(pictures, asked, characters)]


def test_the_threshold_decides_and_the_default_is_said_to_be_uncalibrated(
    folder: Path, judge: ZeroShotJudge, characters: CharacterSet
) -> None:
    (sure,) = judge_of(f"open_clip:{folder}@0").judge([noise(1)], ["max"], characters)
    (unsure,) = judge.judge([noise(1)], ["max"], characters)
    assert (sure.detected is not None, unsure.detected) == (True, None)
    assert sure.confidence == unsure.confidence < judge.threshold == 0.5
    assert judge.facts()["threshold"] == "0.5 (probability; the default, UNCALIBRATED)"
    assert judge_of(f"open_clip:{folder}@0.3").facts()["threshold"] == "0.3 (probability; as asked for)"


def test_the_revision_changes_with_weights_and_threshold_only(folder: Path, copied: Path) -> None:
    revisions = [judge_of(f"open_clip:{place}").revision() for place in (folder, copied)]
    assert revisions[0] == revisions[1]
    revisions.append(judge_of(f"open_clip:{folder}@0.3").revision())
    (copied / WEIGHTS).write_bytes((copied / WEIGHTS).read_bytes()[:-1] + b"\x01")
    revisions.append(judge_of(f"open_clip:{copied}").revision())
    assert len(set(revisions)) == 3
    assert all(len(revision) == 40 for revision in revisions)


def test_a_folder_with_texts_of_its_own_judges_with_them(tiny_judge: Path, characters: CharacterSet) -> None:
    own, strict = judge_of(f"open_clip:{tiny_judge}"), judge_of(f"open_clip:{tiny_judge}@0.99")
    assert isinstance(own, OpenClipJudge)
    assert own.judge([noise(1)], ["max"], characters)[0].detected is not None
    assert strict.judge([noise(1)], ["max"], characters)[0].detected is None
    assert own.revision() != strict.revision()
    assert own.facts()["threshold"] == "0 (none: the weights are random)"
    assert strict.facts()["threshold"] == "0.99 (as asked for)"
    assert own.rate([noise(1)], ["max"], characters) == [own.judge([noise(1)], ["max"], characters)[0].consistency]


# ------------------------------------------------------------------------------- by references


def test_references_decide_by_likeness_and_consistency_stays_zero_shot(
    folder: Path, judge: ZeroShotJudge, tmp_path: Path, characters: CharacterSet
) -> None:
    home = save_references(tmp_path / "refs", {"goofy": [noise(1), noise(2)], "Max": [noise(3)], "bluto": [noise(4)]})
    likeness: Judge = judge_of(f"open_clip:{folder}@0.9999", home)
    assert isinstance(likeness, LikenessJudge)
    likeness.check(characters)

    pictures = [noise(2), noise(3), noise(9)]
    verdicts = likeness.judge(pictures, ["goofy"] * 3, characters)

    assert [v.detected for v in verdicts] == ["goofy", "max", None]
    vectors = OpenClipEncoder(find_weights(str(folder), "me"), "cpu").embed_pictures(
        [*pictures, *map(noise, range(1, 5))]
    )
    cosines = (vectors[:3] @ vectors[3:].T).max(dim=1).values
    assert [v.confidence for v in verdicts] == pytest.approx(((cosines + 1) / 2).tolist(), abs=1e-5)
    assert [v.consistency for v in verdicts] == judge.rate(pictures, ["goofy"] * 3, characters)
    assert likeness.facts()["references"].startswith(str(home))


def test_the_revision_changes_with_a_reference(folder: Path, tmp_path: Path) -> None:
    home = save_references(tmp_path / "refs", {"goofy": [noise(1)]})
    before = judge_of(f"open_clip:{folder}", home).revision()
    noise(2).save(home / "goofy" / "0.png")
    assert judge_of(f"open_clip:{folder}", home).revision() != before


def test_the_default_likeness_is_said_to_be_uncalibrated(folder: Path, tmp_path: Path) -> None:
    home = save_references(tmp_path / "refs", {"goofy": [noise(1)]})
    assert judge_of(f"open_clip:{folder}", home).facts()["threshold"] == "0.8 (cosine; the default, UNCALIBRATED)"


# ------------------------------------------------------------------------------ where weights are


def test_weights_of_a_tag_are_read_from_the_cache_and_their_commit_is_told(
    known_tag: dict[str, Any], cache: Path, folder: Path, characters: CharacterSet
) -> None:
    put_in_cache(cache, REPOSITORY, {WEIGHTS: folder / WEIGHTS})
    judge = judge_of("open_clip:Tiny/made-up")
    assert judge.facts()["weights"] == REPOSITORY
    assert judge.facts()["commit"] == COMMIT
    assert judge.judge([noise(1)], ["max"], characters)[0].confidence > 0
    preprocess = judge.encoder.preprocess.transforms
    assert tuple(preprocess[-1].mean) == TAG_SETTINGS["mean"]
    assert preprocess[0].interpolation.value == "bilinear"


@pytest.mark.parametrize("is_quick", [True, False])
def test_weights_get_the_activation_they_were_trained_with(
    known_tag: dict[str, Any], cache: Path, folder: Path, is_quick: bool
) -> None:
    known_tag["quick_gelu"] = is_quick
    put_in_cache(cache, REPOSITORY, {WEIGHTS: folder / WEIGHTS})
    model = find_weights("Tiny/made_up", "me").load("cpu").model
    assert any(type(part).__name__ == "QuickGELU" for part in model.modules()) == is_quick


def test_a_tag_may_name_its_file_and_a_revision(
    known_tag: dict[str, Any], cache: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known_tag["hf_hub"] = f"{REPOSITORY}/other-name.pth"
    asked: list[Any] = []
    monkeypatch.setattr(
        huggingface_hub.HfApi,
        "model_info",
        lambda self, repository, revision, timeout: asked.append((repository, revision)) or SimpleNamespace(sha=COMMIT),
    )

    def download(repository: str, name: str, revision: str) -> str:
        asked.append((repository, name, revision))
        if name.endswith(".safetensors"):
            raise hub.EntryNotFoundError("no such file")
        return str(folder / WEIGHTS)

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    find_weights("Tiny/made_up", "me", "v2").load("cpu")
    assert asked == [
        (REPOSITORY, "v2"),
        (REPOSITORY, "other-name.safetensors", COMMIT),
        (REPOSITORY, "other-name.pth", COMMIT),
    ]


def test_a_repository_in_the_format_of_open_clip_is_read_from_the_cache(
    cache: Path, folder: Path, characters: CharacterSet
) -> None:
    put_in_cache(cache, REPOSITORY, {name: folder / name for name in (WEIGHTS, "open_clip_config.json")})
    judge, plain = judge_of(f"open_clip:hf-hub:{REPOSITORY}"), judge_of(f"open_clip:{folder}")
    assert judge.facts()["commit"] == COMMIT
    assert judge.judge([noise(1)], ["max"], characters) == plain.judge([noise(1)], ["max"], characters)


def test_of_two_forms_of_the_weights_the_one_in_the_cache_is_used_offline(
    known_tag: dict[str, Any], cache: Path, folder: Path, tmp_path: Path
) -> None:
    torch.save(load_file(folder / WEIGHTS), tmp_path / "weights.bin")
    put_in_cache(cache, REPOSITORY, {"open_clip_pytorch_model.bin": tmp_path / "weights.bin"})
    found = find_weights("Tiny/made_up", "me")
    assert found.facts() == {"weights": REPOSITORY, "commit": COMMIT}
    assert found.load("cpu").model.logit_scale.item() > 0


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("ViT-B-32/opennai", "did you mean 'ViT-B-32/openai'"),
        ("ViT-B32/openai", "did you mean '"),
        ("ViT-B-32", "MODEL/PRETRAINED"),
    ],
)
def test_an_unknown_model_or_tag_gets_a_suggestion(name: str, near: str) -> None:
    with pytest.raises(UnknownNameError, match=near):
        judge_of(f"open_clip:{name}").revision()


@pytest.mark.parametrize("name", ["ViT-B-32/openai", "hf-hub:some-lab/absent"])
def test_weights_that_are_not_there_offline_are_told_with_what_to_do(name: str, cache: Path) -> None:
    with pytest.raises(MissingExtraError) as caught:
        judge_of(f"open_clip:{name}").revision()
    lines = str(caught.value).splitlines()
    assert lines[0] == f"judge 'open_clip:{name}' is not on this machine and the Hub cannot be reached"
    assert lines[-1] == (
        "  go online, or fetch it elsewhere and name the folder instead, such as dino:./FOLDER or open_clip:./FOLDER"
    )


def test_a_cached_config_without_weights_never_judges_with_random_ones(
    cache: Path, folder: Path, characters: CharacterSet
) -> None:
    put_in_cache(cache, REPOSITORY, {"open_clip_config.json": folder / "open_clip_config.json"})
    with pytest.raises(MissingExtraError, match="cannot be reached"):
        judge_of(f"open_clip:hf-hub:{REPOSITORY}").judge([noise(1)], ["max"], characters)


@pytest.mark.parametrize("how", ["missing", "truncated"])
def test_a_folder_without_whole_weights_never_judges_with_random_ones(
    copied: Path, characters: CharacterSet, how: str
) -> None:
    if how == "missing":
        (copied / WEIGHTS).unlink()
    else:
        (copied / WEIGHTS).write_bytes((copied / WEIGHTS).read_bytes()[:1000])
    with pytest.raises(DataError, match=r"copied: cannot be loaded.*\n  fetch the weights again"):
        judge_of(f"open_clip:{copied}").judge([noise(1)], ["max"], characters)


def test_weights_of_another_model_are_refused(known_tag: dict[str, Any], cache: Path, folder: Path) -> None:
    other = json.loads(json.dumps(MODEL_CONFIG)) | {"embed_dim": 8}
    open_clip.factory._MODEL_CONFIGS["Tiny"] = other
    put_in_cache(cache, REPOSITORY, {WEIGHTS: folder / WEIGHTS})
    with pytest.raises(DataError, match="cannot be loaded"):
        find_weights("Tiny/made_up", "me").load("cpu")


def test_a_folder_that_is_none_is_told_what_belongs_into_it(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"is no open_clip folder\n  needed in it: open_clip_config.json"):
        judge_of(f"open_clip:{tmp_path}").revision()


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (hub.GatedRepoError, "is gated, its owner asks you to accept terms"),
        (hub.RepositoryNotFoundError, "the Hub has no repository some-lab/absent"),
        (hub.RevisionNotFoundError, "has no revision 'v9'"),
        (ConnectionError, "the Hub cannot be reached"),
    ],
)
def test_what_the_hub_answers_is_told_in_words(
    cache: Path, monkeypatch: pytest.MonkeyPatch, kind: type[Exception], said: str
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        error = kind.__new__(kind)
        Exception.__init__(error, "no")
        raise error

    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", fail)
    with pytest.raises(MissingExtraError, match=said):
        judge_of("open_clip:hf-hub:some-lab/absent@v9").revision()


# -------------------------------------------------------------------------------------- pixels


@pytest.mark.parametrize("mode", ["squash", "shortest", "longest"])
@pytest.mark.parametrize("sizes", [[(32, 32)] * 3, [(64, 40), (17, 90), (32, 32)]], ids=["as needed", "others"])
def test_a_batch_is_prepared_to_the_same_bits_as_each_picture_alone(mode: str, sizes: list[tuple[int, int]]) -> None:
    transform = open_clip.image_transform(
        32, is_train=False, resize_mode=mode, mean=(0.4, 0.5, 0.6), std=(0.2, 0.3, 0.4)
    )
    pictures = [noise(i, size) for i, size in enumerate(sizes)]
    batch = stack_pixels(transform, pictures)
    assert batch.dtype == torch.float32
    assert torch.equal(batch, torch.stack([transform(picture) for picture in pictures]))


def test_a_transform_of_another_form_is_applied_picture_by_picture() -> None:
    transform: Callable[[Image.Image], torch.Tensor] = lambda picture: torch.tensor(picture.getpixel((0, 0)))  # noqa: E731
    assert stack_pixels(transform, [noise(1), noise(2)]).shape == (2, 3)
