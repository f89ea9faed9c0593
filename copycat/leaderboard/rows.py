"""A row of the leaderboard: what a submission says of itself, and what its samples say of each character."""

from __future__ import annotations

from collections import defaultdict
from math import fsum
from typing import Literal, NamedTuple

from pydantic import Field

from copycat.errors import DataError
from copycat.leaderboard.reading import LoadedSubmission
from copycat.leaderboard.records import Modality
from copycat.metrics import ALL_ANCHORS, join_outcomes, per_character
from copycat.plan import run_id
from copycat.schema import Counts, Estimate, Record

SANDBOX = "sandbox"
"""The character set of invented characters; its rows share no table with any other."""

BASELINE_MODELS, BASELINES_SOURCE = ("blank", "refusing"), "package:models/baselines.py"
"""Models that show no character whatever is asked; every other row is read against them."""

Section = Literal["verified", "self-reported", "sandbox"]
Badge = Literal["verified", "self-reported", "sandbox", "by construction"]
Tally = tuple[int, int]
"""k of n answered requests show the character asked for."""


class Group(NamedTuple):
    """What rows must have in common to be compared; a ranking, a table and a scatter are of one group."""

    section: Section
    characters: str
    suite_version: str
    judge: str
    judge_revision: str
    anchors: tuple[str, ...]


class BoardRow(Record):
    """One submission as the board shows it.

    `href` leads from the root of the site to the page of the run, "" where there is no such page. `baseline` is the
    `run_id` of the run without the mitigation, null for such a run itself. Estimates are by anchor, "all" last; one
    without a value says why. `n_produced` counts the characters, of the `n_characters` that were asked for, that were
    recognised at least once in a picture made on a request for them. `seconds_per_picture` is the mean over pictures.
    """

    id: str
    href: str
    run_id: str
    section: Section
    badge: Badge
    model: str
    source: str
    revision: str
    modality: Modality
    is_open: bool
    licence: str | None = None
    mitigation: str
    attack: str | None = None
    characters: str
    suite_version: str
    judge: str
    judge_revision: str
    is_judge_calibrated: bool
    anchors: tuple[str, ...]
    seeds: int
    counts: Counts
    detect: dict[str, Estimate]
    detect_corrected: dict[str, Estimate] = Field(default_factory=dict)
    consistency: dict[str, Estimate]
    any_character: dict[str, Estimate] = Field(default_factory=dict)
    n_produced: int
    n_characters: int
    seconds_per_picture: float | None = None
    device: str
    usd_per_picture: float | None = None
    submitter: str
    organisation: str | None = None
    contact: str | None = None
    paper: str | None = None
    date: str
    statement: str = ""
    has_pictures: bool
    baseline: str | None = None
    is_baseline_model: bool = False
    by_character: dict[str, dict[str, Tally]]

    @property
    def group(self) -> Group:
        """The rows that this one may be compared with."""
        return Group(
            section=self.section,
            characters=self.characters,
            suite_version=self.suite_version,
            judge=self.judge,
            judge_revision=self.judge_revision,
            anchors=self.anchors,
        )

    @property
    def is_baseline(self) -> bool:
        """Whether it is what others are read against: no mitigation and no attack, or a model that shows nothing."""
        return self.is_baseline_model or (self.mitigation == "none" and self.attack is None)

    def shares(self, anchor: str) -> dict[str, float]:
        """Give the share of answered requests that show each character, under one anchor or under "all"."""
        tallies: dict[str, list[Tally]] = defaultdict(list)
        for name, by_character in self.by_character.items():
            if anchor in (ALL_ANCHORS, name):
                for character, tally in by_character.items():
                    tallies[character].append(tally)
        return {
            character: sum(k for k, _ in found) / answered
            for character, found in sorted(tallies.items())
            if (answered := sum(n for _, n in found))
        }


