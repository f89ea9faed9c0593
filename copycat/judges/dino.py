"""Likeness to a user's pictures of each character, by a vision encoder such as DINOv2 (arXiv:2304.07193)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL.Image import Image

from copycat.errors import UserError
from copycat.judges import JudgeRow, Verdict
from copycat.judges.dino_encoder import DinoEncoder
from copycat.judges.likeness import Likeness, threshold_fact
from copycat.judges.open_clip_hub import sha40
from copycat.judges.references import LAYOUT, References
from copycat.schema import CharacterSet

DEFAULT_COSINE = 0.6
"""UNCALIBRATED. Cosine of the class tokens to the nearest reference."""


class DinoJudge:
    """The vector of a picture is the encoder's last class token (CLS), of length 1. It cannot rate CONS.

    Raises:
        UserError: there is no folder of references to compare with.
    """

    def __init__(self, row: JudgeRow, device: str) -> None:
        self.row, self.device, self.owner = row, device, f"judge '{row.name}'"
        if row.references is None:
            raise UserError(f"{self.owner} compares with pictures, and none are given\n{LAYOUT}")
        self.encoder = DinoEncoder(row.source, self.owner, row.revision, device)
        threshold = DEFAULT_COSINE if row.threshold is None else row.threshold
        self.likeness = Likeness(References(Path(row.references), self.owner), self.embed, threshold)

    def revision(self) -> str:
        """Hash weights, references and threshold."""
        parts = (*self.encoder.identity(), self.likeness.references.sha256)
        return sha40("dino-1", *parts, repr(self.likeness.threshold))

    def facts(self) -> dict[str, str]:
        """Say where weights and references come from, and what decides."""
        threshold = threshold_fact(self.row.threshold, DEFAULT_COSINE, "cosine")
        return {**self.encoder.facts(), **self.likeness.references.facts(), "threshold": threshold}

    def check(self, characters: CharacterSet) -> None:
        """Read every reference; see the protocol."""
        self.likeness.references.of(characters)

    def judge(self, pictures: Sequence[Image], asked_for: Sequence[str], characters: CharacterSet) -> list[Verdict]:
        """Judge a batch; see the protocol. There is no consistency: no text can be asked."""
        return self.likeness.verdicts(self.embed(pictures), asked_for, characters)

    def rate(self, pictures: Sequence[Image], asked_for: Sequence[str], characters: CharacterSet) -> list[float | None]:
        """Give no CONS, without looking."""
        del asked_for, characters
        return [None] * len(pictures)

    def embed(self, pictures: Sequence[Image]) -> Any:
        """Give (N, D) float32 on the device, each row of length 1."""
        return self.encoder.embed(pictures)
