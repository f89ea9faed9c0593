"""The main job: `python -m copycat.eval --model sandbox --mitigation negprompt`.

How the data flow, top to bottom:
    characters + prompts -> requests -> mitigation -> model -> pictures -> judge -> estimates -> report
"""

from __future__ import annotations

if __name__ == "__main__":  # first, so that --help need not wait for the imports below; does not return
    from copycat.commands.eval import app
    from copycat.console import run_app

    run_app(app)

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import Field

from copycat.catalog import (
    build_prompts,
    characters_sha256,
    parse_anchor,
    prompt_set_of,
    prompts_sha256,
    read_character_set,
)
from copycat.console import progress_bar
from copycat.errors import UnsupportedError
from copycat.judges import JUDGES, NO_JUDGE, Judge
from copycat.judges import SANDBOX as SANDBOX_JUDGE
from copycat.metrics import compare, join_outcomes
from copycat.mitigations import NONE, build_mitigation, canonical_mitigation
from copycat.models import MODELS, SANDBOX, ImageModel, ModelRow
from copycat.models.resolve import resolve_model
from copycat.models.settings import choose_sampling, chosen_compile, with_negative_guidance
from copycat.plan import build_requests, run_id
from copycat.registry import resolve
from copycat.runs import runner
from copycat.runs.environment import describe_environment, pick_device
from copycat.runs.executors import LOCAL, Executor, build_executor, overlaps
from copycat.runs.folder import RunFile, RunFolder, write_json
from copycat.runs.limits import Limits, Tally
from copycat.runs.notes import notes_of
from copycat.runs.results import Finished, build_run_report
from copycat.runs.runner import Plan
from copycat.runs.shards import Shard
from copycat.schema import (
    MIN_COVERAGE,
    SERVICE,
    CharacterSet,
    Estimate,
    ImageRequest,
    Judgement,
    Prompt,
    Record,
    RunResult,
    RunSpec,
    Sample,
)

log = logging.getLogger(__name__)


class Job(Record):
    """What the user asked for; None means the default of the model or the character set.

    `sampling` holds the fields of `schema.Sampling` that were asked for; `compile` is 'off', 'on' or 'auto'.
    """

    models: tuple[str, ...]
    mitigations: tuple[str, ...] = ()
    characters: str | None = None
    anchors: tuple[str, ...] = ("name", "keywords", "description")
    seeds: int = 3
    judge: str | None = None
    limit: int | None = None
    preset: str | None = None
    sampling: dict[str, Any] = Field(default_factory=dict)
    compile: str = "off"
    revision: str | None = None
    batch_size: int | None = None
    device: str | None = None
    executor: str = LOCAL
    shard: Shard | None = None
    limits: Limits = Limits()
    out: Path = Path("runs")
    fresh: bool = False
    command: str = ""


class Stage(NamedTuple):
    """One model with everything around it that does not change between mitigations."""

    row: ModelRow
    model: ImageModel
    judge_name: str
    judge: Judge
    characters: CharacterSet
    device: str


class Cell(NamedTuple):
    """One model with one mitigation: one run folder."""

    plan: Plan
    folder: RunFolder


class Outcome(NamedTuple):
    """What came out of one cell; `differences` are to the unmitigated cell of the same model.

    `notes` tell how requests ended that gave no picture.
    """

    folder: Path
    result: RunResult
    differences: tuple[Estimate, ...]
    notes: tuple[str, ...] = ()

    @property
    def is_valid(self) -> bool:
        """Whether enough of the planned pictures were judged, refused or blocked."""
        return self.result.counts.coverage >= MIN_COVERAGE


class Begun(NamedTuple):
    """A cell whose folder is open and locked: its run file, and what is finished of it, by key."""

    cell: Cell
    run: RunFile
    finished: dict[str, Sample]


class ShardOutcome(NamedTuple):
    """What one shard of one cell has finished."""

    folder: Path
    model: str
    mitigation: str
    n_finished: int
    n_failed: int


def evaluate(job: Job) -> list[Outcome]:
    """Run every model with every mitigation, the unmitigated baseline first.

    Raises:
        UserError: anything that the user must fix; nothing finished is lost.
    """
    outcomes: list[Outcome] = []
    tally = Tally(job.limits)
    for stage, cells in plan_job(job):
        _warn_of_no_judge(job, stage)
        with _at_work(job, stage, cells) as (executor, begun):
            outcomes += run_cells(job, stage, begun, executor, tally)
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
                outcomes.append(ShardOutcome(path, spec.model, spec.mitigation, len(samples) - failed, failed))
    return outcomes


