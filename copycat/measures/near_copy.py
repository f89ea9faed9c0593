"""Near-copies: pictures that are nearly one of the references of their character, perhaps resized or mirrored.

This is about one picture, not about a character. Measured on the sandbox's renders: copies that were resized,
compressed (JPEG, quality 30), brightened by a fifth or mirrored are found, all of them; of copies with 3 % cut off at
each edge 82 %; of pairs of different characters 0.3 % count as copies. Drawings of one sandbox character differ in
their backdrop and a little in pose, and 42 % of such pairs count: there, read the figure against that.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from PIL import ImageOps
from PIL.Image import Image

from copycat.judges.open_clip_hub import sha40
from copycat.judges.references import Reference, References
from copycat.measures import Setting
from copycat.measures.encoders import encoder_of
from copycat.schema import Measurement, Sample

MAX_DISTANCE = 10
"""Of the 64 bits of a perceptual hash, so many may differ. Two unrelated pictures differ in about 32."""


class Nearest(NamedTuple):
    """The nearest reference by perceptual hash. `distance` is in bits of 64."""

    reference: Reference
    distance: int
    is_mirrored: bool


class NearCopy:
    """Compares a picture, as it is and mirrored, with the references of the character that was asked for."""

    def __init__(self, setting: Setting) -> None:
        self.characters = setting.characters
        self.encoder = encoder_of(setting)
        self.references = References(Path(setting.references or ""), f"measure '{setting.row.name}'")

    def revision(self) -> str:
        """Hash weights, references and the limit."""
        parts = (self.references.sha256, str(MAX_DISTANCE))
        return sha40("near-copy-1", self.encoder.weights.identity(), *parts)

    def check(self) -> None:
        """Read every reference; see the protocol."""
        self.references.of(self.characters)

    def measure(self, pictures: Sequence[Image], samples: Sequence[Sample]) -> list[Measurement]:
        """Measure pictures; see the protocol.

        `detail` holds the nearest reference, its distance in bits of 64, whether the picture was mirrored for it,
        and the largest cosine to any reference of the character.

        Unit: 1 if the distance is at most 10 bits, else 0.
        Direction: lower is better.
        """
        seen = self.encoder.embed_pictures(pictures)
        return [
            self._measure(picture, vector, sample)
            for picture, vector, sample in zip(pictures, seen, samples, strict=True)
        ]

    def _measure(self, picture: Image, vector: Any, sample: Sample) -> Measurement:
        known = self._known.get(sample.character)
        if known is None:
            reason = f"there is no reference picture of '{sample.character}'"
            return Measurement(key=sample.key, image_sha256=sample.sha256 or "", reason=reason)
        references, hashes, vectors = known
        found = nearest(picture, references, hashes)
        return Measurement(
            key=sample.key,
            image_sha256=sample.sha256 or "",
            value=float(found.distance <= MAX_DISTANCE),
            detail={
                "reference": found.reference.name,
                "distance": found.distance,
                "mirrored": int(found.is_mirrored),
                "cosine": round(float((vectors @ vector).max()), 6),
            },
        )

    @cached_property
    def _known(self) -> dict[str, tuple[list[Reference], list[int], Any]]:
        """References, hashes and vectors by character."""
        every = self.references.of(self.characters)
        by_character: dict[str, list[Reference]] = {}
        for reference in every:
            by_character.setdefault(reference.character, []).append(reference)
        return {
            character: (
                references,
                [perceptual_hash(reference.picture) for reference in references],
                self.encoder.embed_pictures([reference.picture for reference in references]),
            )
            for character, references in by_character.items()
        }


def nearest(picture: Image, references: Sequence[Reference], hashes: Sequence[int]) -> Nearest:
    """Find the reference whose hash differs in the fewest bits from the picture's, or from its mirror image's."""
    own = {False: perceptual_hash(picture), True: perceptual_hash(ImageOps.mirror(picture))}
    return min(
        (
            Nearest(reference, (own[is_mirrored] ^ known).bit_count(), is_mirrored)
            for is_mirrored in own
            for reference, known in zip(references, hashes, strict=True)
        ),
        key=lambda candidate: (candidate.distance, candidate.is_mirrored),
    )


def perceptual_hash(picture: Image) -> int:
    """Give 64 bits that hardly change when a picture is resized or compressed (the signs of its low frequencies)."""
    import imagehash

    return int(str(imagehash.phash(picture)), 16)
