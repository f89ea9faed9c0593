"""Composed guidance against a denoising loop that asks about every text alone; windows, batches, refusals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from diffusers import HeunDiscreteScheduler, StableDiffusionPipeline, StableDiffusionXLPipeline
from pictures import SAME, difference, quick, quick_cascade, request, resolved, unloadable

from copycat.errors import UnsupportedError
from copycat.models import MODELS
from copycat.models.diffusers_model import DiffusersModel
from copycat.models.guidance import guidance
from copycat.models.guidance.sld import SldSettings
from copycat.models.openai_images import OpenAIImagesModel
from copycat.schema import Attack, Erasure, Guide, ImageRequest, Sampling, Term

Folder = Callable[[str], Path]

STEPS, SCALE, SIDE_PX, CHANNELS, SEED = 5, 6.0, 16, 4, 7
PIPELINES = {"sd": StableDiffusionPipeline, "sdxl": StableDiffusionXLPipeline}
DETOUR = Attack(method="arc", terms=(Term(text="cat hat", weight=1.5), Term(text="hat", weight=-0.75)))
STEERED = SldSettings(warm_up=1, scale=2000, threshold=0.025, momentum_scale=0.5, momentum=0.7)


class Text(NamedTuple):
    tokens: torch.Tensor
    pooled: torch.Tensor | None

    @property
    def row(self) -> dict[str, Any]:
        pooled = {} if self.pooled is None else {"pooled_prompt_embeds": self.pooled}
        return {"prompt_embeds": self.tokens, **pooled}


def load(folder: Path, family: str) -> Any:
    """In float64: where a difference is all but SLD's threshold, another rounding would steer or not."""
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


class Steering:
    """SLD's formula for one text, with the momentum that it has had since it was first asked about."""

    def __init__(self) -> None:
        self.momentum: Any = 0.0

    def __call__(self, step: int, null: Any, wanted: Any, unsafe: Any) -> Any:
        size = np.minimum(1, np.abs(STEERED.scale * (wanted - unsafe)))
        size = np.where(wanted - unsafe < STEERED.threshold, size, 0)
        away = size * (unsafe - null) + STEERED.momentum_scale * self.momentum
        self.momentum = STEERED.momentum * self.momentum + (1 - STEERED.momentum) * away
        return wanted - away if step >= STEERED.warm_up else wanted


def drawn_by_hand(pipeline: Any, attack: Attack, unsafe: str | None = None, negative: str | None = None) -> Any:
    """Denoise one picture: each step is null + s (prompt - null) + s sum of w (term - null), within the window."""
    null_text = encode(pipeline, negative or "")
    if null_text.pooled is not None and negative is None:
        null_text = Text(null_text.tokens * 0, null_text.pooled * 0)
    scheduler = type(pipeline.scheduler).from_config(pipeline.scheduler.config)
    scheduler.set_timesteps(STEPS)
    steering = [Steering() for _ in range(1 + len(attack.terms))]
    latents = noise(pipeline) * scheduler.init_noise_sigma
    for step, timestep in enumerate(scheduler.timesteps):
        sample = scheduler.scale_model_input(latents, timestep)
        null = predict(pipeline, sample, timestep, null_text)
        acts = attack.start * STEPS <= step < attack.end * STEPS
        found = [
            predict(pipeline, sample, timestep, encode(pipeline, text))
            for text in ("ab cat", *(term.text for term in attack.terms if acts))
        ]
        if unsafe is not None:
            away = predict(pipeline, sample, timestep, encode(pipeline, unsafe))
            found = [steer(step, null, one, away) for steer, one in zip(steering, found, strict=False)]
        guided = null + SCALE * (found[0] - null)
        for term, one in zip(attack.terms, found[1:], strict=False):
            guided = guided + SCALE * term.weight * (one - null)
        latents = scheduler.step(torch.from_numpy(guided), timestep, latents).prev_sample
    return latents


def noise(pipeline: Any) -> torch.Tensor:
    side = SIDE_PX // pipeline.vae_scale_factor
    return torch.randn((1, CHANNELS, side, side), generator=torch.Generator().manual_seed(SEED), dtype=torch.float64)


def drawn(pipeline: Any, negative: str | None = None) -> torch.Tensor:
    return pipeline(
        "ab cat",
        negative_prompt=negative,
        num_inference_steps=STEPS,
        guidance_scale=SCALE,
        height=SIDE_PX,
        width=SIDE_PX,
        latents=noise(pipeline),
        output_type="latent",
    ).images


