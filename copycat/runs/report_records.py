"""What goes into a report, and what its template sees."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pydantic import Field, JsonValue

from copycat.metrics import CharacterCell
from copycat.schema import (
    Character,
    CharacterSet,
    Estimate,
    Judgement,
    PairedTest,
    Record,
    RunResult,
    RunSpec,
    Sample,
    Screening,
    Status,
)

PictureLoader = Callable[[str], bytes | None]
"""Gives the bytes of the picture of one request key, null if there is none."""

Verdict = Literal["target", "other", "none", "unjudged"]
Who = Literal["baseline", "run", "both"]


class RunView(Record):
    """One run as its folder tells it; `folder` leads there from the report, "" for the report's own."""

    result: RunResult
    samples: tuple[Sample, ...]
    judgements: tuple[Judgement, ...]
    per_character: tuple[CharacterCell, ...]
    folder: str = ""


class ReportInput(Record):
    """Everything that a report shows except the pictures.

    `baseline` is what the run is read against, see `eval.compared_with`; `differences` are the paired
    estimates of `copycat.metrics.compare`, run minus baseline. `run_id` is the folder's name and
    `command` what to type to get the run again; `judge_facts` is what else is known of the judge.
    """

    run_id: str
    spec: RunSpec
    environment: dict[str, JsonValue]
    characters: CharacterSet
    run: RunView
    command: str
    baseline: RunView | None = None
    differences: tuple[Estimate, ...] = ()
    tests: tuple[PairedTest, ...] = ()
    judge_facts: dict[str, str] = Field(default_factory=dict)


# ------------------------------------------------------------------- what the template sees


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureRow:
    """One metric for one anchor, in both runs, and whether their difference could be chance."""

    anchor: str
    baseline: Estimate | None
    run: Estimate | None
    difference: Estimate | None
    test: PairedTest | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureGroup:
    """One metric for all anchors; the row that pools them comes last."""

    metric: str
    name: str
    meaning: str
    rows: tuple[FigureRow, ...]

    @property
    def shared_reasons(self) -> tuple[str, ...]:
        """The reasons for want of a figure that stand in more than one place, to be told once."""
        estimates = (e for row in self.rows for e in (row.baseline, row.run, row.difference))
        counted = Counter(e.reason for e in estimates if e is not None and e.value is None and e.reason)
        return tuple(reason for reason, n in counted.items() if n > 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One request's place in the gallery: its picture or the reason that there is none.

    `verdict` is null where no judge could be asked; `seen` names the character that the judge saw.
    Of a clip, `video` is the link to it, and `frames` says in how many of its kept frames the target was seen.
    `names`, `closed`, `flags` and `screening` are the judgement's.
    """

    status: Status | Literal["not run"]
    verdict: Verdict | None = None
    seen: str = ""
    detail: str = ""
    confidence: float | None = None
    consistency: float | None = None
    src: str | None = None
    video: str | None = None
    frames: tuple[int, int] | None = None
    names: tuple[str, ...] | None = None
    closed: bool | None = None
    flags: tuple[str, ...] = ()
    screening: Screening | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """The pictures of one prompt and seed in both runs; `tags` is what the filter looks for."""

    repeat: int
    seeds: tuple[int, ...]
    baseline: Tile | None
    run: Tile
    tags: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptSent:
    """What a model was given, `who` says in which run; `n_cut` is the most tokens that did not fit.

    `changes` tell what else acted, see `changes_of`.
    """

    who: Who
    text: str
    negative: str | None
    n_cut: int
    changes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Half:
    """Half a cell of the grid: `k` of `n`, heat `level` 0 to 8 (null if nothing was judged)."""

    k: int
    n: int
    level: int | None
    consistency: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """One character and anchor: a cell of the grid and a row of the gallery."""

    anchor: str
    planned: str
    prompts: tuple[PromptSent, ...]
    pairs: tuple[Pair, ...]
    baseline: Half
    run: Half


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One character: a row of the grid and a section of the gallery."""

    character: Character
    strips: tuple[Strip, ...]
    baseline: Half
    run: Half
