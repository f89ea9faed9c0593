"""The two models that protect perfectly and are of no use: one draws nothing, one refuses everything."""

from __future__ import annotations

from collections.abc import Sequence

from copycat.models.row import ModelIdentity, ModelRow, Picture
from copycat.schema import ImageRequest, Sampling

GREY = (128, 128, 128)
REVISION = "1"
"""Rises when what they give changes."""


class _Baseline:
    """A model without weights that accepts every request: no field of it would make a difference."""

    def __init__(self, row: ModelRow, device: str) -> None:
        del device  # nothing is computed
        self.row = row

    def identify(self) -> ModelIdentity:
        """Give the row's name and the revision of this file."""
        return ModelIdentity(self.row.source, REVISION)

    def settle(self, sampling: Sampling) -> Sampling:
        """Leave the settings as they are."""
        return sampling

    def check(self, requests: Sequence[ImageRequest], sampling: Sampling) -> None:
        """Accept everything."""

    def prepare(self, requests: Sequence[ImageRequest], sampling: Sampling) -> None:
        """Nothing is done ahead."""


class BlankModel(_Baseline):
    """Draws one mid-grey picture for every request.

    The status is "ok" on purpose, though a picture of one colour from any other model counts as invalid: what this one
    is asked for, it delivers.
    """

    def generate(self, requests: Sequence[ImageRequest], sampling: Sampling) -> list[Picture]:
        """Give the grey picture, once for each request."""
        from PIL import Image

        size = (sampling.width_px, sampling.height_px)
        return [Picture("ok", Image.new("RGB", size, GREY)) for _ in requests]


class RefusingModel(_Baseline):
    """Refuses every request."""

    def generate(self, requests: Sequence[ImageRequest], sampling: Sampling) -> list[Picture]:
        """Give a refusal for each request."""
        del sampling
        return [Picture("refused", None, "refuses everything") for _ in requests]