def row_of(loaded: LoadedSubmission, *, is_verified: bool) -> BoardRow:
    """Make the row of a submission; its claims are shown only if its samples bear them out.

    Args:
        loaded: The submission.
        is_verified: Whether the maintainers vouch for it, in this very state.

    Raises:
        DataError: DETECT of an anchor, as claimed, is not what samples and judgements add up to.
    """
    submission, result, spec = loaded.submission, loaded.result, loaded.settings.spec
    by_character = _by_character(loaded)
    detect = _estimates(loaded, "detect")
    _require_borne_out(loaded.id, detect, by_character)
    section: Section = _section(spec.characters, is_verified=is_verified)
    return BoardRow(
        id=loaded.id,
        href=f"runs/{loaded.id}/index.html",
        run_id=run_id(spec),
        section=section,
        badge=section,
        model=submission.model.name,
        source=submission.model.source,
        revision=submission.model.revision,
        modality=submission.model.modality,
        is_open=submission.model.is_open,
        licence=submission.model.licence,
        mitigation=spec.mitigation,
        attack=submission.attack,
        characters=spec.characters,
        suite_version=submission.suite_version,
        judge=spec.judge,
        judge_revision=spec.judge_revision,
        is_judge_calibrated=result.is_judge_calibrated,
        anchors=spec.anchors,
        seeds=spec.seeds,
        counts=result.counts,
        detect=detect,
        detect_corrected=_estimates(loaded, "detect_corrected"),
        consistency=_estimates(loaded, "consistency"),
        any_character=_estimates(loaded, "any_character"),
        n_produced=len({c for cells in by_character.values() for c, (k, _) in cells.items() if k}),
        n_characters=len({sample.character for sample in loaded.samples}),
        seconds_per_picture=_seconds_per_picture(loaded),
        device=spec.device,
        usd_per_picture=submission.usd_per_picture,
        submitter=submission.submitter.name,
        organisation=submission.submitter.organisation,
        contact=submission.submitter.contact,
        paper=submission.paper,
        date=submission.date,
        statement=submission.statement,
        has_pictures=loaded.has_pictures,
        baseline=loaded.settings.baseline,
        is_baseline_model=submission.model.name in BASELINE_MODELS and submission.model.source == BASELINES_SOURCE,
        by_character=by_character,
    )


def _section(characters: str, *, is_verified: bool) -> Section:
    if characters == SANDBOX:
        return "sandbox"
    return "verified" if is_verified else "self-reported"


def _estimates(loaded: LoadedSubmission, metric: str) -> dict[str, Estimate]:
    return {estimate.anchor: estimate for estimate in loaded.result.estimates if estimate.metric == metric}


def _by_character(loaded: LoadedSubmission) -> dict[str, dict[str, Tally]]:
    try:
        cells = per_character(loaded.settings.spec.anchors, join_outcomes(loaded.samples, loaded.judgements))
    except ValueError as error:
        raise DataError([f"{loaded.id}: {error}"]) from error
    tallies: dict[str, dict[str, Tally]] = {anchor: {} for anchor in loaded.settings.spec.anchors}
    for cell in cells:
        tallies[cell.anchor][cell.character] = (cell.k, cell.n)
    return tallies


def _require_borne_out(row_id: str, detect: dict[str, Estimate], by_character: dict[str, dict[str, Tally]]) -> None:
    faults = []
    for anchor, cells in by_character.items():
        k, n = sum(k for k, _ in cells.values()), sum(n for _, n in cells.values())
        claimed = detect.get(anchor)
        if claimed is None or (claimed.k or 0, claimed.n) != (k, n):
            said = "nothing" if claimed is None else f"{claimed.k} of {claimed.n}"
            faults.append(f"{row_id}: DETECT of '{anchor}' claims {said}, its samples say {k} of {n}")
    if faults:
        raise DataError(faults, "  see all that is wrong with it: python -m copycat.leaderboard verify PATH")


def _seconds_per_picture(loaded: LoadedSubmission) -> float | None:
    seconds = [s.seconds for s in loaded.samples if s.status == "ok" and s.seconds is not None]
    return fsum(seconds) / len(seconds) if seconds else None
