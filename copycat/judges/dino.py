"""Likeness to a user's pictures of each character, by a vision encoder such as DINOv2 (arXiv:2304.07193)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from PIL.Image import Image

from copycat.errors import DataError, MissingExtraError, UserError
from copycat.judges import JudgeRow, Verdict
from copycat.judges.likeness import Likeness, threshold_fact
from copycat.judges.open_clip_hub import sha40
from copycat.judges.references import LAYOUT, References
from copycat.models.fingerprint import fingerprint
from copycat.models.hub import CONFIG, Source, used_weights
from copycat.paths import shown
from copycat.schema import CharacterSet

DEFAULT_COSINE = 0.6
"""UNCALIBRATED. Cosine of the class tokens to the nearest reference."""
BATCH = 64


class DinoJudge:
    """The vector of a picture is the encoder's last class token (CLS), of length 1. It cannot rate CONS.

    Raises:
        UserError: there is no folder of references to compare with.
    """

    def __init__(self, row: JudgeRow, device: str) -> None:
        self.row, self.device, self.owner = row, device, f"judge '{row.name}'"
        if row.references is None:
            raise UserError(f"{self.owner} compares with pictures, and none are given\n{LAYOUT}")
        is_folder = row.source.startswith((".", "~")) or Path(row.source).is_absolute()
        self.folder = Path(row.source).expanduser() if is_folder else None
        self.files = Source(row.source, self.owner, row.revision, used_weights(CONFIG))
        threshold = DEFAULT_COSINE if row.threshold is None else row.threshold
        self.likeness = Likeness(References(Path(row.references), self.owner), self.embed, threshold)

    def revision(self) -> str:
        """Hash weights, references and threshold."""
        weights = str(self.files.commit) if self.folder is None else self._fingerprint(self.folder)
        parts = (self.row.source if self.folder is None else "", weights, self.likeness.references.sha256)
        return sha40("dino-1", *parts, repr(self.likeness.threshold))

    def facts(self) -> dict[str, str]:
        """Say where weights and references come from, and what decides."""
        commit = str(self.files.commit) if self.folder is None else f"fingerprint {self._fingerprint(self.folder)}"
        threshold = threshold_fact(self.row.threshold, DEFAULT_COSINE, "cosine")
        return {
            "weights": self.row.source,
            "commit": commit,
            **self.likeness.references.facts(),
            "threshold": threshold,
        }

    def check(self, characters: CharacterSet) -> None:
        """Read every reference; see the protocol."""
        self.likeness.references.of(characters)

    def judge(self, pictures: Sequence[Image], asked_for: Sequence[str], characters: CharacterSet) -> list[Verdict]:
        """Judge a batch; see the protocol. There is no consistency: no text can be asked."""
        return self.likeness.verdicts(self.embed(pictures), asked_for, characters)

    def rate(self, pictures: Sequence[Image], asked_for: Sequence[str], characters: CharacterSet) -> list[float | None]:
        """Give no CONS, without looking."""
        del asked_for, characters
        return [None] * len(pictures)

    def embed(self, pictures: Sequence[Image]) -> Any:
        """Give (N, D) float32 on the device, each row of length 1."""
        import torch

        model, processor = self._loaded
        parts = []
        with torch.inference_mode():
            for start in range(0, len(pictures), BATCH):
                ready = [picture.convert("RGB") for picture in pictures[start : start + BATCH]]
                pixels = processor(images=ready, return_tensors="pt")["pixel_values"].to(self.device)
                parts.append(model(pixel_values=pixels).last_hidden_state[:, 0].float())
            return torch.nn.functional.normalize(torch.cat(parts), dim=-1)

    def _fingerprint(self, folder: Path) -> str:
        if not (folder / CONFIG).is_file():
            raise UserError(
                f"{self.owner}: {shown(folder)} is no folder of a transformers model\n"
                f"  needed in it: {CONFIG}, model.safetensors and preprocessor_config.json"
            )
        return fingerprint(folder)

    @cached_property
    def _loaded(self) -> tuple[Any, Any]:  # Any: transformers is not typed for us
        from safetensors import SafetensorError
        from transformers import AutoImageProcessor, AutoModel
        from transformers.utils import logging as transformers_logging

        transformers_logging.disable_progress_bar()
        place = self.row.source if self.folder is None else str(self.folder)
        commit = str(self.files.commit) if self.folder is None else None
        settings: dict[str, Any] = {"revision": commit} if commit else {"local_files_only": True}
        try:
            processor = AutoImageProcessor.from_pretrained(place, **settings)
            model, told = AutoModel.from_pretrained(place, output_loading_info=True, use_safetensors=True, **settings)
        except (OSError, ValueError, RuntimeError, SafetensorError) as error:
            if commit is not None and isinstance(error, OSError):
                raise MissingExtraError(
                    f"{self.owner}: the weights of {place} are not on this machine and cannot be fetched\n"
                    f"  {type(error).__name__}: {str(error).partition('.')[0]}\n"
                    "  go online, or fetch them elsewhere and name the folder instead: dino:./FOLDER"
                ) from error
            raise DataError([f"{place}: cannot be loaded ({error})"], "  fetch the weights again") from error
        self._require_all_weights(place, told)
        return model.to(self.device).float().eval(), processor

    def _require_all_weights(self, place: str, told: Any) -> None:
        """Refuse a file that lacks some: transformers fills them with random numbers and only warns.

        The pooler comes after the class token and is not used.
        """
        lacking = [str(key) for key in told["missing_keys"] if not str(key).startswith("pooler.")]
        lacking += [str(key) for key in told.get("mismatched_keys", ())]
        if lacking:
            raise DataError(
                [f"{place}: the file of weights lacks {', '.join(sorted(lacking)[:3])}"], "  fetch it again"
            )
