"""Requests, pictures compared, and the settings with which the tiny families are quick."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from copycat.models import ModelRow, Picture
from copycat.models.cascade import DiffusersCascade
from copycat.models.diffusers_model import DiffusersModel
from copycat.models.resolve import resolve_model
from copycat.models.settings import choose_sampling
from copycat.models.table_images import CASCADE
from copycat.schema import ImageRequest, Sampling, Upscaling

SAME = 1
"""Grey levels by which one picture may differ between batch sizes, where float arithmetic differs."""

SIDES_PX = {"hunyuandit": 64, "kandinsky3": 64, "pixart": 64, "sana": 64}
"""Where 32 pixels are too few for the tiny network."""

CLIPS = {"animatediff": 3, "cogvideox": 9, "hunyuan-video": 5, "ltx": 9, "mochi": 7, "video-sd": 3, "wan": 5}
"""Frames of a short clip that the family's VAE can make."""


def request(prompt: str = "ab cat", seed: int = 1, negative: str | None = None, key: str = "k") -> ImageRequest:
    return ImageRequest(
        key=key,
        character="cat",
        anchor="name",
        prompt_id="my-set/cat/name",
        repeat=0,
        prompt="never sent",
        prompt_sent=prompt,
        negative_prompt=negative,
        seed=seed,
    )


def pixels(picture: Picture) -> np.ndarray[Any, np.dtype[np.int64]]:
    """All frames of a clip, or the one picture, as (frames, height, width, channels)."""
    assert picture.image is not None, picture
    return np.stack([np.asarray(image).astype(np.int64) for image in picture.clip or (picture.image,)])


def difference(one: Picture, other: Picture) -> int:
    """Largest difference in grey levels."""
    return int(abs(pixels(one) - pixels(other)).max())


def options_of(family: str) -> list[str]:
    """The options of the command line that make a family quick."""
    side = SIDES_PX.get(family, 32)
    clip = ["--frames", str(CLIPS[family])] if family in CLIPS else []
    return ["--steps", "2", "--size", f"{side}x{side}", *clip]


def quick(row: ModelRow, family: str, **changes: Any) -> Sampling:
    """The settings of a row, as the main job settles them, with a small size, a short clip and two steps."""
    side = SIDES_PX.get(family, 32)
    asked: dict[str, Any] = {"steps": 2, "width_px": side, "height_px": side}
    if family in CLIPS:
        asked["frames"] = CLIPS[family]
    model = (DiffusersCascade if row.target == CASCADE else DiffusersModel)(row, "cpu")
    return model.settle(choose_sampling(row, "cpu", None, asked | changes))


def save_cascade(folder: Path) -> Path:
    """The three stages of DeepFloyd IF: 16, 32 and 128 pixels."""
    from tiny_families import save_tiny_family

    for number in (1, 2, 3):
        save_tiny_family(f"if-{number}", folder / f"stage_{number}")
    return folder


def quick_cascade(row: ModelRow) -> Sampling:
    """Two steps for every stage."""
    stages = tuple(stage.model_copy(update={"steps": 2}) for stage in row.sampling.upscaling or ())
    assert all(isinstance(stage, Upscaling) for stage in stages)
    sampling = choose_sampling(row, "cpu", None, {"steps": 2})
    return DiffusersCascade(row, "cpu").settle(sampling.model_copy(update={"upscaling": stages}))


def unloadable(row: ModelRow, monkeypatch: pytest.MonkeyPatch) -> DiffusersModel:
    """A model that falls over when it loads anything."""

    def fail(*_: Any) -> None:
        raise AssertionError("weights were loaded")

    for module in ("diffusers_model", "cascade"):
        monkeypatch.setattr(f"copycat.models.{module}.load_pipeline", fail)
    return DiffusersModel(row, "cpu")


def resolved(folder: Path) -> ModelRow:
    return resolve_model(str(folder))
