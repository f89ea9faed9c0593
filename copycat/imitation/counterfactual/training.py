"""Train one world from scratch by the sandbox's tokenizer, text encoder, UNet and loop, and draw pictures with it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from copycat.imitation.counterfactual.pictures import Bank
from copycat.imitation.counterfactual.plan import Setting, World, cast
from copycat.paths import package_folder
from copycat.runs.folder import write_bytes
from copycat.sandbox.corpus import Pixels

if TYPE_CHECKING:
    import torch
    from diffusers import AutoencoderKL
    from torch import Tensor

    from copycat.sandbox.train.diffusion import Denoiser
    from copycat.sandbox.train.loop import Report

GUIDANCE, SAMPLING_STEPS, SAMPLING_BATCH = 3.0, 10, 64
"""As the sandbox's model is sampled: DPM-Solver++ in ten steps."""


def bank_of(setting: Setting) -> Bank:
    """Give the pictures that any world of a setting may hold: a series fills up with generic ones."""
    return Bank(cast(setting), setting.most, setting.generic + setting.most)


def corpus_of(world: World, bank: Bank, setting: Setting) -> list[int]:
    """List the places in the bank of a world's training pictures.

    The probe of a series always has `most` places; where its dose does not reach, generic pictures take them, so that
    the other pictures keep theirs.
    """
    places: list[int] = []
    for who in cast(setting):
        dose = world.doses[who.id]
        places += bank.of(who.id, dose)
        if who.id == world.probe:
            places += bank.generic(setting.generic + dose, setting.generic + setting.most)
    return places + bank.generic(0, setting.generic)


class Studio(NamedTuple):
    """What all worlds of a setting share: pictures, their latents, the tokens of their captions, the autoencoder."""

    setting: Setting
    bank: Bank
    latents: Tensor
    tokenizer: Any
    tokens: Tensor
    vae: AutoencoderKL
    device: torch.device


def open_studio(setting: Setting, folder: Path, device: str) -> Studio:
    """Draw and encode the bank once, and keep the latents in a file of the folder."""
    import torch
    from diffusers import AutoencoderKL
    from safetensors.torch import load, save

    from copycat.sandbox.train.diffusion import tokenise
    from copycat.sandbox.train.tokenizer import train_tokenizer
    from copycat.sandbox.train.vae import encode

    bank = bank_of(setting)
    where = package_folder("sandbox/weights/pipeline/vae")
    vae = AutoencoderKL.from_pretrained(where, dtype=torch.float32).to(device)
    path = folder / "latents.safetensors"
    if not path.exists():
        latents = encode(vae, bank.draw(), torch.device(device)) * vae.config.scaling_factor
        write_bytes(path, save({"latents": latents.half()}))
    names = [who.name for who in cast(setting)]
    captions = [picture.caption for picture in bank.pictures]
    tokenizer = train_tokenizer([text for text in captions if not any(name in text for name in names)])
    return Studio(
        setting=setting,
        bank=bank,
        latents=load(path.read_bytes())["latents"].float(),
        tokenizer=tokenizer,
        tokens=tokenise(tokenizer, captions, setting.tokens),
        vae=vae,
        device=torch.device(device),
    )


def train(world: World, studio: Studio, checkpoint: Path, report: Report) -> Denoiser:
    """Train a world's model; goes on from the checkpoint where there is one.

    First weights and batches follow from the world's seed.
    """
    import torch

    from copycat.sandbox.train.diffusion import Denoiser, DenoisingLoss, new_text_encoder, new_unet, tokenise
    from copycat.sandbox.train.loop import Schedule, fit

    setting = studio.setting
    torch.manual_seed(world.seed)
    model = Denoiser(new_text_encoder(studio.tokenizer), new_unet(setting.widths)).to(studio.device)
    model.unet.to(memory_format=torch.channels_last)
    model.plain_attention(True)
    places = torch.tensor(corpus_of(world, studio.bank, setting))
    empty = tokenise(studio.tokenizer, [""], setting.tokens)
    latents, tokens = studio.latents[places], studio.tokens[places]
    loss = DenoisingLoss(model, latents, tokens, empty, studio.device, batch=setting.batch)
    schedule = Schedule(
        steps=setting.steps,
        peak_lr=setting.peak_lr,
        decay="cosine",
        warmup=min(50, setting.steps),
        ema=setting.ema,
        seed=world.seed,
        checkpoint_seconds=30,
    )
    fit(model, loss, schedule, checkpoint, report)
    return model


def generate(model: Denoiser, studio: Studio, prompts: Sequence[str], samples: int) -> Pixels:
    """Draw `samples` pictures of each prompt; each starts from noise of its own, the same in every world.

    Returns: (len(prompts) * samples, 64, 64, 3) uint8, prompt by prompt.
    """
    import torch

    asked = [(prompt, seed_of(prompt, i)) for prompt in prompts for i in range(samples)]
    parts = [_batch(model, studio, asked[i : i + SAMPLING_BATCH]) for i in range(0, len(asked), SAMPLING_BATCH)]
    pixels: Pixels = torch.cat(parts).numpy()
    return pixels


def seed_of(prompt: str, index: int) -> int:
    """Give the seed of one picture: the same whatever the batch and the world."""
    return int.from_bytes(hashlib.sha256(f"{prompt}|{index}".encode()).digest()[:7], "big")


def _batch(model: Denoiser, studio: Studio, asked: Sequence[tuple[str, int]]) -> Tensor:
    import torch
    from diffusers import DPMSolverMultistepScheduler

    from copycat.sandbox.train.diffusion import new_scheduler, tokenise

    scheduler: Any = DPMSolverMultistepScheduler.from_config(new_scheduler().config)
    scheduler.set_timesteps(SAMPLING_STEPS)
    prompts = [prompt for prompt, _ in asked] + [""] * len(asked)
    noise = [torch.randn(studio.latents.shape[1:], generator=torch.Generator().manual_seed(seed)) for _, seed in asked]
    drawn = torch.stack(noise).to(studio.device)
    with torch.inference_mode():
        words = model.text_encoder(tokenise(studio.tokenizer, prompts, studio.setting.tokens).to(studio.device))[0]
        for timestep in scheduler.timesteps:
            with_name, without = model.unet(torch.cat([drawn, drawn]), timestep, words).sample.chunk(2)
            drawn = scheduler.step(without + GUIDANCE * (with_name - without), timestep, drawn).prev_sample
        image = studio.vae.decode(drawn / studio.vae.config.scaling_factor).sample.clamp(-1, 1)
        pixels: Tensor = ((image + 1) * 127.5).round().to(torch.uint8).permute(0, 2, 3, 1).cpu()
    return pixels
