"""Art styles: a CSD-type checkpoint, a vision transformer of CLIP whose projection was trained to tell styles.

Source: Somepalli et al., Measuring Style Similarity in Diffusion Models (arXiv 2404.01292). Its code declares the MIT
licence; that of a file of weights is told where it lies. Its authors warn that the weights on the Hub differ from those
of their paper: figures made with two files are not comparable.

The file is a safetensors file with these keys, each with or without "module." before it:

    backbone.conv1.weight, backbone.class_embedding, backbone.positional_embedding, backbone.ln_pre.*,
    backbone.transformer.resblocks.N.*, backbone.ln_post.*     as open_clip names them: QuickGELU, heads of 64
    last_layer_style                                           (width, D): the style head
    last_layer_content, last_layer_content.*                   passed over

Sizes are read off the shapes, so that any vision transformer of this kind fits, ViT-L/14 of CLIP among them.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from PIL.Image import Image

from copycat.errors import DataError, UserError
from copycat.imitation.score.embedders import Vector
from copycat.imitation.score.embedders.clip import rows_of
from copycat.judges.open_clip_encoder import stack_pixels
from copycat.judges.open_clip_hub import sha40
from copycat.paths import shown

BATCH, HEAD_WIDTH = 64, 64
BACKBONE, HEAD, CONTENT = "backbone.", "last_layer_style", "last_layer_content"
MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
"""Of CLIP's pixels."""
NEEDED = (
    "  needed: a safetensors file with backbone.* of a CLIP vision transformer and last_layer_style\n"
    "  other files first: safetensors.torch.save_file(torch.load(FILE, weights_only=True)['model_state_dict'], OUT)"
)


class Sizes(NamedTuple):
    """Of a vision transformer."""

    width: int
    patch: int
    side: int
    layers: int
    mlp_ratio: float


class CsdEmbedder:
    """The style vector of a picture: short side to the model's size (bicubic), the middle of it, the style head."""

    def __init__(self, name: str, source: str, device: str) -> None:
        self.path, self.owner, self.device = Path(source).expanduser(), f"embedder '{name}'", device
        if self.path.suffix != ".safetensors" or not self.path.is_file():
            what = "there is no file" if not self.path.exists() else "cannot read"
            raise UserError(f"{self.owner}: {what} {shown(self.path)}\n{NEEDED}")

    def revision(self) -> str:
        """Hash the file."""
        return sha40("csd-1", self._sha256)

    def facts(self) -> dict[str, str]:
        """Say which file it is; nobody but its owner knows its licence."""
        return {
            "weights": shown(self.path),
            "commit": f"sha256 {self._sha256}",
            "licence": "see where the file is from",
        }

    def embed(self, pictures: Sequence[Image]) -> Sequence[Vector | None]:
        """Embed all; see the protocol."""
        import torch

        backbone, head, preprocess = self._loaded
        found: list[Vector | None] = []
        with torch.inference_mode():
            for start in range(0, len(pictures), BATCH):
                pixels = stack_pixels(preprocess, pictures[start : start + BATCH]).to(self.device)
                found += rows_of(torch.nn.functional.normalize(backbone(pixels) @ head, dim=-1))
        return found

    @cached_property
    def _sha256(self) -> str:
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    @cached_property
    def _loaded(self) -> tuple[Any, Any, Any]:
        from open_clip import image_transform

        state = self._read()
        head = state.pop(HEAD)
        sizes = self._sizes(state, head)
        backbone = build_backbone(sizes)
        try:
            backbone.load_state_dict(state, strict=True)
        except RuntimeError as error:
            why = " ".join(str(error).split())[:300]
            raise DataError([f"{shown(self.path)}: is of another model ({why})"], NEEDED) from error
        preprocess = image_transform(sizes.side, is_train=False, mean=MEAN, std=STD, interpolation="bicubic")
        return backbone.to(self.device).eval(), head.to(self.device), preprocess

    def _read(self) -> dict[str, Any]:
        """Give the backbone by its own keys, and the head; anything else is a fault."""
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            state = load_file(self.path)
        except (OSError, SafetensorError) as error:
            raise DataError([f"{shown(self.path)}: cannot be loaded ({error})"], NEEDED) from error
        named = {key.removeprefix("module."): tensor.float() for key, tensor in state.items()}
        kept = {key: tensor for key, tensor in named.items() if key.split(".")[0] != CONTENT}
        strange = sorted(key for key in kept if key != HEAD and not key.startswith(BACKBONE))
        faults = [f"{shown(self.path)}: unknown key '{key}'" for key in strange[:3]]
        if HEAD not in kept:
            faults.append(f"{shown(self.path)}: lacks '{HEAD}'")
        if faults:
            raise DataError(faults, NEEDED)
        return {key.removeprefix(BACKBONE): tensor for key, tensor in kept.items()}

    def _sizes(self, state: dict[str, Any], head: Any) -> Sizes:
        try:
            sizes = sizes_of({key: tuple(tensor.shape) for key, tensor in state.items()})
        except (KeyError, IndexError, ValueError) as error:
            raise DataError([f"{shown(self.path)}: is no vision transformer of CLIP ({error})"], NEEDED) from error
        if head.ndim != 2 or head.shape[0] != sizes.width:
            said = f"{HEAD} has the shape {tuple(head.shape)}, and the width is {sizes.width}"
            raise DataError([f"{shown(self.path)}: {said}"], NEEDED)
        return sizes


def sizes_of(shapes: dict[str, tuple[int, ...]]) -> Sizes:
    """Read the sizes of a vision transformer off the shapes of its weights.

    Raises:
        KeyError, IndexError, ValueError: they are of something else.
    """
    width, _, patch, _ = shapes["conv1.weight"]
    grid = math.isqrt(shapes["positional_embedding"][0] - 1)
    numbers = [int(m[1]) for key in shapes if (m := re.match(r"transformer\.resblocks\.(\d+)\.", key))]
    hidden = shapes["transformer.resblocks.0.mlp.c_fc.weight"][0]
    if width % HEAD_WIDTH:
        raise ValueError(f"its width {width} is no multiple of {HEAD_WIDTH}")
    return Sizes(width, patch, grid * patch, max(numbers) + 1, hidden / width)


def build_backbone(sizes: Sizes) -> Any:
    """Build the transformer without its projection; its weights are random until they are loaded."""
    from open_clip.transformer import QuickGELU, VisionTransformer

    model = VisionTransformer(
        image_size=sizes.side,
        patch_size=sizes.patch,
        width=sizes.width,
        layers=sizes.layers,
        heads=sizes.width // HEAD_WIDTH,
        mlp_ratio=sizes.mlp_ratio,
        output_dim=1,
        act_layer=QuickGELU,
    )
    model.proj = None
    return model
