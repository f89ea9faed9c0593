"""Real diffusers pipelines of many families with random weights: a few pixels, a few thousand parameters."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import tiny_families_images as images
import tiny_families_more_images as more
import tiny_families_unets as unets
import tiny_families_videos as videos
import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from _pytest.mark import ParameterSet
    from diffusers import DiffusionPipeline

SEED = 20

BUILDERS: dict[str, Callable[[], DiffusionPipeline]] = {
    "sdxl": unets.sdxl,
    "pixart": images.pixart,
    "sd3": images.sd3,
    "flux": partial(images.flux, guided=True),
    "flux-schnell": partial(images.flux, guided=False),
    "sana": images.sana,
    "qwen": images.qwen,
    "video-sd": unets.video_sd,
    "wan": videos.wan,
    "cogvideox": videos.cogvideox,
    "if-1": unets.if_1,
    "if-2": unets.if_2,
    "if-3": unets.if_3,
    "z-image": more.z_image,
    "flux2-klein": more.flux2_klein,
    "ltx": videos.ltx,
    "hunyuandit": more.hunyuandit,
    "auraflow": more.auraflow,
    "animatediff": unets.animatediff,
    "kandinsky3": unets.kandinsky3,
    "hunyuan-video": videos.hunyuan_video,
    "mochi": videos.mochi,
}
FAMILIES = tuple(BUILDERS)
EVERYDAY = ("sd", "sdxl", "flux", "wan")
"""One of each kind: a UNet with one encoder and with two, a transformer, a video model."""


def each_of(families: Iterable[str]) -> list[ParameterSet]:
    """Give families as parameters of a test; those beyond the everyday ones are slow, for they are many."""
    return [pytest.param(name, marks=() if name in EVERYDAY else pytest.mark.slow) for name in families]


def save_tiny_family(name: str, folder: Path) -> Path:
    """Build it with the same weights every time, and save it."""
    with torch.random.fork_rng():
        torch.manual_seed(SEED)
        pipeline = BUILDERS[name]()
    pipeline.save_pretrained(folder)
    return folder
