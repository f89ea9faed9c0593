"""Watch that a judge stays the one it was: the same few pictures are judged again before it goes on.

A name of a service's model, or of a branch, can stand for another model tomorrow. Its verdicts would be mixed
with those of the old one, and a difference between two runs would be one between two judges.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from PIL.Image import Image

from copycat.errors import UserError
from copycat.judges import Judge
from copycat.judges.asking import judge_all
from copycat.models.decode import decode_picture
from copycat.paths import package_folder, shown
from copycat.runs.folder import judge_stem, read_journal, write_journal
from copycat.schema import CharacterSet, Judgement, RunSpec
from copycat.services.memory import AnswerMemory, pixels_sha256

SHEET = "judges/sentinels.png"
COLUMNS, ROWS, SIDE_PX = 6, 4, 64
MAX_CHANGED = 2
"""So many of the 24 may be judged otherwise: servers that batch answer a borderline picture now so, now so."""

SAME = 0.05
"""Probabilities that differ by no more are the same verdict: other hardware, other last digits."""

log = logging.getLogger(__name__)


class DriftError(UserError):
    """The judge answers otherwise than when it was first asked."""


class Sentinels:
    """Keeps the first verdicts of each judge, and compares once per judge and command.

    Args:
        folder: where they are kept, one file per judge, revision and character set.
        memory: answers kept from earlier; it is not asked here, since a memory does not drift.
    """

    def __init__(self, folder: Path, memory: AnswerMemory | None = None) -> None:
        self.folder, self.memory = folder, memory
        self._steady: set[Path] = set()

    def path(self, spec: RunSpec) -> Path:
        """Give the file of a judge's verdicts on the sentinel pictures."""
        name = judge_stem(spec.judge, spec.judge_revision)
        return self.folder / f"{name}+{spec.characters}-{spec.characters_sha256[:8]}.jsonl"

    def renew(self, spec: RunSpec, judge: Judge, characters: CharacterSet) -> None:
        """Take the judge as it is now: its verdicts on the sentinel pictures replace the first ones.

        Raises:
            UserError: the judge can judge nothing; the first verdicts stay.
        """
        write_journal(self.path(spec), self._judge(judge, characters))
        self._steady.add(self.path(spec))

    def require_steady(self, spec: RunSpec, judge: Judge, characters: CharacterSet) -> None:
        """Judge the sentinel pictures, and compare with the first time; keep the verdicts if this is the first.

        Raises:
            DriftError: more than two of them are judged otherwise now.
            UserError: the judge can judge nothing.
        """
        path = self.path(spec)
        if path in self._steady:
            return
        now = self._judge(judge, characters)
        if path.exists():
            _compare(spec, path, read_journal(path, Judgement), now)
        else:
            write_journal(path, now)
        self._steady.add(path)

    def _judge(self, judge: Judge, characters: CharacterSet) -> list[Judgement]:
        pictures = sentinel_pictures()
        people = characters.characters
        asked_for = [people[place % len(people)].id for place in range(len(pictures))]
        if self.memory is None:
            verdicts = judge_all(judge, pictures, asked_for, characters)
        else:
            with self.memory.asleep():
                verdicts = judge_all(judge, pictures, asked_for, characters)
        return [
            verdict.of(f"sentinel-{place:02}", pixels_sha256(picture.size, picture.tobytes()))
            for place, (picture, verdict) in enumerate(zip(pictures, verdicts, strict=True))
        ]


def sentinel_pictures() -> list[Image]:
    """Give the 24 pictures: drawings of the sandbox, some of nobody, some with text over them."""
    sheet = decode_picture(package_folder(SHEET).read_bytes())
    corners = [(place % COLUMNS * SIDE_PX, place // COLUMNS * SIDE_PX) for place in range(COLUMNS * ROWS)]
    return [sheet.crop((x, y, x + SIDE_PX, y + SIDE_PX)) for x, y in corners]


def _compare(spec: RunSpec, path: Path, before: Sequence[Judgement], now: Sequence[Judgement]) -> None:
    kept = {(judgement.key, judgement.image_sha256): judgement for judgement in before}
    pairs = [(kept.get((judgement.key, judgement.image_sha256)), judgement) for judgement in now]
    answered = [(old, new) for old, new in pairs if old is not None and old.is_answered and new.is_answered]
    changed = [new for old, new in answered if not _is_same(old, new)]
    if len(changed) > MAX_CHANGED:
        raise DriftError(
            f"judge '{spec.judge}' is not what it was: {len(changed)} of {len(answered)} sentinel pictures are judged "
            f"otherwise than when it was first asked\n"
            f"  its first verdicts: {shown(path)}; nothing was judged, and nothing is mixed\n"
            "  to drop its old verdicts on these runs and judge all of them anew: the same command with --rejudge"
        )
    if changed:
        log.warning("judge '%s': %d of %d sentinel pictures changed", spec.judge, len(changed), len(answered))


def _is_same(one: Judgement, other: Judgement) -> bool:
    if (one.detected, one.closed) != (other.detected, other.closed):
        return False
    return _are_close(one.confidence, other.confidence) and _are_close(one.consistency, other.consistency)


def _are_close(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= SAME