def plan_job(job: Job) -> list[tuple[Stage, list[Cell]]]:
    """Plan every run of a job and make nothing."""
    return [(stage, plan_cells(job, stage)) for stage in (_set_up(job, name) for name in job.models)]


def plan_cells(job: Job, stage: Stage) -> list[Cell]:
    """Plan every mitigation of a model, and refuse what could not be honoured before anything is loaded."""
    mitigations = dict.fromkeys([NONE, *(canonical_mitigation(text) for text in job.mitigations)])
    prompt_set = prompt_set_of(stage.characters)
    anchors = [parse_anchor(text, prompt_set.default_ranker) for text in job.anchors]
    prompts = build_prompts(stage.characters, prompt_set, anchors)
    common = _build_spec(job, stage, prompts, tuple(anchor.label for anchor in anchors))
    cells = []
    for name in mitigations:
        mitigation = build_mitigation(name, prompt_set)
        spec = common.model_copy(update={"mitigation": name})
        requests = build_requests(spec, prompts, stage.characters.characters, mitigation)
        if (sampling := with_negative_guidance(stage.row, spec.sampling, requests)) != spec.sampling:
            spec = spec.model_copy(update={"sampling": sampling})
            requests = build_requests(spec, prompts, stage.characters.characters, mitigation)
        stage.model.check(requests, spec.sampling)
        cells.append(Cell(Plan(spec=spec, requests=requests), RunFolder(job.out / run_id(spec), job.shard)))
    return cells


def run_cells(job: Job, stage: Stage, begun: Sequence[Begun], executor: Executor, tally: Tally) -> list[Outcome]:
    """Generate, judge, add up and report, cell by cell; the first cell is the baseline of the others."""
    outcomes: list[Outcome] = []
    bench = runner.Bench(stage.judge, stage.characters)
    baseline = begun[0].cell
    judges_ahead = stage.judge_name != NO_JUDGE and overlaps(stage.row, stage.device)
    for one in begun:
        cell, run, _ = one
        ahead = runner.JudgeAhead(cell.plan, cell.folder, bench) if judges_ahead else None
        samples = _generate(one, executor, tally, ahead)
        judgements = _judge(stage, cell, samples, bench)
        result = runner.add_up(cell.plan, cell.folder, is_sandbox=_is_sandbox(stage.characters))
        cell.folder.write_run(run := run.model_copy(update={"status": "finished"}))
        differences = _compare(cell, baseline, samples, judgements)
        finished = Finished(cell.folder, run, result)
        build_run_report(finished, stage.characters, baseline.folder, differences, job.command)
        outcomes.append(Outcome(cell.folder.path, result, differences, notes_of(samples)))
    return outcomes


@contextmanager
def _at_work(job: Job, stage: Stage, cells: Sequence[Cell]) -> Iterator[tuple[Executor, list[Begun]]]:
    """Open every folder and encode every text of a stage, and let go of folders and machines in the end.

    All folders are opened first: what is wrong with the last one is told before the first picture is drawn.
    """
    executor = build_executor(job.executor, stage.row, stage.model, stage.device)
    try:
        if job.fresh:
            for cell in cells:
                cell.folder.clear()
        begun = [_begin(cell, cells[0]) for cell in cells]
        if todo := [request for one in begun for request in _still_to_draw(one)]:
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


def _generate(begun: Begun, executor: Executor, tally: Tally, ahead: runner.JudgeAhead | None = None) -> list[Sample]:
    (plan, folder), _, finished = begun
    total = sum(len(batch) for batch in plan.batches(folder.shard))
    with progress_bar(f"generate {plan.spec.model} + {plan.spec.mitigation}", total) as advance:
        return runner.generate(plan, folder, executor, advance, finished=finished, tally=tally, meanwhile=ahead)


def _judge(stage: Stage, cell: Cell, samples: Sequence[Sample], bench: runner.Bench) -> list[Judgement]:
    if stage.judge_name == NO_JUDGE:
        return []
    plan, folder = cell
    title = f"judge {plan.spec.model} + {plan.spec.mitigation}"
    with progress_bar(title, sum(s.status == "ok" for s in samples)) as advance:
        return runner.judge_pictures(plan, folder, samples, bench, advance)


