"""diffusers pipelines, through a real one with random weights: every field of a request reaches the pixels."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pictures import SAME, difference, pixels, request, unloadable
from PIL import Image

from copycat.errors import BackendError, DataError, MissingExtraError, UnsupportedError
from copycat.models import ImageModel, ModelRow, Picture
from copycat.models.diffusers_model import DiffusersModel
from copycat.models.fingerprint import fingerprint
from copycat.models.resolve import resolve_model
from copycat.schema import ImageRequest, Sampling


@pytest.fixture(scope="module")
def row(tiny_pipeline: Path) -> ModelRow:
    return resolve_model(str(tiny_pipeline))


@pytest.fixture(scope="module")
def sampling(row: ModelRow) -> Sampling:
    return row.sampling.model_copy(update={"steps": 2})


@pytest.fixture(scope="module")
def model(row: ModelRow) -> DiffusersModel:
    return DiffusersModel(row, "cpu")


@pytest.fixture
def copied(tiny_pipeline: Path, tmp_path: Path) -> Path:
    """A pipeline folder that a test may damage."""
    return Path(shutil.copytree(tiny_pipeline, tmp_path / "copied"))


# ------------------------------------------------------------------------------------ the pixels


def test_a_picture_has_the_size_asked_for(model: DiffusersModel, sampling: Sampling) -> None:
    (picture,) = model.generate([request()], sampling)
    (wide,) = model.generate([request()], sampling.model_copy(update={"width_px": 32}))
    assert (picture.status, picture.image.size if picture.image else None) == ("ok", (16, 16))
    assert pixels(wide).shape == (1, 16, 32, 3)


def test_a_picture_is_the_same_alone_and_in_any_place_of_a_batch(model: DiffusersModel, sampling: Sampling) -> None:
    (alone,) = model.generate([request()], sampling)
    others = [request("dog", seed=2), request("ab dog house", seed=3)]
    for place in range(3):
        batch = model.generate([*others[:place], request(), *others[place:]], sampling)
        assert difference(batch[place], alone) <= SAME


def test_the_same_request_gives_the_same_bytes(model: DiffusersModel, sampling: Sampling) -> None:
    first, second = (model.generate([request()], sampling)[0] for _ in range(2))
    assert difference(first, second) == 0


def test_a_batch_with_one_negative_prompt_leaves_the_others_as_they_are(
    model: DiffusersModel, sampling: Sampling
) -> None:
    (alone,) = model.generate([request()], sampling)
    _, beside = model.generate([request(seed=2, negative="wolf"), request()], sampling)
    assert difference(alone, beside) <= SAME


@pytest.mark.parametrize(
    "other", [request(seed=2), request("dog house"), request(negative="dog house")], ids=["seed", "prompt", "negative"]
)
def test_a_field_of_the_request_reaches_the_picture(
    model: DiffusersModel, sampling: Sampling, other: ImageRequest
) -> None:
    one, two = model.generate([request(), other], sampling)
    assert difference(one, two) > 10


@pytest.mark.parametrize("change", [{"steps": 5}, {"guidance": 9.0}], ids=["steps", "guidance"])
def test_a_sampling_setting_reaches_the_picture(
    model: DiffusersModel, sampling: Sampling, change: dict[str, float]
) -> None:
    (one,) = model.generate([request()], sampling)
    (two,) = model.generate([request()], sampling.model_copy(update=change))
    assert difference(one, two) > 3


@pytest.mark.parametrize("steps", [1, 7])
def test_the_scheduler_takes_as_many_steps_as_asked_for(model: DiffusersModel, sampling: Sampling, steps: int) -> None:
    model.generate([request()], sampling.model_copy(update={"steps": steps}))
    assert len(model.pipeline.scheduler.timesteps) == steps


def test_the_scheduler_is_the_one_asked_for(row: ModelRow, sampling: Sampling) -> None:
    model = DiffusersModel(row, "cpu")
    model.generate([request()], sampling.model_copy(update={"scheduler": "EulerDiscreteScheduler"}))
    assert type(model.pipeline.scheduler).__name__ == "EulerDiscreteScheduler"


def test_the_weights_have_the_dtype_asked_for(row: ModelRow, sampling: Sampling) -> None:
    import torch

    model = DiffusersModel(row, "cpu")
    (picture,) = model.generate([request()], sampling.model_copy(update={"dtype": "bfloat16"}))
    assert picture.status == "ok"
    assert model.pipeline.unet.dtype == torch.bfloat16


@pytest.mark.parametrize(
    ("prompt", "cut_off"), [("ab", 0), ("x" * 75, 0), ("x" * 80, 5), ("ab " * 75, 0), ("ab " * 85, 10)]
)
def test_tokens_that_the_text_encoder_cannot_take_are_counted(
    model: DiffusersModel, sampling: Sampling, prompt: str, cut_off: int
) -> None:
    (picture,) = model.generate([request(prompt)], sampling)
    assert picture.truncated_tokens == cut_off


# --------------------------------------------------------------------------- without a picture


class Stub:
    """A pipeline that gives what a test wants, with the real one's tokenizer."""

    def __init__(self, real: Any, **output: Any) -> None:
        self.tokenizer, self.output = real.tokenizer, output

    def __call__(self, **arguments: Any) -> SimpleNamespace:
        return SimpleNamespace(**self.output)


