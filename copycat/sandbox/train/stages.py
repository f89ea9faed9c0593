"""The stages of training, each resumable and each reading only what earlier ones wrote.

corpus -> pictures.npy, captions.parquet
vae    -> vae/            diffusion -> pipeline/
judge  -> judge/          oracle    -> oracle/
language -> language/, which is not part of the sandbox: it ranked one of its keyword lists
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from copycat.console import err
from copycat.paths import package_folder
from copycat.sandbox.corpus import Pixels, build_rows, nameless_captions, render_many, write_captions
from copycat.sandbox.train.loop import Report, Schedule, fit

if TYPE_CHECKING:
    from diffusers import AutoencoderKL

    from copycat.sandbox.train.judge import Example

SOFT_NOISE = 0.5
"""The most noise on the latents of the pictures that judge and oracle learn from, see `reconstruct`."""

VAE_SCHEDULE = Schedule(steps=7000, peak_lr=3e-3, decay="linear")
DIFFUSION_SCHEDULE = Schedule(steps=9000, peak_lr=1e-3, decay="cosine")
JUDGE_SCHEDULE = Schedule(steps=4000, peak_lr=2e-3, decay="cosine", weight_decay=0.01)
LANGUAGE_SCHEDULE = Schedule(steps=4000, peak_lr=3e-3, decay="cosine", weight_decay=0.01)
ORACLE_SCHEDULE = Schedule(steps=2000, peak_lr=2e-3, decay="cosine", weight_decay=0.01)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """Where and how to train. `effort` scales every number of steps (1 is what was shipped).

    `seed` draws first weights and batches (0 is what was shipped); the world and its pictures stay the same.
    """

    folder: Path
    device: torch.device
    effort: float
    progress: Callable[[str, int], Report]
    seed: int = 0

    def schedule(self, full: Schedule) -> Schedule:
        """Scale a schedule by the effort, and give it the seed."""
        return replace(full, steps=max(1, round(full.steps * self.effort)), seed=self.seed)


def make_corpus(shop: Workshop) -> Pixels:
    """Draw the training pictures, or load them if they are there."""
    path = shop.folder / "pictures.npy"
    rows = build_rows()
    write_captions(rows, shop.folder / "captions.parquet")
    if not path.exists():
        _announce(f"drawing {len(rows)} pictures")
        fresh = path.with_suffix(".new.npy")
        np.save(fresh, render_many([(row.looks, row.seed) for row in rows]))
        fresh.replace(path)
    pixels: Pixels = np.load(path, mmap_mode="r")
    return pixels


def train_vae(shop: Workshop) -> None:
    """Train the autoencoder and write it with the latents' scale in its config."""
    from copycat.sandbox.train.vae import VaeLoss, encode, new_vae

    pixels = np.array(make_corpus(shop))
    torch.manual_seed(shop.seed)
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
    torch.manual_seed(shop.seed)
    model = Denoiser(new_text_encoder(tokenizer), new_unet()).to(shop.device)
    model.unet.to(memory_format=torch.channels_last)
    model.plain_attention(True)
    tokens, empty = tokenise(tokenizer, [row.caption for row in rows]), tokenise(tokenizer, [""])
    loss = DenoisingLoss(model, latents, tokens, empty, shop.device)
    schedule = shop.schedule(DIFFUSION_SCHEDULE)
    checkpoint = shop.folder / "diffusion.checkpoint.safetensors"
    fit(model, loss, schedule, checkpoint, shop.progress("diffusion", schedule.steps))
    model.plain_attention(False)
    pipeline = assemble(vae, model, tokenizer).to(torch.float16)
    pipeline.save_pretrained(shop.folder / "pipeline", safe_serialization=True)


def _latents(shop: Workshop, vae: AutoencoderKL) -> Tensor:
    """Encode the training pictures once and keep the latents beside them."""
    from safetensors.torch import load_file, save_file

    from copycat.sandbox.train.vae import encode

    path = shop.folder / "latents.safetensors"
    if not path.exists():
        _announce("encoding the training pictures")
        save_file({"latents": encode(vae, np.array(make_corpus(shop)), shop.device)}, path)
    latents: Tensor = load_file(path)["latents"]
    return latents


