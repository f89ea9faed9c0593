"""One extraction from beginning to end: name it, take it up, ask, measure, write."""

from __future__ import annotations

import fcntl
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from copycat.errors import ResumeMismatchError, UserError
from copycat.fairuse.extract.backends import Spent, TextModel
from copycat.fairuse.extract.backends.answers import AnswersFile
from copycat.fairuse.extract.evidence import EVIDENCE_FILE, build_evidence
from copycat.fairuse.extract.money import Purse
from copycat.fairuse.extract.plan import Axes, Plan, RoledWork, key_of
from copycat.fairuse.extract.prompts import read_wording
from copycat.fairuse.extract.records import (
    ANSWERS_FILE,
    MEASURES_FILE,
    RUN_FILE,
    AskedWork,
    ExtractSpec,
    Measures,
    RunFile,
    Unit,
)
from copycat.fairuse.extract.runner import Advance, Asking, answer_asks, measured_answers, same_as_another, take_answers
from copycat.fairuse.extract.summary import build_measures
from copycat.fairuse.text import words_of
from copycat.paths import shown
from copycat.runs.environment import describe_environment
from copycat.runs.folder import write_json

MIN_COVERAGE = 0.98
"""As in the main job: below it, too much is missing for the figures to count."""


class Asked(NamedTuple):
    """What decides on a run: what the user typed, once it is checked."""

    name: str
    identity: str
    works: tuple[RoledWork, ...]
    axes: Axes
    plan: Plan
    unit: Unit
    is_chat: bool
    limit: int | None
    is_withheld: bool
    answers_sha256: str | None = None
    device: str = "none"


@dataclass(frozen=True)
class Job:
    """A run and its folder."""

    run: RunFile
    asking: Asking
    folder: Path

    @property
    def journal(self) -> Path:
        """Where answers are appended."""
        return self.folder / ANSWERS_FILE


class Told(NamedTuple):
    """What was spent over all starts, what the model said of itself, and rows of a file that belong to no request.

    `usd` is None where no price was told.
    """

    spent: Spent
    facts: dict[str, str]
    unknown_rows: int = 0
    usd: float | None = None


class Finished(NamedTuple):
    """What a run has come to."""

    run: RunFile
    measures: Measures
    folder: Path
    spent: Spent
    unknown_rows: int = 0
    usd: float | None = None

    @property
    def is_covered(self) -> bool:
        """Whether nearly all requests ended in an answer, a refusal or an empty answer."""
        return self.measures.coverage >= MIN_COVERAGE


def build_job(asked: Asked, out: Path) -> Job:
    """Name the run by all that decides on its answers. Writes nothing."""
    axes = asked.axes
    spec = ExtractSpec(
        model=asked.identity,
        works=tuple((one.loaded.work.id, one.loaded.work.sha256, one.role) for one in asked.works),
        prompts=axes.prompts,
        prefixes=axes.prefixes,
        unit=asked.unit,
        is_chat=asked.is_chat,
        decodings=tuple(f"{one.name}x{one.draws}" if one.draws > 1 else one.name for one in axes.decodings),
        evasions=axes.evasions,
        places=axes.places,
        length=axes.length,
        rounds=axes.rounds,
        limit=asked.limit,
        prompts_sha256=read_wording().sha256,
        is_withheld=asked.is_withheld,
        answers_sha256=asked.answers_sha256,
    )
    readable = "".join(c if c.isalnum() or c in "-." else "-" for c in asked.name).strip("-.")[:60]
    run_id = f"fairuse-{readable}+{key_of(spec.model_dump_json(), ())[:8]}"
    run = RunFile(
        id=run_id,
        name=asked.name,
        spec=spec,
        works=tuple(_asked_work(one) for one in asked.works),
        left_out=asked.plan.left_out,
        environment=describe_environment(asked.device),
        facts={},
        status="begun",
    )
    works = {one.loaded.work.id: one.loaded for one in asked.works}
    return Job(run, Asking(asked.plan.asks, works, axes.rounds, asked.is_withheld), out / run_id)


@contextmanager
def taken(job: Job, *, is_fresh: bool) -> Iterator[Job]:
    """Hold the run's folder: make it, or take it up where the same was begun.

    Raises:
        ResumeMismatchError: it belongs to another run. UserError: another process works in it.
    """
    job.folder.mkdir(parents=True, exist_ok=True)
    with (job.folder / ".lock").open("w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UserError(
                f"another process is working in {shown(job.folder)}\n  wait for it, or use another --out folder"
            ) from error
        if is_fresh:
            _clear(job.folder)
        path = job.folder / RUN_FILE
        if path.exists():
            job = _taken_up(job, path)
        else:
            write_json(path, job.run.model_dump(mode="json"))
        yield job


def answer_job(job: Job, model: TextModel | AnswersFile, purse: Purse, advance: Advance = lambda _: None) -> Told:
    """Ask for all that is lacking.

    Raises:
        LimitReachedError: the money is used up. UserError: no request can be answered.
    """
    if isinstance(model, AnswersFile):
        unknown = take_answers(job.journal, job.asking, model)
        advance(len(job.asking.asks))
        return Told(purse.total, {"rows of the file that belong to no request": str(unknown)}, unknown)
    answer_asks(job.journal, job.asking, model, purse, advance)
    return Told(purse.total, model.facts(), usd=purse.usd if purse.prices else None)


def finish_job(job: Job, told: Told, advance: Advance = lambda _: None) -> Finished:
    """Measure everything, and write measures.json, evidence.json and run.json from the journal and the works."""
    answers = measured_answers(job.journal, job.asking, advance)
    same = None if job.asking.is_withheld else same_as_another(job.journal)
    measures = build_measures(job.run.works, answers, len(job.asking.asks), same)
    write_json(job.folder / MEASURES_FILE, measures.model_dump(mode="json"))
    if not job.asking.is_withheld:
        evidence = build_evidence(job.journal, answers, job.asking.works)
        write_json(job.folder / EVIDENCE_FILE, evidence.model_dump(mode="json"))
    facts = dict(sorted((job.run.facts | told.facts).items()))
    run = job.run.model_copy(update={"status": "finished", "facts": facts})
    write_json(job.folder / RUN_FILE, run.model_dump(mode="json"))
    return Finished(run, measures, job.folder, told.spent, told.unknown_rows, told.usd)


# --------------------------------------------------------------------------------------- private


def _asked_work(one: RoledWork) -> AskedWork:
    loaded = one.loaded
    if loaded.withheld is not None:
        words, letters = loaded.withheld.file.words, loaded.withheld.file.letters
    else:
        words, letters = len(words_of(loaded.readable)), len(loaded.readable)
    return AskedWork(work=loaded.work, role=one.role, words=words, letters=letters, copies=one.copies)


def _clear(folder: Path) -> None:
    for path in folder.iterdir():
        if path.name == ".lock":
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def _taken_up(job: Job, path: Path) -> Job:
    try:
        found = RunFile.model_validate_json(path.read_bytes())
    except (ValidationError, OSError, json.JSONDecodeError) as error:
        raise ResumeMismatchError(
            f"{shown(path)} cannot be read\n  start again with --fresh, or use another --out folder"
        ) from error
    if found.spec != job.run.spec:
        raise ResumeMismatchError(
            f"{shown(job.folder)} belongs to another run\n  use another --out folder, or start again with --fresh"
        )
    run = job.run.model_copy(update={"environment": found.environment, "facts": found.facts})
    return Job(run, job.asking, job.folder)
