"""Text-to-image pipelines of diffusers: the sandbox, SDXL, and any local pipeline folder."""

from __future__ import annotations

import inspect
import json
import logging
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from PIL.Image import Image

from copycat.errors import BackendError, DataError, MissingExtraError, UnsupportedError
from copycat.models import ModelIdentity, ModelRow, Picture
from copycat.models.fingerprint import fingerprint
from copycat.paths import located, shown
from copycat.schema import ImageRequest, Sampling

log = logging.getLogger(__name__)


class DiffusersImageModel:
    """Drives one pipeline. Each picture has its own CPU generator, so batches do not change pixels' seeds."""

    def __init__(self, row: ModelRow, device: str) -> None:
        self.row, self.device = row, device
        self.pipeline: Any = None  # Any: diffusers' pipelines share no typed base call

    def identify(self) -> ModelIdentity:
        """Give the source and the hash of its files, or the commit that the Hub resolves.

        A local folder goes by its name: where it lies moves no pixel and is nobody's business.
        """
        if self.folder is not None:
            source = self.row.source if self.row.source.startswith("package:") else f"folder:{self.row.name}"
            return ModelIdentity(source, fingerprint(self.folder))
        return ModelIdentity(self.row.source, self._hub_commit)

    def check(self, requests: Sequence[ImageRequest], sampling: Sampling) -> None:
        """Refuse negative prompts that the pipeline would accept and ignore."""
        if not any(request.negative_prompt for request in requests):
            return
        if sampling.guidance <= 1:
            raise UnsupportedError(
                f"'{self.row.name}' cannot honour a negative prompt with guidance {sampling.guidance:g}\n"
                "  classifier-free guidance acts above 1 only; use --guidance 3, or another mitigation"
            )
        if "negative_prompt" not in inspect.signature(self._pipeline_class.__call__).parameters:
            raise UnsupportedError(
                f"'{self.row.name}' ({self._pipeline_class.__name__}) takes no negative prompt\n"
                "  use a mitigation that does not need one: none"
            )

    def generate(self, requests: Sequence[ImageRequest], sampling: Sampling) -> list[Picture]:
        """Make one batch. A request's generator starts from its seed on the CPU, whatever the device."""
        import torch

        pipeline = self._load(sampling)
        negatives = [request.negative_prompt for request in requests]
        arguments: dict[str, Any] = {
            "prompt": [request.prompt_sent for request in requests],
            "generator": [torch.Generator("cpu").manual_seed(request.seed) for request in requests],
            "num_inference_steps": sampling.steps,
            "guidance_scale": sampling.guidance,
            "width": sampling.width_px,
            "height": sampling.height_px,
        }
        if any(text is not None for text in negatives):
            arguments["negative_prompt"] = [text or "" for text in negatives]
        try:
            output = pipeline(**arguments)
        except torch.OutOfMemoryError as error:
            raise BackendError(f"out of memory with a batch of {len(requests)}; use a smaller --batch-size") from error
        flags = getattr(output, "nsfw_content_detected", None) or [False] * len(requests)
        return [
            self._picture(request, image, bool(flagged))
            for request, image, flagged in zip(requests, output.images, flags, strict=True)
        ]

    def _picture(self, request: ImageRequest, image: Image, is_flagged: bool) -> Picture:
        if is_flagged:
            return Picture("blocked", None, "the pipeline's safety checker blanked the picture")
        if all(low == high for low, high in _extrema(image)):
            return Picture("invalid", None, "every pixel has the same colour")
        return Picture("ok", image, truncated_tokens=self._truncated_tokens(request.prompt_sent))

    def _truncated_tokens(self, text: str) -> int:
        tokenizer = self.pipeline.tokenizer
        return max(0, len(tokenizer(text, truncation=False, verbose=False).input_ids) - int(tokenizer.model_max_length))

    @property
    def folder(self) -> Path | None:
        """The local folder of the weights, None for a Hub repository."""
        path = located(self.row.source)
        return path if path.is_absolute() else None

    @cached_property
    def _hub_commit(self) -> str:
        from huggingface_hub import HfApi, try_to_load_from_cache
        from huggingface_hub.errors import HTTPError  # type: ignore[attr-defined]  # of its client: httpx, httpx2, requests

        try:
            return str(HfApi().model_info(self.row.source, timeout=10).sha)
        except (HTTPError, OSError) as error:
            cached = try_to_load_from_cache(self.row.source, "model_index.json")
            if isinstance(cached, str):
                return Path(cached).parent.name
            raise MissingExtraError(
                f"model '{self.row.name}' is not on this machine and the Hub cannot be reached\n"
                f"  needed: {self.row.source} ({type(error).__name__})\n"
                f"  go online, or fetch it elsewhere and use --model ./FOLDER; offline now: --model sandbox"
            ) from error

    @cached_property
    def _pipeline_class(self) -> Any:
        import diffusers

        if self.folder is not None:
            index = self.folder / "model_index.json"
        else:
            from huggingface_hub import hf_hub_download

            index = Path(hf_hub_download(self.row.source, "model_index.json", revision=self._hub_commit))
        name = str(json.loads(index.read_text(encoding="utf-8")).get("_class_name"))
        if not hasattr(diffusers, name):
            raise DataError(
                [f"{shown(index)}: field '_class_name': diffusers {diffusers.__version__} has no pipeline '{name}'"],
                "  needed: a text-to-image pipeline of diffusers, such as StableDiffusionPipeline",
            )
        return getattr(diffusers, name)

    def _load(self, sampling: Sampling) -> Any:
        if self.pipeline is not None:
            return self.pipeline
        import diffusers
        import torch
        from safetensors import SafetensorError

        settings: dict[str, Any] = {"dtype": getattr(torch, sampling.dtype), "use_safetensors": True}
        if self.folder is None:
            settings |= {"revision": self._hub_commit, "variant": self.row.variant}
        if "add_watermarker" in inspect.signature(self._pipeline_class.__init__).parameters:
            settings["add_watermarker"] = False
        _silence_loading_bars()
        try:
            pipeline = self._pipeline_class.from_pretrained(str(self.folder or self.row.source), **settings)
        except (OSError, ValueError, SafetensorError) as error:
            raise DataError(
                [f"{shown(self.folder) if self.folder else self.row.source}: cannot be loaded ({error})"],
                "  needed: a whole diffusers folder with weights in .safetensors files; fetch it again",
            ) from error
        if type(pipeline.scheduler).__name__ != sampling.scheduler:
            scheduler = getattr(diffusers, sampling.scheduler)
            pipeline.scheduler = scheduler.from_config(pipeline.scheduler.config)
        pipeline.set_progress_bar_config(disable=True)
        self.pipeline = pipeline.to(self.device)
        return self.pipeline


def _extrema(image: Image) -> list[tuple[int, int]]:
    return [(int(low), int(high)) for low, high in image.convert("RGB").getextrema()]  # type: ignore[misc]


def _silence_loading_bars() -> None:
    """Leave stderr to our own progress; downloads from the Hub keep their bars."""
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    diffusers_logging.disable_progress_bar()
    transformers_logging.disable_progress_bar()
