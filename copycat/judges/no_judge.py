"""No judge: a run that makes pictures only, to be judged later."""

from __future__ import annotations

from collections.abc import Sequence

from PIL.Image import Image

from copycat.errors import BackendError
from copycat.judges import JudgeRow, Verdict
from copycat.schema import CharacterSet


class NoJudge:
    """Gives no verdict."""

    def __init__(self, row: JudgeRow, device: str) -> None:
        del row, device

    def revision(self) -> str:
        """Nobody has none."""
        return "none"

    def judge(self, pictures: Sequence[Image], asked_for: Sequence[str], characters: CharacterSet) -> list[Verdict]:
        """Refuse: the main job does not ask.

        Raises:
            BackendError: always.
        """
        del pictures, asked_for, characters
        raise BackendError("no judge was asked to look at these pictures")
