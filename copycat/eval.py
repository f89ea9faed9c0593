"""The main job: `python -m copycat.eval --model sandbox --mitigation negprompt`.

How the data flow, top to bottom:
    characters + prompts -> requests -> mitigation -> model -> pictures -> judge -> estimates -> report
"""

from __future__ import annotations

if __name__ == "__main__":  # first, so that --help need not wait for the imports below; does not return
    from copycat.commands.eval import app
    from copycat.console import run_app

    run_app(app)

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from copycat.catalog import (
    build_prompts,
    characters_sha256,
    parse_anchor,
    prompt_set_of,
    prompts_sha256,
    read_character_set,
)
from copycat.console import progress_bar
from copycat.errors import UnsupportedError, UserError
from copycat.judges import JUDGES, Judge
from copycat.metrics import compare, join_outcomes
from copycat.mitigations import NONE, build_mitigation, canonical_mitigation
from copycat.models import MODELS, ImageModel, ModelRow
from copycat.models.resolve import resolve_model
from copycat.plan import build_requests, run_id
from copycat.registry import resolve
from copycat.runs import runner
from copycat.runs.environment import describe_environment, pick_device
from copycat.runs.folder import RunFile, RunFolder, write_json
from copycat.runs.results import Finished, build_run_report
from copycat.runs.runner import Plan
from copycat.schema import MIN_COVERAGE, CharacterSet, Estimate, Prompt, Record, RunResult, RunSpec, Sampling


class Job(Record):
    """What the user asked for; None means the default of the model or the character set."""

    models: tuple[str, ...]
    mitigations: tuple[str, ...] = ()
    characters: str | None = None
    anchors: tuple[str, ...] = ("name", "keywords", "description")
    seeds: int = 3
    judge: str | None = None
    limit: int | None = None
    steps: int | None = None
    guidance: float | None = None
    batch_size: int | None = None
    device: str | None = None
    dtype: str | None = None
    out: Path = Path("runs")
    fresh: bool = False
    command: str = ""


class Stage(NamedTuple):
    """Who plays: a model, its judge and the characters."""

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
    """What came out of one cell; `differences` are to the unmitigated cell of the same model."""

    folder: Path
    result: RunResult
    differences: tuple[Estimate, ...]

    @property
    def is_valid(self) -> bool:
        """Whether enough of the planned pictures were judged, refused or blocked."""
        return self.result.counts.coverage >= MIN_COVERAGE


def evaluate(job: Job) -> list[Outcome]:
    """Run every model with every mitigation, the unmitigated baseline first.

    Raises:
        UserError: anything that the user must fix; nothing finished is lost.
    """
    stages = [_set_up(job, name) for name in job.models]
    plans = [plan_cells(job, stage) for stage in stages]
    outcomes: list[Outcome] = []
    for stage, cells in zip(stages, plans, strict=True):
        try:
            outcomes += run_cells(job, stage, cells)
        finally:
            for cell in cells:
                cell.folder.close()
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
        spec = common.model_copy(update={"mitigation": name})
        requests = build_requests(spec, prompts, stage.characters.characters, build_mitigation(name, prompt_set))
        stage.model.check(requests, spec.sampling)
        cells.append(Cell(Plan(spec=spec, requests=requests), RunFolder(job.out / run_id(spec))))
    return cells


def run_cells(job: Job, stage: Stage, cells: Sequence[Cell]) -> list[Outcome]:
    """Generate, judge, add up and report, cell by cell; the first cell is the baseline of the others."""
    model, characters = stage.model, stage.characters
    bench = runner.Bench(stage.judge, characters)
    outcomes: list[Outcome] = []
    baseline = cells[0]
    for plan, folder in cells:
        if job.fresh:
            folder.clear()
        run = folder.open(_run_file(plan.spec, None if folder is baseline.folder else baseline), len(plan.requests))
        planned, title = len(plan.requests), f"{plan.spec.model} + {plan.spec.mitigation}"
        with progress_bar(f"generate {title}", planned) as advance:
            samples = runner.generate(plan, folder, model, advance)
        with progress_bar(f"judge {title}", sum(s.status == "ok" for s in samples)) as advance:
            judgements = runner.judge_pictures(plan, folder, samples, bench, advance)
        result = runner.add_up(plan, folder, is_sandbox=_is_sandbox(characters))
        folder.write_run(run := run.model_copy(update={"status": "finished"}))
        differences: tuple[Estimate, ...] = ()
        if folder is not baseline.folder:
            base = join_outcomes(baseline.folder.read_samples(), baseline.folder.read_judgements(plan.spec))
            differences = compare(plan.spec.anchors, join_outcomes(samples, judgements), base)
            _write_comparison(folder, run_id(baseline.plan.spec), differences)
        build_run_report(Finished(folder, run, result), characters, baseline.folder, differences, job.command)
        outcomes.append(Outcome(folder.path, result, differences))
    return outcomes


def _set_up(job: Job, name: str) -> Stage:
    """Find model, characters and judge; loads no weights."""
    row = resolve_model(name)
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
    asked = {"steps": job.steps, "guidance": job.guidance, "dtype": job.dtype}
    sampling = row.sampling.model_dump() | {name: value for name, value in asked.items() if value is not None}
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
        sampling=Sampling.model_validate(sampling),
        batch_size=job.batch_size or row.batch_size,
        device=stage.device,
        limit=job.limit,
        judge=stage.judge_name,
        judge_revision=stage.judge.revision(),
    )


def _run_file(spec: RunSpec, baseline: Cell | None) -> RunFile:
    return RunFile(
        id=run_id(spec),
        spec=spec,
        environment=describe_environment(spec.device),
        status="running",
        baseline=run_id(baseline.plan.spec) if baseline else None,
    )


def _write_comparison(folder: RunFolder, baseline: str, differences: Sequence[Estimate]) -> None:
    content = {"schema_version": 1, "baseline": baseline, "estimates": [d.model_dump(mode="json") for d in differences]}
    write_json(folder.path / "comparison.json", content)


def _default_characters(row: ModelRow) -> str:
    return "sandbox" if row == MODELS.get("sandbox") else "copycat50"


def _default_judge(characters: CharacterSet) -> str:
    if _is_sandbox(characters):
        return "sandbox"
    raise UserError(
        f"no judge ships for character set '{characters.id}' yet\n"
        f"  the judges are: {', '.join(JUDGES.names())}; 'sandbox' knows only the invented characters\n"
        "  a pipeline of the sandbox's characters: add --characters sandbox\n"
        "  characters of your own: add a judge for them (docs/add-a-judge.md) and name it with --judge\n"
        "  runs offline now: python -m copycat.eval --model sandbox --mitigation negprompt"
    )


def _is_sandbox(characters: CharacterSet) -> bool:
    return characters.id == "sandbox"
