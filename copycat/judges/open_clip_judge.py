"""Zero-shot over the registry with a model in open_clip's format.

Which character, if any: softmax over one text per character and the texts of "none of them"; the
best character counts if its probability reaches the calibrated threshold. CONS: the probability of
the key characteristic among the key characteristics of the set.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from PIL.Image import Image

from copycat.errors import DataError
from copycat.judges import JudgeRow, Verdict
from copycat.models.fingerprint import fingerprint
from copycat.paths import located, shown
from copycat.schema import CharacterSet, Record

SETTINGS_FILE = "judge.json"


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
        self._texts: dict[tuple[str, ...], Any] = {}

    def revision(self) -> str:
        """Give the hash of weights and settings."""
        return fingerprint(self.folder)

    def judge(self, pictures: Sequence[Image], asked_for: Sequence[str], characters: CharacterSet) -> list[Verdict]:
        """Judge a batch; see the protocol."""
        import torch

        people = characters.characters
        things = tuple(dict.fromkeys(c.key_characteristic for c in people))
        thing_of = {c.id: things.index(c.key_characteristic) for c in people}
        names = tuple(self.settings.character_template.format(c.name) for c in people) + self.settings.none_texts
        with torch.inference_mode():
            seen = self._embed_pictures(pictures)
            who = self._probabilities(seen, names)[:, : len(people)]
            what = self._probabilities(seen, tuple(self.settings.thing_template.format(t) for t in things))
        best, place = who.max(dim=1)
        rows = torch.arange(len(pictures))
        shows = what[rows, [thing_of[c] for c in asked_for]]
        return [
            Verdict(
                detected=people[int(i)].id if float(p) >= self.settings.threshold else None,
                confidence=_rounded(float(p)),
                consistency=_rounded(float(c)),
            )
            for p, i, c in zip(best, place, shows, strict=True)
        ]

    @cached_property
    def settings(self) -> JudgeSettings:
        """The settings beside the weights."""
        path = self.folder / SETTINGS_FILE
        try:
            return JudgeSettings.model_validate(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            raise DataError([f"{shown(path)}: cannot be read ({error})"], "  install copycat again") from error

    @cached_property
    def _model(self) -> Any:  # Any: open_clip ships no types
        import open_clip
        from safetensors import SafetensorError

        try:
            model, _, preprocess = open_clip.create_model_and_transforms(
                f"local-dir:{self.folder}", require_pretrained=True, device=self.device
            )
        except (OSError, RuntimeError, ValueError, SafetensorError) as error:
            raise DataError([f"{shown(self.folder)}: cannot be loaded ({error})"], "  install copycat again") from error
        model.eval()
        return model, preprocess

    def _embed_pictures(self, pictures: Sequence[Image]) -> Any:
        import torch

        model, preprocess = self._model
        batch = torch.stack([preprocess(picture.convert("RGB")) for picture in pictures]).to(self.device)
        return model.encode_image(batch, normalize=True)

    def _probabilities(self, seen: Any, texts: tuple[str, ...]) -> Any:
        """Softmax over texts, (N, len(texts)) on the CPU."""
        model, _ = self._model
        if texts not in self._texts:
            import open_clip

            tokenizer = open_clip.get_tokenizer(f"local-dir:{self.folder}")
            self._texts[texts] = model.encode_text(tokenizer(list(texts)).to(self.device), normalize=True)
        logits = model.logit_scale.exp() * seen @ self._texts[texts].T
        return logits.float().softmax(dim=1).cpu()


def _rounded(probability: float) -> float:
    """Six digits: beyond them, machines differ."""
    return round(min(1.0, max(0.0, probability)), 6)
