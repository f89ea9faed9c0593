"""What is kept of a matrix: one file for each cell that is finished, and matrix.json with the figures."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from copycat.robustness.generic import Distance, Moved
from copycat.robustness.retention import Retention
from copycat.schema import SCHEMA_VERSION, ErasureCard, Estimate, Record

ORIGINAL = "none"
"""In place of a method: the model's own weights. In place of an attack: none."""

MATRIX_FILE, PAGE_FILE = "matrix.json", "matrix.html"


class SearchedPrompt(Record):
    """A prompt for which an attack was searched: whether the concept was seen before, and after; None: not judged."""

    id: str
    before: bool | None
    after: bool | None


class Searched(Record):
    """A search on one erasure."""

    seconds: float
    prompts: tuple[SearchedPrompt, ...]


class CellRecord(Record):
    """One erasure, or the original weights, with everything that was measured on them.

    Attributes:
        asked: all that its figures depend on; another order makes the cell anew, out of what is there already.
        runs: names of run folders by attack ("none" for none), of the prompts that are after the concept.
        others, generic: names of the run folders of the other characters and of benign prompts.
        moved: generic pictures against the original model's.
        searched: what the search itself found, by attack.
    """

    schema_version: int = SCHEMA_VERSION
    concept: str
    method: str
    seed: int
    asked: dict[str, Any]
    card: ErasureCard | None = None
    runs: dict[str, str]
    others: str | None = None
    generic: str | None = None
    moved: tuple[Moved, ...] = ()
    searched: dict[str, Searched] = Field(default_factory=dict)


class Success(Record):
    """What a search found on its own prompts and seeds, over all erasures of a method.

    `before` is the share of prompts that show the concept as they are, `after` that share with those found: what is
    published as the attack success rate before and after.
    """

    method: str
    attack: str
    before: Estimate
    after: Estimate


class MatrixCell(Record):
    """One method under one attack: DETECT on the erased concepts.

    `regained` is DETECT under the attack minus DETECT without, over pairs of one prompt and seed, and `p_regained`
    its two-sided p, by flipping the sign of whole concepts; `p_holm` is adjusted for all attacks on the method by
    this anchor. All are null where there is no attack.
    """

    method: str
    attack: str
    anchor: str
    detect: Estimate
    regained: Estimate | None = None
    p_regained: float | None = None
    p_holm: float | None = None


class ConceptCell(Record):
    """What one concept has of a method under an attack: k of n judged pictures show it, all prompts and seeds."""

    concept: str
    method: str
    attack: str
    k: int
    n: int


class MethodRow(Record):
    """What a method costs, over all its erasures.

    `erase_seconds` and `search_seconds` are means. CONS is that of the concepts' own prompts ("concept") and of the
    other characters' names ("others"), by the judge.
    """

    method: str
    n_erasures: int
    n_diverged: int
    erase_seconds: float | None
    search_seconds: dict[str, float]
    retention: tuple[Retention, ...]
    consistency: dict[str, Estimate]
    distances: tuple[Distance, ...]


class MethodTest(Record):
    """Whether two methods differ under an attack: DETECT of the first minus that of the second, paired by seed.

    The anchor "search" stands for a search's own prompts. `p` flips the sign of whole concepts; `p_holm` is adjusted
    for all pairs of methods under this attack by this anchor. Of few concepts p cannot be small: see `least_p`.
    """

    attack: str
    anchor: str
    first: str
    second: str
    difference: Estimate
    p: float
    p_holm: float


class Matrix(Record):
    """matrix.json: methods against attacks.

    `weak_concepts` were drawn by the original model in under half of the pictures by name: erasing them shows little.
    `others` are the characters on whom retention stands. `missing` and `diverged` name cells; the latter stand with
    the last weights that were numbers. `least_p` is the smallest p that so many concepts can give.
    """

    schema_version: int = SCHEMA_VERSION
    model: str
    characters: str
    judge: str
    is_sandbox: bool
    concepts: dict[str, str]
    weak_concepts: tuple[str, ...]
    others: tuple[str, ...]
    methods: tuple[str, ...]
    attacks: tuple[str, ...]
    anchors: tuple[str, ...]
    seeds: int
    training_seeds: int
    n_missing: int
    missing: tuple[str, ...]
    diverged: tuple[str, ...]
    least_p: float
    cells: tuple[MatrixCell, ...]
    by_concept: tuple[ConceptCell, ...]
    success: tuple[Success, ...]
    rows: tuple[MethodRow, ...]
    tests: tuple[MethodTest, ...]
