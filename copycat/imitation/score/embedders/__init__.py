"""Embedders: pictures -> unit vectors, by domain. This file is the table of names.

To add one: a file here with a class that has `revision`, `facts` and `embed`, a row below, a test, a line in docs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
from PIL.Image import Image

from copycat.errors import UnknownNameError, UserError
from copycat.registry import Registry, resolve
from copycat.schema import Record

Vector = npt.NDArray[np.float32]
"""(D,) float32; the cache gives it length 1."""

SANDBOX, READY = "sandbox", "ready"


class EmbedderRow(Record):
    """What the first part of an embedder's name stands for; what follows the colon is its source.

    `bare` is the source where nothing follows; None: something must. `takes_source` tells those that can have one.
    """

    name: str
    target: str
    form: str
    summary: str
    bare: str | None = None
    takes_source: bool = True


class Embedder(Protocol):
    """Makes vectors of pictures. `revision` is cheap; `embed` loads the weights on first use."""

    def revision(self) -> str:
        """Say in 40 hex digits which weights and settings make the vectors."""

    def facts(self) -> dict[str, str]:
        """Say where the weights come from, and under which licence where that is known."""

    def embed(self, pictures: Sequence[Image]) -> Sequence[Vector | None]:
        """Give a vector for each picture, all of one length; None for one that it rejects, such as one without a face.

        Args:
            pictures: RGB images.
        """


class Resolved(NamedTuple):
    """An embedder's name, read: its row, and its source."""

    name: str
    row: EmbedderRow
    source: str


EMBEDDERS: Registry[EmbedderRow] = Registry(
    "embedder",
    (
        EmbedderRow(
            name=SANDBOX,
            target="copycat.imitation.score.embedders.clip:SandboxEmbedder",
            form="sandbox",
            summary="the picture tower of the sandbox's judge, for its 64x64 drawings alone",
            bare="package:sandbox/weights/judge",
            takes_source=False,
        ),
        EmbedderRow(
            name="open_clip",
            target="copycat.imitation.score.embedders.clip:OpenClipEmbedder",
            form="open_clip[:MODEL/PRETRAINED|hf-hub:ORG/NAME|./FOLDER]",
            summary="any model of open_clip: what is shown; characters and objects",
            bare="ViT-L-14/datacomp_xl_s13b_b90k",
        ),
        EmbedderRow(
            name="dino",
            target="copycat.imitation.score.embedders.dino:DinoEmbedder",
            form="dino[:HUB-ID|./FOLDER]",
            summary="a vision encoder such as DINOv2: how it looks; characters and objects",
            bare="facebook/dinov2-base",
        ),
        EmbedderRow(
            name="csd",
            target="copycat.imitation.score.embedders.csd:CsdEmbedder",
            form="csd:FILE.safetensors",
            summary="a CSD-type checkpoint: a vision transformer of CLIP with a style head; art styles",
        ),
        EmbedderRow(
            name="face",
            target="copycat.imitation.score.embedders.face:FaceEmbedder",
            form="face:MODULE:CLASS",
            summary="a class of your own that finds and embeds a face; its weights have their own licence",
        ),
        EmbedderRow(
            name=READY,
            target="copycat.imitation.score.embedders.ready:read_vectors",
            form="ready, with --embeddings FILE and --references FILE",
            summary="vectors of your own: .npy, .npz or .parquet",
            bare="",
            takes_source=False,
        ),
    ),
)


def resolve_embedder(name: str) -> Resolved:
    """Find what an embedder's name stands for; loads nothing.

    Raises:
        UnknownNameError: no row and no plug-in has it.
        UserError: it has the wrong form.
    """
    prefix, _, source = name.partition(":")
    try:
        row = EMBEDDERS.get(prefix)
    except UnknownNameError as error:
        named = [known for known in error.known if known != READY]
        raise UnknownNameError(error.kind, prefix, named, "or vectors of yours: --embeddings FILE") from None
    if (source and not row.takes_source) or not (source or row.bare is not None):
        raise UserError(f"embedder '{name}' has the wrong form\n  needed: {row.form}")
    return Resolved(name, row, source or row.bare or "")


def build_embedder(found: Resolved, device: str) -> Embedder:
    """Make the embedder of a name; its weights are loaded when it embeds.

    Raises:
        UserError: its source is not there or has the wrong form.
    """
    embedder: Embedder = resolve(found.row.target, f"embedder '{found.row.name}'")(found.name, found.source, device)
    return embedder


def default_embedder(model: str | None) -> str:
    """Name the embedder of pictures that a model drew; None: nobody knows which."""
    return SANDBOX if model == SANDBOX else "open_clip"
