"""Pictures per concept and prompt, with control arms, by the project's own models and runner.

How the data flow: concepts + templates -> prompts per arm -> requests -> model -> run folders, one for each arm.
What is finished is never drawn again; batches, seeds, locks and journals are those of `copycat.runs`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import Field

from copycat.catalog import canonical_sha256, prompts_sha256
from copycat.console import progress_bar, say
from copycat.errors import DataError, UnsupportedError, UserError
from copycat.imitation.generate.arms import derangement, zero_names
from copycat.imitation.generate.pictures import ArmFile, GenerationsFile, anchor_of, read_generations_file
from copycat.imitation.generate.prompts import Domain, naming_controls, prompt_of
from copycat.imitation.records import GENERATIONS_FILE, GENERATIONS_FOLDER, Arm, Concept
from copycat.judges import NO_JUDGE
from copycat.mitigations import NONE
from copycat.models import ImageModel, ModelRow
from copycat.models.resolve import resolve_model
from copycat.models.settings import choose_sampling
from copycat.plan import build_requests, run_id
from copycat.registry import resolve
from copycat.runs import runner
from copycat.runs.environment import describe_environment, pick_device
from copycat.runs.executors import LOCAL, Executor, build_executor
from copycat.runs.folder import RunFile, RunFolder, write_json
from copycat.runs.notes import notes_of
from copycat.runs.runner import Plan
from copycat.schema import MIN_COVERAGE, SERVICE, Character, ImageRequest, Prompt, Record, RunSpec, Sample

IMAGES = 8
"""Pictures per concept and prompt, unless the user says otherwise."""

LEFT_OUT = "left out, for it was drawn with other settings, names or nouns; name it in --arms, and it is drawn again"


class GenerateJob(Record):
    """What the user asked for; None means the default of the model. `images` are per concept and prompt, in each arm.

    `sampling` holds the fields of `schema.Sampling` that were asked for; `limit` is the most pictures of each arm.
    """

    model: str
    out: Path
    concepts: tuple[Concept, ...]
    domain: Domain
    images: int = Field(default=IMAGES, ge=1)
    arms: tuple[Arm, ...] = ("named", "unnamed", "zero", "shuffled")
    sampling: dict[str, Any] = Field(default_factory=dict)
    batch_size: int | None = None
    device: str | None = None
    limit: int | None = None
    executor: str = LOCAL
    fresh: bool = False


class ArmPlan(NamedTuple):
    """One arm as planned: its run, its folder, and the made-up names in its prompts."""

    arm: Arm
    plan: Plan
    folder: RunFolder
    names: dict[str, str]


class Planned(NamedTuple):
    """A job with everything that is known before a picture is drawn; loads no weights."""

    job: GenerateJob
    row: ModelRow
    model: ImageModel
    device: str
    arms: tuple[ArmPlan, ...]
    warnings: tuple[str, ...]


class Generated(NamedTuple):
    """What came of a job: generations.json, and lines on arms left out and requests that gave no picture."""

    file: GenerationsFile
    notes: tuple[str, ...]

    @property
    def is_valid(self) -> bool:
        """Whether nearly every request was answered, be it by a refusal."""
        drawn = [arm for arm in self.file.arms.values() if arm.folder is not None]
        answered = sum(sum(arm.counts.values()) - arm.counts.get("failed", 0) for arm in drawn)
        return answered >= MIN_COVERAGE * sum(arm.planned for arm in drawn)


def plan_generate(job: GenerateJob) -> Planned:
    """Plan every arm, and refuse what could not be honoured before anything is loaded or written.

    Raises:
        UserError: anything that the user must fix.
    """
    row = resolve_model(job.model)
    if row.is_service and (job.batch_size or 1) > 1:
        raise UnsupportedError(f"'{row.name}' is asked for one picture at a time\n  leave out --batch-size")
    if not job.concepts:
        raise UserError("no concepts are given\n  needed: --characters SET or --concepts FILE")
    device = pick_device(job.device)
    model: ImageModel = resolve(row.target, f"model '{row.name}'")(row, device)
    drawn = [arm for arm in job.arms if arm != "shuffled"]
    if "shuffled" in job.arms and "named" not in drawn:
        raise UserError("the arm 'shuffled' has no pictures of its own\n  add 'named' to --arms: it uses those again")
    base = _base_spec(job, row, model, device)
    arms = tuple(_plan_arm(job, base, arm) for arm in drawn)
    for one in arms:
        model.check(one.plan.requests, one.plan.spec.sampling)
    return Planned(job, row, model, device, arms, tuple(_warnings(job, arms)))


def generate(planned: Planned) -> Generated:
    """Draw what is missing of every arm, and keep generations.json.

    Raises:
        UserError: another process draws here, the folder was begun with other versions, ...; nothing finished is lost.
    """
    file, left_out = _file(planned)
    notes = [*another_study(planned), *left_out]
    with _at_work(planned) as (executor, begun):
        write_json(planned.job.out / GENERATIONS_FILE, file.model_dump(mode="json"))
        for one, run, finished in begun:
            samples = _draw(one, executor, finished)
            one.folder.write_run(run.model_copy(update={"status": "finished"}))
            notes += [f"{one.arm}: {note}" for note in notes_of(samples)]
            file = _with_counts(file, one.arm, samples)
            write_json(planned.job.out / GENERATIONS_FILE, file.model_dump(mode="json"))
        executor.release()
    return Generated(file, tuple(notes))


def another_study(planned: Planned) -> Iterator[str]:
    """Tell that pictures of the same arms were drawn here otherwise; generations.json will be of the new ones alone."""
    old = _arms_before(planned.job)
    moved = [
        old[one.arm]
        for one in planned.arms
        if one.arm in old and _arm_file(planned.job, one).folder != old[one.arm].folder
    ]
    if n := sum(sum(arm.counts.values()) for arm in moved):
        yield (
            f"other settings than the {n:,} pictures before: this is another study; the earlier pictures stay in "
            f"{GENERATIONS_FOLDER}/, and their command brings them back"
        )


# ---------------------------------------------------------------------------------------------- planning


def _base_spec(job: GenerateJob, row: ModelRow, model: ImageModel, device: str) -> RunSpec:
    """Make every setting explicit, for any arm."""
    identity = model.identify()
    sampling = model.settle(choose_sampling(row, device, None, job.sampling))
    if sampling.is_video:
        raise UnsupportedError(f"'{row.name}' draws clips, and imitation is scored on pictures\n  use another --model")
    return RunSpec(
        model=row.name,
        model_source=identity.source,
        model_revision=identity.revision,
        mitigation=NONE,
        characters="concepts",
        characters_sha256=canonical_sha256([concept.id for concept in job.concepts]),
        anchors=(),
        prompts_sha256="",
        seeds=job.images,
        sampling=sampling,
        batch_size=job.batch_size or row.batch_size,
        device=SERVICE if row.is_service else device,
        limit=job.limit,
        judge=NO_JUDGE,
        judge_revision=NO_JUDGE,
    )


def _plan_arm(job: GenerateJob, base: RunSpec, arm: Arm) -> ArmPlan:
    names = zero_names(job.concepts) if arm == "zero" else {}
    prompts = [
        Prompt(
            # The same seeds in every arm, so that an arm differs from another by its words alone.
            id=f"imitation/{concept.id}/{template.id}",
            character=concept.id,
            anchor=anchor_of(arm, template.id),
            text=prompt_of(template, concept, arm, job.domain, names),
        )
        for concept in job.concepts
        for template in job.domain.templates
    ]
    anchors = tuple(anchor_of(arm, template.id) for template in job.domain.templates)
    changes = {"characters": arm, "anchors": anchors, "prompts_sha256": prompts_sha256(prompts)}
    spec = base.model_copy(update=changes)
    requests = build_requests(spec, prompts, (), _AsItIs())
    folder = RunFolder(job.out / GENERATIONS_FOLDER / run_id(spec))
    return ArmPlan(arm, Plan(spec=spec, requests=requests), folder, names)


class _AsItIs:
    """Leaves requests alone: what a model does by itself is what is studied."""

    def apply(self, request: ImageRequest, target: Character | None) -> ImageRequest:
        """Give back the request unchanged."""
        del target
        return request


def _warnings(job: GenerateJob, arms: Sequence[ArmPlan]) -> Iterator[str]:
    for one in arms:
        if one.arm == "unnamed":
            texts = {request.prompt_id: request.prompt for request in one.plan.requests}
            if naming := naming_controls(texts, job.concepts):
                first = texts[next(iter(naming))]
                yield f"{len(naming)} control prompts name a concept after all, such as '{first}': give another noun"
    if "shuffled" in job.arms and len(job.concepts) < 2:
        yield "one concept alone has nobody to be shuffled with: the arm 'shuffled' is left out"


def _file(planned: Planned) -> tuple[GenerationsFile, tuple[str, ...]]:
    """Write down what is about to be drawn, beside what an earlier job drew alike; say which of its arms are left."""
    job, spec = planned.job, planned.arms[0].plan.spec
    old = _arms_before(job)
    kept = tuple(_still_right(planned, old))
    arms = {one.arm: old[one.arm] for one in kept} | {one.arm: _arm_file(job, one) for one in planned.arms}
    named = arms.get("named")
    is_as_before = named is not None and "shuffled" in old and named.folder == old["named"].folder
    pairs = derangement([concept.id for concept in job.concepts])
    if named is not None and pairs and (is_as_before or "shuffled" in job.arms):
        arms["shuffled"] = ArmFile(pairs=pairs, planned=named.planned, counts=named.counts)
    file = GenerationsFile(
        model=spec.model,
        source=spec.model_source,
        revision=spec.model_revision,
        licence=planned.row.licence,
        device=spec.device,
        batch_size=spec.batch_size,
        sampling=spec.sampling,
        domain=job.domain.name,
        templates={template.id: template.text for template in job.domain.templates},
        order=tuple(template.id for template in job.domain.templates),
        images=job.images,
        limit=job.limit,
        concepts=tuple(concept.id for concept in job.concepts),
        arms=arms,
        warnings=tuple(_warnings(job, (*planned.arms, *kept))),
    )
    return file, tuple(f"{arm}: {LEFT_OUT}" for arm in old if arm not in arms)


def _arms_before(job: GenerateJob) -> Mapping[Arm, ArmFile]:
    with suppress(DataError):  # a damaged one is written anew
        if (before := read_generations_file(job.out)) is not None:
            return before.arms
    return {}


def _still_right(planned: Planned, old: Mapping[Arm, ArmFile]) -> Iterator[ArmPlan]:
    """Give those arms of an earlier job that this one does not draw, and would draw alike: settings, names, nouns."""
    job, base = planned.job, planned.arms[0].plan.spec
    drawn = {one.arm for one in planned.arms}
    for arm, one in old.items():
        if one.folder is not None and arm not in drawn and (job.out / one.folder / "run.json").is_file():
            plan = _plan_arm(job, base, arm)
            if _arm_file(job, plan).folder == one.folder:
                yield plan


def _arm_file(job: GenerateJob, one: ArmPlan) -> ArmFile:
    return ArmFile(
        folder=one.folder.path.relative_to(job.out).as_posix(), names=one.names, planned=len(one.plan.requests)
    )


# ----------------------------------------------------------------------------------------------- drawing

Begun = tuple[ArmPlan, RunFile, dict[str, Sample]]
"""An arm whose folder is open and locked, its run file, and what is finished of it."""


@contextmanager
def _at_work(planned: Planned) -> Iterator[tuple[Executor, list[Begun]]]:
    """Open every folder and encode every text, and let go of folders and machines in the end."""
    executor = build_executor(planned.job.executor, planned.row, planned.model, planned.device)
    try:
        if planned.job.fresh:
            for one in planned.arms:
                one.folder.clear()
        begun = [_begin(one) for one in planned.arms]
        if todo := [request for one, _, done in begun for request in one.plan.requests if request.key not in done]:
            say(f"generate: load {planned.row.name} and read its prompts, for {len(todo):,} pictures")
            executor.prepare(todo, planned.arms[0].plan.spec.sampling)
        yield executor, begun
    finally:
        executor.close()
        for one in planned.arms:
            one.folder.close()


def _begin(one: ArmPlan) -> Begun:
    spec = one.plan.spec
    asked = RunFile(id=run_id(spec), spec=spec, environment=describe_environment(spec.device), status="running")
    run = one.folder.open(asked, len(one.plan.requests))
    return one, run, runner.read_finished(one.plan, one.folder)


def _draw(one: ArmPlan, executor: Executor, finished: dict[str, Sample]) -> list[Sample]:
    with progress_bar(f"generate {one.arm}", len(one.plan.requests)) as advance:
        return runner.generate(one.plan, one.folder, executor, advance, finished=finished)


def _with_counts(file: GenerationsFile, arm: Arm, samples: Sequence[Sample]) -> GenerationsFile:
    counts = dict(sorted(Counter(sample.status for sample in samples).items()))
    arms = dict(file.arms)
    arms[arm] = arms[arm].model_copy(update={"counts": counts})
    if arm == "named" and "shuffled" in arms:
        arms["shuffled"] = arms["shuffled"].model_copy(update={"counts": counts})
    return file.model_copy(update={"arms": arms})
