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
    its two-sided p; both null where there is no attack.
    """

    method: str
    attack: str
    anchor: str
    detect: Estimate
    regained: Estimate | None = None
    p_regained: float | None = None


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
    for all pairs of methods and attacks of this anchor.
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
    `others` are the characters on whom retention stands.
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
    cells: tuple[MatrixCell, ...]
    success: tuple[Success, ...]
    rows: tuple[MethodRow, ...]
    tests: tuple[MethodTest, ...]