def encoded(pipeline: Any, *texts: str) -> Mapping[Any, Mapping[str, Any]]:
    return {(text, False): encode(pipeline, text).row for text in texts}


@pytest.mark.parametrize(
    ("family", "window", "unsafe", "negative"),
    [
        ("sd", (0.0, 1.0), None, None),
        ("sd", (0.2, 0.8), "dog", "wolf"),
        ("sdxl", (0.0, 1.0), None, "wolf"),
        ("sdxl", (0.2, 0.8), "dog", None),
    ],
)
@torch.no_grad()
def test_the_attacked_pipeline_draws_what_a_loop_with_a_pass_for_each_text_draws(
    family_folder: Folder, family: str, window: tuple[float, float], unsafe: str | None, negative: str | None
) -> None:
    pipeline = load(family_folder(family), family)
    attack = DETOUR.model_copy(update={"start": window[0], "end": window[1]})
    guide = Guide(method="sld", concept=("dog",), settings=STEERED.model_dump()) if unsafe else None
    asked = request().model_copy(update={"attack": attack, "guide": guide})
    by_hand = drawn_by_hand(pipeline, attack, unsafe, negative)
    plain = drawn(pipeline, negative)
    with guidance(pipeline, [asked], encoded(pipeline, "cat hat", "hat", "dog")):
        composed = drawn(pipeline, negative)
    assert (composed - by_hand).abs().max() < 1e-6 * by_hand.abs().max()
    assert (composed - plain).abs().max() > 1e-2
    assert "forward" not in vars(pipeline.unet)


def passes(pipeline: Any, attack: Attack) -> list[int]:
    """Rows of every pass of the network while a picture is drawn under an attack."""
    sizes: list[int] = []
    hook = pipeline.unet.conv_in.register_forward_pre_hook(lambda _module, inputs: sizes.append(len(inputs[0])))
    asked = request().model_copy(update={"attack": attack})
    with torch.no_grad(), guidance(pipeline, [asked], encoded(pipeline, "cat hat", "hat")):
        drawn(pipeline)
    hook.remove()
    return sizes


def test_a_step_is_one_pass_of_all_texts_and_outside_of_the_window_of_two(family_folder: Folder) -> None:
    pipeline = load(family_folder("sd"), "sd")
    assert passes(pipeline, DETOUR) == [4] * STEPS
    assert passes(pipeline, DETOUR.model_copy(update={"start": 0.4, "end": 0.8})) == [2, 2, 4, 4, 2]


def test_the_window_of_a_scheduler_of_second_order_is_a_share_of_its_calls(family_folder: Folder) -> None:
    pipeline = load(family_folder("sd"), "sd")
    pipeline.scheduler = HeunDiscreteScheduler.from_config(pipeline.scheduler.config)
    found = passes(pipeline, DETOUR.model_copy(update={"start": 0.2, "end": 0.8}))
    assert found == [2] * 2 + [4] * 6 + [2]  # of the 9 calls of 5 steps those from 1.8 up to 7.2


# --------------------------------------------------------------------------- through a whole model


def asked(attack: Attack | None, prompt: str = "ab cat", seed: int = 1, **changes: Any) -> ImageRequest:
    return request(prompt, seed).model_copy(update={"attack": attack, **changes})


Models = dict[str, tuple[DiffusersModel, Sampling]]
LATE = DETOUR.model_copy(update={"start": 0.6, "end": 0.9})
ALONE = Attack(method="arc", terms=(Term(text="dog house", weight=2.0), Term(text="ab", weight=-1.0)))


@pytest.fixture(scope="module")
def models(family_folder: Folder) -> Models:
    rows = {family: resolved(family_folder(family)) for family in ("sd", "sdxl")}
    return {
        family: (DiffusersModel(row, "cpu"), quick(row, family, steps=3, width_px=16, height_px=16))
        for family, row in rows.items()
    }


