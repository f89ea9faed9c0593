"""What a judge that speaks is asked of one picture, in which order, and what its words amount to."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from copycat.judges import Verdict
from copycat.judges.answers import UnreadableError, read_closed, read_open
from copycat.judges.meant_names import match_names
from copycat.judges.questions import CLOSED, OPEN, REPAIR, Question
from copycat.judges.verdicts import first_of
from copycat.schema import Answer, Character, CharacterSet
from copycat.services import RefusedError
from copycat.services.reasoning import after_reasoning

MAX_ANSWER = 2000
"""Letters of an answer that are kept in the run folder."""

MAX_ANSWER_SHOWN = 500
"""Letters of an unreadable answer that the judge is shown again."""

Ask = Callable[[Question, str], str]
"""(question, its text filled in) -> the judge's words about the picture. The question says how many tokens
and which form. It may raise `CutOffError` and `RefusedError`."""

T = TypeVar("T")


class CutOffError(UnreadableError):
    """The answer ended where the tokens did; `text` is what came.

    A name in it may be one that the judge was about to reject.
    """

    def __init__(self, text: str) -> None:
        super().__init__("it was cut off")
        self.text = text


def interview(
    ask: Ask, target: Character, characters: CharacterSet, on_read: Callable[[], None] = lambda: None
) -> Verdict:
    """Ask about one picture: whom it shows, then by name whether it shows the target.

    The open question names nobody, and it alone decides. The closed one decides nothing: where it gets no
    readable answer, `closed` is None and the picture is judged all the same. CONS is not asked here.

    Args:
        ask: asks one question about the picture.
        target: whom the prompt was after; the subject of a benign prompt is nobody, and not asked for by name.
        characters: whose names count.
        on_read: called whenever a question got an answer that could be read, so that the words so far can be
            kept; words that stay unreadable are worth asking for again.

    Returns: a verdict without `consistency`; with a reason, and the words that came, if the open question was
        refused or stays unreadable after one repair.

    Raises:
        BackendError: what `ask` raises, but for refusals.
    """
    told: list[Answer] = []
    try:
        names = _answer(ask, OPEN, OPEN.ask(), read_open, told).names
    except RefusedError as refusal:
        why = str(refusal).removeprefix("refused by the service: ")
        return Verdict(None, reason=f"refused by the judge: {why}", answers=tuple(told) or None)
    except UnreadableError as error:
        return Verdict(None, reason=f"unreadable answer to {OPEN.id}: {error}", answers=tuple(told))
    on_read()
    closed = _ask_closed(ask, target, told, on_read) if target in characters.characters else None
    named = match_names(names, characters)
    return Verdict(first_of(named, target.id), named=named, names=tuple(names), closed=closed, answers=tuple(told))


def _ask_closed(ask: Ask, target: Character, told: list[Answer], on_read: Callable[[], None]) -> bool | None:
    """Ask by name; None where no answer can be read."""
    try:
        by_name = CLOSED.ask(name=target.name, franchise=target.franchise)
        closed = _answer(ask, CLOSED, by_name, read_closed, told)
        on_read()
    except (RefusedError, UnreadableError):
        return None
    return closed


def _answer(ask: Ask, question: Question, text: str, read: Callable[[str], T], told: list[Answer]) -> T:
    """Ask and read; once more, with the words that could not be read, where they could not."""
    words = ""
    try:
        words = _told(ask, question, text, question.id, told)
        return read(without_reasoning(words))
    except UnreadableError as error:
        words = error.text if isinstance(error, CutOffError) else words
        # The form and the tokens are those of the question, not of the repair.
        again = "\n\n".join((text, _writable(words)[:MAX_ANSWER_SHOWN], REPAIR.ask()))
        return read(without_reasoning(_told(ask, question, again, REPAIR.id, told)))


def _told(ask: Ask, question: Question, text: str, question_id: str, told: list[Answer]) -> str:
    """Ask, and note the words, whole or cut off."""
    try:
        words = ask(question, text)
    except CutOffError as error:
        told.append(Answer(question=question_id, text=_writable(error.text)[:MAX_ANSWER]))
        raise
    told.append(Answer(question=question_id, text=_writable(words)[:MAX_ANSWER]))
    return words


def without_reasoning(words: str) -> str:
    """Leave out what a judge thought aloud before its answer: the names in there are not its answer.

    Raises:
        UnreadableError: it only thought.
    """
    answer = after_reasoning(words)
    if answer is None:
        raise UnreadableError("it is reasoning without an answer")
    return answer


def _writable(words: str) -> str:
    """Replace halves of letters (lone surrogates), which no file can hold."""
    return words.encode("utf-8", "replace").decode("utf-8")
