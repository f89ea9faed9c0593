"""A real open_clip model with random weights, in the form in which OpenClipJudge reads one."""

from __future__ import annotations

import json
from pathlib import Path

import open_clip
import torch
from safetensors.torch import save_file

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
