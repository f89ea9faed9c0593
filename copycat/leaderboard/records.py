"""What a submission is made of: the records of its files.

leaderboard/submissions/<suite>/<submitter>__<model>/<hash>/
    submission.json      who submits, of which model, with what words       Submission
    run_settings.json    every setting, and what it ran on                  RunSettings
    metrics.json         the figures claimed                                RunResult
    samples.jsonl        one line per planned request that has ended        SubmittedSample
    judgements.jsonl     one line per picture and verdict                   Judgement
    calibration.json     only if figures are corrected                      Calibration
    pictures.parquet     key, sha256, image {bytes, path}; not there if the pictures are withheld
    MANIFEST.sha256      sha256 of each file above, as `sha256sum` writes it
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from copycat.schema import Record, RunSpec, Sample

SUBMISSION_SCHEMA_VERSION = 1

SUBMISSION, SETTINGS, METRICS = "submission.json", "run_settings.json", "metrics.json"
SAMPLES, JUDGEMENTS, CALIBRATION = "samples.jsonl", "judgements.jsonl", "calibration.json"
PICTURES, MANIFEST = "pictures.parquet", "MANIFEST.sha256"
REQUIRED_FILES = (SUBMISSION, SETTINGS, METRICS, SAMPLES, JUDGEMENTS)
OPTIONAL_FILES = (CALIBRATION, PICTURES)

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=4_000)]
WebAddress = Annotated[str, StringConstraints(pattern=r"^https?://[^\s<>\"'`\\]+$", max_length=500)]
Date = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
PerceptualHash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Modality = Literal["image", "video"]


class ModelFacts(Record):
    """The model of a run, as it was loaded. `is_open`: anybody can have the weights."""

    name: Line
    source: Line
    revision: Line
    modality: Modality
    is_open: bool
    licence: Line | None = None


class Submitter(Record):
    """Who answers for a submission. `name` is shown; `contact` is a web address."""

    name: Line
    organisation: Line | None = None
    contact: WebAddress | None = None


class Submission(Record):
    """submission.json: what the files of a run do not say themselves.

    `statement` says in the submitter's words whether the model was tuned with these prompts or characters in mind;
    `attack` names what was done to bring a concept back, null for nothing; `usd_per_picture` is what one picture
    cost the submitter, null if unknown. Whether a row counts as verified is not for a submission to say.
    """

    schema_version: int = SUBMISSION_SCHEMA_VERSION
    suite_version: Line
    date: Date
    model: ModelFacts
    attack: Line | None = None
    submitter: Submitter
    paper: WebAddress | None = None
    statement: Words = ""
    notes: Words = ""
    pictures: Literal["included", "withheld"]
    usd_per_picture: float | None = Field(default=None, ge=0)


class RunSettings(Record):
    """run_settings.json: the spec with every value explicit, and the machine; no path, no user name, no key.

    `baseline` is the id of the unmitigated run, null in that run itself.
    """

    spec: RunSpec
    environment: dict[str, str]
    judge_facts: dict[str, str] = Field(default_factory=dict)
    baseline: str | None = None


class SubmittedSample(Sample):
    """A line of samples.jsonl: the sample of the run, and the 256-bit perceptual hash of its picture, in hex.

    The hash is of the picture as it was drawn (`hashing.py`); null unless there is a picture.
    """

    perceptual_hash: PerceptualHash | None = None
