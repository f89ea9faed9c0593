"""Three pipelines that draw one after the other, as DeepFloyd IF does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pictures import difference, pixels, quick_cascade, request, resolved, unloadable

from copycat.errors import UnsupportedError
from copycat.models import MODELS, ModelRow
from copycat.models.cascade import DiffusersCascade
from copycat.models.fingerprint import fingerprint
from copycat.schema import ImageRequest, Sampling

CLOSE = 8
"""Grey levels by which one picture may differ between batch sizes: each stage magnifies the rounding of the last."""


@pytest.fixture(scope="module")
def folder(family_folder: Callable[[str], Path]) -> Path:
    return family_folder("if")


@pytest.fixture(scope="module")
def row(folder: Path) -> ModelRow:
    return resolved(folder)


@pytest.fixture(scope="module")
def sampling(row: ModelRow) -> Sampling:
    return quick_cascade(row)


@pytest.fixture(scope="module")
def model(row: ModelRow) -> DiffusersCascade:
    return DiffusersCascade(row, "cpu")


@pytest.fixture(scope="module")
def stages(folder: Path) -> list[Any]:
    """The three pipelines as the documentation of diffusers loads them."""
    from diffusers import DiffusionPipeline

    pipelines = [DiffusionPipeline.from_pretrained(folder / f"stage_{number}") for number in (1, 2, 3)]
    for pipeline in pipelines:
        pipeline.set_progress_bar_config(disable=True)
    return pipelines


def plain_calls(stages: list[Any], asked: ImageRequest) -> np.ndarray[Any, Any]:
    """Texts go to every stage; a negative one to the first two, as the table's row says."""
    import torch

    first, second, third = stages
    generators = [torch.Generator("cpu").manual_seed(asked.seed + stage) for stage in range(3)]
    texts = {"prompt": asked.prompt_sent}
    both = texts | ({} if asked.negative_prompt is None else {"negative_prompt": asked.negative_prompt})
    common: dict[str, Any] = {"num_inference_steps": 2}
    plain = {**common, "clean_caption": False, "output_type": "pt"}
    small = first(**both, **plain, guidance_scale=7.0, generator=generators[0]).images
    larger = second(**both, **plain, image=small, guidance_scale=4.0, noise_level=250, generator=generators[1]).images
    largest = third(**texts, **common, image=larger, guidance_scale=9.0, noise_level=100, generator=generators[2])
    return np.stack([np.asarray(image).astype(np.int64) for image in largest.images])


@pytest.mark.parametrize("negative", [None, "wolf den"])
def test_a_cascade_draws_what_three_plain_calls_draw(
    model: DiffusersCascade, sampling: Sampling, stages: list[Any], negative: str | None
) -> None:
    asked = request(negative=negative)
    (picture,) = model.generate([asked], sampling)
    assert (picture.status, picture.image.size if picture.image else None) == ("ok", (128, 128))
    assert abs(pixels(picture) - plain_calls(stages, asked)).max() <= CLOSE


@pytest.mark.parametrize("negative", [None, "wolf den"])
def test_a_picture_of_a_cascade_is_the_same_alone_and_in_the_middle_of_three(
    model: DiffusersCascade, sampling: Sampling, negative: str | None
) -> None:
    others = (request("dog", 2, negative, key="b"), request("a long blue house", 3, negative, key="c"))
    asked = request(negative=negative, key="a")
    (alone,) = model.generate([asked], sampling)
    assert difference(model.generate([others[0], asked, others[1]], sampling)[1], alone) <= CLOSE


@pytest.mark.parametrize(
    "other", [request(seed=2), request("dog house"), request(negative="dog house")], ids=["seed", "prompt", "negative"]
)
def test_a_field_of_the_request_reaches_the_picture_of_a_cascade(
    model: DiffusersCascade, sampling: Sampling, other: ImageRequest
) -> None:
    (one,), (two,) = (model.generate([asked], sampling) for asked in (request(), other))
    assert difference(one, two) > 4 * CLOSE


