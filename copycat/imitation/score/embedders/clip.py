"""The picture tower of a model of open_clip."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PIL.Image import Image

from copycat.imitation.score.embedders import Vector
from copycat.judges.open_clip_encoder import OpenClipEncoder
from copycat.judges.open_clip_hub import sha40
from copycat.judges.open_clip_weights import find_weights


class OpenClipEmbedder:
    """Vectors as open_clip gives them, for 'MODEL/PRETRAINED', 'hf-hub:org/name' or './FOLDER'."""

    def __init__(self, name: str, source: str, device: str) -> None:
        self.encoder = OpenClipEncoder(find_weights(source, f"embedder '{name}'"), device)

    def revision(self) -> str:
        """Hash what tells the weights."""
        return sha40("open_clip-1", self.encoder.weights.identity())

    def facts(self) -> dict[str, str]:
        """Say where they come from."""
        return self.encoder.weights.facts()

    def embed(self, pictures: Sequence[Image]) -> Sequence[Vector | None]:
        """Embed all; see the protocol."""
        return rows_of(self.encoder.embed_pictures(pictures))


class SandboxEmbedder(OpenClipEmbedder):
    """That of the sandbox's judge, whose weights travel inside the package."""

    def facts(self) -> dict[str, str]:
        """Say where they come from, without a path of this machine."""
        return {"weights": "the sandbox's judge", "commit": f"fingerprint {self.encoder.weights.identity()}"}


def rows_of(vectors: Any) -> list[Vector | None]:
    """Give the rows of a (N, D) tensor on any device."""
    return list(vectors.float().cpu().numpy())
