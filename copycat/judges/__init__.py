"""Judges: look at a picture, say which character it shows. This file is the table of names.

To add one: a file here with a class that has `judge`, a row below, a test, a line in docs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from PIL.Image import Image

from copycat.registry import Registry
from copycat.schema import CharacterSet, Record

SANDBOX = "sandbox"


class JudgeRow(Record):
    """What a judge's name stands for. `knows` names the only character set it can judge, None any set."""

    name: str
    target: str
    source: str
    summary: str
    is_calibrated: bool
    knows: str | None = None


class Verdict(NamedTuple):
    """What a judge says of one picture, see `schema.Judgement`."""

    detected: str | None
    confidence: float
    consistency: float


class Judge(Protocol):
    """A judge. `revision` is cheap; `judge` loads the weights on first use."""

    def revision(self) -> str:
        """Say which weights and settings judge."""

    def judge(self, pictures: Sequence[Image], asked_for: Sequence[str], characters: CharacterSet) -> list[Verdict]:
        """Judge a batch.

        Args:
            pictures: RGB images.
            asked_for: for each, the id of the character that the prompt was after. It chooses the
                key characteristic of CONS and has no part in which character is detected.
            characters: the registry to choose from.
        """


JUDGES: Registry[JudgeRow] = Registry(
    "judge",
    (
        JudgeRow(
            name=SANDBOX,
            target="copycat.judges.open_clip_judge:OpenClipJudge",
            source="package:sandbox/weights/judge",
            summary="small open_clip model trained on the sandbox's renders; threshold fixed on a validation split",
            is_calibrated=True,
            knows="sandbox",
        ),
    ),
    hint="see all: python -m copycat.eval --list judges",
)
