"""The loop of an extraction: what is finished is on the disk before the next is asked for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from copycat.fairuse.extract.backends import TextModel
from copycat.fairuse.extract.backends.answers import AnswersFile
from copycat.fairuse.extract.continuing import ask_all
from copycat.fairuse.extract.measuring import measure
from copycat.fairuse.extract.money import Purse, most_tokens
from copycat.fairuse.extract.prompts import build_request
from copycat.fairuse.extract.records import Answered, AnswerMeasures, Ask
from copycat.fairuse.works import LoadedWork
from copycat.runs.folder import append_journal, read_journal, write_journal
from copycat.runs.interrupts import deferred_interrupt
from copycat.services.pool import run_adaptive

Advance = Callable[[int], None]

UNSHOWN_WINDOW = 600
"""Letters of another work's window, for an answer about a work whose own window is not known."""


@dataclass(frozen=True)
class Asking:
    """What the loop needs to know: the requests, the works by id, and whether anything readable may be written."""

    asks: tuple[Ask, ...]
    works: dict[str, LoadedWork]
    rounds: int
    is_withheld: bool

    def other(self, ask: Ask) -> tuple[Ask, LoadedWork] | None:
        """Give the next work that was asked for in the same way, else the beginning of any other; None without one."""
        other = self._next.get(ask.key, ask)
        if other.work != ask.work:
            return other, self.works[other.work]
        loaded = next((one for name, one in sorted(self.works.items()) if name != ask.work and one.text), None)
        if loaded is None:
            return None
        end = ask.window_end - ask.rest or UNSHOWN_WINDOW
        return ask.model_copy(update={"work": loaded.work.id, "start": 0, "rest": 0, "window_end": end}), loaded

    @cached_property
    def _next(self) -> dict[str, Ask]:
        ways: dict[tuple[object, ...], list[Ask]] = defaultdict(list)
        for ask in self.asks:
            ways[ask.prompt, ask.prefix, ask.decoding, ask.draw, ask.evasion, ask.place].append(ask)
        return {ask.key: other for same in ways.values() for ask, other in zip(same, same[1:] + same[:1], strict=True)}


def answer_asks(
    journal: Path, asking: Asking, model: TextModel, purse: Purse, advance: Advance = lambda _: None
) -> None:
    """Ask for all that the journal lacks; what failed is asked again.

    Raises:
        LimitReachedError: the money is used up. UserError: no request can be answered.
    """
    done = _take_up(journal)
    advance(len(done))
    todo = [ask for ask in asking.asks if ask.key not in done]
    if not todo:
        return

    def keep(rows: Sequence[Answered]) -> None:
        append_journal(journal, [kept(row, asking) for row in rows])
        advance(len(rows))

    if (throttle := model.throttle) is None:
        _here(model, asking, todo, keep)
        return
    reserved: dict[str, float] = {}

    def take(ask: Ask, row: Answered) -> None:
        purse.settle(reserved.pop(ask.key, 0.0), model.spent())
        keep([row])

    while todo:
        jobs = _affordable(model, todo, asking, purse, reserved)
        finished = set()
        for ask, row in run_adaptive(jobs, lambda ask: _answer(model, ask, asking), throttle, take):
            take(ask, row)
            finished.add(ask.key)
        # Answers cost less than was set aside for them: what that leaves may pay for more.
        todo = [ask for ask in todo if ask.key not in finished]
        if todo and not finished:
            purse.stop()


def take_answers(journal: Path, asking: Asking, file: AnswersFile) -> int:
    """Fill the journal from a file of answers; what the file lacks is missing.

    Returns: how many rows of the file belong to no request.
    """
    found = file.replies(asking.asks)
    rows = []
    for ask in asking.asks:
        reply = found.replies.get(ask.key)
        if reply is None:
            rows.append(Answered(ask=ask, status="missing", detail="the file has no answer to it"))
            continue
        row = Answered(ask=ask, status=reply.status, ended=reply.ended, detail=reply.detail, text=reply.text)
        rows.append(kept(row, asking))
    write_journal(journal, rows)
    return found.unknown_rows


def kept(row: Answered, asking: Asking) -> Answered:
    """Give the row as it is written: where nothing readable may be, measures take the place of the text."""
    loaded = asking.works[row.ask.work]
    if not asking.is_withheld and loaded.withheld is None:
        return row
    if row.text is None:
        return row.model_copy(update={"detail": ""})
    measured = measure(row.ask, loaded, row.text, asking.other(row.ask))
    # The reason of a refusal quotes the answer, and an error may quote the request.
    return row.model_copy(update={"text": None, "detail": "", "measured": measured})


def measured_answers(journal: Path, asking: Asking, advance: Advance = lambda _: None) -> list[AnswerMeasures]:
    """Measure what the journal holds, in the order of the plan."""
    rows = {row.ask.key: row for row in read_journal(journal, Answered)}
    found: dict[str, AnswerMeasures] = {}
    for ask in sorted(asking.asks, key=lambda ask: (ask.work, ask.rest)):  # the same text is made canonical once
        row = rows.get(ask.key)
        if row is None:
            continue
        measured = row.measured
        if measured is None:
            measured = measure(ask, asking.works[ask.work], row.text or "", asking.other(ask))
        found[ask.key] = AnswerMeasures(
            ask=ask,
            status=row.status,
            ended=row.ended,
            detail=row.detail,
            pieces=row.pieces,
            probability=row.probability,
            measured=measured,
        )
        advance(1)
    return [found[ask.key] for ask in asking.asks if ask.key in found]


def same_as_another(journal: Path) -> int:
    """Count answers that are, letter by letter, the answer to a request about another work."""
    works: dict[str, set[str]] = defaultdict(set)
    rows = [row for row in read_journal(journal, Answered) if row.text and row.status == "answered"]
    for row in rows:
        works[row.text or ""].add(row.ask.work)
    return sum(1 for row in rows if len(works[row.text or ""]) > 1)


# --------------------------------------------------------------------------------------- private


def _take_up(journal: Path) -> set[str]:
    """Read what is finished, and drop what failed."""
    rows = read_journal(journal, Answered)
    good = [row for row in rows if row.status != "failed"]
    if len(good) != len(rows):
        write_journal(journal, good)
    return {row.ask.key for row in good}


def _here(model: TextModel, asking: Asking, todo: Sequence[Ask], keep: Callable[[Sequence[Answered]], None]) -> None:
    with deferred_interrupt() as interrupt:
        for first in range(0, len(todo), model.at_once):
            interrupt.check()
            batch = [(ask, asking.works[ask.work]) for ask in todo[first : first + model.at_once]]
            keep(ask_all(model, batch, asking.rounds))
        interrupt.check()


def _affordable(
    model: TextModel, todo: Sequence[Ask], asking: Asking, purse: Purse, reserved: dict[str, float]
) -> Iterator[Ask]:
    """Give requests as long as the money is enough; `reserved` is what each may cost."""
    for ask in todo:
        request = build_request(ask, asking.works[ask.work], is_chat=True)
        most = purse.reserve(most_tokens(ask, request, asking.rounds, model.spare_tokens))
        if most is None:
            return
        reserved[ask.key] = most
        yield ask


def _answer(model: TextModel, ask: Ask, asking: Asking) -> Answered:
    return ask_all(model, [(ask, asking.works[ask.work])], asking.rounds)[0]
