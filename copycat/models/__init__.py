"""Models under test. This file is the table of names and the form that every model has.

To add one: a row below (and a file with a class, if no class here drives it yet), a test, a line in docs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from PIL.Image import Image

from copycat.registry import Registry
from copycat.schema import ImageRequest, Record, Sampling, Status

SANDBOX = "sandbox"
DIFFUSERS = "copycat.models.diffusers_image:DiffusersImageModel"


class ModelRow(Record):
    """What a name stands for. `source` is a Hub repository, a folder, or 'package:' and a folder of ours."""

    name: str
    target: str
    source: str
    summary: str
    licence: str
    sampling: Sampling
    batch_size: int = 1
    variant: str | None = None


class ModelIdentity(NamedTuple):
    """What exactly will be run: recorded in the spec before anything is loaded."""

    source: str
    revision: str


class Picture(NamedTuple):
    """What a model gave for one request; `image` is None unless the status is 'ok'."""

    status: Status
    image: Image | None
    detail: str = ""
    truncated_tokens: int = 0


class ImageModel(Protocol):
    """A model. `identify` and `check` are cheap; `generate` loads the weights on first use."""

    def identify(self) -> ModelIdentity:
        """Say what will be run, without loading it."""

    def check(self, requests: Sequence[ImageRequest], sampling: Sampling) -> None:
        """Raise UnsupportedError if a field of the requests could not be acted on."""

    def generate(self, requests: Sequence[ImageRequest], sampling: Sampling) -> list[Picture]:
        """Make one batch of pictures, in the order of the requests."""


MODELS: Registry[ModelRow] = Registry(
    "model",
    (
        ModelRow(
            name=SANDBOX,
            target=DIFFUSERS,
            source="package:sandbox/weights/pipeline",
            summary="the embedded world: 50 invented characters, ground truth known, works offline on a CPU",
            licence="Apache-2.0",
            sampling=Sampling(
                steps=10,
                guidance=3.0,
                width_px=64,
                height_px=64,
                dtype="float32",
                scheduler="DPMSolverMultistepScheduler",
            ),
            batch_size=50,
        ),
        ModelRow(
            name="sdxl",
            target=DIFFUSERS,
            source="stabilityai/stable-diffusion-xl-base-1.0",
            summary="Stable Diffusion XL base, with the settings of CopyCat (50 steps, guidance 3)",
            licence="openrail++",
            sampling=Sampling(
                steps=50,
                guidance=3.0,
                width_px=1024,
                height_px=1024,
                dtype="float16",
                scheduler="EulerDiscreteScheduler",
            ),
            batch_size=4,
            variant="fp16",
        ),
    ),
    hint="see all: python -m copycat.eval --list models; a pipeline folder './model' works as well",
)
