"""Every record that crosses a module boundary: frozen, checked, extra fields forbidden.

Flow: Character, Prompt -> ImageRequest -> Generation -> Judgement -> Estimate -> RunResult.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

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


class Sampling(Record):
    """Everything about sampling that can move a pixel, explicit."""

    steps: int = Field(ge=1)
    guidance: float = Field(ge=0)
    width_px: int = Field(ge=8)
    height_px: int = Field(ge=8)
    dtype: Literal["float32", "float16", "bfloat16"]
    scheduler: str


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
    file's bytes; `seconds` is the batch's time divided by its size; `truncated_tokens` counts
    the prompt tokens that did not fit the text encoder.
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
    both are null and `reason` says why.
    """

    key: str
    image_sha256: str
    detected: Slug | None
    confidence: float | None = Field(default=None, ge=0, le=1)
    consistency: float | None = Field(default=None, ge=0, le=1)
    reason: str | None = None

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
