"""Pipelines of diffusers that draw pictures or clips from text: every family that diffusers has a class for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from PIL.Image import Image

from copycat.errors import BackendError, UnsupportedError
from copycat.models.attacked_texts import check_inserts
from copycat.models.batch_memory import BatchMemory, free_memory, is_out_of_memory
from copycat.models.capabilities import Capabilities, read_capabilities
from copycat.models.decode import flaw_of
from copycat.models.defaults import frame_step, own_settings
from copycat.models.erased import Edits
from copycat.models.fingerprint import fingerprint
from copycat.models.frames import build_sheet
from copycat.models.guidance import check_guides, guidance, shared_of
from copycat.models.hub import INDEX, Source
from copycat.models.loading import Half, load_pipeline
from copycat.models.row import ModelIdentity, ModelRow, Picture
from copycat.models.texts import TextStore, recipe_of, truncated_of, truncated_tokens
from copycat.models.vae_guard import VaeGuard
from copycat.schema import Erasure, ImageRequest, Sampling

OUTPUTS = ("images", "image", "frames")
SAFETY_FLAGS = ("nsfw_content_detected", "nsfw_detected")
NEGATIVE_ALONE = ("Kandinsky3Pipeline", "KandinskyV22CombinedPipeline")
"""Pipelines whose pictures with a negative prompt are drawn one by one.