def _compare(
    cell: Cell, baseline: Cell, samples: Sequence[Sample], judgements: Sequence[Judgement]
) -> tuple[Estimate, ...]:
    """Take the paired differences to the baseline and write comparison.json; none for the baseline itself."""
    if cell.folder is baseline.folder:
        return ()
    spec = cell.plan.spec
    base = join_outcomes(baseline.folder.read_samples(), baseline.folder.read_judgements(spec))
    differences = compare(spec.anchors, join_outcomes(samples, judgements), base)
    content = {
        "schema_version": 1,
        "baseline": run_id(baseline.plan.spec),
        "estimates": [d.model_dump(mode="json") for d in differences],
    }
    write_json(cell.folder.path / "comparison.json", content)
    return differences


def _set_up(job: Job, name: str) -> Stage:
    """Find model, characters and judge; loads no weights."""
    size = (job.sampling["width_px"], job.sampling["height_px"]) if "width_px" in job.sampling else None
    row = resolve_model(name, job.revision, size)
    characters = read_character_set(job.characters or _default_characters(row))
    device = pick_device(job.device)
    judge_row = JUDGES.get(job.judge or _default_judge(characters))
    if judge_row.knows not in (None, characters.id):
        raise UnsupportedError(
            f"judge '{judge_row.name}' knows only character set '{judge_row.knows}', not '{characters.id}'\n"
            "  its verdicts on other characters would mean nothing; see all: python -m copycat.eval --list judges"
        )
    return Stage(
        row=row,
        model=resolve(row.target, f"model '{row.name}'")(row, device),
        judge_name=judge_row.name,
        judge=resolve(judge_row.target, f"judge '{judge_row.name}'")(judge_row, device),
        characters=characters,
        device=device,
    )


def _build_spec(job: Job, stage: Stage, prompts: Sequence[Prompt], anchors: tuple[str, ...]) -> RunSpec:
    """Make every setting explicit, for the unmitigated run."""
    row, identity = stage.row, stage.model.identify()
    n_planned = min(len(prompts) * job.seeds, job.limit or len(prompts) * job.seeds)
    asked = job.sampling | {"compile": chosen_compile(job.compile, stage.device, n_planned)}
    sampling = stage.model.settle(choose_sampling(row, stage.device, job.preset, asked))
    return RunSpec(
        model=row.name,
        model_source=identity.source,
        model_revision=identity.revision,
        mitigation=NONE,
        characters=stage.characters.id,
        characters_sha256=characters_sha256(stage.characters),
        anchors=anchors,
        prompts_sha256=prompts_sha256(prompts),
        seeds=job.seeds,
        sampling=sampling,
        batch_size=_batch_size(job, row),
        device=SERVICE if row.is_service else stage.device,
        limit=job.limit,
        judge=stage.judge_name,
        judge_revision=stage.judge.revision(),
    )


def _batch_size(job: Job, row: ModelRow) -> int:
    if row.is_service and (job.batch_size or 1) > 1:  # a batch that is asked for again would be paid for again
        raise UnsupportedError(f"'{row.name}' is asked for one picture at a time\n  leave out --batch-size")
    return job.batch_size or row.batch_size


def _run_file(spec: RunSpec, baseline: Cell | None) -> RunFile:
    return RunFile(
        id=run_id(spec),
        spec=spec,
        environment=describe_environment(spec.device),
        status="running",
        baseline=run_id(baseline.plan.spec) if baseline else None,
    )


def _default_characters(row: ModelRow) -> str:
    return "sandbox" if row == MODELS.get(SANDBOX) else "copycat50"


def _default_judge(characters: CharacterSet) -> str:
    if _is_sandbox(characters):
        return SANDBOX_JUDGE
    return NO_JUDGE


def _warn_of_no_judge(job: Job, stage: Stage) -> None:
    if job.judge is None and stage.judge_name == NO_JUDGE:
        log.warning(
            "no judge ships for character set '%s' yet: pictures are made and kept, and nobody looks at them; "
            "name one with --judge (docs/add-a-judge.md), now or later: the same pictures are then judged",
            stage.characters.id,
        )


def _is_sandbox(characters: CharacterSet) -> bool:
    return characters.id == "sandbox"
