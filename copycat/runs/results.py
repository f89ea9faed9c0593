"""From a run folder to its figures and its report."""

from __future__ import annotations

from typing import NamedTuple

from copycat.judges.families import resolve_judge
from copycat.metrics import join_outcomes, per_character, summarise
from copycat.runs.calibrations import own_calibration
from copycat.runs.folder import RunFile, RunFolder
from copycat.runs.measuring import read_measured
from copycat.runs.report import PictureLoader, ReportInput, RunView, write_report
from copycat.schema import CharacterSet, Estimate, PairedTest, RunResult, RunSpec


class Finished(NamedTuple):
    """A run with its figures."""

    folder: RunFolder
    run: RunFile
    result: RunResult


class Compared(NamedTuple):
    """The run that one is read against, its mitigation, the differences to it, and their tests; none for itself."""

    baseline: RunFolder
    mitigation: str
    differences: tuple[Estimate, ...] = ()
    tests: tuple[PairedTest, ...] = ()


def summarise_folder(folder: RunFolder, spec: RunSpec, n_planned: int, characters: CharacterSet) -> RunResult:
    """Add up what lies in a run folder, judged by the spec's judge."""
    return summarise(
        spec,
        n_planned,
        folder.read_samples(),
        folder.read_judgements(spec),
        is_sandbox=characters.is_sandbox,
        is_judge_calibrated=resolve_judge(spec.judge).is_calibrated,
        set_names={character.id: character.name for character in characters.characters},
        calibration=own_calibration(folder, spec),
        measured=read_measured(folder),
    )


def build_run_report(finished: Finished, characters: CharacterSet, compared: Compared, command: str) -> None:
    """Write report.html of a run, beside its baseline unless it is the baseline itself."""
    folder, run, result = finished
    baseline = compared.baseline
    is_baseline = folder is baseline
    report = ReportInput(
        run_id=run.id,
        spec=run.spec,
        environment=dict(run.environment),
        characters=characters,
        run=_view(folder, run.spec, result),
        command=command,
        judge_facts=run.judge_facts,
        baseline=None if is_baseline else _baseline_view(compared, run.spec, result.counts.planned, characters),
        differences=compared.differences,
        tests=compared.tests,
    )
    write_report(folder.path / "report.html", report, _loader(folder), None if is_baseline else _loader(baseline))


def _loader(folder: RunFolder) -> PictureLoader:
    samples = {sample.key: sample for sample in folder.read_samples()}
    return lambda key: folder.read_image(samples[key]) if key in samples else None


def _view(folder: RunFolder, spec: RunSpec, result: RunResult) -> RunView:
    samples, judgements = folder.read_samples(), folder.read_judgements(spec)
    cells = per_character(spec.anchors, join_outcomes(samples, judgements))
    return RunView(result=result, samples=tuple(samples), judgements=tuple(judgements), per_character=cells)


def _baseline_view(compared: Compared, spec: RunSpec, n_planned: int, characters: CharacterSet) -> RunView:
    baseline, base_spec = compared.baseline, spec.model_copy(update={"mitigation": compared.mitigation})
    result = summarise_folder(baseline, base_spec, n_planned, characters)
    return _view(baseline, base_spec, result).model_copy(update={"folder": f"../{baseline.path.name}/"})
