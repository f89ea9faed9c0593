"""Encoders of the descriptor by name: those of open_clip, of DINO's kind, and SSCD, which is made for copies."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from PIL.Image import Image

from copycat.errors import DataError, UserError
from copycat.measures import SANDBOX_WEIGHTS
from copycat.measures.ladder import BATCH, Vectors
from copycat.paths import file_sha256, shown

FORMS = "sandbox, open_clip:MODEL/PRETRAINED, dino[:HUB-ID|./FOLDER], sscd:FILE"
DINO = "facebook/dinov2-base"
SSCD_SIDE = 320
"""Pixels of a square that pictures are brought to, as its authors recommend for batches."""


class Descriptor(Protocol):
    """An encoder of pictures. `identity` is cheap; the weights are loaded when pictures are embedded."""

    def identity(self) -> str:
        """Name the exact weights."""

    def embed(self, pictures: Sequence[Image]) -> Vectors:
        """Give (N, D) float32, each row of length 1."""


def descriptor_of(name: str, device: str) -> Descriptor:
    """Make the encoder of a name; loads nothing.

    Raises:
        UserError: the name has another form.
    """
    kind, colon, source = name.partition(":")
    if kind == "sandbox" and not colon:
        return OpenClipDescriptor(SANDBOX_WEIGHTS, device)
    if kind == "dino":
        return DinoDescriptor(source or DINO, device)
    if kind == "sscd" and source:
        return SscdDescriptor(Path(source).expanduser(), device)
    if kind == "open_clip" and source:
        return OpenClipDescriptor(source, device)
    if "/" in name:  # as measures name their weights
        return OpenClipDescriptor(name, device)
    raise UserError(f"'{name}' is no encoder of pictures\n  needed: {FORMS}")


class OpenClipDescriptor:
    """The image tower of a model of open_clip."""

    def __init__(self, source: str, device: str) -> None:
        from copycat.measures.encoders import shared_encoder

        self.encoder = shared_encoder(source, device)

    def identity(self) -> str:
        """Name the weights."""
        return str(self.encoder.weights.identity())

    def embed(self, pictures: Sequence[Image]) -> Vectors:
        """Embed pictures; see the protocol."""
        return _numbers(self.encoder.embed_pictures(pictures))


class DinoDescriptor:
    """The class token of a vision encoder such as DINOv2."""

    def __init__(self, source: str, device: str) -> None:
        from copycat.judges.dino_encoder import DinoEncoder

        self.encoder = DinoEncoder(source, f"the encoder 'dino:{source}'", None, device)

    def identity(self) -> str:
        """Name the weights."""
        return " ".join(self.encoder.identity())

    def embed(self, pictures: Sequence[Image]) -> Vectors:
        """Embed pictures; see the protocol."""
        return _numbers(self.encoder.embed(pictures))


class SscdDescriptor:
    """SSCD, self-supervised copy detection (Pizzi et al. 2022, arXiv 2202.10261), from a file of TorchScript.

    Such a file holds a program: take it from its authors only.
    """

    def __init__(self, path: Path, device: str) -> None:
        if not path.is_file():
            raise UserError(
                f"there is no file {shown(path)}\n  needed: a TorchScript file, such as sscd_disc_mixup.torchscript.pt"
            )
        self.path, self.device = path, device

    def identity(self) -> str:
        """Hash the file."""
        return f"sscd {file_sha256(self.path)}"

    def embed(self, pictures: Sequence[Image]) -> Vectors:
        """Embed pictures; see the protocol."""
        import torch

        mean, deviation = (torch.tensor(row).view(3, 1, 1) for row in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
        parts = []
        with torch.inference_mode():
            for start in range(0, len(pictures), BATCH // 8):
                some = [p.convert("RGB").resize((SSCD_SIDE, SSCD_SIDE)) for p in pictures[start : start + BATCH // 8]]
                pixels = torch.from_numpy(np.stack([np.asarray(picture) for picture in some])).permute(0, 3, 1, 2)
                ready = (pixels.float().div(255) - mean) / deviation
                parts.append(torch.nn.functional.normalize(self._model(ready.to(self.device)), dim=-1))
        return _numbers(torch.cat(parts))

    @cached_property
    def _model(self) -> Any:  # Any: a program of TorchScript
        import torch

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", FutureWarning)  # TorchScript is what SSCD comes as
                return torch.jit.load(str(self.path), map_location=self.device).eval()  # type: ignore[no-untyped-call]
        except (RuntimeError, ValueError) as error:
            why = " ".join(str(error).split())[:160]
            raise DataError([f"{shown(self.path)}: is no TorchScript file ({why})"], "  fetch it again") from error


def _numbers(vectors: Any) -> Vectors:
    return np.asarray(vectors.float().cpu().numpy(), np.float32)
