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
NO_JUDGE = "none"
"""Pictures are made and kept, and nobody looks at them yet."""


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


def combine_frames(verdicts: Sequence[Verdict], asked_for: str) -> Verdict:
    """Add up the verdicts on the frames of one clip, as CopyCat does: the most telling frame counts.

    Args:
        verdicts: one per kept frame, at least one.
        asked_for: id of the character that the prompt was after.

    Returns: detected is `asked_for` if any frame shows it, else whom the surest frame shows, if any;
        confidence and consistency are the largest of any frame (of those that show `detected`, for confidence).
    """
    seen = [verdict for verdict in verdicts if verdict.detected is not None]
    wanted = [verdict for verdict in seen if verdict.detected == asked_for]
    surest = max(wanted or seen or verdicts, key=lambda verdict: verdict.confidence)
    return Verdict(surest.detected, surest.confidence, max(verdict.consistency for verdict in verdicts))


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
        JudgeRow(
            name=NO_JUDGE,
            target="copycat.judges.no_judge:NoJudge",
            source="nothing",
            summary="nobody: pictures are made and kept; the same command with a judge judges them later",
            is_calibrated=False,
        ),
    ),
    hint="see all: python -m copycat.eval --list judges",
)
