"""Pictures as unit vectors, by a vision encoder of transformers such as DINOv2 (arXiv:2304.07193)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from PIL.Image import Image

from copycat.errors import DataError, MissingExtraError, UserError
from copycat.models.fingerprint import fingerprint
from copycat.models.hub import CONFIG, Source, used_weights
from copycat.paths import shown

BATCH = 64


class DinoEncoder:
    """The vector of a picture is the encoder's last class token (CLS), of length 1. Reads its weights on first use.

    Args:
        source: a repository of the Hub (at `revision`), or a folder: './FOLDER'.
        owner: whose it is, as error texts say it: "judge 'dino'".
    """

    def __init__(self, source: str, owner: str, revision: str | None, device: str) -> None:
        self.source, self.owner, self.device = source, owner, device
        is_folder = source.startswith((".", "~")) or Path(source).is_absolute()
        self.folder = Path(source).expanduser() if is_folder else None
        self.files = Source(source, owner, revision, used_weights(CONFIG))

    def identity(self) -> tuple[str, str]:
        """Name the exact weights: repository and commit, or nothing and a fingerprint."""
        if self.folder is None:
            return self.source, str(self.files.commit)
        return "", self._fingerprint(self.folder)

    def facts(self) -> dict[str, str]:
        """Say where they come from."""
        commit = str(self.files.commit) if self.folder is None else f"fingerprint {self._fingerprint(self.folder)}"
        return {"weights": self.source, "commit": commit}

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
        place = self.source if self.folder is None else str(self.folder)
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
