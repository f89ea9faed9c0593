"""Every family that has a tiny pipeline: each field of a request reaches the pixels, just as in a plain call."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from pictures import SAME, difference, pixels, quick, request, resolved, unloadable
from tiny_families import FAMILIES as SAVED
from tiny_families import each_of

from copycat.errors import BackendError, UnsupportedError
from copycat.models import Picture
from copycat.models.diffusers_model import DiffusersModel
from copycat.models.frames import build_sheet
from copycat.models.resolve import resolve_model
from copycat.models.settings import with_negative_guidance
from copycat.schema import ImageRequest, Sampling

FAMILIES = tuple(name for name in ("sd", *SAVED) if name not in ("if-2", "if-3"))
WITHOUT_NEGATIVE = ("flux2-klein",)
NEGATABLE = tuple(name for name in FAMILIES if name not in WITHOUT_NEGATIVE)
DISTILLED = ("flux", "hunyuan-video")
"""Families whose `guidance_scale` is an input of the network, and which have real guidance beside it."""

PLAIN = {"clean_caption": False, "use_resolution_binning": False}
CALLS: dict[str, dict[str, Any]] = {
    "sd": {"guidance_scale": 7.5},
    "sdxl": {"guidance_scale": 5.0},
    "pixart": {"guidance_scale": 4.5, **PLAIN},
    "sd3": {"guidance_scale": 7.0},
    "flux": {"guidance_scale": 3.5, "true_cfg_scale": 4.0},
    "flux-schnell": {"true_cfg_scale": 4.0},
    "sana": {"guidance_scale": 4.5, **PLAIN},
    "qwen": {"true_cfg_scale": 4.0},
    "video-sd": {"guidance_scale": 9.0},
    "wan": {"guidance_scale": 5.0},
    "cogvideox": {"guidance_scale": 6.0},
    "if-1": {"guidance_scale": 7.0, "clean_caption": False},
    "z-image": {"guidance_scale": 5.0},
    "flux2-klein": {"guidance_scale": 4.0},
    "ltx": {"guidance_scale": 3.0},
    "hunyuandit": {"guidance_scale": 5.0, "use_resolution_binning": False},
    "auraflow": {"guidance_scale": 3.5},
    "animatediff": {"guidance_scale": 7.5},
    "kandinsky3": {"guidance_scale": 3.0},
    "hunyuan-video": {"guidance_scale": 6.0, "true_cfg_scale": 4.0},
    "mochi": {"guidance_scale": 4.5},
}
"""What a person would write in a plain call of the pipeline, for the settings of `settings_of`."""

TRUE_CFG_NEEDS_A_TEXT = ("flux", "flux-schnell", "qwen", "hunyuan-video")
"""Their plain call has no real guidance at all without a negative prompt, whatever `true_cfg_scale` says; ours has."""


class Tiny(NamedTuple):
    """A family that is loaded, with guidance of every kind that it has."""

    model: DiffusersModel
    sampling: Sampling

    def draw(self, *requests: ImageRequest) -> list[Picture]:
        return self.model.generate(requests, self.sampling)


def settings_of(folder: Path, family: str) -> Sampling:
    changes: dict[str, Any] = {"true_guidance": 4.0} if family in DISTILLED else {}
    if family == "flux-schnell":
        changes["guidance"] = 4.0
    return quick(resolve_model(str(folder), size_px=(32, 32)), family, **changes)


@pytest.fixture(scope="module")
def tiny(family_folder: Callable[[str], Path]) -> Callable[[str], Tiny]:
    @cache
    def loaded(family: str) -> Tiny:
        folder = family_folder(family)
        return Tiny(DiffusersModel(resolve_model(str(folder), size_px=(32, 32)), "cpu"), settings_of(folder, family))

    return loaded


@pytest.fixture(scope="module")
def reference(family_folder: Callable[[str], Path]) -> Callable[[str], Any]:
    """The whole pipeline, loaded and called as the documentation of diffusers does it."""

    @cache
    def loaded(family: str) -> Any:
        from diffusers import DiffusionPipeline

        pipeline = DiffusionPipeline.from_pretrained(family_folder(family))
        pipeline.set_progress_bar_config(disable=True)
        return pipeline

    return loaded


def plain_call(pipeline: Any, family: str, sampling: Sampling, asked: ImageRequest) -> np.ndarray[Any, Any]:
    import torch

    call: dict[str, Any] = {**CALLS[family], "output_type": "pil"}
    call |= {"width": sampling.width_px, "height": sampling.height_px}
    if sampling.frames is not None:
        call["num_frames"] = sampling.frames
    negative = asked.negative_prompt
    if negative is None and family in TRUE_CFG_NEEDS_A_TEXT:
        negative = ""
    if negative is not None:
        call["negative_prompt"] = negative
    generator = torch.Generator("cpu").manual_seed(asked.seed)
    made = pipeline(prompt=asked.prompt_sent, num_inference_steps=sampling.steps, generator=generator, **call)
    images = made.frames[0] if hasattr(made, "frames") else made.images
    return np.stack([np.asarray(image).astype(np.int64) for image in images])


# ------------------------------------------------------------------------------------ the pixels


@pytest.mark.parametrize("family", each_of(FAMILIES))
def test_a_picture_is_the_same_alone_and_in_the_middle_of_three(tiny: Callable[[str], Tiny], family: str) -> None:
    draw = tiny(family).draw
    asked, others = request(key="a"), (request("dog", 2, key="b"), request("a long blue house", 3, key="c"))
    (alone,) = draw(asked)
    assert alone.status == "ok", alone.detail
    assert difference(draw(others[0], asked, others[1])[1], alone) <= SAME


@pytest.mark.parametrize("family", each_of(NEGATABLE))
def test_a_picture_with_a_negative_prompt_is_the_same_alone_and_in_the_middle_of_three(
    tiny: Callable[[str], Tiny], family: str
) -> None:
    draw = tiny(family).draw
    asked = request(negative="wolf den", key="a")
    others = (request("dog", 2, "fox", key="b"), request("a long blue house", 3, "a cat and a mouse", key="c"))
    (alone,) = draw(asked)
    assert difference(draw(others[0], asked, others[1])[1], alone) <= SAME


@pytest.mark.parametrize("family", each_of(FAMILIES))
def test_the_seed_alone_decides_which_of_the_pictures_of_a_prompt_it_is(
    tiny: Callable[[str], Tiny], family: str
) -> None:
    draw = tiny(family).draw
    first, again, other = (draw(request(seed=seed))[0] for seed in (1, 1, 2))
    assert difference(first, again) == 0
    assert difference(first, other) > 10


@pytest.mark.parametrize("family", each_of(FAMILIES))
def test_the_prompt_changes_the_picture(tiny: Callable[[str], Tiny], family: str) -> None:
    draw = tiny(family).draw
    assert difference(draw(request())[0], draw(request("dog house"))[0]) > 5


@pytest.mark.parametrize("family", each_of(NEGATABLE))
def test_the_negative_prompt_changes_the_picture(tiny: Callable[[str], Tiny], family: str) -> None:
    draw = tiny(family).draw
    without, one, other = (draw(request(negative=text))[0] for text in (None, "wolf den", "Goofy the dog"))
    assert min(difference(without, one), difference(one, other)) > 5


@pytest.mark.parametrize("family", each_of(FAMILIES))
def test_a_clip_comes_with_all_its_frames_and_a_sheet_of_the_kept_ones(
    tiny: Callable[[str], Tiny], family: str
) -> None:
    model, sampling = tiny(family)
    kept = (0, 2) if sampling.frames else None
    (picture,) = model.generate([request()], sampling.model_copy(update={"kept_frames": kept}))
    assert picture.image is not None
    assert len(picture.clip) == (sampling.frames or 0)
    if kept:
        assert picture.image.tobytes() == build_sheet([picture.clip[i] for i in kept]).tobytes()
        assert difference(picture._replace(clip=picture.clip[:1]), picture._replace(clip=picture.clip[-1:])) > 0
    else:
        assert picture.image.size == (sampling.width_px, sampling.height_px)


@pytest.mark.parametrize(("family", "frames", "made"), [("cogvideox", 5, 8), ("wan", 6, 5)])
def test_a_clip_of_another_length_than_asked_for_is_invalid(
    tiny: Callable[[str], Tiny], family: str, frames: int, made: int
) -> None:
    model, sampling = tiny(family)
    (picture,) = model.generate([request()], sampling.model_copy(update={"frames": frames, "kept_frames": (0, 2)}))
    assert picture == Picture("invalid", None, f"asked for {frames} frames, got {made}")


# ----------------------------------------------------------- stored embeddings are what a text gives


def test_every_family_has_its_plain_call() -> None:
    assert set(CALLS) == set(FAMILIES)


@pytest.mark.parametrize("family", each_of(FAMILIES))
def test_a_picture_from_stored_embeddings_is_the_picture_from_the_text_itself(
    tiny: Callable[[str], Tiny], reference: Callable[[str], Any], family: str
) -> None:
    asked = [request(key="a"), request("a long blue house, and a dog", 2, key="b")]
    drawn = tiny(family).draw(*asked)
    for picture, one in zip(drawn, asked, strict=True):
        plain = plain_call(reference(family), family, tiny(family).sampling, one)
        assert abs(pixels(picture) - plain).max() <= SAME


@pytest.mark.parametrize("family", each_of(NEGATABLE))
def test_a_picture_from_a_stored_negative_embedding_is_the_picture_from_the_negative_text_itself(
    tiny: Callable[[str], Tiny], reference: Callable[[str], Any], family: str
) -> None:
    asked = [request(negative="wolf den", key="a"), request("a dog", 2, "a long green house, and a cat", key="b")]
    drawn = tiny(family).draw(*asked)
    for picture, one in zip(drawn, asked, strict=True):
        plain = plain_call(reference(family), family, tiny(family).sampling, one)
        assert abs(pixels(picture) - plain).max() <= SAME


@pytest.mark.parametrize("family", ["flux", "hunyuan-video"])
def test_without_true_guidance_the_distilled_guidance_alone_draws_as_in_a_plain_call(
    tiny: Callable[[str], Tiny], reference: Callable[[str], Any], family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, sampling = tiny(family)
    sampling = sampling.model_copy(update={"true_guidance": None})
    monkeypatch.setattr(f"{__name__}.TRUE_CFG_NEEDS_A_TEXT", ())
    (picture,) = model.generate([request()], sampling)
    assert abs(pixels(picture) - plain_call(reference(family), family, sampling, request())).max() <= SAME


# ------------------------------------------------------------------------------ honour or refuse


@pytest.mark.parametrize("family", WITHOUT_NEGATIVE)
def test_a_negative_prompt_is_refused_before_loading_where_the_pipeline_takes_none(
    family_folder: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, family: str
) -> None:
    row = resolved(family_folder(family))
    with pytest.raises(UnsupportedError) as caught:
        unloadable(row, monkeypatch).check([request(negative="Goofy")], quick(row, family))
    assert str(caught.value) == (
        "'flux2-klein' (Flux2KleinPipeline) takes no negative prompt\n  use a mitigation that does not need one: none"
    )


@pytest.mark.parametrize("family", [name for name in NEGATABLE if name not in DISTILLED])
def test_a_negative_prompt_is_refused_before_loading_where_guidance_is_off(
    family_folder: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, family: str
) -> None:
    row = resolve_model(str(family_folder(family)), size_px=(32, 32))
    model = unloadable(row, monkeypatch)
    with pytest.raises(UnsupportedError) as caught:
        model.check([request(negative="Goofy")], quick(row, family, guidance=1.0))
    assert str(caught.value) == (
        f"'{row.name}' cannot honour a negative prompt with guidance 1\n"
        "  classifier-free guidance acts above 1 only; use --guidance 3, or another mitigation"
    )
    model.check([request(negative="Goofy")], quick(row, family, guidance=1.5))
    model.check([request()], quick(row, family, guidance=1.0))


@pytest.mark.parametrize("family", DISTILLED)
def test_a_negative_prompt_is_refused_before_loading_without_true_guidance_where_the_other_one_is_distilled(
    family_folder: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, family: str
) -> None:
    row = resolved(family_folder(family))
    model = unloadable(row, monkeypatch)
    with pytest.raises(UnsupportedError) as caught:
        model.check([request(negative="Goofy")], quick(row, family, guidance=9.0))
    assert str(caught.value) == (
        f"'{row.name}' cannot honour a negative prompt with true guidance 1\n"
        "  classifier-free guidance acts above 1 only; use --true-guidance 3, or another mitigation"
    )
    model.check([request(negative="Goofy")], quick(row, family, true_guidance=3.0))


@pytest.mark.parametrize("family", [name for name in FAMILIES if name not in DISTILLED])
def test_true_guidance_is_refused_before_loading_where_there_is_one_kind_only(
    family_folder: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, family: str
) -> None:
    row = resolve_model(str(family_folder(family)), size_px=(32, 32))
    with pytest.raises(UnsupportedError, match=r"one kind of guidance only\n  use --guidance, not --true-guidance"):
        unloadable(row, monkeypatch).check([request()], quick(row, family, true_guidance=3.0))


@pytest.mark.parametrize(("asked", "given"), [(None, 4.0), (2.5, 2.5)], ids=["by the row", "by the user"])
def test_a_negative_prompt_turns_true_guidance_on_where_the_row_says_how_much(
    family_folder: Callable[[str], Path], asked: float | None, given: float
) -> None:
    row = resolved(family_folder("flux")).model_copy(update={"negative_guidance": 4.0})
    sampling = quick(row, "flux", true_guidance=asked)
    assert with_negative_guidance(row, sampling, (request(),)) == sampling
    settled = with_negative_guidance(row, sampling, (request(), request(negative="Goofy")))
    assert settled.true_guidance == given
    DiffusersModel(row, "cpu").check([request(negative="Goofy")], settled)


@pytest.mark.parametrize(
    ("family", "frames", "fitting"), [("wan", 10, "9 or --frames 13"), ("mochi", 9, "7 or --frames 13")]
)
def test_a_length_that_a_video_model_cannot_draw_is_refused_before_loading(
    family_folder: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, family: str, frames: int, fitting: str
) -> None:
    row = resolved(family_folder(family))
    model = unloadable(row, monkeypatch)
    with pytest.raises(UnsupportedError, match=f"--frames {fitting}"):
        model.check([request()], quick(row, family, frames=frames, kept_frames=(0, frames - 1)))


def test_a_size_that_a_pipeline_refuses_is_the_users_to_change(family_folder: Callable[[str], Path]) -> None:
    row = resolved(family_folder("sdxl"))
    with pytest.raises(UnsupportedError, match="cannot draw with these settings"):
        DiffusersModel(row, "cpu").generate([request()], quick(row, "sdxl", width_px=17, height_px=17))


def test_a_pipeline_that_falls_over_fails_the_batch_and_not_the_run(
    family_folder: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    row = resolved(family_folder("sdxl"))
    model = DiffusersModel(row, "cpu")
    model.generate([request()], quick(row, "sdxl"))

    def fall(*_: object, **__: object) -> None:
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr(model.pipeline.unet, "forward", fall)
    with pytest.raises(BackendError, match="fell over: shapes do not match"):
        model.generate([request()], quick(row, "sdxl"))
