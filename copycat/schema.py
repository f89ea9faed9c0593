"""Every record that crosses a module boundary: frozen, checked, extra fields forbidden.

Flow: Character, Prompt -> ImageRequest -> Generation -> Judgement -> Estimate -> RunResult.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    StringConstraints,
    model_serializer,
    model_validator,
)

SCHEMA_VERSION = 1
SUITE_VERSION = "1.0"
"""Bumped when any score can move; results of different versions never share a table."""

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Status = Literal["ok", "refused", "blocked", "invalid", "failed"]


class Record(BaseModel):
    """Base of all records."""

    model_config = ConfigDict(frozen=True, extra="forbid")


# ------------------------------------------------------------------ characters and prompts


class FirstAppearance(Record):
    """Where and when a character was first published."""

    title: Text
    year: int = Field(ge=1800, le=2100)


class LegalNote(Record):
    """What is known of the legal status of one version of a character in one place.

    A note, not legal advice: `from_year` is the year in which the status began.
    """

    version: Text
    jurisdiction: Text
    status: Literal["protected", "public-domain", "disputed", "invented"]
    from_year: int | None = None
    note: str = ""


class Character(Record):
    """One protected (or, in the sandbox, invented) character.

    `aliases` are what a person or a judge would write for it; `not_aliases` are longer phrases
    that contain an alias and name somebody else ("She-Hulk" for Hulk). `key_characteristic` is
    the plain noun phrase that CONS asks for. `description` must not name the character, an
    alias, or a word of `brand_words`. What has a default here may be left out of a user's own file;
    the catalog requires rights, legal notes and sources of the sets that ship.
    """

    id: Slug
    name: Text
    aliases: tuple[Text, ...] = ()
    not_aliases: tuple[Text, ...] = ()
    franchise: Text
    rights_holder: Text | None = None
    first_appearance: FirstAppearance | None = None
    key_characteristic: Text
    description: Text
    brand_words: tuple[Text, ...] = ()
    keywords: tuple[Text, ...] = ()
    legal_status: tuple[LegalNote, ...] = ()
    sources: dict[str, tuple[Text, ...]] = Field(default_factory=dict)


class CharacterSet(Record):
    """A file of `characters/`, or a user's own."""

    id: Slug
    title: str = ""
    about: str = ""
    characters: tuple[Character, ...] = Field(min_length=1)


class Prompt(Record):
    """One text that is meant to bring one character back."""

    id: str
    character: Slug
    anchor: str
    text: Text


# ----------------------------------------------------------------------------- the request


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


class ImageRequest(Record):
    """One picture to make. A model acts on every field or refuses."""

    key: str
    character: Slug
    anchor: str
    prompt_id: str
    repeat: int
    prompt: str
    prompt_sent: str
    negative_prompt: str | None = None
    seed: int


class Sample(Record):
    """A finished request: one line of samples.jsonl.

    `image` is relative to the run folder and null unless status is "ok"; `sha256` is of the
    file's bytes; `seconds` is the batch's time divided by its size; `truncated_tokens` and
    `truncated_negative_tokens` count the tokens of either text that no text encoder read. Of a video,
    `image` is the sheet of its kept frames, `width` and `height` are those of one frame, and `video`
    is the file of the whole clip with the hash `video_sha256`.
    """

    key: str
    character: Slug
    anchor: str
    repeat: int
    prompt: str
    prompt_sent: str
    negative_prompt: str | None
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

    @model_validator(mode="after")
    def _ok_has_image(self) -> Sample:
        if (self.status == "ok") != (self.image is not None and self.sha256 is not None):
            raise ValueError("a sample has an image and its sha256 if and only if its status is 'ok'")
        return self


class Judgement(Record):
    """What one judge says of one picture.

    `detected` is the id of the character that the judge sees, null for none of them;
    `confidence` its probability in [0, 1]; `consistency` the probability in [0, 1] that the
    picture shows the key characteristic that was asked for. Where the judge could not answer,
    both are null and `reason` says why. Of a video, `frames` holds what the judge saw in each kept
    frame, and the other fields add them up (`judges.combine_frames`).
    """

    key: str
    image_sha256: str
    detected: Slug | None
    confidence: float | None = Field(default=None, ge=0, le=1)
    consistency: float | None = Field(default=None, ge=0, le=1)
    reason: str | None = None
    frames: tuple[Slug | None, ...] | None = None

    @property
    def is_answered(self) -> bool:
        """Whether the judge gave a verdict at all."""
        return self.reason is None


# ------------------------------------------------------------------------------- the result


class Estimate(Record):
    """One figure with its interval; `value` is null only with a `reason`.

    `low` and `high` bound a 95 % interval. `k` of `n` where the figure is a rate. For
    "detect", `per50_mean` and `per50_std` (population std over repeats, as in CopyCat Table 1)
    give the mean count of detected characters per repeat, scaled to a set of 50.
    """

    metric: str
    anchor: str
    value: float | None
    low: float | None
    high: float | None
    k: int | None = None
    n: int
    unit: Literal["share", "probability", "difference"]
    better: Literal["lower", "higher"]
    method: str
    per50_mean: float | None = None
    per50_std: float | None = None
    reason: str | None = None


SERVICE = "service"
"""The device of a run that somebody else's machine draws."""

MIN_COVERAGE = 0.98
"""A run of which less was judged, refused or blocked is not valid."""


class Counts(Record):
    """How the planned requests ended. `unjudged` pictures are ok but without a verdict."""

    planned: int
    ok: int
    refused: int
    blocked: int
    invalid: int
    failed: int
    unjudged: int

    @property
    def coverage(self) -> float:
        """Share of planned requests that ended in a judged picture, a refusal or a block."""
        if self.planned == 0:
            return 0.0
        return (self.ok - self.unjudged + self.refused + self.blocked) / self.planned


class RunSpec(Record):
    """What was asked, every value explicit. Two equal specs share a run folder.

    `judge` and `judge_revision` do not move a pixel and are not part of the folder's identity.
    """

    suite_version: str = SUITE_VERSION
    model: str
    model_source: str
    model_revision: str
    mitigation: str
    characters: str
    characters_sha256: str
    anchors: tuple[str, ...]
    prompts_sha256: str
    seeds: int = Field(ge=1)
    sampling: Sampling
    batch_size: int = Field(ge=1)
    device: str
    limit: int | None = Field(default=None, ge=1)
    judge: str
    judge_revision: str


class RunResult(Record):
    """metrics.json: rebuilt from the run folder at any time, byte for byte."""

    schema_version: int = SCHEMA_VERSION
    suite_version: str = SUITE_VERSION
    model: str
    mitigation: str
    judge: str
    characters: str
    is_partial: bool
    is_sandbox: bool
    counts: Counts
    estimates: tuple[Estimate, ...]
