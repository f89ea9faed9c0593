"""The stages of training, each resumable and each reading only what earlier ones wrote.

    corpus -> pictures.npy, captions.parquet
    vae    -> vae/            diffusion -> pipeline/
    judge  -> judge/          oracle    -> oracle/
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from copycat.sandbox.corpus import Pixels, build_rows, nameless_captions, render_many, write_captions
from copycat.sandbox.train.loop import Report, Schedule, fit

if TYPE_CHECKING:
    from diffusers import AutoencoderKL

DIFFUSION_SCHEDULE = Schedule(steps=7000, peak_lr=1e-3, decay="cosine", ema=0.999)
VAE_SCHEDULE = Schedule(steps=3200, peak_lr=3e-3, decay="linear")


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """Where and how to train. `effort` scales every number of steps (1 is what was shipped)."""

    folder: Path
    device: torch.device
    effort: float
    progress: Callable[[str, int], Report]

    def schedule(self, full: Schedule) -> Schedule:
        """Scale a schedule by the effort."""
        return replace(full, steps=max(1, round(full.steps * self.effort)))


def make_corpus(shop: Workshop) -> Pixels:
    """Draw the training pictures, or load them if they are there."""
    path = shop.folder / "pictures.npy"
    rows = build_rows()
    write_captions(rows, shop.folder / "captions.parquet")
    if not path.exists():
        fresh = path.with_suffix(".new.npy")
        np.save(fresh, render_many([(row.looks, row.seed) for row in rows]))
        fresh.replace(path)
    pixels: Pixels = np.load(path, mmap_mode="r")
    return pixels


def train_vae(shop: Workshop) -> None:
    """Train the autoencoder and write it with the latents' scale in its config."""
    from copycat.sandbox.train.vae import VaeLoss, encode, new_vae

    pixels = np.array(make_corpus(shop))
    torch.manual_seed(0)
    vae = new_vae().to(shop.device).to(memory_format=torch.channels_last)
    schedule = shop.schedule(VAE_SCHEDULE)
    report = shop.progress("vae", schedule.steps)
    fit(vae, VaeLoss(vae, pixels, shop.device), schedule, shop.folder / "vae.checkpoint.safetensors", report)
    scale = 1 / float(encode(vae, pixels[:2048], shop.device).std())
    vae.register_to_config(scaling_factor=round(scale, 5))
    vae.save_pretrained(shop.folder / "vae")


def train_diffusion(shop: Workshop) -> None:
    """Train tokenizer, text encoder and UNet on the captioned pictures; write the whole pipeline."""
    from diffusers import AutoencoderKL

    from copycat.sandbox.train.diffusion import (
        Denoiser,
        DenoisingLoss,
        assemble,
        new_text_encoder,
        new_unet,
        tokenise,
    )
    from copycat.sandbox.train.tokenizer import train_tokenizer

    rows = build_rows()
    tokenizer = train_tokenizer(nameless_captions(rows))
    vae = AutoencoderKL.from_pretrained(shop.folder / "vae").to(shop.device)
    latents = _latents(shop, vae) * vae.config.scaling_factor
    torch.manual_seed(0)
    model = Denoiser(new_text_encoder(tokenizer), new_unet()).to(shop.device)
    model.unet.to(memory_format=torch.channels_last)
    model.plain_attention(True)
    tokens, empty = tokenise(tokenizer, [row.caption for row in rows]), tokenise(tokenizer, [""])
    schedule = shop.schedule(DIFFUSION_SCHEDULE)
    loss = DenoisingLoss(model, latents, tokens, empty, shop.device)
    checkpoint = shop.folder / "diffusion.checkpoint.safetensors"
    fit(model, loss, schedule, checkpoint, shop.progress("diffusion", schedule.steps))
    model.plain_attention(False)
    pipeline = assemble(vae, model, tokenizer).to(torch.float16)
    pipeline.save_pretrained(shop.folder / "pipeline", safe_serialization=True)


def _latents(shop: Workshop, vae: AutoencoderKL) -> torch.Tensor:
    """Encode the training pictures once and keep the latents beside them."""
    from safetensors.torch import load_file, save_file

    from copycat.sandbox.train.vae import encode

    path = shop.folder / "latents.safetensors"
    if not path.exists():
        save_file({"latents": encode(vae, np.array(make_corpus(shop)), shop.device)}, path)
    return load_file(path)["latents"]
