"""What the ladder says of pictures. To be equal, to be near and to show the same character are different facts."""

from __future__ import annotations

from typing import Literal

from copycat.schema import Record, Text

Unit = Literal["equal", "bits", "cosine"]


class RungFacts(Record):
    """One rung: from where on it counts, what that was fixed on, and how many pictures reach it.

    Attributes:
        limit: the most bits of 64 that may differ, or the cosine that must be exceeded; None for an exact rung, and
            where no limit keeps the rate.
        pairs, passed: pairs of unrelated pictures, and how many of them count all the same.
        rate_at_most: 95 % upper bound of that rate, as if pairs were independent; they share pictures.
        unrelated, touched: unrelated pictures, and how many of them count against any reference: a picture has as
            many chances as there are references.
        related, related_passed: pairs of different references of one subfolder, and how many of them count: where
            many do, the rung tells the subject and not the copy. 0 on an exact rung.
        near, compared: pictures that reach the rung, by being equal on an exact one, and pictures that could be
            compared.
    """

    rung: str
    unit: Unit
    limit: float | None
    pairs: int
    passed: int
    rate_at_most: float | None
    unrelated: int
    touched: int
    related: int
    related_passed: int
    near: int
    compared: int


class RungFound(Record):
    """The nearest reference of a picture on one rung; `value` is in bits of 64 or a cosine."""

    reference: Text
    value: float
    is_mirrored: bool
    is_near: bool


class PictureFound(Record):
    """One picture; an exact rung without an equal reference has no entry.

    Attributes:
        character: whom the judge sees, None for nobody or without a judge.
        judged: why there is no verdict; None where there is one, or no judge.
        reason: why the picture could not be compared.
    """

    picture: Text
    sha256: str
    rungs: dict[str, RungFound]
    character: str | None = None
    confidence: float | None = None
    judged: str | None = None
    reason: str | None = None


class ImageReport(Record):
    """Pictures against a folder of references."""

    references: str
    references_sha256: str
    n_references: int
    n_groups: int
    calibrated_on: str
    rate: float
    encoder: str
    encoder_identity: str
    judge: str | None
    rungs: tuple[RungFacts, ...]
    pictures: tuple[PictureFound, ...]
    n_characters: int | None = None
    """Pictures in which the judge sees anybody of the set; None without a judge."""

    n_judged: int | None = None
