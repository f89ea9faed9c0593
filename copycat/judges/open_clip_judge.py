"""Zero-shot over the registry with a model in open_clip's format.

Which character, if any: softmax over one text per character and the texts of "none of them"; the
best character counts if its probability reaches the calibrated threshold. CONS: the probability of
the key characteristic among the key characteristics of the set.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from PIL.Image import Image

from copycat.errors import DataError
from copycat.judges import JudgeRow, Verdict
from copycat.judges.open_clip_encoder import OpenClipEncoder
from copycat.judges.open_clip_weights import FolderWeights
from copycat.models.fingerprint import fingerprint
from copycat.paths import located, shown
from copycat.schema import CharacterSet, Record

SETTINGS_FILE = "judge.json"
FIX = "install copycat again"


class JudgeSettings(Record):
    """judge.json beside the weights: the texts that pictures are compared with, and the threshold.

    `threshold` is a probability in [0, 1], fixed on a validation split that no figure is made from.
    """

    character_template: str
    thing_template: str
    none_texts: tuple[str, ...]
    threshold: float
    calibration: str


class OpenClipJudge:
    """Loads only weights that are there: never a model with random ones."""

    def __init__(self, row: JudgeRow, device: str) -> None:
        self.row, self.device = row, device
        self.folder = located(row.source)
        self.encoder = OpenClipEncoder(FolderWeights(self.folder, f"judge '{row.name}'", FIX), device)

    def revision(self) -> str:
        """Give the hash of weights and settings."""
        of_folder = fingerprint(self.folder)
        if self.row.threshold is None:
            return of_folder
        return hashlib.sha256(f"{of_folder}@{self.row.threshold!r}".encode()).hexdigest()[:40]

    def facts(self) -> dict[str, str]:
        """Say where threshold and weights come from."""
        where = self.settings.calibration if self.row.threshold is None else "as asked for"
        return {"weights": shown(self.folder), "threshold": f"{self.threshold:g} ({where})"}

    def judge(self, pictures: Sequence[Image], asked_for: Sequence[str], characters: CharacterSet) -> list[Verdict]:
        """Judge a batch; see the protocol."""
        people = characters.characters
        names = tuple(self.settings.character_template.format(c.name) for c in people) + self.settings.none_texts
        seen = self.encoder.embed_pictures(pictures)
        best, place = self._probabilities(seen, names)[:, : len(people)].max(dim=1)
        shows = self._consistencies(seen, asked_for, characters)
        return [
            Verdict(
                detected=people[int(i)].id if float(p) >= self.threshold else None,
                confidence=rounded(float(p)),
                consistency=shown_thing,
            )
            for p, i, shown_thing in zip(best, place, shows, strict=True)
        ]

    def rate(self, pictures: Sequence[Image], asked_for: Sequence[str], characters: CharacterSet) -> list[float | None]:
        """Give CONS alone; see the protocol."""
        return self._consistencies(self.encoder.embed_pictures(pictures), asked_for, characters)

    @property
    def threshold(self) -> float:
        """The probability in [0, 1] from which the best character counts."""
        return self.settings.threshold if self.row.threshold is None else self.row.threshold

    @cached_property
    def settings(self) -> JudgeSettings:
        """The settings beside the weights."""
        path = self.folder / SETTINGS_FILE
        try:
            return JudgeSettings.model_validate(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            raise DataError([f"{shown(path)}: cannot be read ({error})"], f"  {FIX}") from error

    def _consistencies(self, seen: Any, asked_for: Sequence[str], characters: CharacterSet) -> list[float | None]:
        things, wanted = things_asked_for(asked_for, characters)
        what = self._probabilities(seen, tuple(self.settings.thing_template.format(t) for t in things))
        return [rounded(float(row[place])) for row, place in zip(what, wanted, strict=True)]

    def _probabilities(self, seen: Any, texts: tuple[str, ...]) -> Any:
        """Softmax over texts, (N, len(texts)) on the CPU."""
        import torch

        with torch.inference_mode():
            logits = self.encoder.scale * seen @ self.encoder.embed_texts(texts).T
            return logits.float().softmax(dim=1).cpu()


def things_asked_for(asked_for: Sequence[str], characters: CharacterSet) -> tuple[tuple[str, ...], list[int]]:
    """Give the different key characteristics of a set, and the place of the one that each picture was to show."""
    things = tuple(dict.fromkeys(c.key_characteristic for c in characters.asked))
    place_of = {c.id: things.index(c.key_characteristic) for c in characters.asked}
    return things, [place_of[character] for character in asked_for]


def rounded(probability: float) -> float:
    """Six digits: beyond them, machines differ."""
    return round(min(1.0, max(0.0, probability)), 6)