def train_judge(shop: Workshop) -> None:
    """Train the judge on renders, fix its threshold on a validation split, and write it in open_clip's format."""
    from copycat.sandbox.train.calibrate import calibrate
    from copycat.sandbox.train.judge import JudgeLoss, draw_examples, labels_of, new_judge, save_judge

    examples = draw_examples("judge-train", positives=150, near=180, generic=4000)
    sharp, soft = _drawn(shop, "judge", examples)
    torch.manual_seed(shop.seed)
    model = new_judge().to(shop.device).to(memory_format=torch.channels_last)
    schedule = shop.schedule(JUDGE_SCHEDULE)
    loss = JudgeLoss(model, sharp, soft, labels_of(examples), shop.device)
    checkpoint = shop.folder / "judge.checkpoint.safetensors"
    fit(model, loss, schedule, checkpoint, shop.progress("judge", schedule.steps))
    save_judge(model, shop.folder / "judge")
    validation = draw_examples("judge-validation", positives=15, near=15, generic=500)
    sharp, soft = _drawn(shop, "judge-validation", validation)
    sharp[::2] = soft[::2]
    calibrate(shop.folder / "judge", validation, sharp)


def train_oracle(shop: Workshop) -> None:
    """Train the attribute classifier on renders of random appearances."""
    from safetensors.torch import save_file

    from copycat.sandbox.oracle import AttributeNet
    from copycat.sandbox.train.judge import labels_of
    from copycat.sandbox.train.oracle import OracleLoss, draw_uniform

    examples = draw_uniform("oracle-train", 18_000)
    sharp, soft = _drawn(shop, "oracle", examples)
    torch.manual_seed(shop.seed)
    net = AttributeNet().to(shop.device).to(memory_format=torch.channels_last)
    schedule = shop.schedule(ORACLE_SCHEDULE)
    loss = OracleLoss(net, sharp, soft, labels_of(examples), shop.device)
    checkpoint = shop.folder / "oracle.checkpoint.safetensors"
    fit(net, loss, schedule, checkpoint, shop.progress("oracle", schedule.steps))
    (shop.folder / "oracle").mkdir(exist_ok=True)
    state = {name: value.half().contiguous() for name, value in net.state_dict().items()}
    save_file(state, shop.folder / "oracle" / "oracle.safetensors")


def train_language(shop: Workshop) -> None:
    """Train a language model on the captions, and write it as a folder of transformers."""
    from copycat.sandbox.train.diffusion import tokenise
    from copycat.sandbox.train.language import LanguageLoss, new_language_model
    from copycat.sandbox.train.tokenizer import train_tokenizer

    rows = build_rows()
    tokenizer = train_tokenizer(nameless_captions(rows))
    torch.manual_seed(shop.seed)
    model = new_language_model(tokenizer).to(shop.device)
    tokens = tokenise(tokenizer, [row.caption for row in rows])
    schedule = shop.schedule(LANGUAGE_SCHEDULE)
    loss = LanguageLoss(model, tokens, int(tokenizer.eos_token_id), shop.device)
    checkpoint = shop.folder / "language.checkpoint.safetensors"
    fit(model, loss, schedule, checkpoint, shop.progress("language", schedule.steps))
    model.save_pretrained(shop.folder / "language")
    tokenizer.save_pretrained(shop.folder / "language")


def _drawn(shop: Workshop, name: str, examples: Sequence[Example]) -> tuple[Pixels, Pixels]:
    """Draw examples once, as they are and through the autoencoder with noise on the latents."""
    from diffusers import AutoencoderKL

    from copycat.sandbox.train.vae import reconstruct

    path = shop.folder / f"{name}.npz"
    if not path.exists():
        _announce(f"{name}: drawing {len(examples)} pictures, each also through the autoencoder")
        sharp = render_many([(example.looks, example.seed) for example in examples])
        vae = AutoencoderKL.from_pretrained(shop.folder / "vae").to(shop.device)
        fresh = path.with_suffix(".new.npz")
        np.savez(fresh, sharp=sharp, soft=reconstruct(vae, sharp, shop.device, noise=SOFT_NOISE))
        fresh.replace(path)
    with np.load(path) as stored:
        return stored["sharp"], stored["soft"]


def _announce(what: str) -> None:
    """Say on stderr what takes a minute or more without a step to report."""
    err.print(what, markup=False)


RUN: dict[str, Callable[[Workshop], None]] = {
    "vae": train_vae,
    "diffusion": train_diffusion,
    "judge": train_judge,
    "oracle": train_oracle,
    "language": train_language,
}
"""The stages by name, in the order in which they need each other."""


def install(shop: Workshop) -> None:
    """Copy the results into the package: the pipeline, the judge, the oracle; all fp16."""
    weights = package_folder("sandbox/weights")
    for part in ("pipeline", "judge", "oracle"):
        shutil.copytree(shop.folder / part, weights / part, dirs_exist_ok=True)
