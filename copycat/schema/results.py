"""What a run was asked, and what it found."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from copycat.schema.base import SCHEMA_VERSION, SUITE_VERSION, Record
from copycat.schema.judgements import CorrectionMethod
from copycat.schema.requests import Sampling

Unit = Literal["share", "probability", "difference", "coefficient", "score", "seconds"]


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
    unit: Unit
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
    `texts_sha256` is of the texts that a mitigation made of the prompts; None without a mitigation.
    `filter_judge` is the judge of an output filter with its revision, `language_model` the one that a mitigation
    asked, with the hashes of its instructions, `embedder` the one whose text embeddings a mitigation compared.
    """

    suite_version: str = SUITE_VERSION
    model: str
    model_source: str
    model_revision: str
    mitigation: str
    texts_sha256: str | None = None
    filter_judge: str | None = None
    language_model: str | None = None
    embedder: str | None = None
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

    @model_serializer(mode="wrap")
    def _without_unused(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out of these what is None, so that it moves no older run id."""
        later = ("texts_sha256", "filter_judge", "language_model", "embedder")
        return {name: value for name, value in write(self).items() if name not in later or value is not None}


class PairedTest(Record):
    """Whether a difference could be chance, and what this many characters could have shown.

    `p` is two-sided, by flipping the sign of whole characters; `p_holm` is adjusted for all tests of the table;
    `smallest` is the difference that would be found in 80 of 100 such comparisons. Null where it cannot be given.
    """

    metric: str
    anchor: str
    p: float | None
    p_holm: float | None
    smallest: float | None


class Correction(Record):
    """How rates were corrected for the judge's errors, and on what labels that stands.

    `sensitivity` and `specificity` are those of the judge on the labelled pictures, null where there were
    none of that kind. `is_possible` is false where these labels support no correction.
    """

    method: CorrectionMethod
    n_labels: int
    source: str
    labels_sha256: str
    sensitivity: float | None = None
    specificity: float | None = None
    is_possible: bool = True


class RunResult(Record):
    """metrics.json: rebuilt from the run folder at any time, byte for byte.

    `is_judge_calibrated` says whether the judge was ever checked against labels or the truth; `correction`
    is what the figures called "corrected" stand on, null where there are none.
    """

    schema_version: int = SCHEMA_VERSION
    suite_version: str = SUITE_VERSION
    model: str
    mitigation: str
    judge: str
    characters: str
    is_partial: bool
    is_sandbox: bool
    is_judge_calibrated: bool = False
    correction: Correction | None = None
    counts: Counts
    estimates: tuple[Estimate, ...]
