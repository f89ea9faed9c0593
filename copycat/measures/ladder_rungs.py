"""The rungs of the ladder as measures: whether a generated picture is equal or near to a reference, one fact each.

The folder of references may be of any layout. Pictures of one subfolder are related: with a subfolder per character, or
per work, the rate is that of pictures of others.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import NamedTuple

from PIL.Image import Image

from copycat.errors import UserError
from copycat.judges.open_clip_hub import sha40
from copycat.measures import Setting
from copycat.measures.descriptors import descriptor_of
from copycat.measures.ladder import DEFAULT_RATE, EXACT, Gallery, Ladder, Rung, Seen, picture_files, read_gallery, see
from copycat.schema import Measurement, Sample


class _Asked(NamedTuple):
    """What stands behind the colon of a measure's name."""

    encoder: str
    rate: float


class LadderRung:
    """One rung, or the exact two together. The gallery and its thresholds are shared by the measures of a run."""

    rungs: tuple[Rung, ...] = ()

    def __init__(self, setting: Setting) -> None:
        self.asked = _asked(setting)
        self.folder = Path(setting.references or "")
        self.device = setting.device

    def revision(self) -> str:
        """Hash references, rate and, for the descriptor, weights."""
        parts = [self.rungs[0], self._ladder.references.sha256]
        parts += [] if self.rungs == EXACT else [repr(self.asked.rate)]
        parts += [descriptor_of(self.asked.encoder, self.device).identity()] if "descriptor" in self.rungs else []
        return sha40("ladder-3", *parts)

    def check(self) -> None:
        """Calibrate, so that a rate that cannot be shown is refused before anything is drawn; see the protocol."""
        for rung in self.rungs:
            if rung not in EXACT:
                self._ladder.threshold(rung)

    def measure(self, pictures: Sequence[Image], samples: Sequence[Sample]) -> list[Measurement]:
        """Measure pictures; see the protocol.

        `detail` holds the nearest reference, the distance in bits or the cosine, the limit, whether the picture was
        mirrored for it, the rate asked for, its 95 % upper bound on so many pairs, and `touched`: the share of
        unrelated references that count against any other. A picture has as many chances as there are references, so
        that it is this share, and not the rate, that a picture which copies nothing is to be read against. `related`,
        where the references have subfolders with several pictures, is the share of pairs of them that count: where it
        is high, a picture counts by its subject, and need not be a copy.

        Unit: 1 if the picture is a reference, or near one at the stated rate, else 0.
        Direction: lower is better.
        """
        seen = [see(picture, sample.sha256 or "") for picture, sample in zip(pictures, samples, strict=True)]
        if self.rungs == EXACT:
            return self._exact(seen, samples)
        (rung,) = self.rungs
        threshold, related = self._ladder.threshold(rung), self._ladder.related(rung)
        found = []
        for near, sample in zip(self._ladder.nearest(rung, seen, pictures), samples, strict=True):
            assert near is not None  # noqa: S101 - only exact rungs give none
            detail: dict[str, str | int | float] = {
                "reference": self._ladder.references.names[near.reference],
                "cosine" if rung == "descriptor" else "distance": round(near.value, 6),
                "mirrored": int(near.is_mirrored),
                "rate": self.asked.rate,
                "pairs": threshold.pairs,
                "rate_at_most": round(threshold.at_most, 9),
                "touched": round(threshold.touched / threshold.pictures, 6),
            }
            if related.pairs:
                detail["related"] = round(related.passed / related.pairs, 6)
            if threshold.limit is None:
                reason = f"no distance keeps the rate of {self.asked.rate:g} among unrelated references"
                found.append(
                    Measurement(key=sample.key, image_sha256=sample.sha256 or "", reason=reason, detail=detail)
                )
                continue
            detail["limit"] = round(threshold.limit, 6)
            found.append(_measurement(sample, float(near.is_near), detail))
        return found

    def _exact(self, seen: Sequence[Seen], samples: Sequence[Sample]) -> list[Measurement]:
        """Look for the same file, else the same pixels; `detail` says which."""
        found = []
        for one, sample in zip(seen, samples, strict=True):
            detail: dict[str, str | int | float] = {}
            for rung in EXACT[::-1]:
                (near,) = self._ladder.nearest(rung, [one], [])
                if near is not None:
                    detail = {"reference": self._ladder.references.names[near.reference], "same": rung}
            found.append(_measurement(sample, float(bool(detail)), detail))
        return found

    @property
    def _ladder(self) -> Ladder:
        return _shared_ladder(str(self.folder), self._state, self.asked, self.device)

    @cached_property
    def _state(self) -> str:
        return _state_of(self.folder)


class LadderExact(LadderRung):
    """The same file or the same pixels."""

    rungs = EXACT


class LadderPhash(LadderRung):
    """Near by perceptual hash."""

    rungs = ("phash",)


class LadderDhash(LadderRung):
    """Near by difference hash."""

    rungs = ("dhash",)


class LadderDescriptor(LadderRung):
    """Near by the vectors of an encoder."""

    rungs = ("descriptor",)


def _measurement(sample: Sample, value: float, detail: dict[str, str | int | float]) -> Measurement:
    return Measurement(key=sample.key, image_sha256=sample.sha256 or "", value=value, detail=detail)


def _asked(setting: Setting) -> _Asked:
    """Read 'RATE', 'SOURCE' or 'SOURCE@RATE'.

    Raises:
        UserError: the rate is no number.
    """
    text = setting.row.source
    usual = setting._replace(row=setting.row.model_copy(update={"source": None})).source
    if text is None:
        return _Asked(usual, DEFAULT_RATE)
    source, at, rate = text.rpartition("@")
    if not at:
        try:
            return _Asked(usual, float(text))
        except ValueError:
            return _Asked(text, DEFAULT_RATE)
    try:
        return _Asked(source or usual, float(rate))
    except ValueError as error:
        raise UserError(
            f"measure '{setting.row.name}': '{rate}' is no false-positive rate\n  needed: a number such as 0.001"
        ) from error


@lru_cache(maxsize=2)
def _shared_ladder(folder: str, state: str, asked: _Asked, device: str) -> Ladder:
    """Make the ladder of a run once: its measures compare with the same references."""
    gallery = _shared_gallery(folder, state)
    return Ladder(gallery, None, lambda pictures: descriptor_of(asked.encoder, device).embed(pictures), asked.rate)


@lru_cache(maxsize=2)
def _shared_gallery(folder: str, state: str) -> Gallery:
    del state  # another one is another gallery
    return read_gallery(Path(folder), "the ladder")


def _state_of(folder: Path) -> str:
    """Tell two states of a folder apart, by names, sizes and times."""
    if not folder.is_dir():
        return ""
    states = ((path, path.stat()) for path in picture_files(folder))
    return sha40(*(f"{path} {state.st_size} {state.st_mtime_ns}" for path, state in states))
