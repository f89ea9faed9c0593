"""A style checkpoint of the form of CSD's with random weights, and what it says, by numpy alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL.Image import Image
from safetensors.torch import save_file

WIDTH, PATCH, GRID, LAYERS, HIDDEN, DIMENSIONS = 128, 8, 4, 2, 256, 24
SIDE = PATCH * GRID
MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)

State = dict[str, Any]


def tiny_state(seed: int = 0) -> State:
    """Draw the weights: those of a vision transformer of CLIP, two heads of 64, and the two heads of CSD."""
    dice = torch.Generator().manual_seed(seed)
    shapes: dict[str, tuple[int, ...]] = {
        "class_embedding": (WIDTH,),
        "positional_embedding": (GRID * GRID + 1, WIDTH),
        "conv1.weight": (WIDTH, 3, PATCH, PATCH),
    }
    for name in ("ln_pre", "ln_post", *(f"transformer.resblocks.{n}.ln_{i}" for n in range(LAYERS) for i in (1, 2))):
        shapes |= {f"{name}.weight": (WIDTH,), f"{name}.bias": (WIDTH,)}
    for n in range(LAYERS):
        block = f"transformer.resblocks.{n}"
        shapes |= {f"{block}.attn.in_proj_weight": (3 * WIDTH, WIDTH), f"{block}.attn.in_proj_bias": (3 * WIDTH,)}
        shapes |= {f"{block}.attn.out_proj.weight": (WIDTH, WIDTH), f"{block}.attn.out_proj.bias": (WIDTH,)}
        shapes |= {f"{block}.mlp.c_fc.weight": (HIDDEN, WIDTH), f"{block}.mlp.c_fc.bias": (HIDDEN,)}
        shapes |= {f"{block}.mlp.c_proj.weight": (WIDTH, HIDDEN), f"{block}.mlp.c_proj.bias": (WIDTH,)}
    state = {f"backbone.{name}": 0.2 * torch.randn(shape, generator=dice) for name, shape in shapes.items()}
    for head in ("last_layer_style", "last_layer_content"):
        state[head] = torch.randn((WIDTH, DIMENSIONS), generator=dice)
    return state


def save_tiny_csd(path: Path, state: State | None = None, prefix: str = "") -> Path:
    """Save it; `prefix` is what training on several machines puts before each key."""
    named = tiny_state() if state is None else state
    save_file({prefix + name: tensor.contiguous() for name, tensor in named.items()}, path)
    return path


def style_of(picture: Image, state: State) -> Any:
    """Give the unit style vector of a picture that has the model's size, without torch or open_clip."""
    w = {name.removeprefix("backbone."): tensor.numpy().astype(np.float64) for name, tensor in state.items()}
    pixels = (np.asarray(picture, np.float64) / 255 - MEAN) / STD
    patches = pixels.reshape(GRID, PATCH, GRID, PATCH, 3).transpose(0, 2, 4, 1, 3).reshape(GRID * GRID, -1)
    x = np.vstack([w["class_embedding"], patches @ w["conv1.weight"].reshape(WIDTH, -1).T])
    x = _norm(x + w["positional_embedding"], w, "ln_pre")
    for n in range(LAYERS):
        at = f"transformer.resblocks.{n}."
        x = x + _attention(_norm(x, w, f"{at}ln_1"), w, f"{at}attn.")
        hidden = _norm(x, w, f"{at}ln_2") @ w[f"{at}mlp.c_fc.weight"].T + w[f"{at}mlp.c_fc.bias"]
        quick_gelu = hidden / (1 + np.exp(-1.702 * hidden))
        x = x + quick_gelu @ w[f"{at}mlp.c_proj.weight"].T + w[f"{at}mlp.c_proj.bias"]
    style = _norm(x, w, "ln_post")[0] @ w["last_layer_style"]
    return style / np.linalg.norm(style)


def _norm(x: Any, w: dict[str, Any], name: str) -> Any:
    centred = x - x.mean(axis=-1, keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-5)
    return scaled * w[f"{name}.weight"] + w[f"{name}.bias"]


def _attention(x: Any, w: dict[str, Any], at: str) -> Any:
    q, k, v = np.split(x @ w[f"{at}in_proj_weight"].T + w[f"{at}in_proj_bias"], 3, axis=-1)
    heads = []
    for start in range(0, WIDTH, 64):
        part = slice(start, start + 64)
        weights = np.exp(q[:, part] @ k[:, part].T / 8)
        heads.append(weights / weights.sum(axis=-1, keepdims=True) @ v[:, part])
    return np.hstack(heads) @ w[f"{at}out_proj.weight"].T + w[f"{at}out_proj.bias"]
