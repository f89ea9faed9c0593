"""The main job: `python -m copycat.eval --model sandbox --mitigation negprompt`.

How the data flow, top to bottom:
    characters + prompts -> requests -> mitigation -> model -> pictures -> judge -> estimates -> report
"""

from __future__ import annotations

if __name__ == "__main__":  # first, so that --help need not wait for the imports below; does not return
    from copycat.commands.eval import app
    from copycat.console import run_app

    run_app(app)

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from copycat.attacks import split_attacked
from copycat.console import progress_bar, say
from copycat.judges import NO_JUDGE
from copycat.judges.ensemble import facts_of, release, throttle_of, usage_of
from copycat.metrics import Outcomes, compare, join_outcomes, paired_tests
from copycat.plan import run_id
from copycat.runs import judging, runner
from copycat.runs.calibrations import take_up_calibration
from copycat.runs.environment import describe_environment
from copycat.runs.executors import Executor, build_executor, overlaps
from copycat.runs.filtering import FilteredModel, filter_notes
from copycat.runs.folder import RunFile, write_json
from copycat.runs.limits import Tally
from copycat.runs.measuring import measure_pictures
from copycat.runs.notes import notes_of, notes_on_judging, spent_note
from copycat.runs.results import Compared, Finished, build_run_report
from copycat.runs.sentinels import Sentinels
from copycat.schema import (
    BENIGN,
    MIN_COVERAGE,
    Calibration,
    Estimate,
    ImageRequest,
    Judgement,
    RunResult,
    RunSpec,
    Sample,
)
from copycat.staging import Cell, Job, Stage, plan_job

SENTINELS = "sentinels"
"""Beside the run folders: what each judge first said of the sentinel pictures."""


class Outcome(NamedTuple):
    """What came out of one cell; `differences` are to the cell of `compared_with`.

    `notes` tell how requests ended that gave no picture; `rows` are the pictures with their verdicts. One that
    `is_benign` stands on prompts that are after nobody.
    """

    folder: Path
    result: RunResult
    differences: tuple[Estimate, ...]
    notes: tuple[str, ...] = ()
    rows: Outcomes = Outcomes(rows=())
    is_benign: bool = False

    @property
    def is_valid(self) -> bool:
        """Whether enough of the planned pictures were judged, refused or blocked."""
        return self.result.counts.coverage >= MIN_COVERAGE


class Begun(NamedTuple):
    """A cell whose folder is open and locked: its run file, and what is finished of it, by key."""

    cell: Cell
    run: RunFile
    finished: dict[str, Sample]


class Drawn(NamedTuple):
    """A cell whose pictures are all there."""

    cell: Cell
    run: RunFile
    samples: list[Sample]


class ShardOutcome(NamedTuple):
    """What one shard of one cell has finished."""

    folder: Path
    model: str
    mitigation: str
    n_finished: int
    n_failed: int
    is_benign: bool = False


def evaluate(job: Job, is_wanted: Callable[[str], bool] | None = None) -> list[Outcome]:
    """Run every model with every mitigation, the unmitigated baseline first; the same again on benign prompts.

    Args:
        is_wanted: run only mitigations of whose full name this is true, and compare with the first of these: for a
            caller that shares a baseline between many jobs.

    Raises:
        UserError: anything that the user must fix; nothing finished is lost.
    """
    outcomes: list[Outcome] = []
    tally = Tally(job.limits)
    for stage, planned in plan_job(job):
        cells = [cell for cell in planned if is_wanted is None or is_wanted(cell.plan.spec.mitigation)]
        with _at_work(job, stage, cells) as (executor, begun):
            outcomes += run_cells(job, stage, begun, executor, tally)
        release(stage.judge)
    return outcomes


def draw_shard(job: Job) -> list[ShardOutcome]:
    """Draw one shard of every run, and neither judge nor report: the command without --shard does that.

    Raises:
        UserError: as `evaluate`.
    """
    outcomes = []
    tally = Tally(job.limits)
    for stage, cells in plan_job(job):
        with _at_work(job, stage, cells) as (executor, begun):
            for one in begun:
                samples = _generate(one, executor, tally)
                failed = sum(sample.status == "failed" for sample in samples)
                path, spec = one.cell.folder.path, one.cell.plan.spec
                drawn, is_benign = len(samples) - failed, BENIGN in spec.anchors
                outcomes.append(ShardOutcome(path, spec.model, spec.mitigation, drawn, failed, is_benign))
    return outcomes


