"""Judges: look at a picture, say which character it shows. This file is the table of names.

To add one: a file here with a class that has `judge`, a row below, a test, a line in docs. Families of
judges, such as `open_clip:MODEL/PRETRAINED`, are read in `judges.resolve`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from PIL.Image import Image

from copycat.registry import Registry
from copycat.schema import Answer, CharacterSet, Judgement, MemberVerdict, Record, Screening

SANDBOX = "sandbox"
ORACLE = "oracle"
NO_JUDGE = "none"
"""Pictures are made and kept, and nobody looks at them yet."""


class JudgeRow(Record):
    """What a judge's name stands for.

    `source` is where the weights are: a folder, 'package:' and a folder of ours, a Hub repository (at
    `revision`), or a service's model. `knows` names the only character set it can judge, None any set.
    `threshold` replaces the judge's own, on whatever scale it decides. `references` is a folder with
    pictures of each character, one subfolder per id. `members` are those of an ensemble.
    One that `is_heavy` needs the accelerator to itself: it judges once everything is drawn.
    """

    name: str
    target: str
    source: str
    summary: str
    is_calibrated: bool = False
    knows: str | None = None
    revision: str | None = None
    threshold: float | None = None
    references: str | None = None
    members: tuple[JudgeRow, ...] = ()
    is_heavy: bool = False
    base_url: str | None = None
    key_variable: str = "OPENAI_API_KEY"


class Verdict(NamedTuple):
    """What a judge says of one picture; the fields are those of `schema.Judgement`."""

    detected: str | None
    confidence: float | None = None
    consistency: float | None = None
    reason: str | None = None
    named: tuple[str, ...] | None = None
    names: tuple[str, ...] | None = None
    closed: bool | None = None
    answers: tuple[Answer, ...] | None = None
    members: tuple[MemberVerdict, ...] | None = None
    screening: Screening | None = None
    flags: tuple[str, ...] | None = None

    @property
    def is_answered(self) -> bool:
        """Whether the judge gave a verdict at all."""
        return self.reason is None

    @property
    def seen(self) -> tuple[str, ...]:
        """All characters that it saw; the one that it saw, from a judge that can name only one."""
        if self.named is not None:
            return self.named
        return (self.detected,) if self.detected is not None else ()

    def shows(self, character: str) -> bool:
        """Whether it saw this character, alone or among others."""
        return character in self.seen

    def of(self, key: str, image_sha256: str) -> Judgement:
        """Make the judgement of a picture, answered or not; the judge's words are kept either way."""
        return Judgement(key=key, image_sha256=image_sha256, **self._asdict())


class JudgeUsage(NamedTuple):
    """What was sent to a service and what it counted: requests, failed ones too, and tokens of the answered ones."""

    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0


class Judge(Protocol):
    """A judge. `revision` is cheap; `judge` loads the weights on first use.

    More methods may be there. `facts() -> dict[str, str]`: what else people should know of it, such as the
    commit of its weights; it goes into run.json. `check(characters)`: raises UserError before anything is
    drawn where nothing could be judged. `rate(pictures, asked_for, characters) -> list[float | None]`: CONS
    alone. `usage() -> JudgeUsage`: what a service counted so far. `release()`: lets go of the weights.
    `remember_in(memory)`: where to keep the answers that cost something (`services.memory.AnswerMemory`).

    A judge whose attribute `throttle` is not None waits for somebody else's machine: it is given one picture at
    a time, in as many threads as the throttle allows.
    """

    def revision(self) -> str:
        """Say in 40 hex digits which weights, questions and settings judge."""

    def judge(self, pictures: Sequence[Image], asked_for: Sequence[str], characters: CharacterSet) -> list[Verdict]:
        """Judge a batch; one picture without an answer (a verdict with a reason) does not take the others with it.

        Args:
            pictures: RGB images.
            asked_for: for each, the id of the character that the prompt was after. It chooses the key
                characteristic of CONS and the target of the closed question, and has no part in which
                character is detected.
            characters: the registry to choose from.

        Raises:
            BackendError: none of these pictures could be judged.
            UserError: no picture can be judged.
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
            name=ORACLE,
            target="copycat.sandbox.oracle_judge:OracleJudge",
            source="package:sandbox/weights/oracle",
            summary="reads the attributes off a picture of the sandbox, independently of its judge; strict",
            is_calibrated=True,
            knows="sandbox",
        ),
        JudgeRow(
            name=NO_JUDGE,
            target="copycat.judges.no_judge:NoJudge",
            source="nothing",
            summary="nobody: pictures are made and kept; the same command with a judge judges them later",
        ),
    ),
    hint="see all: python -m copycat.eval --list judges",
)
