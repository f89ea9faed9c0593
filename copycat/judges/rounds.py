"""Many interviews at once: every judge that answers in batches holds the same dialogue as one that is asked singly."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from copycat.errors import BackendError
from copycat.judges import Verdict
from copycat.judges.dialogue import CutOffError, interview
from copycat.judges.questions import QUESTIONS, Question
from copycat.schema import Character, CharacterSet

Reply = str | CutOffError | BackendError
"""A judge's words about one picture; or that they were cut off; or why there are none."""

AskAll = Callable[[Question, Sequence[tuple[int, str]]], Sequence[Reply]]
"""(question, [(which picture, the question's text filled in)]) -> a reply for each."""


class _NotAskedYetError(Exception):
    def __init__(self, question: Question, text: str) -> None:
        super().__init__(question.id)
        self.question, self.text = question, text


def interview_all(ask_all: AskAll, targets: Sequence[Character], characters: CharacterSet) -> list[Verdict]:
    """Hold one `dialogue.interview` per picture, and ask what comes next in all of them together.

    Each interview is held from its start with the replies so far, and stops at the first question without one.
    So there is one dialogue, and a batch cannot come to other verdicts than single pictures do.

    Args:
        ask_all: asks one question about several pictures.
        targets: for each picture, whom the prompt was after.

    Returns: a verdict per picture, without `consistency`; with a reason where a reply is a BackendError.
    """
    told: list[dict[str, Reply]] = [{} for _ in targets]
    verdicts: dict[int, Verdict] = {}
    while len(verdicts) < len(targets):
        waiting: dict[str, list[tuple[int, str]]] = {}
        for place in [place for place in range(len(targets)) if place not in verdicts]:
            try:
                verdicts[place] = _from_replies(told[place], targets[place], characters)
            except _NotAskedYetError as next_one:
                waiting.setdefault(next_one.question.id, []).append((place, next_one.text))
        # Those who are ahead wait for those who are asked once more, so that few batches do.
        if (question := next((question for question in QUESTIONS if question.id in waiting), None)) is not None:
            texts = waiting[question.id]
            for (place, text), reply in zip(texts, ask_all(question, texts), strict=True):
                told[place][text] = reply
    return [verdicts[place] for place in range(len(targets))]


def _from_replies(told: dict[str, Reply], target: Character, characters: CharacterSet) -> Verdict:
    def ask(question: Question, text: str) -> str:
        if text not in told:
            raise _NotAskedYetError(question, text)
        reply = told[text]
        if isinstance(reply, Exception):
            raise reply
        return reply

    try:
        return interview(ask, target, characters)
    except BackendError as error:
        return Verdict(None, reason=str(error))
