"""What is asked of a model, and what came of it."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from copycat.schema.base import Record, Slug, Status
from copycat.schema.edits import Attack, Erasure


class Upscaling(Record):
    """One further stage of a cascade: it draws the picture of the stage before it again, larger.

    `noise_level` is how much noise is added to the smaller picture first, in steps of the schedule;
    None where the pipeline has no such setting.
    """

    source: str
    steps: int = Field(ge=1)
    guidance: float = Field(ge=0)
    noise_level: int | None = Field(default=None, ge=0)
    sends_negative: bool = True
    variant: str | None = None


class Sampling(Record):
    """Everything about sampling that can move a pixel, explicit; None where a model has no such setting.

    `guidance` is the scale of classifier-free guidance, or of the guidance that was distilled into
    the model (FLUX.1); `true_guidance` is the scale of real classifier-free guidance beside the
    distilled one. For videos: `frames` are drawn, and those at the positions `kept_frames` (from 0)
    are looked at. `compile` names what was compiled; `long_prompts` says that prompts longer than the text
    encoder reads are encoded in pieces; `vae_dtype` and `vae_tiling` speak of the decoder; `safety_checker`
    and `watermark` say whether a pipeline that has them uses them; `quality` is a service's own word.
    """

    steps: int | None = Field(default=None, ge=1)
    guidance: float | None = Field(default=None, ge=0)
    width_px: int = Field(ge=8)
    height_px: int = Field(ge=8)
    dtype: Literal["float32", "float16", "bfloat16"] | None = None
    scheduler: str | None = None
    true_guidance: float | None = Field(default=None, ge=0)
    upscaling: tuple[Upscaling, ...] | None = None
    frames: int | None = Field(default=None, ge=1)
    kept_frames: tuple[int, ...] | None = None
    fps: int | None = Field(default=None, ge=1)
    compile: Literal["regional"] | None = None
    long_prompts: Literal[True] | None = None
    vae_dtype: Literal["float32"] | None = None
    vae_tiling: Literal[True] | None = None
    safety_checker: Literal["on", "off"] | None = None
    watermark: Literal["off"] | None = None
    quality: str | None = None

    @model_validator(mode="after")
    def _kept_frames_are_drawn(self) -> Sampling:
        if (self.frames is None) != (self.kept_frames is None):
            raise ValueError("frames and kept_frames go together")
        kept = self.kept_frames or (0,)
        if sorted(set(kept)) != list(kept) or not 0 <= kept[0] <= kept[-1] < (self.frames or 1):
            raise ValueError(f"kept_frames must rise from 0 to {(self.frames or 1) - 1} at most, got {kept}")
        return self

    @property
    def is_video(self) -> bool:
        """Whether a clip is made."""
        return self.frames is not None

    @model_serializer(mode="wrap")
    def _only_what_is_set(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out what is None, so that a setting that came later and is not used moves no hash of a run."""
        return {name: value for name, value in write(self).items() if value is not None}


class Guide(Record):
    """Training-free guidance away from a concept while a picture is drawn; the method says which settings it has."""

    method: Literal["sld", "safree", "nag"]
    concept: tuple[str, ...] = Field(min_length=1)
    settings: dict[str, float] = Field(default_factory=dict)


class OutputFilter(Record):
    """A judge that looks at each picture before it is delivered; None stands for the judge of the run.

    A picture that shows a character is drawn again with another seed, until `tries` pictures are drawn.
    """

    judge: str | None = None
    tries: int = Field(ge=1)


class _WithoutUnused(Record):
    """Leaves out of what is written the fields of `unused_left_out` that are None, so that they move no older hash."""

    unused_left_out: ClassVar[tuple[str, ...]] = ("guide", "output_filter", "erasure", "attack", "rejected")

    @model_serializer(mode="wrap")
    def _only_what_is_used(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        left_out = self.unused_left_out
        return {name: value for name, value in write(self).items() if value is not None or name not in left_out}


class ImageRequest(_WithoutUnused):
    """One picture to make. A model acts on every field or refuses."""

    key: str
    character: Slug
    anchor: str
    prompt_id: str
    repeat: int
    prompt: str
    prompt_sent: str
    negative_prompt: str | None = None
    guide: Guide | None = None
    output_filter: OutputFilter | None = None
    erasure: Erasure | None = None
    attack: Attack | None = None
    seed: int


class Sample(_WithoutUnused):
    """A finished request: one line of samples.jsonl.

    `image` is relative to the run folder and null unless status is "ok"; `sha256` is of the
    file's bytes; `seconds` is the batch's time divided by its size; `truncated_tokens` and
    `truncated_negative_tokens` count the tokens of either text that no text encoder read. Of a video,
    `image` is the sheet of its kept frames, `width` and `height` are those of one frame, and `video`
    is the file of the whole clip with the hash `video_sha256`. `rejected` tells for each picture that an output
    filter threw away which character it saw, '?' where it could not look.
    """

    key: str
    character: Slug
    anchor: str
    repeat: int
    prompt: str
    prompt_sent: str
    negative_prompt: str | None
    guide: Guide | None = None
    output_filter: OutputFilter | None = None
    erasure: Erasure | None = None
    attack: Attack | None = None
    seed: int
    status: Status
    detail: str = ""
    image: str | None = None
    sha256: str | None = None
    width: int | None = None
    height: int | None = None
    seconds: float | None = None
    truncated_tokens: int = 0
    truncated_negative_tokens: int = 0
    video: str | None = None
    video_sha256: str | None = None
    rejected: tuple[str, ...] | None = None

    @model_validator(mode="after")
    def _ok_has_image(self) -> Sample:
        if (self.status == "ok") != (self.image is not None and self.sha256 is not None):
            raise ValueError("a sample has an image and its sha256 if and only if its status is 'ok'")
        return self
