"""From what a user asked for to what is run: model, judge, characters, and a plan per mitigation. Loads no weights."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import Field

from copycat.attacks import Attacked, attack_files, attacked_name, build_attack, canonical_attack
from copycat.catalog import (
    LISTS,
    PromptSet,
    benign_prompts,
    build_prompts,
    characters_sha256,
    parse_anchor,
    prompt_set_of,
    prompts_sha256,
    read_character_set,
    with_lists,
)
from copycat.console import progress_bar
from copycat.errors import MissingExtraError, UnsupportedError
from copycat.judges import NO_JUDGE, Judge, JudgeRow
from copycat.judges import SANDBOX as SANDBOX_JUDGE
from copycat.judges.families import DEFAULT, build_judge, resolve_judge
from copycat.llm import ANSWERS as LLM_ANSWERS
from copycat.llm import LanguageModel, build_language_model
from copycat.llm.asking import Asker, ask_ahead
from copycat.llm.embedding import VECTORS, Embedder, build_embedder
from copycat.measures import Measure, MeasureRow, build_measure, expand_measures, resolve_measure
from copycat.mitigations import NONE, Mitigation, Setting, build_mitigation, canonical_mitigation
from copycat.models import MODELS, SANDBOX, ImageModel, ModelRow
from copycat.models.erased import Erased, check_base, read_erasures
from copycat.models.resolve import resolve_model
from copycat.models.settings import choose_sampling, chosen_compile, with_negative_guidance
from copycat.plan import build_requests, run_id, texts_sha256
from copycat.registry import resolve
from copycat.runs.environment import pick_device
from copycat.runs.executors import LOCAL
from copycat.runs.folder import RunFolder
from copycat.runs.limits import Limits
from copycat.runs.runner import Plan
from copycat.runs.shards import Shard
from copycat.schema import SERVICE, CharacterSet, ImageRequest, Prompt, Record, RunSpec
from copycat.services.memory import AnswerMemory

ANSWERS = "judge-answers.sqlite"
"""Beside the run folders: what judges said."""


class Job(Record):
    """What the user asked for; None means the default of the model or the character set.

    `only` are ids of the characters that prompts may be after, all where there is none; pictures are judged against
    the whole set. `sampling` holds the fields of `schema.Sampling` that were asked for; `compile` is 'off', 'on' or
    'auto'.
    """

    models: tuple[str, ...]
    mitigations: tuple[str, ...] = ()
    erased: tuple[Path, ...] = ()
    attacks: tuple[str, ...] = ()
    characters: str | None = None
    only: tuple[str, ...] = ()
    lists: Path = LISTS
    anchors: tuple[str, ...] = ("name", "keywords", "description")
    seeds: int = 3
    judge: str | None = None
    references: Path | None = None
    rejudge: bool = False
    metrics: tuple[str, ...] = ()
    limit: int | None = None
    preset: str | None = None
    sampling: dict[str, Any] = Field(default_factory=dict)
    compile: str = "off"
    revision: str | None = None
    batch_size: int | None = None
    device: str | None = None
    executor: str = LOCAL
    llm: str | None = None
    embedder: str | None = None
    benign: bool = False
    shard: Shard | None = None
    limits: Limits = Limits()
    out: Path = Path("runs")
    fresh: bool = False
    command: str = ""


class Stage(NamedTuple):
    """One model with everything around it that does not change between mitigations.

    `filters` are the judges that output filters ask for, by the name in a request; `erased` are the erasures that are
    evaluated beside the model's own weights.
    """

    row: ModelRow
    model: ImageModel
    judge_row: JudgeRow
    judge: Judge
    filters: dict[str | None, Judge]
    memory: AnswerMemory
    measures: tuple[tuple[MeasureRow, Measure], ...]
    characters: CharacterSet
    device: str
    erased: tuple[Erased, ...] = ()


class Cell(NamedTuple):
    """One model with one mitigation: one run folder."""

    plan: Plan
    folder: RunFolder


def plan_job(job: Job) -> list[tuple[Stage, list[Cell]]]:
    """Plan every run of a job and draw nothing; mitigations that need a language model or embeddings ask for them."""
    planned = []
    for stage in (set_up(job, name) for name in job.models):
        prompt_set = with_lists(prompt_set_of(stage.characters), job.lists)
        anchors = [parse_anchor(text, prompt_set.default_ranker) for text in job.anchors]
        prompts = build_prompts(stage.characters, prompt_set, anchors)
        if job.only:
            prompts = tuple(prompt for prompt in prompts if prompt.character in job.only)
        planned.append((stage, plan_cells(job, stage, prompt_set, prompts)))
        if job.benign:
            characters, prompts = benign_prompts(stage.characters)
            beside = stage._replace(characters=characters)
            planned.append((beside, _plan_benign(job, beside, prompt_set, prompts)))
    return planned


def _plan_benign(job: Job, stage: Stage, prompt_set: PromptSet, prompts: Sequence[Prompt]) -> list[Cell]:
    """Plan every mitigation on prompts that are after nobody, for whom it has no target."""
    try:
        # an attack brings nobody back there, and changes nothing
        return plan_cells(job.model_copy(update={"attacks": ()}), stage, prompt_set, prompts)
    except UnsupportedError as error:  # frozen rewrites, say, that have no text for these prompts
        raise UnsupportedError(f"on benign prompts: {error}\n  or leave out --benign") from error


def plan_cells(job: Job, stage: Stage, prompt_set: PromptSet, prompts: Sequence[Prompt]) -> list[Cell]:
    """Plan every mitigation of a model, each attack on each of them, and refuse what could not be honoured.

    Nothing is loaded before all of it can be. Those that are not attacked come first, the baseline before all.
    """
    llm, embedder = _language_model(job, stage), _embedder(job, stage)
    setting = Setting(stage.characters, prompt_set, embed=None if embedder is None else embedder.embed)
    mitigations = dict.fromkeys([NONE, *(canonical_mitigation(text, setting) for text in job.mitigations)])
    attacks = {canonical_attack(text, setting): build_attack(text, setting) for text in job.attacks}
    common = _build_spec(job, stage, prompts, tuple(dict.fromkeys(prompt.anchor for prompt in prompts)))
    for erased in stage.erased:
        check_base(erased.card, common.model, common.model_source, common.model_revision)
    cells = []
    for attack, erased, name in itertools.product((None, *attacks), (None, *stage.erased), mitigations):
        asker = None if llm is None else Asker(llm)
        mitigation = build_mitigation(name, setting if asker is None else setting._replace(ask=asker.ask))
        label = name if erased is None else erased.named_with(name)
        label = label if attack is None else attacked_name(label, attack)
        spec = common.model_copy(update={"mitigation": label})
        if embedder is not None and getattr(mitigation, "embeds", False):
            spec = spec.model_copy(update={"embedder": _embed_ahead(embedder, _plain(spec, prompts, setting), name)})
        if asker is not None and getattr(mitigation, "asks", False):
            spec = spec.model_copy(update={"language_model": _ask_ahead(asker, mitigation, spec, prompts, setting)})
        if erased is not None:
            mitigation = erased.over(mitigation)
        if attack is not None:
            mitigation = Attacked(mitigation, attacks[attack])
        requests = build_requests(spec, prompts, stage.characters.characters, mitigation)
        if label != NONE:
            spec = spec.model_copy(update={"texts_sha256": texts_sha256(requests)} | _filter_of(job, stage, requests))
        if (sampling := with_negative_guidance(stage.row, spec.sampling, requests)) != spec.sampling:
            spec = spec.model_copy(update={"sampling": sampling})
            requests = build_requests(spec, prompts, stage.characters.characters, mitigation)
        stage.model.check(requests, spec.sampling)
        cells.append(Cell(Plan(spec=spec, requests=requests), RunFolder(job.out / run_id(spec), job.shard)))
    if llm is not None:
        _let_go(llm, cells)
    if embedder is not None:
        _let_go_of_embedder(embedder, cells)
    return cells


def _language_model(job: Job, stage: Stage) -> LanguageModel | None:
    if job.llm is None:
        return None
    return build_language_model(job.llm, AnswerMemory(job.out / LLM_ANSWERS), stage.device)


def _ask_ahead(asker: Asker, mitigation: Mitigation, spec: RunSpec, prompts: Sequence[Prompt], setting: Setting) -> str:
    """Have a mitigation ask all its questions, and give what the spec says of the language model."""
    plain = _plain(spec, prompts, setting)
    by_id = {character.id: character for character in setting.characters.characters}
    with progress_bar(f"ask for {spec.mitigation}", len(plain)) as advance:
        ask_ahead(asker, mitigation, plain, by_id, advance)
    return asker.described()


def _plain(spec: RunSpec, prompts: Sequence[Prompt], setting: Setting) -> tuple[ImageRequest, ...]:
    """List the requests as they are before a mitigation."""
    return build_requests(spec, prompts, setting.characters.characters, build_mitigation(NONE, setting))


def _embedder(job: Job, stage: Stage) -> Embedder | None:
    if job.embedder is None:
        return None
    return build_embedder(job.embedder, AnswerMemory(job.out / VECTORS), stage.device)


def _embed_ahead(embedder: Embedder, plain: Sequence[ImageRequest], mitigation: str) -> str:
    """Embed all prompts, many at a time, and give what the spec says of the embedder."""
    texts = list(dict.fromkeys(request.prompt for request in plain))
    with progress_bar(f"embed for {mitigation}", len(texts)) as advance:
        embedder.embed(texts, advance)
    return embedder.identify()


def _let_go_of_embedder(embedder: Embedder, cells: Sequence[Cell]) -> None:
    """Free what an embedder holds before pictures are drawn.

    Raises:
        UnsupportedError: no mitigation needed it.
    """
    if all(cell.plan.spec.embedder is None for cell in cells):
        raise UnsupportedError(
            "--embedder is of no use here: none of these mitigations embeds texts\n"
            "  add --mitigation intent:embedding+..., or leave out --embedder"
        )
    embedder.release()


def _let_go(llm: LanguageModel, cells: Sequence[Cell]) -> None:
    """Free what a language model holds before pictures are drawn.

    Raises:
        UnsupportedError: no mitigation asked it anything.
    """
    if all(cell.plan.spec.language_model is None for cell in cells):
        raise UnsupportedError(
            "--llm is of no use here: none of these mitigations asks a language model\n"
            "  add --mitigation rewrite:fresh or --mitigation intent:llm+..., or leave out --llm"
        )
    llm.release()


def _filter_of(job: Job, stage: Stage, requests: Sequence[ImageRequest]) -> dict[str, str]:
    """Find the judge that an output filter asks for, and give what the spec says of it.

    Raises:
        UnsupportedError: nobody would look, the judge does not know these characters, or machines of a cluster draw.
    """
    wanted = next((request.output_filter for request in requests if request.output_filter is not None), None)
    if wanted is None:
        return {}
    if job.executor != LOCAL:
        raise UnsupportedError("an output filter works where the judge is, not on a cluster\n  leave out --executor")
    if wanted.judge not in stage.filters:
        row = stage.judge_row if wanted.judge is None else resolve_judge(wanted.judge, _text_of(job.references))
        if row.name == NO_JUDGE:
            raise UnsupportedError("an output filter needs a judge\n  name one, such as: filter:regenerate,JUDGE")
        _require_known(row, stage.characters)
        stage.filters[wanted.judge] = (
            stage.judge if wanted.judge is None else build_judge(row, stage.device, stage.memory)
        )
    judge = stage.filters[wanted.judge]
    return {"filter_judge": f"{wanted.judge or stage.judge_row.name}@{judge.revision()}"}


def _require_known(row: JudgeRow, characters: CharacterSet) -> None:
    if row.knows not in (None, characters.id):
        raise UnsupportedError(
            f"judge '{row.name}' knows only character set '{row.knows}', not '{characters.id}'\n"
            "  its verdicts on other characters would mean nothing; see all: python -m copycat.eval --list judges"
        )


def set_up(job: Job, name: str) -> Stage:
    """Find model, characters and judge; loads no weights."""
    size = (job.sampling["width_px"], job.sampling["height_px"]) if "width_px" in job.sampling else None
    row = resolve_model(name, job.revision, size)
    characters = read_character_set(job.characters or default_characters(row))
    erased = read_erasures(job.erased)
    files = {one.card.delta_sha256: str(one.delta) for one in erased} | attack_files(job.attacks)
    row = row.model_copy(update={"files": row.files | files})
    device = pick_device(job.device)
    name = job.judge or _default_judge(characters)
    judge_row = resolve_judge(name, _text_of(job.references), may_ignore=bool(job.metrics))
    _require_known(judge_row, characters)
    memory = AnswerMemory(job.out / ANSWERS)
    return Stage(
        row=row,
        model=resolve(row.target, f"model '{row.name}'")(row, device),
        judge_row=judge_row,
        judge=build_judge(judge_row, device, memory),
        filters={},
        memory=memory,
        measures=_build_measures(job, device, characters),
        characters=characters,
        device=device,
        erased=erased,
    )


def _build_measures(job: Job, device: str, characters: CharacterSet) -> tuple[tuple[MeasureRow, Measure], ...]:
    """Make the further measures, and have each refuse now what it could not measure later."""
    rows = [resolve_measure(name) for name in expand_measures(job.metrics)]
    built = tuple((row, build_measure(row, device, characters, _text_of(job.references))) for row in rows)
    for _, measure in built:
        if (check := getattr(measure, "check", None)) is not None:
            check()
    return built


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
        judge=stage.judge_row.name,
        judge_revision=_judge_revision(job, stage),
    )


def _judge_revision(job: Job, stage: Stage) -> str:
    """Ask which judge it is; where the one that nobody asked for cannot be had, say which other ways there are."""
    try:
        return stage.judge.revision()
    except MissingExtraError as error:
        if job.judge is not None:
            raise
        raise MissingExtraError(
            f"{error}\n  it belongs to the default judge of real characters. Other ways:\n"
            "    a server of your own: export OPENAI_BASE_URL=http://HOST:8000/v1, then --judge openai:MODEL\n"
            "    draw now and judge later: --judge none          all judges: --list judges, docs/judging.md"
        ) from error


def _batch_size(job: Job, row: ModelRow) -> int:
    if row.is_service and (job.batch_size or 1) > 1:  # a batch that is asked for again would be paid for again
        raise UnsupportedError(f"'{row.name}' is asked for one picture at a time\n  leave out --batch-size")
    return job.batch_size or row.batch_size


def default_characters(row: ModelRow) -> str:
    """Name the characters that a model is asked for unless the user says otherwise."""
    return "sandbox" if row == MODELS.get(SANDBOX) else "copycat50"


def _default_judge(characters: CharacterSet) -> str:
    return SANDBOX_JUDGE if characters.is_sandbox else DEFAULT


def _text_of(path: Path | None) -> str | None:
    return None if path is None else str(path)
