"""Pictures of a user go up the ladder, some at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from PIL.Image import Image

from copycat.errors import UserError
from copycat.fairuse.image.records import ImageReport, PictureFound, RungFacts, RungFound, Unit
from copycat.judges import Judge, Verdict
from copycat.measures.descriptors import Descriptor
from copycat.measures.ladder import (
    EXACT,
    PICTURE_SUFFIXES,
    RUNGS,
    Ladder,
    Rung,
    picture_files,
    read_gallery,
    see,
)
from copycat.models.decode import MAX_BYTES, UndecodableError, decode_picture
from copycat.paths import shown
from copycat.schema import CharacterSet

BATCH = 64


class Looking(NamedTuple):
    """A judge and the characters that it knows."""

    name: str
    judge: Judge
    characters: CharacterSet


class Order(NamedTuple):
    """What to compare with what. `calibration` is a folder of pictures that show none of the references."""

    pictures: tuple[Path, ...]
    references: Path
    rate: float
    encoder: str
    descriptor: Descriptor
    calibration: Path | None = None
    looking: Looking | None = None


class _Read(NamedTuple):
    name: str
    sha256: str
    picture: Image | None
    reason: str | None


def prepare_ladder(order: Order) -> Ladder:
    """Read the references and fix every threshold.

    Raises:
        UserError: there are no references, or they cannot show the rate.
    """
    references = read_gallery(order.references, "--references")
    unrelated = read_gallery(order.calibration, "--calibration") if order.calibration else None
    ladder = Ladder(references, unrelated, order.descriptor.embed, order.rate)
    for rung in ladder.rungs:
        if rung not in EXACT:
            ladder.threshold(rung)
    return ladder


def compare_pictures(order: Order, ladder: Ladder, done: Callable[[int], None] = lambda _: None) -> ImageReport:
    """Take every picture up every rung.

    Args:
        done: is told how many more pictures are compared.
    """
    found: list[PictureFound] = []
    for part in _batches(order.pictures):
        found += _compared(part, ladder, order.looking)
        done(len(part))
    compared = [one for one in found if one.reason is None]
    return ImageReport(
        references=shown(order.references),
        references_sha256=ladder.references.sha256,
        n_references=len(ladder.references.names),
        n_groups=len(set(ladder.references.groups)),
        calibrated_on=shown(order.calibration) if order.calibration else "references of different subfolders",
        rate=order.rate,
        encoder=order.encoder,
        encoder_identity=order.descriptor.identity(),
        judge=order.looking.name if order.looking else None,
        rungs=tuple(_facts(rung, ladder, compared) for rung in ladder.rungs),
        pictures=tuple(found),
        n_characters=sum(one.character is not None for one in compared) if order.looking else None,
        n_judged=sum(one.judged is None for one in compared) if order.looking else None,
    )


def pictures_below(paths: Sequence[Path]) -> tuple[Path, ...]:
    """Give the pictures that are named, and those below folders that are named.

    Raises:
        UserError: something is not there, or a folder holds none.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = picture_files(path)
            if not inside:
                raise UserError(f"{shown(path)} holds no picture ({', '.join(PICTURE_SUFFIXES)})")
            found += inside
        elif path.is_file():
            found.append(path)
        else:
            raise UserError(f"there is no file or folder {shown(path)}\n  name pictures, or folders of pictures")
    return tuple(dict.fromkeys(found))


def _batches(paths: Sequence[Path]) -> Iterator[list[_Read]]:
    for start in range(0, len(paths), BATCH):
        yield [_read(path) for path in paths[start : start + BATCH]]


def _read(path: Path) -> _Read:
    with path.open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    sha256 = hashlib.sha256(content).hexdigest()
    try:
        return _Read(shown(path), sha256, decode_picture(content).convert("RGB"), None)
    except UndecodableError as error:
        return _Read(shown(path), sha256, None, f"cannot be read: {error}")


def _compared(part: Sequence[_Read], ladder: Ladder, looking: Looking | None) -> list[PictureFound]:
    """Compare one batch; a picture that cannot be read has a reason."""
    readable = [(one, one.picture) for one in part if one.picture is not None]
    pictures = [picture for _, picture in readable]
    seen = [see(picture, one.sha256) for one, picture in readable]
    rungs: list[dict[str, RungFound]] = [{} for _ in readable]
    for rung in ladder.rungs if readable else ():
        for row, near in zip(rungs, ladder.nearest(rung, seen, pictures), strict=True):
            if near is not None:
                row[rung] = RungFound(
                    reference=ladder.references.names[near.reference],
                    value=near.value,
                    is_mirrored=near.is_mirrored,
                    is_near=near.is_near,
                )
    verdicts = _looked_at(pictures, looking)
    by_name = {
        one.name: PictureFound(
            picture=one.name,
            sha256=one.sha256,
            rungs=row,
            character=verdict.detected,
            confidence=verdict.confidence,
            judged=verdict.reason,
        )
        for (one, _), row, verdict in zip(readable, rungs, verdicts, strict=True)
    }
    return [
        by_name.get(one.name)
        or PictureFound(picture=one.name, sha256=one.sha256, rungs={}, reason=one.reason or "cannot be read")
        for one in part
    ]


def _looked_at(pictures: Sequence[Image], looking: Looking | None) -> list[Verdict]:
    """Ask the judge who is shown. Whom a prompt was after is not known here, and does not decide who is seen."""
    if looking is None or not pictures:
        return [Verdict(None) for _ in pictures]
    asked_for = [looking.characters.characters[0].id] * len(pictures)
    return looking.judge.judge(pictures, asked_for, looking.characters)


def _facts(rung: Rung, ladder: Ladder, found: Sequence[PictureFound]) -> RungFacts:
    near = sum(rung in one.rungs and one.rungs[rung].is_near for one in found)
    if rung in EXACT:
        return RungFacts(
            rung=rung,
            unit="equal",
            limit=None,
            pairs=0,
            passed=0,
            rate_at_most=None,
            unrelated=0,
            touched=0,
            related=0,
            related_passed=0,
            near=near,
            compared=len(found),
        )
    threshold, related = ladder.threshold(rung), ladder.related(rung)
    unit: Unit = "cosine" if rung == RUNGS[-1] else "bits"
    return RungFacts(
        rung=rung,
        unit=unit,
        limit=threshold.limit,
        pairs=threshold.pairs,
        passed=threshold.passed,
        rate_at_most=threshold.at_most,
        unrelated=threshold.pictures,
        touched=threshold.touched,
        related=related.pairs,
        related_passed=related.passed,
        near=near,
        compared=len(found),
    )
