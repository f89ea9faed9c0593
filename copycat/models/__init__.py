"""Models under test: the form that every model has, and the registry of names.

To add one: a row in `table_images.py`, `table_videos.py` or `table_services.py` (and a file with a
class, if no class here drives it yet), a test, a line in docs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from copycat.models.row import ModelIdentity, ModelRow, Picture
from copycat.models.table_baselines import BASELINE_ROWS
from copycat.models.table_images import IMAGE_ROWS, SANDBOX
from copycat.models.table_services import SERVICE_ROWS
from copycat.models.table_videos import VIDEO_ROWS
from copycat.registry import Registry
from copycat.schema import ImageRequest, Sampling

__all__ = ["MODELS", "SANDBOX", "ImageModel", "ModelIdentity", "ModelRow", "Picture"]


class ImageModel(Protocol):
    """A model. `identify` and `check` are cheap; the others load weights on first use."""

    def identify(self) -> ModelIdentity:
        """Say what will be run, without loading it."""

    def settle(self, sampling: Sampling) -> Sampling:
        """Fill in what the row leaves open and the model's own files state, so that the spec is explicit."""

    def check(self, requests: Sequence[ImageRequest], sampling: Sampling) -> None:
        """Raise UnsupportedError if a field of the requests or of the settings could not be acted on."""

    def prepare(self, requests: Sequence[ImageRequest], sampling: Sampling) -> None:
        """Do what is done once for all pictures still to make, such as encoding their texts."""

    def generate(self, requests: Sequence[ImageRequest], sampling: Sampling) -> list[Picture]:
        """Make one batch of pictures, in the order of the requests.

        Raises:
            BackendError: the whole batch failed, and it may be tried again.
        """


MODELS: Registry[ModelRow] = Registry(
    "model",
    (*IMAGE_ROWS, *VIDEO_ROWS, *SERVICE_ROWS, *BASELINE_ROWS),
    hint="see all: python -m copycat.eval --list models; ./folder, hub/repo-id and openai:MODEL work as well",
)
