"""What a model's name stands for, and what a model gives: the records of this package."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

from PIL.Image import Image
from pydantic import Field

from copycat.errors import UnsupportedError
from copycat.schema import ImageRequest, Record, Sampling, Status

Feature = Literal["negative prompt", "guidance", "seed"]
"""What a model may honour of a request."""

ALL_FEATURES: tuple[Feature, ...] = ("negative prompt", "guidance", "seed")


class ModelRow(Record):
    """One name of the table, or what was read from a folder or a repository.

    Attributes:
        source: a Hub repository, a folder, 'package:' and a folder of ours, or a service's own model id.
        pipeline: its class in diffusers; "" for a service.
        honours: what it acts on; anything else is refused before a weight is loaded.
        negative_guidance: the true guidance that comes on with a negative prompt, where guidance is distilled.
        presets: named changes to `sampling`, such as the exact settings of a paper.
        memory_gib: GPU memory for weights and one picture in the row's dtype, the text encoders first and
            freed before the rest is loaded; None if nobody has published it.
        parts: further components by name, each a repository of its own ("motion_adapter").
        variant: of the weight files, such as "fp16".
        concurrency: the most requests at a time to a service; None for a model that runs here.
        usd_per_picture: list price, which --list and --dry-run tell; None if unknown.
        shutdown: the ISO date on which a service ends the model.
        files: paths by hash, of files that requests name by their hash: edited weights, learned embeddings.
    """

    name: str
    target: str
    source: str
    summary: str
    licence: str
    sampling: Sampling
    pipeline: str = ""
    honours: tuple[Feature, ...] = ALL_FEATURES
    negative_guidance: float | None = None
    presets: dict[str, dict[str, Any]] = Field(default_factory=dict)
    memory_gib: float | None = None
    is_gated: bool = False
    batch_size: int = 1
    variant: str | None = None
    parts: dict[str, str] = Field(default_factory=dict)
    revision: str | None = None
    base_url: str | None = None
    key_variable: str = "OPENAI_API_KEY"
    concurrency: int | None = None
    usd_per_picture: float | None = None
    shutdown: str | None = None
    files: dict[str, str] = Field(default_factory=dict)

    @property
    def is_service(self) -> bool:
        """Whether somebody else's machine draws."""
        return self.concurrency is not None


def require_no_edits(row: ModelRow, requests: Iterable[ImageRequest]) -> None:
    """Refuse requests for other weights or under an attack, for a model that draws where neither can be put in.

    Raises:
        UnsupportedError: a request has an erasure or an attack.
    """
    for what in ("erasure", "attack"):
        if any(getattr(request, what) is not None for request in requests):
            raise UnsupportedError(
                f"'{row.name}' draws elsewhere, where no {what} can be put into it\n"
                f"  leave out --{'erased' if what == 'erasure' else what}, or use a model that runs here"
            )


class ModelIdentity(NamedTuple):
    """What exactly will be run: recorded in the spec before anything is loaded."""

    source: str
    revision: str


class Picture(NamedTuple):
    """What a model gave for one request; `image` is None unless the status is 'ok'.

    Of a video, `image` is the sheet of the kept frames and `clip` holds all frames. `charges` counts
    the answers of a service, damaged ones too, for which it may take money. `rejected` tells which character an
    output filter saw on each picture that it threw away.
    """

    status: Status
    image: Image | None
    detail: str = ""
    truncated_tokens: int = 0
    truncated_negative_tokens: int = 0
    clip: tuple[Image, ...] = ()
    charges: int = 0
    rejected: tuple[str, ...] = ()