def stubbed(model: DiffusersModel, sampling: Sampling, monkeypatch: pytest.MonkeyPatch, **output: Any) -> None:
    model.generate([request()], sampling)  # load the real one
    monkeypatch.setattr(model, "pipeline", Stub(model.pipeline, **output))


def colourful() -> Image.Image:
    image = Image.new("RGB", (16, 16), (0, 0, 0))
    image.putpixel((3, 3), (0, 0, 1))
    return image


def test_a_picture_of_one_colour_is_invalid(
    model: DiffusersModel, sampling: Sampling, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = [Image.new("RGB", (16, 16), (9, 8, 7)), colourful(), Image.new("L", (16, 16), 0)]
    stubbed(model, sampling, monkeypatch, images=images)
    pictures = model.generate([request(seed=seed) for seed in range(3)], sampling)
    assert [p.status for p in pictures] == ["invalid", "ok", "invalid"]
    assert pictures[0] == Picture("invalid", None, "every pixel has the same colour")


def test_a_picture_that_the_safety_checker_flags_is_blocked(
    model: DiffusersModel, sampling: Sampling, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = [Image.new("RGB", (16, 16)), colourful()]  # the pipeline blanks what it flags
    stubbed(model, sampling, monkeypatch, images=images, nsfw_content_detected=[True, False])
    pictures = model.generate([request(seed=seed) for seed in range(2)], sampling)
    assert [p.status for p in pictures] == ["blocked", "ok"]
    assert pictures[0].detail == "the pipeline's safety checker blanked the picture"


def test_running_out_of_memory_with_one_picture_fails_the_batch_and_names_the_cure(
    row: ModelRow, sampling: Sampling, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    tried: list[int] = []

    def run_out(self: Stub, **arguments: Any) -> None:
        tried.append(len(arguments["generator"]))
        raise torch.OutOfMemoryError("CUDA out of memory")

    model = DiffusersModel(row, "cpu")
    stubbed(model, sampling, monkeypatch)
    monkeypatch.setattr(Stub, "__call__", run_out)
    with pytest.raises(BackendError) as caught:
        model.generate([request(seed=seed) for seed in range(5)], sampling)
    assert str(caught.value) == "out of memory with one picture; use a smaller --dtype or --size, or a larger device"
    assert tried == [5, 2, 1]


# ------------------------------------------------------------------------------ honour or refuse


@pytest.mark.parametrize("guidance", [0.0, 0.5, 1.0])
def test_a_negative_prompt_without_guidance_is_refused_before_anything_is_loaded(
    row: ModelRow, guidance: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    sampling = row.sampling.model_copy(update={"guidance": guidance})
    with pytest.raises(UnsupportedError) as caught:
        unloadable(row, monkeypatch).check([request(), request(negative="Goofy")], sampling)
    assert str(caught.value) == (
        f"'tiny' cannot honour a negative prompt with guidance {guidance:g}\n"
        "  classifier-free guidance acts above 1 only; use --guidance 3, or another mitigation"
    )


def test_a_negative_prompt_is_refused_where_the_pipeline_takes_none(
    copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = copied / "model_index.json"
    index.write_text(json.dumps(json.loads(index.read_text()) | {"_class_name": "Flux2Pipeline"}))
    row = resolve_model(str(copied))
    with pytest.raises(UnsupportedError) as caught:
        unloadable(row, monkeypatch).check([request(negative="Goofy")], row.sampling)
    assert str(caught.value) == (
        "'copied' (Flux2Pipeline) takes no negative prompt\n  use a mitigation that does not need one: none"
    )


def test_requests_that_can_be_honoured_pass_the_check_without_loading(
    row: ModelRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = unloadable(row, monkeypatch)
    model.check([request(negative="Goofy")], row.sampling)
    model.check([request()], row.sampling.model_copy(update={"guidance": 0.0}))


# ---------------------------------------------------------------------------------- what is run


def test_the_model_is_identified_by_the_content_of_its_folder(copied: Path, row: ModelRow) -> None:
    model: ImageModel = DiffusersModel(resolve_model(str(copied)), "cpu")
    assert model.identify().revision == DiffusersModel(row, "cpu").identify().revision
    assert len(model.identify().revision) == 40


def test_a_fingerprint_changes_with_one_byte_of_the_weights(copied: Path) -> None:
    before = fingerprint(copied)
    weights = copied / "unet" / "diffusion_pytorch_model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(bytes(content))
    assert fingerprint(copied) != before


def test_a_fingerprint_changes_with_the_name_of_a_file_and_with_a_new_one(copied: Path) -> None:
    before = fingerprint(copied)
    config = copied / "unet" / "config.json"
    config.rename(config.with_name("other.json"))
    renamed = fingerprint(copied)
    (copied / "new.txt").touch()
    assert len({before, renamed, fingerprint(copied)}) == 3


def test_a_fingerprint_does_not_depend_on_notes_or_caches(copied: Path) -> None:
    before = fingerprint(copied)
    (copied / "README.md").write_text("a note")
    (copied / ".cache").mkdir()
    (copied / ".cache" / "x").write_text("x")
    assert fingerprint(copied) == before


def test_a_folder_without_weights_has_no_fingerprint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    for name in ("empty", "missing"):
        with pytest.raises(MissingExtraError) as caught:
            fingerprint(Path(name))
        assert str(caught.value) == (
            f"no weights in {name}\n  install copycat again, or train them: python -m copycat.sandbox train"
        )


# ------------------------------------------------------------------------------- what was typed


def test_a_folder_is_known_with_or_without_a_dot(tiny_pipeline: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tiny_pipeline.parent)
    rows = [resolve_model(text) for text in ("tiny", "./tiny", "tiny/", str(tiny_pipeline))]
    assert all(row == rows[0] for row in rows)
    assert rows[0].name == "tiny"


def test_the_settings_of_a_folder_come_from_its_own_files_and_from_the_call_of_its_class(row: ModelRow) -> None:
    assert row.sampling == Sampling(steps=50, guidance=7.5, width_px=16, height_px=16, dtype="float32")


def test_the_scheduler_of_the_files_is_named_in_the_settled_settings(row: ModelRow) -> None:
    settled = DiffusersModel(row, "cpu").settle(row.sampling)
    assert settled == row.sampling.model_copy(update={"scheduler": "DDIMScheduler"})


def test_a_folder_that_is_no_pipeline_is_a_data_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("some-folder").mkdir()
    for text in ("./some-folder", "./missing"):
        with pytest.raises(DataError) as caught:
            resolve_model(text)
        assert str(caught.value) == (
            f"{text[2:]}: no diffusers pipeline there\n  needed: a folder with a model_index.json"
        )


def test_every_missing_component_of_a_folder_is_named_at_once(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(copied.parent)
    for name in ("tokenizer", "vae"):
        shutil.rmtree(copied / name)
    with pytest.raises(DataError) as caught:
        resolve_model("./copied")
    assert sorted(caught.value.faults) == [
        "copied/tokenizer: not there, though model_index.json lists it",
        "copied/vae: not there, though model_index.json lists it",
    ]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("{", "copied/model_index.json: cannot be read as JSON ("),
        ("[]", "copied/model_index.json: holds no JSON object"),
    ],
)
def test_a_broken_model_index_is_a_data_error(
    copied: Path, monkeypatch: pytest.MonkeyPatch, content: str, fault: str
) -> None:
    monkeypatch.chdir(copied.parent)
    (copied / "model_index.json").write_text(content)
    with pytest.raises(DataError) as caught:
        resolve_model("./copied")
    assert str(caught.value).startswith(fault)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("NoSuchPipeline", " has no pipeline 'NoSuchPipeline'"),
        ("DDPMPipeline", "pipeline 'DDPMPipeline' makes no pictures from text"),
    ],
)
def test_a_pipeline_class_that_draws_nothing_from_text_is_a_data_error(
    copied: Path, monkeypatch: pytest.MonkeyPatch, name: str, problem: str
) -> None:
    monkeypatch.chdir(copied.parent)
    (copied / "model_index.json").write_text(json.dumps({"_class_name": name}))
    with pytest.raises(DataError) as caught:
        resolve_model("./copied")
    fault, needed = str(caught.value).splitlines()
    assert fault.startswith("copied/model_index.json: field '_class_name': ")
    assert fault.endswith(problem)
    assert needed == (
        "  needed: a text-to-image or text-to-video pipeline of diffusers, such as StableDiffusionPipeline"
    )


@pytest.mark.parametrize("damage", ["unet/diffusion_pytorch_model.safetensors", "text_encoder/model.safetensors"])
@pytest.mark.parametrize("how", ["missing", "truncated"])
def test_weights_that_cannot_be_loaded_are_a_data_error(
    copied: Path, monkeypatch: pytest.MonkeyPatch, damage: str, how: str
) -> None:
    monkeypatch.chdir(copied.parent)
    if how == "missing":
        (copied / damage).unlink()
    else:
        (copied / damage).write_bytes(b"rubbish")
    row = resolve_model("./copied")
    with pytest.raises(DataError) as caught:
        DiffusersModel(row, "cpu").generate([request()], row.sampling)
    assert str(caught.value).startswith("copied: cannot be loaded (")
    assert str(caught.value).endswith(
        "\n  needed: a whole diffusers folder with weights in .safetensors files; fetch it again"
    )