def test_a_first_stage_without_guidance_still_gives_the_second_one_what_it_needs(
    model: DiffusersCascade, sampling: Sampling
) -> None:
    plain = sampling.model_copy(update={"guidance": 1.0})
    (picture,) = model.generate([request()], plain)
    (other,) = model.generate([request()], sampling)
    assert picture.status == "ok"
    assert difference(picture, other) > 0


def test_a_negative_prompt_is_refused_where_the_first_stage_is_without_guidance(
    row: ModelRow, sampling: Sampling, monkeypatch: pytest.MonkeyPatch
) -> None:
    unloadable(row, monkeypatch)
    plain = sampling.model_copy(update={"guidance": 1.0})
    with pytest.raises(UnsupportedError, match="cannot honour a negative prompt with guidance 1"):
        DiffusersCascade(row, "cpu").check([request(negative="Goofy")], plain)


def test_a_cascade_counts_the_tokens_beyond_77_of_either_text(model: DiffusersCascade, sampling: Sampling) -> None:
    ends = 2  # the start of the word and </s>
    (picture,) = model.generate([request("x" * 85, negative="y" * 80)], sampling)
    assert (picture.truncated_tokens, picture.truncated_negative_tokens) == (85 + ends - 77, 80 + ends - 77)


def test_a_cascade_without_its_own_text_encoders_frees_them_but_for_the_last_stage(
    row: ModelRow, sampling: Sampling
) -> None:
    model = DiffusersCascade(row, "cpu")
    model.prepare([request()], sampling)
    model.generate([request()], sampling)
    second, third = (pipeline for _, pipeline in model._larger)
    assert (model.pipeline.text_encoder, second.text_encoder) == (None, None)
    assert type(third.text_encoder).__name__ == "CLIPTextModel"


def test_the_settings_of_a_local_cascade_are_those_of_deepfloyd_with_the_sizes_of_its_files(row: ModelRow) -> None:
    like = MODELS.get("deepfloyd-if").sampling
    assert (row.sampling.steps, row.sampling.guidance) == (like.steps, like.guidance)
    assert (row.sampling.width_px, row.sampling.height_px) == (128, 128)
    own = [(stage.source, stage.variant) for stage in row.sampling.upscaling or ()]
    assert own == [("stage_2", None), ("stage_3", None)]
    settings = ("steps", "guidance", "noise_level", "sends_negative")
    for stage, known in zip(row.sampling.upscaling or (), like.upscaling or (), strict=True):
        assert [getattr(stage, name) for name in settings] == [getattr(known, name) for name in settings]


def test_a_local_cascade_is_identified_by_the_content_of_all_its_stages(row: ModelRow, folder: Path) -> None:
    identity = DiffusersCascade(row, "cpu").identify()
    assert identity == ("folder:if", fingerprint(folder))


def test_a_cascade_from_the_hub_is_identified_by_the_commits_of_all_its_stages(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("copycat.models.hub._resolve_commit", lambda repository, *_: f"commit of {repository}")
    identity = DiffusersCascade(MODELS.get("deepfloyd-if"), "cpu").identify()
    stages = ["DeepFloyd/IF-I-XL-v1.0", "DeepFloyd/IF-II-L-v1.0", "stabilityai/stable-diffusion-x4-upscaler"]
    assert identity.source.split("+") == stages
    assert identity.revision.split("+") == [f"commit of {stage}" for stage in stages]


def test_a_picture_that_half_precision_spoilt_in_the_last_stage_is_decoded_again_and_says_so(
    row: ModelRow, sampling: Sampling, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch
    from diffusers import AutoencoderKL

    decode = AutoencoderKL.decode

    def overflow(self: Any, latents: Any, *args: Any, **settings: Any) -> Any:
        output = decode(self, latents, *args, **settings)
        if latents.dtype == torch.bfloat16:
            output[0][1] = torch.nan
        return output

    monkeypatch.setattr(AutoencoderKL, "decode", overflow)
    half = sampling.model_copy(update={"dtype": "bfloat16"})
    pictures = DiffusersCascade(row, "cpu").generate([request(key="a"), request(seed=2, key="b")], half)
    assert [picture.status for picture in pictures] == ["ok", "ok"]
    assert [picture.detail for picture in pictures] == ["", "decoded again in float32, half precision had spoilt it"]
