"""The attacked model: its pictures, judged; and its parts, with gradients."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from copycat.judges import Judge
from copycat.live import LivePipeline
from copycat.models import ModelRow, Picture
from copycat.models.diffusers_model import DiffusersModel
from copycat.models.erased import put_on
from copycat.models.hub import Source
from copycat.models.loading import load_pipeline
from copycat.schema import Character, CharacterSet, ImageRequest, Sampling


class Studio:
    """Draws requests as an evaluation would, and asks the judge whether they show the concept.

    Args:
        row: of the model, with the paths of edited weights and learned embeddings in `files`.
    """

    def __init__(
        self, row: ModelRow, sampling: Sampling, device: str, judge: Judge, who: tuple[CharacterSet, Character]
    ) -> None:
        self.model = DiffusersModel(row, device)
        self.row, self.sampling, self.device = row, sampling, device
        self._judge, (self._characters, self._concept) = judge, who

    def with_file(self, sha256: str, path: Path) -> Studio:
        """Give one that knows another file; this one's weights are let go."""
        self.model.release()
        row = self.row.model_copy(update={"files": self.row.files | {sha256: str(path)}})
        return Studio(row, self.sampling, self.device, self._judge, (self._characters, self._concept))

    def draw(self, requests: Sequence[ImageRequest]) -> list[tuple[Picture, bool | None]]:
        """Draw one batch; with each picture whether it shows the concept, None where nobody can say."""
        self.model.check(requests, self.sampling)
        pictures = self.model.generate(requests, self.sampling)
        images = [picture.image for picture in pictures if picture.image is not None]
        verdicts = iter(self._judge.judge(images, [self._concept.id] * len(images), self._characters))
        judged: list[tuple[Picture, bool | None]] = []
        for picture in pictures:
            verdict = next(verdicts) if picture.image is not None else None
            is_told = verdict is not None and verdict.is_answered
            judged.append((picture, verdict.shows(self._concept.id) if verdict is not None and is_told else None))
        return judged


def load_victim(row: ModelRow, sampling: Sampling, device: str, delta: Path | None) -> LivePipeline:
    """Load the attacked model to be taken apart, with its edited weights.

    It is the model that draws, but for float16, in which small gradients become zero: see `gradient_dtype`.

    Raises:
        UnsupportedError: another family.
        DataError: the edited weights do not fit.
    """
    changes = {"dtype": gradient_dtype(sampling.dtype, device), "compile": None}
    source = Source(row.source, row.name, row.revision)
    pipeline: Any = load_pipeline(source, row, sampling.model_copy(update=changes), device, "all")
    live = LivePipeline(pipeline, row.name)
    if delta is not None:
        put_on(pipeline, delta)
    return live


def gradient_dtype(dtype: str | None, device: str) -> str | None:
    """Say in which dtype a model that draws in `dtype` is searched.

    The gradient of a mean over a picture's latents is smaller than what float16 can hold, and some decoders' pictures
    are larger. bfloat16 holds both; where a device lacks it, float32 does.
    """
    import torch

    if dtype != "float16":
        return dtype
    is_able = device.startswith("cuda") and torch.cuda.is_bf16_supported(including_emulation=False)
    return "bfloat16" if is_able else "float32"