def run_cells(job: Job, stage: Stage, begun: Sequence[Begun], executor: Executor, tally: Tally) -> list[Outcome]:
    """Draw every cell, let go of the model, and then judge, add up, compare and report."""
    bench = judging.Bench(stage.judge, stage.characters, Sentinels(job.out / SENTINELS, stage.memory))
    rejudges = job.rejudge and stage.judge_row.name != NO_JUDGE
    _require_judge(stage, begun, bench, rejudges=rejudges)
    drawn = []
    for one in begun:
        ahead = (
            judging.JudgeAhead(one.cell.plan, one.cell.folder, bench) if _judges_ahead(stage) and not rejudges else None
        )
        drawn.append(Drawn(one.cell, one.run, _generate(one, executor, tally, ahead)))
    executor.release()
    if rejudges:
        judging.start_anew([one.cell.plan.spec for one in drawn], [one.cell.folder for one in drawn], bench)
    cells = [one.cell for one in drawn]
    return [_finish(job, stage, bench, one, compared_with(one.cell, cells)) for one in drawn]


def compared_with(cell: Cell, cells: Sequence[Cell]) -> Cell:
    """Give the cell that one is read against: under an attack its mitigation without it, if there; else the first."""
    mitigation, attack = split_attacked(cell.plan.spec.mitigation)
    unattacked = (one for one in cells if attack is not None and one.plan.spec.mitigation == mitigation)
    return next(unattacked, cells[0])


def _finish(job: Job, stage: Stage, bench: judging.Bench, drawn: Drawn, baseline: Cell) -> Outcome:
    """Judge, add up and report one cell whose pictures are drawn."""
    cell, run, samples = drawn
    before = usage_of(stage.judge)
    judgements = _judge(stage, cell, samples, bench)
    asked = spent_note(before, usage_of(stage.judge))
    run = _measure(stage, cell, run, samples)
    calibration = take_up_calibration(job.out, cell.folder, cell.plan.spec)
    result = runner.add_up(cell.plan, cell.folder, stage.characters)
    facts = run.judge_facts | facts_of(stage.judge)  # what a service tells with its answers is there only once
    cell.folder.write_run(run := run.model_copy(update={"status": "finished", "judge_facts": facts}))
    rows = join_outcomes(samples, judgements)
    compared = _compare(cell, baseline, rows, calibration)
    build_run_report(Finished(cell.folder, run, result), stage.characters, compared, job.command)
    seen = [row.sample.key for row in rows.rows if row.is_any_detected]
    notes = (*notes_of(samples), *filter_notes(samples, seen), *notes_on_judging(judgements), *asked)
    is_benign = BENIGN in cell.plan.spec.anchors
    return Outcome(cell.folder.path, result, compared.differences, notes, rows, is_benign)


@contextmanager
def _at_work(job: Job, stage: Stage, cells: Sequence[Cell]) -> Iterator[tuple[Executor, list[Begun]]]:
    """Open every folder and encode every text of a stage, and let go of folders and machines in the end.

    All folders are opened first: what is wrong with the last one is told before the first picture is drawn.
    """
    model = FilteredModel(stage.model, stage.filters, stage.characters) if stage.filters else stage.model
    executor = build_executor(job.executor, stage.row, model, stage.device)
    try:
        if job.fresh:
            for cell in cells:
                cell.folder.clear()
        begun = [_begin(cell, cells[0]) for cell in cells]
        if todo := [request for one in begun for request in _still_to_draw(one)]:
            say(f"loading {stage.row.name}")
            executor.prepare(todo, cells[-1].plan.spec.sampling)
        yield executor, begun
    finally:
        executor.close()
        for cell in cells:
            cell.folder.close()


