"""Real open_clip and DINOv2 models with random weights, in the form in which judges read them; their references."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Sequence
from pathlib import Path

import open_clip
import torch
from PIL.Image import Image
from safetensors.torch import save_file

from copycat.sandbox.renderer import render
from copycat.sandbox.world import inhabitants

MODEL_CONFIG = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 64, "head_width": 32, "patch_size": 16},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
}
PREPROCESS_CONFIG = {
    "mean": [0.5, 0.5, 0.5],
    "std": [0.5, 0.5, 0.5],
    "interpolation": "bicubic",
    "resize_mode": "squash",
}
SETTINGS = {
    "character_template": "a picture of {}",
    "thing_template": "a picture of a {}",
    "none_texts": ["nobody", "somebody else"],
    "threshold": 0.0,
    "calibration": "none: the weights are random",
}
SEED = 3


def save_tiny_judge(folder: Path) -> Path:
    """Build it with the same weights every time, and save it."""
    folder.mkdir(parents=True)
    with torch.random.fork_rng():
        torch.manual_seed(SEED)
        model = open_clip.CLIP(**MODEL_CONFIG)
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, folder / "open_clip_model.safetensors")
    config = {"model_cfg": MODEL_CONFIG, "preprocess_cfg": PREPROCESS_CONFIG}
    (folder / "open_clip_config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "judge.json").write_text(json.dumps(SETTINGS), encoding="utf-8")
    return folder


COMMIT = "0123456789abcdef0123456789abcdef01234567"


def put_in_cache(cache: Path, repository: str, files: dict[str, Path], commit: str = COMMIT) -> Path:
    """Put files into a cache of the Hub as a download leaves them; returns the folder of the commit."""
    home = cache / f"models--{repository.replace('/', '--')}"
    folder = home / "snapshots" / commit
    folder.mkdir(parents=True)
    (home / "refs").mkdir(exist_ok=True)
    (home / "refs" / "main").write_text(commit)
    for name, path in files.items():
        shutil.copy(path, folder / name)
    return folder


def save_tiny_dino(folder: Path) -> Path:
    """Save a DINOv2 of a few thousand random weights with its processor, as transformers does."""
    from transformers import BitImageProcessor, Dinov2Config, Dinov2Model

    config = Dinov2Config(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=2, mlp_ratio=2, image_size=56, patch_size=14
    )
    with torch.random.fork_rng():
        torch.manual_seed(SEED)
        Dinov2Model(config).save_pretrained(folder)
    BitImageProcessor(size={"shortest_edge": 56}, crop_size={"height": 56, "width": 56}).save_pretrained(folder)
    return folder


def sandbox_render(number: int, seed: int) -> Image:
    """Draw the inhabitant of this number."""
    return render(inhabitants()[number].appearance, random.Random(f"{number}/{seed}"))


def save_references(folder: Path, pictures: dict[str, Sequence[Image]]) -> Path:
    """Save pictures as 'NAME/0.png', 'NAME/1.png', ..."""
    for name, shown in pictures.items():
        (folder / name).mkdir(parents=True)
        for number, picture in enumerate(shown):
            picture.save(folder / name / f"{number}.png")
    return folder
