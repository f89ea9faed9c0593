"""The oracle as a judge of the sandbox's pictures: strict, independent of the judge that ships, never a name."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from PIL.Image import Image

from copycat.judges import JudgeRow, Verdict
from copycat.models.fingerprint import fingerprint
from copycat.paths import located
from copycat.schema import CharacterSet

WEIGHTS = "oracle.safetensors"


class OracleJudge:
    """Calls a picture a character only where all seven attributes are that character's (decision 0009).

    CONS is 1 where the species is the one asked for, else 0.
    """

    def __init__(self, row: JudgeRow, device: str) -> None:
        del device  # it is small; the CPU does
        self.folder = located(row.source)

    def revision(self) -> str:
        """Give the hash of the weights."""
        return fingerprint(self.folder)

    def judge(self, pictures: Sequence[Image], asked_for: Sequence[str], characters: CharacterSet) -> list[Verdict]:
        """Read every picture; there is always an answer."""
        wanted = {character.id: character.key_characteristic for character in characters.asked}
        return [
            Verdict(reading.character, consistency=float(reading.looks.species == wanted[target]))
            for reading, target in zip(self._read(pictures), asked_for, strict=True)
        ]

    def _read(self, pictures: Sequence[Image]) -> Any:
        import numpy as np

        from copycat.sandbox.renderer import SIZE_PX

        size = (SIZE_PX, SIZE_PX)
        return self._oracle.read(np.stack([np.asarray(p.convert("RGB").resize(size)) for p in pictures]))

    @cached_property
    def _oracle(self) -> Any:
        from copycat.sandbox.oracle import Oracle

        return Oracle(self.folder / WEIGHTS)
