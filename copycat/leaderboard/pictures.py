"""The pictures of a submission, each looked at once: its bytes, its size, what it shows and how it hashes."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from copycat.errors import DataError
from copycat.leaderboard.faults import Fault
from copycat.leaderboard.hashing import distance, perceptual_hash
from copycat.leaderboard.layout import SizeLimits
from copycat.leaderboard.picture_files import PictureError, require_plain
from copycat.leaderboard.reading import LoadedSubmission, SubmittedPicture, read_picture_rows
from copycat.leaderboard.records import PICTURES, SubmittedSample
from copycat.models.decode import TooManyPixelsError, UndecodableError, decode_picture, flaw_of
from copycat.models.frames import columns_of
from copycat.schema import RunSpec, Sampling

MAX_HASH_DISTANCE = 4
"""Bits, of 256, by which a picture's hash may differ from the one claimed: versions of Pillow resize differently."""

MAX_FAULTS = 200
"""Behind that many faults no further picture is looked at."""

THUMBNAIL_PX = 64
BLANK = ("blank", "package:models/baselines.py")
"""Name and source of the baseline model whose pictures are meant to show nothing."""


class Look(NamedTuple):
    """What was seen of one picture: its hash, a thumbnail of (64, 64, 3), and whether all its pixels are alike."""

    perceptual_hash: str
    thumbnail: npt.NDArray[np.uint8]
    is_blank: bool


class Inspected(NamedTuple):
    """What was seen of each picture that could be read, by key; and what is wrong with the file and its pictures."""

    looks: dict[str, Look]
    faults: tuple[Fault, ...]


def inspect_pictures(loaded: LoadedSubmission, limits: SizeLimits) -> Inspected:
    """Look at every picture: each belongs to a sample, is the one that was hashed, and is a picture and no more."""
    wanted = {sample.key: sample for sample in loaded.samples if sample.status == "ok"}
    looks: dict[str, Look] = {}
    faults: list[Fault] = []
    seen: Counter[str] = Counter()
    try:
        for row in read_picture_rows(loaded.path, limits):
            if len(faults) > MAX_FAULTS:
                faults.append(_fault("pictures-file", PICTURES, f"read up to picture {len(seen):,}: too much is wrong"))
                return Inspected(looks, tuple(faults))
            where = f"{PICTURES}:{row.key[:40]}"
            seen[row.key] += 1
            if row.key not in wanted:
                faults.append(_fault("extra-picture", where, "belongs to no sample with status 'ok'"))
            elif seen[row.key] > 1:
                faults.append(_fault("repeated-picture", where, "the key is there more than once"))
            else:
                look, found = _inspect(row, wanted[row.key], loaded, limits)
                faults += found
                if look is not None:
                    looks[row.key] = look
    except DataError as error:
        faults += [_fault("pictures-file", PICTURES, fault.partition(": ")[2]) for fault in error.faults]
        return Inspected(looks, tuple(faults))
    missing = [key for key in wanted if key not in seen]
    faults += [
        _fault("missing-picture", f"{PICTURES}:{key}", "a sample is 'ok' without its picture") for key in missing
    ]
    return Inspected(looks, tuple(faults))


def open_picture(content: bytes, limits: SizeLimits) -> Image.Image:
    """Decode a picture of a stranger, once its bytes have been walked.

    Returns: an RGB picture.

    Raises:
        PictureError: see `picture_files.require_plain`; besides, "picture-too-large" and "picture-damaged".
    """
    if len(content) > limits.picture_bytes:
        said = f"has {len(content):,} bytes, at most {limits.picture_bytes:,} are allowed"
        raise PictureError("picture-too-large", said)
    try:
        if _claimed_pixels(content) <= limits.picture_pixels:
            require_plain(content)
        return decode_picture(content, limits.picture_pixels)
    except TooManyPixelsError as error:
        raise PictureError("picture-too-large", f"stands for {error}") from error
    except UndecodableError as error:
        raise PictureError("picture-damaged", f"is {error}") from error


def draws_nothing(spec: RunSpec) -> bool:
    """Say whether a run is of the baseline model all of whose pictures are blank and alike."""
    return (spec.model, spec.model_source) == BLANK


def sheet_size(sampling: Sampling, width: int, height: int) -> tuple[int, int]:
    """Give the size of the picture of a sample whose frames are `width` x `height`: of a clip, that of the sheet."""
    if not sampling.kept_frames:
        return width, height
    columns = columns_of(len(sampling.kept_frames))
    return width * columns, height * math.ceil(len(sampling.kept_frames) / columns)


def _claimed_pixels(content: bytes) -> int:
    """Read how many pixels a PNG says it has, so that a bomb is called one before its bytes are unpacked."""
    if not content.startswith(b"\x89PNG") or len(content) < 24:
        return 0
    return int.from_bytes(content[16:20], "big") * int.from_bytes(content[20:24], "big")


def _inspect(
    row: SubmittedPicture, sample: SubmittedSample, loaded: LoadedSubmission, limits: SizeLimits
) -> tuple[Look | None, list[Fault]]:
    where = f"{PICTURES}:{row.key}"
    faults = []
    true = hashlib.sha256(row.content).hexdigest()
    if not true == sample.sha256 == row.sha256:
        said = f"the picture's sha256 is {true[:12]}..., and '{(sample.sha256 or '')[:12]}...' is claimed"
        faults.append(_fault("forged-hash", where, said))
    if row.path is not None and row.path not in {f"{row.key}.{suffix}" for suffix in ("png", "jpg", "jpeg", "webp")}:
        faults.append(_fault("picture-path", where, f"has the path '{row.path[:80]}'; needed: '{row.key}.png'"))
    width, height = sheet_size(loaded.settings.spec.sampling, sample.width or 0, sample.height or 0)
    try:
        # What is larger than it may be is not decoded: a file of 100 kB can stand for seconds of work.
        picture = open_picture(row.content, limits._replace(picture_pixels=min(limits.picture_pixels, width * height)))
    except PictureError as error:
        return None, [*faults, _fault(error.kind, where, str(error))]
    look = _look(picture)
    return look, [*faults, *_compare(look, picture, sample, loaded)]


def _look(picture: Image.Image) -> Look:
    small = picture.resize((THUMBNAIL_PX, THUMBNAIL_PX), Image.Resampling.BOX)
    return Look(perceptual_hash(picture), np.asarray(small, dtype=np.uint8), flaw_of(picture) is not None)


def _compare(look: Look, picture: Image.Image, sample: SubmittedSample, loaded: LoadedSubmission) -> list[Fault]:
    where, spec = f"{PICTURES}:{sample.key}", loaded.settings.spec
    faults = []
    asked = sheet_size(spec.sampling, sample.width or 0, sample.height or 0)
    if picture.size != asked:
        said = "is {}x{}, and {}x{} is what its sample says".format(*picture.size, *asked)
        faults.append(_fault("picture-size", where, said))
    if sample.perceptual_hash is not None and (
        distance(look.perceptual_hash, sample.perceptual_hash) > MAX_HASH_DISTANCE
    ):
        said = f"hashes to {look.perceptual_hash[:12]}..., and '{sample.perceptual_hash[:12]}...' is claimed"
        faults.append(_fault("perceptual-hash", where, said))
    if look.is_blank != draws_nothing(spec):
        said = "every pixel has the same colour: a blank picture is 'invalid' and not 'ok'"
        shows = "shows something, and every picture of the baseline 'blank' is blank"
        faults.append(_fault("blank-picture", where, said if look.is_blank else shows))
    return faults


def _fault(kind: str, where: str, what: str) -> Fault:
    return Fault(kind=kind, where=where, what=what)
