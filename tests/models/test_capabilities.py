"""The table of models, held against the classes of the installed diffusers."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import diffusers
import pytest

from copycat.models import MODELS, ModelRow
from copycat.models.capabilities import capabilities_of, read_capabilities
from copycat.models.frames import spread_frames
from copycat.models.hub import Source
from copycat.models.resolve import resolve_model
from copycat.models.settings import choose_sampling
from copycat.models.texts import recipe_of

ROWS = [row for row in MODELS.rows() if row.pipeline]
DISTILLED_INTO_THE_NETWORK = ("flux-dev", "hunyuan-video")
SAID_BY_THE_REPOSITORY: Mapping[str, Mapping[str, Any]] = {"flux2-klein": {"is_distilled": True}}
"""What model_index.json says besides the components; of no other row does it change anything."""

of_every_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)


def call_of(row: ModelRow) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(getattr(diffusers, row.pipeline).__call__).parameters


@of_every_row
def test_the_class_of_a_row_is_in_the_installed_diffusers_and_draws_from_text(row: ModelRow) -> None:
    assert issubclass(getattr(diffusers, row.pipeline), diffusers.DiffusionPipeline)
    assert {"prompt", "generator", "num_inference_steps"} <= set(call_of(row))


@of_every_row
def test_what_a_row_honours_is_what_the_class_takes(row: ModelRow) -> None:
    config = {"guidance_embeds": row.name in DISTILLED_INTO_THE_NETWORK}
    able = capabilities_of(getattr(diffusers, row.pipeline), config, SAID_BY_THE_REPOSITORY.get(row.name))
    expected = set(able.honours)
    if row.name == "z-image-turbo":  # its class takes a negative prompt, its guidance of 0 lets none act
        assert row.sampling.guidance == 0
        expected -= {"negative prompt"}
    assert set(row.honours) == expected


@of_every_row
def test_a_row_states_the_settings_that_its_class_takes_and_no_others(row: ModelRow) -> None:
    able = capabilities_of(
        getattr(diffusers, row.pipeline),
        {"guidance_embeds": row.name in DISTILLED_INTO_THE_NETWORK},
        SAID_BY_THE_REPOSITORY.get(row.name),
    )
    assert (row.sampling.guidance is not None) == (able.guidance_argument is not None)
    assert (row.negative_guidance is not None) == (able.true_guidance_argument is not None)
    assert (row.sampling.frames is not None) == able.is_video
    assert row.sampling.steps is not None
    assert row.sampling.quality is None


@of_every_row
def test_the_width_and_height_of_a_row_are_multiples_of_eight(row: ModelRow) -> None:
    assert row.sampling.width_px % 8 == row.sampling.height_px % 8 == 0


@of_every_row
def test_every_preset_of_a_row_gives_settings_that_differ_from_no_preset_only_where_it_says(row: ModelRow) -> None:
    for name, changes in row.presets.items():
        chosen = choose_sampling(row, "cuda", name, {})
        plain = choose_sampling(row, "cuda", None, {}).model_dump()
        assert chosen.model_dump() == plain | changes
        assert all(getattr(chosen, key) == value for key, value in changes.items())


@pytest.mark.parametrize("name", ["playground-v2.5", "sdxl", "pixart-alpha", "deepfloyd-if", "videofusion"])
def test_the_five_models_of_the_paper_have_the_paper_s_steps_and_guidance(name: str) -> None:
    stated = {"deepfloyd-if": (100, 7.0), "videofusion": (50, 9.0)}
    sampling = choose_sampling(MODELS.get(name), "cuda", "paper", {})
    assert (sampling.steps, sampling.guidance) == stated.get(name, (50, 3.0))


@pytest.mark.parametrize("row", [row for row in ROWS if row.sampling.is_video], ids=lambda row: row.name)
def test_the_kept_frames_of_a_video_row_are_eight_spread_from_the_first_to_the_last(row: ModelRow) -> None:
    sampling = row.sampling
    assert sampling.frames is not None
    assert sampling.fps is not None
    assert sampling.kept_frames == spread_frames(sampling.frames)
    assert (len(sampling.kept_frames), sampling.kept_frames[0], sampling.kept_frames[-1]) == (8, 0, sampling.frames - 1)


def test_the_paper_looks_at_three_frames_of_videofusion() -> None:
    chosen = choose_sampling(MODELS.get("videofusion"), "cuda", "paper", {})
    assert (chosen.frames, chosen.kept_frames) == (16, (0, 6, 15))


def test_the_stages_of_deepfloyd_sum_up_to_its_size() -> None:
    row = MODELS.get("deepfloyd-if")
    first, factor = 64, 4  # IF-I draws 64 pixels; IF-II draws 256; the upscaler makes four of each
    stages = row.sampling.upscaling or ()
    assert (row.sampling.width_px, row.sampling.height_px) == (first * factor ** len(stages),) * 2


@pytest.mark.parametrize("row", [row for row in ROWS if recipe_of(row.pipeline)], ids=lambda row: row.name)
def test_every_argument_of_a_text_recipe_is_one_of_the_call(row: ModelRow) -> None:
    recipe = recipe_of(row.pipeline)
    assert recipe is not None
    names = set(recipe.outputs)
    if "negative prompt" in row.honours or row.name == "z-image-turbo":
        names |= {recipe.negative_name(name) for name in recipe.outputs}
    assert names <= set(call_of(row))


@pytest.mark.parametrize(
    ("family", "config", "changes"),
    [
        ("flux", {}, {"guidance_argument": "guidance_scale", "true_guidance_argument": "true_cfg_scale"}),
        ("flux-schnell", {}, {"guidance_argument": "true_cfg_scale", "true_guidance_argument": None}),
        ("qwen", {}, {"guidance_argument": "true_cfg_scale", "true_guidance_argument": None}),
        ("flux2-klein", {}, {"guidance_argument": "guidance_scale", "can_negate": False}),
        ("flux2-klein", {"is_distilled": True}, {"guidance_argument": None, "honours": ("seed",)}),
        ("wan", {}, {"is_video": True, "can_negate": True}),
        ("sd", {}, {"is_video": False, "can_negate": True}),
        ("if-1", {}, {"honours": ("negative prompt", "guidance", "seed")}),
    ],
)
def test_what_a_folder_can_do_is_read_from_its_class_and_its_configs(
    family_folder: Callable[[str], Path], family: str, config: dict[str, Any], changes: dict[str, Any]
) -> None:
    folder = family_folder(family)
    index = json.loads((folder / "model_index.json").read_text())
    able = read_capabilities(Source(str(folder), family), index | config)
    assert {name: getattr(able, name) for name in changes} == changes


def test_a_network_that_takes_guidance_as_an_input_lets_no_negative_prompt_act() -> None:
    """Latent consistency models: `time_cond_proj_dim` is how their UNet hears of guidance."""
    plain = capabilities_of(diffusers.StableDiffusionPipeline, {"time_cond_proj_dim": None})
    distilled = capabilities_of(diffusers.StableDiffusionPipeline, {"time_cond_proj_dim": 256})
    assert (plain.can_negate, distilled.can_negate) == (True, False)
    assert plain.guidance_argument == distilled.guidance_argument == "guidance_scale"


@pytest.mark.parametrize(("guidance", "true_guidance", "scale"), [(3.5, None, 1.0), (3.5, 4.0, 4.0), (None, None, 1.0)])
def test_the_scale_that_lets_a_negative_prompt_act_is_true_guidance_where_there_are_two(
    family_folder: Callable[[str], Path], guidance: float | None, true_guidance: float | None, scale: float
) -> None:
    able = read_capabilities(Source(str(family_folder("flux")), "flux"))
    assert able.cfg_scale(guidance, true_guidance) == scale


def test_a_distilled_folder_has_no_setting_guidance(family_folder: Callable[[str], Path], tmp_path: Path) -> None:
    import shutil

    from copycat.errors import UnsupportedError

    folder = Path(shutil.copytree(family_folder("flux2-klein"), tmp_path / "klein"))
    index = folder / "model_index.json"
    index.write_text(json.dumps(json.loads(index.read_text()) | {"is_distilled": True}))
    for row in (resolve_model(str(folder)), MODELS.get("flux2-klein")):
        assert row.sampling.guidance is None
        with pytest.raises(UnsupportedError, match=f"'{row.name}' has no setting 'guidance'\n  leave out --guidance"):
            choose_sampling(row, "cpu", None, {"guidance": 4.0})