The first cuts a negative prompt to the longest prompt of the batch; the prior of the second draws an
embedding of the negative prompt, too, and has no generator for it where each picture brings its own.
"""


class DiffusersModel:
    """Drives one pipeline. Each picture has its own CPU generator, so batches do not change pixels' seeds."""

    def __init__(self, row: ModelRow, device: str) -> None:
        self.row, self.device = row, device
        self.source = Source(row.source, row.name, row.revision)
        self.pipeline: Any = None  # Any: diffusers' pipelines share no typed base call
        self._texts: dict[str | None, TextStore] = {}
        self._edits = Edits(row.files, row.name)
        self._encoders: Any = None
        self._guard: VaeGuard | None = None
        self._memory: BatchMemory | None = None

    def identify(self) -> ModelIdentity:
        """Give the source and the hash of its files, or the commits that the Hub resolves.

        A local folder goes by its name: where it lies moves no pixel and is nobody's business.
        """
        if self.folder is not None:
            source = self.row.source if self.row.source.startswith("package:") else f"folder:{self.row.name}"
            return ModelIdentity(source, fingerprint(self.folder))
        parts = [Source(repository, self.row.name) for repository in self.row.parts.values()]
        commits = [str(source.commit) for source in (self.source, *parts)]
        return ModelIdentity("+".join((self.row.source, *(part.text for part in parts))), "+".join(commits))

    @property
    def folder(self) -> Path | None:
        """The local folder of the weights, None for a Hub repository."""
        return self.source.folder

    @cached_property
    def capabilities(self) -> Capabilities:
        """What the pipeline acts on, read from its class and the config of its denoiser."""
        if not self.row.pipeline:
            return read_capabilities(self.source)
        return read_capabilities(self.source, self.source.read_json(INDEX) | {"_class_name": self.row.pipeline})

    @cached_property
    def _own(self) -> dict[str, Any]:
        return own_settings(self.source, self.source.read_json(INDEX), self.capabilities.pipeline)

    def settle(self, sampling: Sampling) -> Sampling:
        """Name the scheduler of the files, and what becomes of safety checker and watermark."""
        return Sampling.model_validate(self._own | sampling.model_dump())

    def check(self, requests: Sequence[ImageRequest], sampling: Sampling) -> None:
        """Refuse what the pipeline would accept and ignore; loads no weights."""
        able = self.capabilities
        if sampling.true_guidance is not None and able.true_guidance_argument is None:
            raise UnsupportedError(
                f"'{self.row.name}' ({able.pipeline}) has one kind of guidance only\n"
                "  use --guidance, not --true-guidance"
            )
        if sampling.long_prompts and not ((recipe := recipe_of(able.pipeline)) and recipe.pieces):
            raise UnsupportedError(
                f"'{self.row.name}' ({able.pipeline}) cannot encode a long prompt in pieces\n"
                "  leave out --long-prompts; the tokens that are cut off are counted for each picture"
            )
        if sampling.safety_checker and "safety_checker" not in self._own:
            raise UnsupportedError(
                f"'{self.row.name}' ({able.pipeline}) has no safety checker\n  leave out --safety-checker"
            )
        if sampling.is_video:
            self._check_frames(sampling)
        if any(request.negative_prompt for request in requests):
            self._check_negative(able, sampling)
        self._edits.check(requests, set(self.source.read_json(INDEX)))
        check_guides(self.row.name, able, requests, sampling)
        check_inserts(self.row.name, able, requests, sampling, self.row.files)

    def _check_frames(self, sampling: Sampling) -> None:
        step, frames = frame_step(self.source), sampling.frames or 1
        if (frames - 1) % step:
            below = (frames - 1) // step * step + 1
            raise UnsupportedError(
                f"'{self.row.name}' draws clips of {step} n + 1 frames, and {frames} is none of these\n"
                f"  use --frames {below} or --frames {below + step}"
            )

    def _check_negative(self, able: Capabilities, sampling: Sampling) -> None:
        if not able.can_negate:
            raise UnsupportedError(
                f"'{self.row.name}' ({able.pipeline}) takes no negative prompt\n"
                "  use a mitigation that does not need one: none"
            )
        if (scale := able.cfg_scale(sampling.guidance, sampling.true_guidance)) <= 1:
            kind = "guidance" if able.true_guidance_argument is None else "true guidance"
            raise UnsupportedError(
                f"'{self.row.name}' cannot honour a negative prompt with {kind} {scale:g}\n"
                f"  classifier-free guidance acts above 1 only; use --{kind.replace(' ', '-')} 3, or another mitigation"
            )

    def prepare(self, requests: Sequence[ImageRequest], sampling: Sampling) -> None:
        """Encode every text of the requests once, with the text encoders alone in memory, and free them."""
        if not self._lacks_texts(requests, sampling):
            return
        encoders = load_pipeline(self.source, self.row, sampling, self.device, "texts")
        self._encode(encoders, requests, sampling)
        del encoders
        free_memory()

    def generate(self, requests: Sequence[ImageRequest], sampling: Sampling) -> list[Picture]:
        """Make one batch. A request's generator starts from its seed on the CPU, whatever the device."""
        self._load(requests, sampling)
        pictures: dict[int, Picture] = {}
        for places in self._groups(requests, sampling):
            group = [requests[place] for place in places]
            self._edits.switch(self.pipeline, group[0].erasure)
            made = self._memory_for(sampling).run(group, lambda rows: self._draw(rows, sampling))
            pictures |= dict(zip(places, made, strict=True))
        return [pictures[place] for place in range(len(requests))]

    # --------------------------------------------------------------------------- private

    def release(self) -> None:
        """Drop weights and encoded texts; the next picture loads them again."""
        self._edits.forget(self.pipeline)
        self.pipeline = self._encoders = self._guard = None
        self._texts = {}
        free_memory()

    def _groups(self, requests: Sequence[ImageRequest], sampling: Sampling) -> Iterable[list[int]]:
        """Part the places of a batch into pictures that can be drawn together without a change to any of them.

        Those without a negative prompt go apart, because to some pipelines no text is not an empty text;
        those of one length, where long prompts are encoded in pieces; those of one guide, of one window of an
        attack's terms, and of one set of weights.
        """
        groups: dict[Any, list[int]] = {}
        for place, request in enumerate(requests):
            store = self._store(sampling, request.erasure)
            has_negative = request.negative_prompt is not None
            alone = place if has_negative and self.capabilities.pipeline in NEGATIVE_ALONE else None
            changes = (shared_of(request), request.model_dump_json(include={"erasure"}))
            kind = (has_negative, store.pieces(request) if store is not None else 1, alone, changes)
            groups.setdefault(kind, []).append(place)
        return groups.values()

    def _draw(self, requests: Sequence[ImageRequest], sampling: Sampling) -> list[Picture]:
        if self._guard is not None:
            self._guard.begin()
        store = self._store(sampling, requests[0].erasure)
        with guidance(self.pipeline, requests, store.rows if store is not None else {}):
            output = run_pipeline(self.pipeline, self._arguments(requests, sampling), self.row.name)
        drawn = next(made for name in OUTPUTS if (made := getattr(output, name, None)) is not None)
        flags = safety_flags(output, len(requests))
        rescued = self._guard.rescued(len(requests)) if self._guard is not None else set()
        return [
            self._picture(request, made, sampling, is_flagged=flag, is_rescued=place in rescued)
            for place, (request, made, flag) in enumerate(zip(requests, drawn, flags, strict=True))
        ]

    def _arguments(self, requests: Sequence[ImageRequest], sampling: Sampling) -> dict[str, Any]:
        import torch

        able = self.capabilities
        scale = able.cfg_scale(sampling.guidance, sampling.true_guidance)
        known: dict[str | None, Any] = {
            "generator": [torch.Generator("cpu").manual_seed(request.seed) for request in requests],
            "num_inference_steps": sampling.steps,
            "width": sampling.width_px,
            "height": sampling.height_px,
            "num_frames": sampling.frames,
            "output_type": "pil",
            "use_resolution_binning": False,
            "clean_caption": False,
            able.guidance_argument: sampling.guidance,
            able.true_guidance_argument: sampling.true_guidance,
        }
        given = {name: value for name, value in known.items() if name in able.arguments and value is not None}
        return given | self._text_arguments(requests, sampling, guided=able.can_negate and scale > 1)  # type: ignore[operator]

    def _text_arguments(self, requests: Sequence[ImageRequest], sampling: Sampling, *, guided: bool) -> dict[str, Any]:
        store = self._store(sampling, requests[0].erasure)
        if store is not None:
            return store.arguments(self.pipeline, requests, self.device, guided=guided)
        texts: dict[str, Any] = {"prompt": [request.prompt_sent for request in requests]}
        if requests[0].negative_prompt is not None:
            texts["negative_prompt"] = [request.negative_prompt for request in requests]
        return texts

    def _picture(
        self, request: ImageRequest, made: Any, sampling: Sampling, *, is_flagged: bool, is_rescued: bool
    ) -> Picture:
        if is_flagged:
            return Picture("blocked", None, "the pipeline's safety checker blanked the picture")
        clip = tuple(made) if sampling.is_video else ()
        flaw = clip_flaw(clip, sampling) if clip else flaw_of(made, (sampling.width_px, sampling.height_px))
        if flaw is not None:
            return Picture("invalid", None, flaw)
        image: Image = build_sheet([clip[i] for i in sampling.kept_frames or ()]) if clip else made
        cut = 0 if sampling.long_prompts else truncated_of(self.pipeline, request, self.row.files)
        negative = request.negative_prompt or ""
        cut_negative = 0 if sampling.long_prompts else truncated_tokens(self.pipeline, negative)
        return Picture(
            "ok",
            image,
            "decoded again in float32, half precision had spoilt it" if is_rescued else "",
            cut,
            cut_negative,
            clip,
        )

    def _load(self, requests: Sequence[ImageRequest], sampling: Sampling) -> None:
        if self._lacks_texts(requests, sampling):
            self._encoders = self._encoders or load_pipeline(self.source, self.row, sampling, self.device, "texts")
            self._encode(self._encoders, requests, sampling)
        if self.pipeline is None:
            half: Half = "drawing" if recipe_of(self.capabilities.pipeline) else "all"
            self.pipeline = load_pipeline(self.source, self.row, sampling, self.device, half)
            vae = getattr(self.pipeline, "vae", None)
            self._guard = VaeGuard(vae) if vae is not None else None

    def _lacks_texts(self, requests: Sequence[ImageRequest], sampling: Sampling) -> bool:
        """Whether a text of these requests has not been encoded yet by the encoders that its weights want."""
        return any(store is not None and store.missing(group) for store, group in self._by_store(requests, sampling))

    def _encode(self, encoders: Any, requests: Sequence[ImageRequest], sampling: Sampling) -> None:
        for store, group in self._by_store(requests, sampling):
            if store is not None and (missing := store.missing(group)):
                with self._edits.on(encoders, group[0].erasure):
                    store.encode(encoders, missing)

    def _by_store(
        self, requests: Sequence[ImageRequest], sampling: Sampling
    ) -> Iterable[tuple[TextStore | None, list[ImageRequest]]]:
        """Part requests by who encodes their texts; in a group either all edit the encoders alike or none does."""
        groups: dict[str | None, list[ImageRequest]] = {}
        for request in requests:
            groups.setdefault(self._edits.text_key(request.erasure), []).append(request)
        return [(self._store(sampling, group[0].erasure), group) for group in groups.values()]

    def _store(self, sampling: Sampling, erasure: Erasure | None) -> TextStore | None:
        """Keep the texts that edited encoders encoded apart from those of the model's own."""
        recipe = recipe_of(self.capabilities.pipeline)
        if recipe is None:
            return None
        key = self._edits.text_key(erasure)
        if key not in self._texts:
            self._texts[key] = TextStore(recipe, piecewise=bool(sampling.long_prompts), files=self.row.files)
        return self._texts[key]

    def _memory_for(self, sampling: Sampling) -> BatchMemory:
        if self._memory is None:
            size = f"{sampling.width_px}x{sampling.height_px}x{sampling.frames or 1}"
            self._memory = BatchMemory(f"{self.row.source} {size} {sampling.dtype} {device_name(self.device)}")
        return self._memory


