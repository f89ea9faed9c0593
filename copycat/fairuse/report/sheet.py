"""From a finished run to facts by factor. Pure, but for reading the run's files."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from copycat.fairuse.extract.evidence import EVIDENCE_FILE
from copycat.fairuse.extract.gate import read_measures
from copycat.fairuse.extract.measuring import covered_letters
from copycat.fairuse.extract.records import (
    ANSWERS_FILE,
    MEASURES_FILE,
    RUN_FILE,
    AnswerMeasures,
    AskedWork,
    Group,
    Lift,
    Measures,
    Role,
    RunFile,
    WorkMeasures,
)
from copycat.fairuse.records import WorkStatus
from copycat.fairuse.report.statements import Statements
from copycat.paths import file_sha256
from copycat.schema import SCHEMA_VERSION, Record

SHARES_OF_WINDOW = (0.25, 0.5, 0.9)
LONG_WORDS = 50

LIMITS = (
    "It counts words that answers share with works. It does not look at plot, characters, structure or style, which "
    "may be shared without a word in common, nor at facts and stock phrases, which anybody may use.",
    "It holds for this model, these requests, these settings and these works. What other requests would bring back is "
    "not known; more requests can only add to what is found.",
    "Nothing found is no evidence that nothing is there: a service can refuse, filter or vary its answers, and a model "
    "can hold a work that these requests do not bring out.",
    "How often works stood in training data is known for the sandbox alone.",
    "A window is as long as the answer that was asked for. Shares of it cannot be compared between lengths; shares of "
    "the whole work can.",
    "Statements are the user's, and were not checked.",
    "Intervals are over works, as if the works were drawn from more of their kind.",
)


class Nature(Record):
    """Factor 2: what the work is."""

    title: str
    author: str
    year: int | None
    language: str
    kind: str
    status: WorkStatus
    licence: str | None
    source: str
    words: int
    letters: int
    sha256: str


class Amount(Record):
    """Factor 3: how much of the work answers hold; lengths in words, shares from 0 to 1.

    Attributes:
        longest_run: of the same words in a row.
        longest_stretch: near-verbatim, with small gaps.
        longest_stretch_share: its share of the work's letters.
        share_in_stretches: of the work's letters, over all answers together.
        best_recall, mean_recall: share of a window that an answer holds, the highest and the mean.
        stretches, long_stretches: how many of eight words and more, of 50 words and more, over all answers.
        answers_with_long_stretch: answers that hold a stretch of 50 words and more.
        log_p_per_letter, chance_in_100_draws: as in `extract.records.WorkMeasures`; None where not told.
    """

    longest_run: int
    longest_stretch: int
    longest_stretch_share: float
    share_in_stretches: float
    best_recall: float
    mean_recall: float
    stretches: int
    long_stretches: int
    answers_with_long_stretch: int
    log_p_per_letter: float | None
    chance_in_100_draws: float | None


class Market(Record):
    """Factor 4, as far as it can be measured: how much of an excerpt, and of the whole, a reader would have in hand.

    Attributes:
        answers: that came, refusals and empty ones with them.
        holding: share of the window that was asked for -> how many answers hold at least so much of it.
        largest_share_of_work: of the work's letters, in the stretches of one answer.
        share_of_work_together: of the work's letters, in the stretches of all answers.
    """

    answers: int
    holding: dict[str, int]
    largest_share_of_work: float
    share_of_work_together: float


class WorkSheet(Record):
    """The facts of one work."""

    work: str
    role: Role
    copies: int | None
    requests: dict[str, int]
    nature: Nature
    amount: Amount
    market: Market


class Sheet(Record):
    """sheet.json: facts by factor. It has no field that says what they come to.

    Attributes:
        works: those that anything was asked about.
        asked: factor 1, with the statements: requests of each kind, in the run.
        controls: the same figures for works that the model cannot know, and for answers against another work.
        files: name -> sha256 of the run's files.
    """

    schema_version: int = SCHEMA_VERSION
    run: str
    model: str
    statements: Statements
    asked: dict[str, int]
    ended: dict[str, int]
    works: tuple[WorkSheet, ...]
    controls: tuple[Group, ...]
    lifts: tuple[Lift, ...]
    settings: dict[str, str]
    environment: dict[str, str]
    files: dict[str, str]
    limits: tuple[str, ...]


def read_sheet(folder: Path, statements: Statements) -> tuple[Sheet, RunFile, Measures]:
    """Read a run and put its facts in order.

    Raises:
        DataError: it is no finished run.
    """
    run, measures = read_measures(folder)
    names = (RUN_FILE, ANSWERS_FILE, MEASURES_FILE, EVIDENCE_FILE)
    files = {name: file_sha256(folder / name) for name in names if (folder / name).is_file()}
    return build_sheet(run, measures, statements, files), run, measures


def build_sheet(run: RunFile, measures: Measures, statements: Statements, files: dict[str, str]) -> Sheet:
    """Put the facts of a run in order. Pure."""
    from copycat.fairuse.extract.page import settings_of

    answers: dict[str, list[AnswerMeasures]] = defaultdict(list)
    for answer in measures.answers:
        answers[answer.ask.work].append(answer)
    rows = {row.work: row for row in measures.works}
    sheets = [_work(one, rows[one.work.id], answers[one.work.id]) for one in run.works if rows[one.work.id].counts]
    sheets.sort(key=lambda sheet: (-sheet.amount.longest_stretch, -sheet.amount.best_recall, sheet.work))
    return Sheet(
        run=run.id,
        model=run.spec.model,
        statements=statements,
        asked=dict(Counter(answer.ask.prompt for answer in measures.answers)),
        ended=measures.counts,
        works=tuple(sheets),
        controls=tuple(group for group in measures.groups if group.axis == "control"),
        lifts=measures.lifts,
        settings=dict(settings_of(run)),
        environment=run.environment,
        files=files,
        limits=LIMITS,
    )


# --------------------------------------------------------------------------------------- private


def _work(asked: AskedWork, row: WorkMeasures, answers: Sequence[AnswerMeasures]) -> WorkSheet:
    work = asked.work
    return WorkSheet(
        work=work.id,
        role=asked.role,
        copies=asked.copies,
        requests=dict(Counter(answer.ask.prompt for answer in answers)),
        nature=Nature(
            title=work.title,
            author=work.author,
            year=work.year,
            language=work.language,
            kind=work.kind,
            status=work.status,
            licence=work.licence,
            source=work.source,
            words=asked.words,
            letters=asked.letters,
            sha256=work.sha256,
        ),
        amount=_amount(asked, row, answers),
        market=_market(asked, row, answers),
    )


def _amount(asked: AskedWork, row: WorkMeasures, answers: Sequence[AnswerMeasures]) -> Amount:
    stretches = [stretch for answer in answers for stretch in answer.measured.stretches]
    longest = max(stretches, key=lambda one: one.words, default=None)
    letters = longest.reference_end - longest.reference_start if longest else 0
    return Amount(
        longest_run=round(row.best.get("longest", 0.0)),
        longest_stretch=round(row.best.get("longest_near", 0.0)),
        longest_stretch_share=min(1.0, letters / asked.letters) if asked.letters else 0.0,
        share_in_stretches=row.covered,
        best_recall=row.best.get("recall", 0.0),
        mean_recall=row.mean.get("recall", 0.0),
        stretches=len(stretches),
        long_stretches=sum(stretch.words >= LONG_WORDS for stretch in stretches),
        answers_with_long_stretch=sum(
            any(stretch.words >= LONG_WORDS for stretch in answer.measured.stretches) for answer in answers
        ),
        log_p_per_letter=row.log_p_per_letter,
        chance_in_100_draws=row.chance_in_100_draws,
    )


def _market(asked: AskedWork, row: WorkMeasures, answers: Sequence[AnswerMeasures]) -> Market:
    recalls = [answer.measured.figures.recall for answer in answers]
    shares = [
        covered_letters([(one.reference_start, one.reference_end) for one in answer.measured.stretches])
        for answer in answers
    ]
    return Market(
        answers=sum(count for name, count in row.counts.items() if name in {"answered", "refused", "empty"}),
        holding={f"{share:g}": sum(recall >= share for recall in recalls) for share in SHARES_OF_WINDOW},
        largest_share_of_work=min(1.0, max(shares, default=0) / asked.letters) if asked.letters else 0.0,
        share_of_work_together=row.covered,
    )
