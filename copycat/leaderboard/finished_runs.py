"""A run folder that may be submitted: finished, whole, judged, of the suite that ships. Nothing in it is changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from copycat.errors import DataError
from copycat.judges import NO_JUDGE
from copycat.judges.families import resolve_judge
from copycat.leaderboard.layout import SizeLimits
from copycat.leaderboard.privacy import without_places
from copycat.leaderboard.reading import LIMITS
from copycat.leaderboard.rederiving import Suite, derive_suite
from copycat.metrics import summarise
from copycat.paths import shown
from copycat.runs.calibrations import own_calibration
from copycat.runs.folder import RunFile, RunFolder
from copycat.schema import BENIGN, MIN_COVERAGE, Calibration, Judgement, RunResult, RunSpec, Sample

REPORT, RUN = "report.html", "run.json"
AGAIN = "  the command that began it takes it up again and finishes it"


class FinishedRun(NamedTuple):
    """What is published of a run; its figures are added up anew from samples and judgements."""

    folder: RunFolder
    run: RunFile
    samples: tuple[Sample, ...]
    judgements: tuple[Judgement, ...]
    calibration: Calibration | None
    result: RunResult

    @property
    def spec(self) -> RunSpec:
        """What was asked."""
        return self.run.spec


def open_finished(path: Path, limits: SizeLimits = LIMITS) -> FinishedRun:
    """Read a run folder, or the one that a report.html lies in, if it may be submitted.

    Raises:
        DataError: it is no run folder, or it may not be submitted; every reason is told at once.
    """
    folder = RunFolder(_folder_of(path))
    if not (folder.path / RUN).is_file():
        fix = "  needed: the folder of one run, such as runs/sandbox+none+sandbox+b11801d6, or its report.html"
        raise DataError([f"{shown(path)}: is no run folder, there is no {RUN} in it"], fix)
    run, samples, judgements = folder.read_run(), folder.read_samples(), []
    refusals = list(_of_spec(run.spec))
    if not refusals:
        derived = derive_suite(run.spec, None, limits)
        refusals += [f"not of the suite: {fault.what}" for fault in derived.faults]
        if derived.suite is not None:
            n_planned = len(derived.suite.prompts) * run.spec.seeds
            refusals += _of_drawing(folder, run, samples, n_planned)
            judgements = _own_judgements(folder.read_judgements(run.spec), samples)
    if refusals or derived.suite is None:
        raise DataError([f"{shown(folder.path)}: {refusal}" for refusal in refusals])
    calibration = _own_calibration(folder, run.spec)
    result = _add_up(run.spec, samples, judgements, calibration, derived.suite)
    if result.counts.coverage < MIN_COVERAGE:
        raise DataError([f"{shown(folder.path)}: {_uncovered(result)}"])
    return FinishedRun(folder, run, tuple(samples), tuple(judgements), calibration, result)


def _folder_of(path: Path) -> Path:
    return path.parent if path.name in (REPORT, RUN) and path.is_file() else path


def _of_spec(spec: RunSpec) -> Iterator[str]:
    """Say what is not submitted, whatever came of it."""
    if spec.limit is not None:
        yield f"is partial: it was made with --limit {spec.limit}\n  needed: the same command without --limit"
    if BENIGN in spec.anchors:
        yield "is of benign prompts, which are after nobody; they have no row on the leaderboard"
    if spec.judge == NO_JUDGE:
        yield "nobody has judged its pictures\n  the same command with --judge NAME judges them and draws none again"


def _of_drawing(folder: RunFolder, run: RunFile, samples: list[Sample], n_planned: int) -> Iterator[str]:
    if folder.read_other_samples():
        yield (
            "still holds the journals of shards\n"
            "  the same command without --shard puts them together, judges and reports"
        )
    elif run.status != "finished" or len(samples) < n_planned:
        yield f"is not finished: {len(samples)} of {n_planned} requests have ended\n{AGAIN}"
    elif not len({sample.key for sample in samples}) == len(samples) == n_planned:
        yield f"its journal has {len(samples)} lines for {n_planned} requests, or one of them twice\n{AGAIN}"
    changed = [sample for sample in samples if sample.status == "ok" and not folder.is_intact(sample)]
    if changed:
        names = ", ".join(str(sample.image) for sample in changed[:3])
        further = ", ..." if len(changed) > 3 else ""
        yield f"{len(changed)} pictures are missing or were changed: {names}{further}\n  the command makes them again"


def _own_judgements(judgements: list[Judgement], samples: list[Sample]) -> list[Judgement]:
    """Keep the verdicts on the pictures that are there, in the order of the samples."""
    by_picture = {(judgement.key, judgement.image_sha256): judgement for judgement in judgements}
    found = (by_picture.get((sample.key, str(sample.sha256))) for sample in samples if sample.status == "ok")
    return [judgement for judgement in found if judgement is not None]


def _own_calibration(folder: RunFolder, spec: RunSpec) -> Calibration | None:
    """Read what is known of the judge, without the places on this machine that its source may name."""
    found = own_calibration(folder, spec)
    return found and found.model_copy(update={"source": without_places(found.source)})


def _add_up(
    spec: RunSpec, samples: list[Sample], judgements: list[Judgement], calibration: Calibration | None, suite: Suite
) -> RunResult:
    """Give the figures as metrics.json has them, but for further measures (--metrics)."""
    return summarise(
        spec,
        len(suite.prompts) * spec.seeds,
        samples,
        judgements,
        is_sandbox=suite.characters.is_sandbox,
        is_judge_calibrated=resolve_judge(spec.judge, may_ignore=True).is_calibrated,
        set_names={character.id: character.name for character in suite.characters.characters},
        calibration=calibration,
    )


def _uncovered(result: RunResult) -> str:
    counts = result.counts
    missing = ", ".join(f"{n} {what}" for what in ("invalid", "failed", "unjudged") if (n := getattr(counts, what)))
    return (
        f"{100 * counts.coverage:.1f} % of {counts.planned} planned pictures were judged, refused or blocked; "
        f"{100 * MIN_COVERAGE:.0f} % are needed ({missing})\n"
        "  the same command tries again what failed, and judges what nobody has judged"
    )