def _begin(cell: Cell, baseline: Cell) -> Begun:
    plan, folder = cell
    run = folder.open(_run_file(plan.spec, None if folder is baseline.folder else baseline), len(plan.requests))
    return Begun(cell, run, runner.read_finished(plan, folder))


def _still_to_draw(begun: Begun) -> Iterator[ImageRequest]:
    plan, folder = begun.cell
    return (request for batch in plan.batches(folder.shard) for request in batch if request.key not in begun.finished)


def _generate(begun: Begun, executor: Executor, tally: Tally, ahead: judging.JudgeAhead | None = None) -> list[Sample]:
    (plan, folder), _, finished = begun
    total = sum(len(batch) for batch in plan.batches(folder.shard))
    with progress_bar(f"generate {plan.spec.model} + {plan.spec.mitigation}", total) as advance:
        return runner.generate(plan, folder, executor, advance, finished=finished, tally=tally, meanwhile=ahead)


def _judge(stage: Stage, cell: Cell, samples: Sequence[Sample], bench: judging.Bench) -> list[Judgement]:
    if stage.judge_row.name == NO_JUDGE:
        return []
    plan, folder = cell
    title = f"judge {plan.spec.model} + {plan.spec.mitigation}"
    with progress_bar(title, sum(s.status == "ok" for s in samples)) as advance:
        return judging.judge_pictures(plan, folder, samples, bench, advance)


def _measure(stage: Stage, cell: Cell, run: RunFile, samples: Sequence[Sample]) -> RunFile:
    """Take the further measures of the pictures that were asked for."""
    for row, measure in stage.measures:
        title = f"measure {row.name} of {cell.plan.spec.model} + {cell.plan.spec.mitigation}"
        with progress_bar(title, sum(s.status == "ok" for s in samples)) as advance:
            measure_pictures(cell.folder, samples, row, measure, advance)
        run = run.model_copy(update={"measures": run.measures | {row.name: measure.revision()}})
    cell.folder.write_run(run)
    return run


def _compare(cell: Cell, baseline: Cell, outcomes: Outcomes, calibration: Calibration | None) -> Compared:
    """Take the paired differences to the baseline and write comparison.json; none for the baseline itself."""
    compared = Compared(baseline.folder, baseline.plan.spec.mitigation)
    if cell.folder is baseline.folder:
        return compared
    spec = cell.plan.spec
    base = join_outcomes(baseline.folder.read_samples(), baseline.folder.read_judgements(spec))
    differences = compare(spec.anchors, outcomes, base, calibration)
    tests = paired_tests(spec.anchors, outcomes, base)
    content = {
        "schema_version": 1,
        "baseline": run_id(baseline.plan.spec),
        "estimates": [d.model_dump(mode="json") for d in differences],
        "tests": [test.model_dump(mode="json") for test in tests],
    }
    write_json(cell.folder.path / "comparison.json", content)
    return compared._replace(differences=differences, tests=tests)


def _run_file(spec: RunSpec, baseline: Cell | None) -> RunFile:
    return RunFile(
        id=run_id(spec),
        spec=spec,
        environment=describe_environment(spec.device),
        status="running",
        baseline=run_id(baseline.plan.spec) if baseline else None,
    )


def _judges_ahead(stage: Stage) -> bool:
    """Whether pictures are judged while others are drawn: where a judge needs neither the GPU nor a service."""
    row = stage.judge_row
    is_light = not row.is_heavy and throttle_of(stage.judge) is None
    return row.name != NO_JUDGE and is_light and overlaps(stage.row, stage.device)


def _require_judge(stage: Stage, begun: Sequence[Begun], bench: judging.Bench, *, rejudges: bool) -> None:
    """Refuse before anything is drawn what could not be judged, unless all of it is judged already."""
    check = getattr(stage.judge, "check", None)
    if check is not None and (rejudges or any(_has_work(one, bench) for one in begun)):
        check(stage.characters)


def _has_work(begun: Begun, bench: judging.Bench) -> bool:
    plan, folder = begun.cell
    is_drawn = next(_still_to_draw(begun), None) is None
    return not is_drawn or judging.count_unjudged(plan, folder, list(begun.finished.values()), bench) > 0