def run_pipeline(pipeline: Any, arguments: dict[str, Any], owner: str) -> Any:
    """Call a pipeline.

    Raises:
        UnsupportedError: the pipeline itself refuses the settings, such as a size that it cannot draw.
        BackendError: it fell over.
    """
    try:
        return pipeline(**arguments)
    except ValueError as error:
        raise UnsupportedError(
            f"'{owner}' cannot draw with these settings\n  {type(pipeline).__name__}: {error}\n"
            "  change what it names (--size, --frames, --steps); nothing that is finished is lost"
        ) from error
    except RuntimeError as error:
        if is_out_of_memory(error):
            raise
        raise BackendError(f"{type(pipeline).__name__} fell over: {' '.join(str(error).split())[:300]}") from error


def safety_flags(output: Any, count: int) -> list[bool]:
    """Say of each picture whether the safety checker blanked it; False for all where there is none."""
    found = next((f for name in SAFETY_FLAGS if (f := getattr(output, name, None))), [False] * count)
    return [bool(flag) for flag in found]


def clip_flaw(clip: Sequence[Image], sampling: Sampling) -> str | None:
    """Say what makes a clip unusable: another length, a wrong size, or no frame with more than one colour.

    Some VAEs give 8 frames for 5, or 5 for 6; then the kept ones would not be spread as the settings say.
    """
    if len(clip) != sampling.frames:
        return f"asked for {sampling.frames} frames, got {len(clip)}"
    flaws = [flaw_of(frame, (sampling.width_px, sampling.height_px)) for frame in clip]
    return flaws[0] if all(flaws) else None


def device_name(device: str) -> str:
    """Name the very kind of device, so that what fits into one is not believed of another."""
    if not device.startswith("cuda"):
        return device
    import torch

    return torch.cuda.get_device_name(device)
