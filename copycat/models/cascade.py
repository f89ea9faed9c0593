"""Cascades: a small picture first, drawn again larger by further pipelines (DeepFloyd IF)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from copycat.errors import UnsupportedError
from copycat.models.diffusers_model import DiffusersModel, run_pipeline, safety_flags
from copycat.models.fingerprint import fingerprint
from copycat.models.hub import INDEX, Source
from copycat.models.loading import Half, load_pipeline
from copycat.models.row import ModelIdentity, ModelRow, Picture
from copycat.models.vae_guard import VaeGuard
from copycat.schema import ImageRequest, Sampling, Upscaling

FIRST_STAGE = "stage_1"


class DiffusersCascade(DiffusersModel):
    """Drives the stages one after the other on each batch.

    `Sampling.steps` and `.guidance` are the first stage's; the others have their own in
    `Sampling.upscaling`. Each stage starts from a generator of its own, seeded with the request's seed
    plus the number of stages before it. Stages without a text encoder take the first one's embeddings.
    """

    def __init__(self, row: ModelRow, device: str) -> None:
        super().__init__(row, device)
        self._whole = self.source.folder
        if self._whole is not None:
            self.source = Source(str(self._whole / FIRST_STAGE), row.name)
        self._larger: list[tuple[Upscaling, Any]] = []

    def identify(self) -> ModelIdentity:
        """Give the hash of the whole folder, or the commits of all stages."""
        if self._whole is not None:
            return ModelIdentity(f"folder:{self.row.name}", fingerprint(self._whole))
        sources = [self.source, *(Source(stage.source, self.row.name) for stage in self.row.sampling.upscaling or ())]
        return ModelIdentity("+".join(s.text for s in sources), "+".join(str(s.commit) for s in sources))

    def check(self, requests: Sequence[ImageRequest], sampling: Sampling) -> None:
        """Refuse what a single pipeline refuses, and a size other than the stages'; loads no weights."""
        own, asked = ((s.width_px, s.height_px) for s in (self.row.sampling, sampling))
        if asked != own:
            raise UnsupportedError(
                f"'{self.row.name}' draws {own[0]}x{own[1]} pixels, stage by stage, and no other size\n"
                "  leave out --size"
            )
        super().check(requests, sampling)

    def _text_arguments(self, requests: Sequence[ImageRequest], sampling: Sampling, *, guided: bool) -> dict[str, Any]:
        """Give the negative side too where only a later stage is guided."""
        later = any(stage.guidance > 1 for stage in sampling.upscaling or ())
        return super()._text_arguments(requests, sampling, guided=guided or later)

    def _draw(self, requests: Sequence[ImageRequest], sampling: Sampling) -> list[Picture]:
        if self._guard is not None:
            self._guard.begin()
        arguments = self._arguments(requests, sampling)
        texts = {name: value for name, value in arguments.items() if name.startswith(("prompt", "negative"))}
        first = {name: value for name, value in arguments.items() if name not in ("width", "height")}
        output = run_pipeline(self.pipeline, first | {"output_type": "pt"}, self.row.name)
        flags = [safety_flags(output, len(requests))]
        for number, (stage, pipeline) in enumerate(self._larger, start=1):
            is_last = number == len(self._larger)
            arguments = _stage_arguments(pipeline, stage, requests, texts) | {
                "image": _handed_on(output.images, pipeline),
                "generator": _generators(requests, number),
                "output_type": "pil" if is_last else "pt",
            }
            output = run_pipeline(pipeline, arguments, self.row.name)
            flags.append(safety_flags(output, len(requests)))
        rescued = self._guard.rescued(len(requests)) if self._guard is not None else set()
        flagged = {place for place in range(len(requests)) if any(row[place] for row in flags)}
        return [
            self._picture(request, image, sampling, is_flagged=place in flagged, is_rescued=place in rescued)
            for place, (request, image) in enumerate(zip(requests, output.images, strict=True))
        ]

    def release(self) -> None:
        """Drop the weights of all stages."""
        self._larger = []
        super().release()

    def _load(self, requests: Sequence[ImageRequest], sampling: Sampling) -> None:
        super()._load(requests, sampling)
        if self._larger:
            return
        for stage in sampling.upscaling or ():
            row = self.row.model_copy(update={"pipeline": "", "variant": stage.variant, "parts": {}})
            where = stage.source if self._whole is None else str(self._whole / stage.source)
            source = Source(where, self.row.name)
            without_scheduler = sampling.model_copy(update={"scheduler": None, "compile": None})
            half: Half = "drawing" if _takes_embeddings(source) else "all"
            pipeline = load_pipeline(source, row, without_scheduler, self.device, half)
            if getattr(pipeline, "vae", None) is not None:
                self._guard = VaeGuard(pipeline.vae)
            self._larger.append((stage, pipeline))


def _handed_on(images: Any, pipeline: Any) -> Any:
    """Give a stage's tensors to the next: IF's own stages take values from -1 to 1, all others from 0 to 1."""
    is_if = getattr(pipeline, "text_encoder", None) is None
    return images if is_if else (images / 2 + 0.5).clamp(0, 1)


def _takes_embeddings(source: Source) -> bool:
    """Whether a stage reads the first stage's T5 embeddings: DeepFloyd IF's own stages do."""
    return str(source.read_json(INDEX).get("_class_name")).startswith("IF")


def _stage_arguments(
    pipeline: Any, stage: Upscaling, requests: Sequence[ImageRequest], texts: dict[str, Any]
) -> dict[str, Any]:
    given: dict[str, Any] = {"num_inference_steps": stage.steps, "guidance_scale": stage.guidance}
    if stage.noise_level is not None:
        given["noise_level"] = stage.noise_level
    if getattr(pipeline, "text_encoder", None) is None:
        return given | {k: v for k, v in texts.items() if stage.sends_negative or not k.startswith("negative")}
    given["prompt"] = [request.prompt_sent for request in requests]
    if stage.sends_negative and any(request.negative_prompt for request in requests):
        given["negative_prompt"] = [request.negative_prompt or "" for request in requests]
    return given


def _generators(requests: Sequence[ImageRequest], stage: int) -> list[Any]:
    import torch

    return [torch.Generator("cpu").manual_seed(request.seed + stage) for request in requests]
