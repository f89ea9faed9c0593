"""What passes between the stages of a study, and is kept in its folder.

    STUDY/
      concepts.json     who is counted                        (count; any stage that is told the concepts first)
      counts.csv        one ConceptCount per concept          (count)         counts.json: facts of the count
      aliases.csv       captions by name and alias            (count)         sample.csv: captions to be verified
      generations/      run folders with pictures             (generate)      generations.json: arms and folders
      scores.csv        one Score per concept, arm and prompt (score)         scores.json: facts of the scoring
      references.csv    which references were taken           (score)         embeddings/: vectors, so that it resumes
      analysis.json     Analysis                              (threshold)
      report.html, report.json                                (report)

Every stage reads what the one before it left, or files of a user's own with the same columns. A null has a reason.
"""

from __future__ import annotations

import math
from typing import Literal, get_args

from pydantic import Field

from copycat.schema import Record
from copycat.schema.base import Slug, Text

CONCEPTS_FILE = "concepts.json"
COUNTS_FILE, COUNT_FACTS_FILE, ALIASES_FILE, SAMPLE_FILE = "counts.csv", "counts.json", "aliases.csv", "sample.csv"
GENERATIONS_FOLDER, GENERATIONS_FILE = "generations", "generations.json"
SCORES_FILE, SCORE_FACTS_FILE, REFERENCES_FILE = "scores.csv", "scores.json", "references.csv"
DRAWN_FACT = "generations.sha256"
"""The fact of scores.json that says which generations.json was scored."""
ANALYSIS_FILE = "analysis.json"
PAGE_FILE, REPORT_FILE = "report.html", "report.json"

Arm = Literal["named", "unnamed", "zero", "shuffled"]
"""How a picture was asked for: by the concept's name; by the same prompt without a name; by a made-up name that
no concept has; by another concept's name, compared with this concept's references."""
ARMS: tuple[Arm, ...] = get_args(Arm)
CONTROLS: tuple[Arm, ...] = ("unnamed", "zero", "shuffled")

Metric = Literal["raw", "z", "identified", "matched", "score"]
"""Which figure of a score the curve is of; "score" is one of a user's own."""
METRICS: tuple[Metric, ...] = get_args(Metric)
REACH: dict[str, tuple[float, float]] = {"raw": (-1.0, 1.0), "identified": (0.0, 1.0), "matched": (0.0, 1.0)}
"""The lowest and the highest value of a metric; those that are not here have no end."""

Side = Literal["above", "below", "uncertain"]
VerdictName = Literal["threshold", "gradual", "no_change", "out_of_range", "underpowered"]


class Concept(Record):
    """Who or what may be imitated: a character, an artist, a person.

    `noun` stands in place of the name where a control prompt leaves it out ("character", "painting"). Impostors are
    taken from the same `stratum` where one is given.
    """

    id: Slug
    name: Text
    aliases: tuple[Text, ...] = ()
    not_aliases: tuple[Text, ...] = ()
    noun: Text = "character"
    stratum: str | None = None


class ConceptCount(Record):
    """Training pictures of one concept.

    `count` is what later stages use; `low` and `high` bound a 95 % interval (null: taken as exact). `raw` counts
    captions that name the concept, `exact` and `near` what is left without exact and near duplicates; null where the
    corpus has nothing to tell them by. Null `count` with a `reason`: not estimable; its interval may be known.
    """

    concept: Slug
    count: float | None = Field(ge=0)
    low: float | None = None
    high: float | None = None
    raw: int | None = None
    exact: int | None = None
    near: int | None = None
    reason: str = ""


class Score(Record):
    """How alike the pictures of one concept, arm and prompt are to the concept's references.

    `raw` is the mean cosine, `z` the same in standard deviations of impostors, `identified` the share of pictures
    whose nearest references, over all concepts, are this concept's; `matched` the share above the match threshold.
    `n` pictures were scored of `planned`; pictures that cannot be scored (no face, refused, damaged) lower the
    coverage and are never zeros.
    """

    concept: Slug
    arm: Arm = "named"
    prompt: str = ""
    raw: float | None = None
    z: float | None = None
    identified: float | None = None
    matched: float | None = None
    n: int = Field(ge=0)
    planned: int = Field(ge=0)
    reason: str = ""


class Point(Record):
    """One concept on the curve: its count with interval, and its score: the mean over prompts, with a 95 % interval.

    `prompts` holds the scores by prompt, for the bootstrap.
    """

    concept: Slug
    count: float
    count_low: float | None = None
    count_high: float | None = None
    score: float
    score_low: float | None = None
    score_high: float | None = None
    prompts: tuple[float, ...] = ()
    coverage: float = 1.0


class ControlBand(Record):
    """What scores come to without imitation: from the control arms, over concepts. `high` is the upper bound."""

    arms: tuple[Arm, ...]
    mean: float
    low: float
    high: float
    n: int


class Answer(Record):
    """What one estimator says: the count at which imitation starts, in training pictures, or null with a reason.

    `index` is the first concept of the new regime in the order of counts, equal counts by id. `statistics` holds the
    estimator's own figures by name ("f", "p", "penalty", "ed10", "ed90", "slope", "lower", "upper", "bic", ...).
    `curve` is what it fits, as (count, score) pairs to draw.
    """

    estimator: str
    count: float | None
    low: float | None = None
    high: float | None = None
    index: int | None = None
    others: tuple[float, ...] = ()
    statistics: dict[str, float | None] = Field(default_factory=dict)
    curve: tuple[tuple[float, float], ...] = ()
    reason: str = ""


class Bracket(Record):
    """Between which counts the change lies, with 95 % confidence: the last count below and the first above."""

    last_below: float
    first_above: float
    method: str


class Placed(Record):
    """Where one concept stands to the bracket."""

    concept: Slug
    side: Side


class Covariate(Record):
    """One check of an assumption: a figure by name, and what it says in a sentence."""

    name: str
    value: float | None
    n: int
    meaning: str


class Analysis(Record):
    """What `threshold` finds.

    `smallest_step` is the change of the score that would have been found in 80 of 100 such studies (same concepts,
    same noise); null with `smallest_step_reason`. `left_out`: concept -> why it is on no curve. `warnings` are
    sentences for people. `files` names those of counts and scores, by what they hold. `permutations` are the shuffles
    behind p, which is at least 1 / (permutations + 1).
    """

    metric: Metric
    points: tuple[Point, ...]
    band: ControlBand | None
    answers: tuple[Answer, ...]
    verdict: VerdictName
    why: str
    bracket: Bracket | None
    placed: tuple[Placed, ...]
    noise: float | None
    smallest_step: float | None
    smallest_step_reason: str = ""
    covariates: tuple[Covariate, ...] = ()
    left_out: dict[str, str] = Field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    seed: int = 0
    permutations: int = 999
    files: dict[str, str] = Field(default_factory=dict)


def within_reach(score: float, metric: str) -> float:
    """Give a score, or an end of its interval, where the metric reaches so far; else the end of the metric."""
    low, high = REACH.get(metric, (-math.inf, math.inf))
    return min(max(score, low), high)


class StudyFacts(Record):
    """Where figures come from: values by dotted name, for the report's last section; written beside each table."""

    facts: dict[str, str] = Field(default_factory=dict)
    warnings: tuple[str, ...] = ()
