"""Safe Latent Diffusion against a denoising loop written by hand, and its formula on numbers worked by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline

from copycat.models.guidance.sld import SLD_VARIANTS, SldSettings, safety_term, sld_guidance

STEPS, GUIDANCE, SIDE_PX, CHANNELS, SEED = 4, 6.0, 16, 4, 7
PIPELINES = {"sd": StableDiffusionPipeline, "sdxl": StableDiffusionXLPipeline}


class Text(NamedTuple):
    tokens: torch.Tensor
    pooled: torch.Tensor | None


def load(folder: Path, family: str) -> Any:
    """In float64: where a difference is all but the threshold, another rounding would steer or not."""
    pipeline = PIPELINES[family].from_pretrained(folder).to(torch.float64)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def encode(pipeline: Any, text: str) -> Text:
    found = pipeline.encode_prompt(text, device="cpu", num_images_per_prompt=1, do_classifier_free_guidance=False)
    return Text(found[0], found[2] if len(found) == 4 else None)


def predict(pipeline: Any, sample: torch.Tensor, timestep: torch.Tensor, text: Text) -> np.ndarray[Any, Any]:
    """Ask the network about one picture under one text, alone."""
    sizes = torch.tensor([[SIDE_PX, SIDE_PX, 0, 0, SIDE_PX, SIDE_PX]], dtype=torch.float64)
    more = {} if text.pooled is None else {"added_cond_kwargs": {"text_embeds": text.pooled, "time_ids": sizes}}
    return pipeline.unet(sample, timestep, encoder_hidden_states=text.tokens, **more).sample.numpy()


def drawn_by_hand(pipeline: Any, prompt: Text, concept: Text, settings: SldSettings) -> torch.Tensor:
    """Denoise one picture step by step with the formula of the paper; texts that are zeros stand for none in SDXL."""
    empty = encode(pipeline, "")
    if empty.pooled is not None:
        empty = Text(empty.tokens * 0, empty.pooled * 0)
    scheduler = type(pipeline.scheduler).from_config(pipeline.scheduler.config)
    scheduler.set_timesteps(STEPS)
    latents = noise(pipeline) * scheduler.init_noise_sigma
    momentum = np.zeros(latents.shape)
    for step, timestep in enumerate(scheduler.timesteps):
        sample = scheduler.scale_model_input(latents, timestep)
        null, wanted, unsafe = (predict(pipeline, sample, timestep, text) for text in (empty, prompt, concept))
        size = np.minimum(1, np.abs(settings.scale * (wanted - unsafe)))
        size = np.where(wanted - unsafe < settings.threshold, size, 0)
        away = size * (unsafe - null) + settings.momentum_scale * momentum
        momentum = settings.momentum * momentum + (1 - settings.momentum) * away
        if step < settings.warm_up:
            away = 0 * away
        guided = null + GUIDANCE * (wanted - null - away)
        latents = scheduler.step(torch.from_numpy(guided), timestep, latents).prev_sample
    return latents


def noise(pipeline: Any) -> torch.Tensor:
    side = SIDE_PX // pipeline.vae_scale_factor
    return torch.randn((1, CHANNELS, side, side), generator=torch.Generator().manual_seed(SEED), dtype=torch.float64)


def drawn(pipeline: Any) -> torch.Tensor:
    return pipeline(
        "ab cat",
        num_inference_steps=STEPS,
        guidance_scale=GUIDANCE,
        height=SIDE_PX,
        width=SIDE_PX,
        latents=noise(pipeline),
        output_type="latent",
    ).images


@pytest.mark.parametrize("family", PIPELINES)
@pytest.mark.parametrize("variant", SLD_VARIANTS)
@torch.no_grad()
def test_the_guided_pipeline_draws_what_a_loop_with_the_paper_s_formula_draws(
    family_folder: Callable[[str], Path], family: str, variant: str
) -> None:
    pipeline = load(family_folder(family), family)
    settings = SLD_VARIANTS[variant].model_copy(update={"warm_up": min(1, SLD_VARIANTS[variant].warm_up)})
    concept = encode(pipeline, "cat")
    rows = {"prompt_embeds": concept.tokens, "pooled_prompt_embeds": concept.pooled}
    by_hand = drawn_by_hand(pipeline, encode(pipeline, "ab cat"), concept, settings)
    plain = drawn(pipeline)
    with sld_guidance(pipeline.unet, rows, settings):
        guided = drawn(pipeline)
    assert (guided - by_hand).abs().max() < 1e-6 * by_hand.abs().max()
    assert (guided - plain).abs().max() > 1e-2


def test_the_loop_by_hand_without_a_scale_is_the_plain_pipeline(family_folder: Callable[[str], Path]) -> None:
    pipeline = load(family_folder("sd"), "sd")
    with torch.no_grad():
        by_hand = drawn_by_hand(pipeline, encode(pipeline, "ab cat"), encode(pipeline, "cat"), SldSettings(scale=0))
        assert (drawn(pipeline) - by_hand).abs().max() < 1e-6 * by_hand.abs().max()


def test_the_term_of_one_value_is_what_the_formula_gives_by_hand() -> None:
    settings = SldSettings(scale=2, threshold=0.25, momentum_scale=0.5, momentum=0.75)
    null, unsafe = torch.tensor([1.0, 1.0, 1.0, 1.0]), torch.tensor([3.0, 3.0, 3.0, 3.0])
    # e_c - e_s: -0.25 is scaled to 0.5; -4 is cut to 1; 0.25 reaches the threshold; 0.125 does not, 0.25 of it
    prompted, momentum = torch.tensor([2.75, -1.0, 3.25, 3.125]), torch.tensor([0.0, 2.0, 0.0, 0.0])
    term, following = safety_term(null, prompted, unsafe, momentum, settings)
    assert term.tolist() == [1.0, 3.0, 0.0, 0.5]
    assert following.tolist() == [0.25, 2.25, 0.0, 0.125]


def test_momentum_builds_up_before_the_first_steered_step(family_folder: Callable[[str], Path]) -> None:
    pipeline = load(family_folder("sd"), "sd")
    concept = {"prompt_embeds": encode(pipeline, "cat").tokens}
    found = []
    for scale in (0.0, 0.9):
        settings = SldSettings(warm_up=STEPS - 1, threshold=1.0, momentum_scale=scale, momentum=0.5)
        with sld_guidance(pipeline.unet, concept, settings):
            found.append(drawn(pipeline))
    assert (found[0] - found[1]).abs().max() > 1e-4


def test_the_four_variants_are_the_published_ones() -> None:
    assert {name: tuple(settings.model_dump().values()) for name, settings in SLD_VARIANTS.items()} == {
        "weak": (15, 200, 0.0, 0.0, 0.0),
        "medium": (10, 1000, 0.01, 0.3, 0.4),
        "strong": (7, 2000, 0.025, 0.5, 0.7),
        "max": (0, 5000, 1.0, 0.5, 0.7),
    }
