"""Judging by likeness: the nearest reference picture decides, whatever encoder makes the vectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PIL.Image import Image

from copycat.judges import Verdict
from copycat.judges.open_clip_judge import rounded
from copycat.judges.references import Cast, References, cast_of
from copycat.schema import CharacterSet

Embed = Callable[[Sequence[Image]], Any]
"""Pictures -> (N, D) float32 tensor, each row of length 1."""


class Likeness:
    """Compares pictures with the references of each character; the vectors of the references are made once."""

    def __init__(self, references: References, embed: Embed, threshold: float) -> None:
        self.references, self.embed, self.threshold = references, embed, threshold
        self._vectors: dict[Cast, Any] = {}

    def verdicts(self, seen: Any, asked_for: Sequence[str], characters: CharacterSet) -> list[Verdict]:
        """Name the character whose nearest reference is the most similar of all, if it is similar enough.

        Args:
            seen: (N, D) float32, the pictures' vectors.

        Returns: detected where the cosine reaches the threshold; confidence is (cosine + 1) / 2. Where the
            character asked for has no reference, there is no verdict: not seen would mean nothing.
        """
        there = self.references.of(characters)
        missing = set(self.references.missing(characters))
        similar, place = (seen @ self._vectors_of(characters).T).float().cpu().max(dim=1)
        return [
            Verdict(None, reason=f"there is no reference picture of '{asked}'")
            if asked in missing
            else Verdict(
                detected=there[int(i)].character if float(cosine) >= self.threshold else None,
                confidence=rounded((float(cosine) + 1) / 2),
            )
            for asked, cosine, i in zip(asked_for, similar, place, strict=True)
        ]

    def _vectors_of(self, characters: CharacterSet) -> Any:
        cast = cast_of(characters)
        if cast not in self._vectors:
            self._vectors[cast] = self.embed([reference.picture for reference in self.references.of(characters)])
        return self._vectors[cast]


def threshold_fact(given: float | None, default: float, scale: str) -> str:
    """Say in words which threshold decides, and that nobody calibrated it."""
    if given is None:
        return f"{default:g} ({scale}; the default, UNCALIBRATED)"
    return f"{given:g} ({scale}; as asked for)"
