"""What was done to a model's weights, and what is done at drawing to bring a concept back."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from copycat.schema.base import Record


class Erasure(Record):
    """Which edited weights draw a picture instead of the model's own.

    `sha256` is of the file of weights (`delta.safetensors`), which a model finds by it: see `ModelRow.files`.
    """

    method: str
    concepts: tuple[str, ...] = Field(min_length=1)
    sha256: str


class Term(Record):
    """A weighted text; the weight is relative to the scale of classifier-free guidance, negative to subtract."""

    text: str
    weight: float


class Attack(Record):
    """What is done while a picture is drawn to bring a concept back; every set field is acted on, or refused.

    Attributes:
        method: its name in `copycat.attacks`.
        terms: each adds weight * scale * (e(text) - e(null)) to the guided prediction (ARC).
        start, end: the terms act in the steps from this share of all steps on, up to that one.
        prefix: token ids right after the start token (UnlearnDiffAtk); of the first text encoder.
        learned: the hash of a file of learned token embeddings, which stand in the prompt at `LEARNED` (CCE).
    """

    method: str
    terms: tuple[Term, ...] = ()
    start: float = Field(default=0.0, ge=0, le=1)
    end: float = Field(default=1.0, ge=0, le=1)
    prefix: tuple[int, ...] = ()
    learned: str | None = None

    @model_validator(mode="after")
    def _acts(self) -> Attack:
        if not (self.terms or self.prefix or self.learned):
            raise ValueError("an attack needs terms, a prefix or learned embeddings")
        if self.start >= self.end:
            raise ValueError(f"an attack must start before it ends, got {self.start} and {self.end}")
        return self

    @model_serializer(mode="wrap")
    def _only_what_is_set(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        defaults: dict[str, Any] = {"terms": (), "start": 0.0, "end": 1.0, "prefix": (), "learned": None}
        return {k: v for k, v in write(self).items() if k not in defaults or v not in (defaults[k], [])}


LEARNED = "<learned>"
"""Stands in a prompt where learned token embeddings go."""


class ErasureCard(Record):
    """card.json of an erasure: what was erased from what, how, and how it went.

    Attributes:
        anchors: for each concept what a method may put in its place, None where nobody said; () in cards of before.
        preset: "corrected", "published", or another named set of settings that the method has.
        settings: of the method, every value explicit. small: those that a small network, such as the sandbox's, needs
            otherwise than the preset has them.
        model: the name that was typed. source, revision: the exact weights it was made for.
        delta_sha256: of delta.safetensors. n_parameters: numbers in it.
        steps: done, of `planned`. status: "finished", or "diverged" where a loss was no number; then the weights are
            those of the last checkpoint that held numbers.
        losses: by name, the mean of the last tenth of the steps.
        seconds: of all steps, preparation included, resumed ones too.
    """

    schema_version: int = 1
    method: str
    preset: str
    settings: dict[str, Any]
    small: dict[str, Any] = Field(default_factory=dict)
    concepts: tuple[str, ...] = Field(min_length=1)
    anchors: tuple[str | None, ...] = ()
    seed: int
    model: str
    source: str
    revision: str
    pipeline: str
    delta_sha256: str
    n_parameters: int
    steps: int
    planned: int
    status: Literal["finished", "diverged"]
    losses: dict[str, float]
    seconds: float
    device: str
    dtype: str
    versions: dict[str, str]

    @property
    def erasure(self) -> Erasure:
        """What a request says of it."""
        return Erasure(method=self.method, concepts=self.concepts, sha256=self.delta_sha256)
