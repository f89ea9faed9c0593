"""Erasures that nobody trained: a pipeline's own tensors with noise on them, saved as a finished erasure is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from copycat.models.diffusers_model import DiffusersModel
from copycat.models.erased import CARD, DELTA
from copycat.models.resolve import resolve_model
from copycat.paths import file_sha256
from copycat.schema import ErasureCard

WEIGHTS = {
    "unet": ("unet/diffusion_pytorch_model.safetensors", ".attn2.to_k.weight"),
    "text_encoder": ("text_encoder/model.safetensors", ".q_proj.weight"),
}
"""Of a component: its file, and how the parameters that are edited end."""


def save_erasure(
    model: Path, folder: Path, *components: str, size: float = 1.0, noise: int = 0, **changes: Any
) -> ErasureCard:
    """Save an erasure of a pipeline's folder.

    Args:
        components: that are edited; the denoiser if none is named.
        size: of the noise. noise: its seed.
        changes: to the card.
    """
    tensors: dict[str, torch.Tensor] = {}
    generator = torch.Generator().manual_seed(noise)
    for component in components or ("unet",):
        file, ending = WEIGHTS[component]
        for name, value in load_file(model / file).items():
            if name.endswith(ending):
                tensors[f"{component}.{name}"] = value + size * torch.randn(value.shape, generator=generator)
    assert tensors
    folder.mkdir(parents=True)
    save_file(tensors, folder / DELTA)
    identity = DiffusersModel(resolve_model(str(model)), "cpu").identify()
    fields: dict[str, Any] = {
        "method": "esd",
        "preset": "corrected",
        "settings": {},
        "concepts": ("Goofy",),
        "seed": 0,
        "model": model.name,
        "source": identity.source,
        "revision": identity.revision,
        "pipeline": "StableDiffusionPipeline",
        "delta_sha256": file_sha256(folder / DELTA),
        "n_parameters": sum(value.numel() for value in tensors.values()),
        "steps": 3,
        "planned": 3,
        "status": "finished",
        "losses": {"erase": 0.5},
        "seconds": 1.5,
        "device": "cpu",
        "dtype": "float32",
        "versions": {},
    }
    card = ErasureCard.model_validate(fields | changes)
    (folder / CARD).write_text(card.model_dump_json(), encoding="utf-8")
    return card
