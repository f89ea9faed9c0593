"""A vision encoder such as DINOv2 (arXiv:2304.07193): the class token."""

from __future__ import annotations

from collections.abc import Sequence

from PIL.Image import Image

from copycat.imitation.score.embedders import Vector
from copycat.imitation.score.embedders.clip import rows_of
from copycat.judges.dino_encoder import DinoEncoder
from copycat.judges.open_clip_hub import sha40


class DinoEmbedder:
    """Vectors as the judge of this name compares them."""

    def __init__(self, name: str, source: str, device: str) -> None:
        self.encoder = DinoEncoder(source, f"embedder '{name}'", None, device)

    def revision(self) -> str:
        """Hash what tells the weights."""
        return sha40("dino-1", *self.encoder.identity())

    def facts(self) -> dict[str, str]:
        """Say where they come from."""
        return self.encoder.facts()

    def embed(self, pictures: Sequence[Image]) -> Sequence[Vector | None]:
        """Embed all; see the protocol."""
        return rows_of(self.encoder.embed(pictures))
