"""The calibration that figures are corrected with: of this judge, and adding up to what it says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from copycat.leaderboard.checks.case import Case
from copycat.leaderboard.faults import Fault
from copycat.leaderboard.records import CALIBRATION, METRICS
from copycat.schema import Calibration

MAX_LABELS = 1_000_000
CELL = {(True, True): "tp", (True, False): "fn", (False, True): "fp", (False, False): "tn"}
"""What a picture counts as, by its label and the judge."""


def check_calibration(case: Case) -> Iterator[Fault]:
    """Check that figures are corrected with the calibration of this judge, in this revision, on these characters."""
    calibration = case.loaded.calibration
    if calibration is None:
        if case.loaded.result.correction is not None:
            said = "has corrected figures, and there is no calibration.json to make them again with"
            yield Fault(kind="calibration", where=METRICS, what=said)
        return
    spec = case.spec
    wanted = {"judge": spec.judge, "judge_revision": spec.judge_revision, "characters": spec.characters}
    for name, value in wanted.items():
        if getattr(calibration, name) != value:
            yield _fault(f"'{name}' is '{getattr(calibration, name)[:80]}', and the run's is '{value[:80]}'")
    yield from _check_counts(case, calibration)
    yield from _check_labels(case, calibration)


def _check_counts(case: Case, calibration: Calibration) -> Iterator[Fault]:
    cells, n_labels = calibration.cells, calibration.n_labels
    counted = sum(cell.tp + cell.fn + cell.fp + cell.tn for cell in cells)
    if n_labels > MAX_LABELS or counted > MAX_LABELS:
        yield _fault(f"speaks of more than {MAX_LABELS:,} labels")
    elif counted != n_labels:
        yield _fault(f"speaks of {n_labels:,} labels, and its cells add up to {counted:,}")
    named = [cell.character for cell in cells]
    if len(set(named)) < len(named):
        yield _fault("counts one character twice")
    if case.suite.suite is not None:
        known = {character.id for character in case.suite.suite.characters.characters}
        if strays := sorted(set(named) - known):
            yield _fault(f"'{strays[0][:60]}' is no character of set '{case.spec.characters}'")


def _check_labels(case: Case, calibration: Calibration) -> Iterator[Fault]:
    """Check the labels themselves, where they are there: those of this run's pictures are counted again."""
    labels = calibration.labels
    if not labels:
        return
    if len(labels) != calibration.n_labels or len({(one.key, one.image_sha256) for one in labels}) < len(labels):
        yield _fault(f"speaks of {calibration.n_labels:,} labels, and lists {len(labels):,}, or one of them twice")
    samples = {(sample.key, sample.sha256): sample for sample in case.pictured}
    verdicts = {one.key: one for one in case.loaded.judgements if one.is_answered}
    least: Counter[tuple[str, str]] = Counter()
    for label in labels:
        sample, verdict = samples.get((label.key, label.image_sha256)), verdicts.get(label.key)
        if sample is not None and verdict is not None:
            least[sample.character, CELL[label.is_shown, verdict.detected == sample.character]] += 1
    claimed = {(cell.character, name): getattr(cell, name) for cell in calibration.cells for name in CELL.values()}
    for (character, name), count in least.items():
        if claimed.get((character, name), 0) < count:
            yield _fault(f"'{name}' of '{character}' is less than {count}, which its labels of this run's pictures say")


def _fault(what: str) -> Fault:
    return Fault(kind="calibration", where=CALIBRATION, what=what)