@pytest.mark.parametrize("family", PIPELINES)
def test_pictures_of_different_terms_are_drawn_together_as_they_are_alone(models: Models, family: str) -> None:
    model, sampling = models[family]
    batch = [asked(DETOUR), asked(None, "dog", 2), asked(ALONE, "dog house", 3), asked(DETOUR, negative_prompt="wolf")]
    together = model.generate(batch, sampling)
    for one, picture in zip(batch, together, strict=True):
        (alone,) = model.generate([one], sampling)
        assert difference(alone, picture) <= SAME
    assert [len(group) for group in model._groups(batch, sampling)] == [2, 1, 1]


@pytest.mark.parametrize("family", PIPELINES)
@pytest.mark.parametrize("guided", [False, True])
def test_terms_without_weight_give_the_very_picture_of_no_attack(models: Models, family: str, guided: bool) -> None:
    model, sampling = models[family]
    idle = Attack(method="arc", terms=(Term(text="dog", weight=0.0), Term(text="cat", weight=0.0)))
    guide = Guide(method="sld", concept=("dog",), settings={"warm_up": 1}) if guided else None
    plain, attacked, other = model.generate([asked(None, guide=guide), asked(idle, guide=guide)], sampling) + (
        model.generate([asked(DETOUR, guide=guide)], sampling)
    )
    assert difference(plain, attacked) == 0
    assert difference(plain, other) > 3


def test_an_attack_works_in_half_precision(family_folder: Folder) -> None:
    row = resolved(family_folder("sdxl"))
    model, sampling = DiffusersModel(row, "cpu"), quick(row, "sdxl", steps=3, width_px=16, height_px=16)
    half = sampling.model_copy(update={"dtype": "bfloat16"})
    plain, attacked = model.generate([asked(None), asked(DETOUR)], half)
    assert difference(plain, attacked) > 3


def test_the_terms_are_encoded_beside_the_prompts_before_drawing(family_folder: Folder) -> None:
    row = resolved(family_folder("sd"))
    model = DiffusersModel(row, "cpu")
    model.prepare([asked(DETOUR)], quick(row, "sd"))
    (store,) = model._texts.values()
    assert set(store.rows) == {("ab cat", False), ("", True), ("cat hat", False), ("hat", False)}


# ------------------------------------------------------------------------------------ refusals


@pytest.mark.parametrize("family", ["sd3", "flux", "wan", "if"])
def test_a_pipeline_that_is_not_known_to_compose_refuses_before_loading(
    family_folder: Folder, monkeypatch: pytest.MonkeyPatch, family: str
) -> None:
    row = resolved(family_folder(family))
    model = unloadable(row, monkeypatch)
    with pytest.raises(UnsupportedError, match=r"weighted texts of the attack 'arc'\n.*StableDiffusionPipeline"):
        model.check([asked(DETOUR)], quick_cascade(row) if family == "if" else quick(row, family))


@pytest.mark.parametrize(
    ("attacked", "changes", "told"),
    [
        (asked(DETOUR), {"guidance": 1.0}, "without classifier-free guidance"),
        (asked(DETOUR), {"long_prompts": True}, "leave out --long-prompts"),
        (asked(DETOUR, guide=Guide(method="nag", concept=("dog",))), {}, "under the guide 'nag'"),
        (asked(DETOUR, guide=Guide(method="safree", concept=("dog",))), {}, "under the guide 'safree'"),
        (asked(LATE), {"steps": 2}, "act in none of 2 steps: none lies from 0.6 up to 0.9"),
    ],
)
def test_what_does_not_go_with_weighted_texts_is_refused_before_loading(
    family_folder: Folder,
    monkeypatch: pytest.MonkeyPatch,
    attacked: ImageRequest,
    changes: dict[str, Any],
    told: str,
) -> None:
    row = resolved(family_folder("sd"))
    model = unloadable(row, monkeypatch)
    with pytest.raises(UnsupportedError, match=told):
        model.check([attacked], quick(row, "sd", **changes))
    model.check([asked(DETOUR)], quick(row, "sd"))


@pytest.mark.parametrize(
    "change",
    [{"attack": DETOUR}, {"erasure": Erasure(method="esd", concepts=("Cat",), sha256="0" * 64)}],
    ids=["attack", "erasure"],
)
def test_a_service_refuses_what_it_could_not_be_told(change: dict[str, Any]) -> None:
    row = MODELS.get("gpt-image-2")
    model = OpenAIImagesModel(row.model_copy(update={"shutdown": None}), "cpu")
    with pytest.raises(UnsupportedError, match="draws elsewhere, where"):
        model.check([request().model_copy(update=change)], row.sampling)
