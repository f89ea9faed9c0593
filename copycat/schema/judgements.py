"""What judges say of pictures, and how judges did against labels."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from copycat.schema.base import Record, Slug


class Answer(Record):
    """What a judge that speaks said to one question, as it came and cut at 2,000 letters.

    `question` is the question's versioned id ("open-1"); the wording belongs to the judge's revision.
    """

    question: str
    text: str


class MemberVerdict(Record):
    """What one member of an ensemble saw; `reason` says why it could not answer."""

    judge: str
    detected: Slug | None = None
    reason: str | None = None


Screening = Literal["passed", "out", "audited"]
"""What a cheap judge did with a picture: let it through to the costly one, kept it from it, or kept it
from it in vain, because the costly one was asked all the same to measure what the screen misses."""

_SINCE_1_1 = ("frames", "sheet", "named", "names", "closed", "answers", "members", "screening", "flags")


class Judgement(Record):
    """What one judge says of one picture.

    `detected` is the id of the character that the judge sees, null for none of them; where it sees
    several (`named`), the one that was asked for goes first. `confidence` is its probability in [0, 1];
    `consistency` the probability in [0, 1] that the picture shows the key characteristic that was asked
    for. Where the judge could not answer, these are null and `reason` says why. Of a video, `frames` holds
    what the judge saw in each kept frame, `sheet` what it saw in all of them laid out as one picture, and
    the other fields add the frames up (`judges.verdicts.combine_frames`).

    Judges that speak also give `names`, the characters as they call them, of this set or not; `closed`, the
    answer to the question that names the target, which decides nothing; and `answers`, their own words.
    `members` and `screening` tell how an ensemble came to its verdict; `flags` what is odd about the picture.
    """

    key: str
    image_sha256: str
    detected: Slug | None
    confidence: float | None = Field(default=None, ge=0, le=1)
    consistency: float | None = Field(default=None, ge=0, le=1)
    reason: str | None = None
    frames: tuple[Slug | None, ...] | None = None
    sheet: tuple[Slug, ...] | None = None
    named: tuple[Slug, ...] | None = None
    names: tuple[str, ...] | None = None
    closed: bool | None = None
    answers: tuple[Answer, ...] | None = None
    members: tuple[MemberVerdict, ...] | None = None
    screening: Screening | None = None
    flags: tuple[str, ...] | None = None

    @model_serializer(mode="wrap")
    def _only_what_is_said(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in write(self).items() if value is not None or name not in _SINCE_1_1}

    @property
    def is_answered(self) -> bool:
        """Whether the judge gave a verdict at all."""
        return self.reason is None


class CalibrationCell(Record):
    """How a judge did on the labelled pictures of one character: the target shown, or not, against the labels.

    `tp` both say yes, `fn` the label says yes and the judge no, `fp` the other way round, `tn` both say no.
    """

    character: Slug
    tp: int = Field(ge=0)
    fn: int = Field(ge=0)
    fp: int = Field(ge=0)
    tn: int = Field(ge=0)


class PictureLabel(Record):
    """What people say of one picture of a run: whether it shows the character that was asked for."""

    key: str
    image_sha256: str
    is_shown: bool


CorrectionMethod = Literal["rogan-gladen", "prediction-powered"]


class Calibration(Record):
    """A judge in one revision against labels; what rates are corrected with.

    `labels_sha256` is of the labels used; `source` says in words where pictures and labels come from. `method` is how
    rates are to be corrected; prediction-powered inference needs labels of the very pictures of the run (`labels`), and
    other runs are then corrected by Rogan and Gladen's.
    """

    judge: str
    judge_revision: str
    characters: str
    source: str
    labels_sha256: str
    n_labels: int = Field(ge=1)
    cells: tuple[CalibrationCell, ...] = Field(min_length=1)
    method: CorrectionMethod = "rogan-gladen"
    labels: tuple[PictureLabel, ...] = ()


class Measurement(Record):
    """What a measure says of one picture: a number on the measure's own scale, or a `reason` for there being none.

    `detail` is what else is worth knowing, such as the nearest reference and how far it is.
    """

    key: str
    image_sha256: str
    value: float | None = None
    reason: str | None = None
    detail: dict[str, str | int | float] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _value_or_reason(self) -> Measurement:
        if (self.value is None) == (self.reason is None):
            raise ValueError("a measurement has a value, or the reason why it has none")
        return self
