"""Interviews held together: the same dialogue as one by one, with few rounds of questions."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from copycat.errors import BackendError
from copycat.judges.dialogue import CutOffError, interview
from copycat.judges.questions import CLOSED, OPEN, REPAIR, Question
from copycat.judges.rounds import Reply, interview_all
from copycat.schema import CharacterSet
from copycat.services import RefusedError

NOBODY, GOOFY = '{"characters": []}', '{"characters": ["Goofy"]}'
SHOWN, NOT_SHOWN = '{"shown": true}', '{"shown": false}'

SCRIPTS: tuple[tuple[Reply, ...], ...] = (
    (GOOFY, SHOWN),
    (NOBODY, NOT_SHOWN),
    ("It is Goofy.", GOOFY, SHOWN),
    ("It is Goofy.", "Goofy!"),
    (NOBODY, "no", "no"),
    (NOBODY, "no", NOT_SHOWN),
    (CutOffError('{"characters": ["Goo'), GOOFY, SHOWN),
    (CutOffError('{"characters": ["Goo'), CutOffError("{")),
    (RefusedError("not this one"),),
    (GOOFY, RefusedError("not by name")),
)
"""What judges say to one question after the other."""


def said(question: Question, text: str, script: Sequence[Reply]) -> Reply:
    """Find the reply that a script has for a question: the open one and its repair come before the closed one."""
    n_open = next((n for n, reply in enumerate(script) if isinstance(reply, str) and "characters" in reply), 0) + 1
    before = 0 if question.id == OPEN.id else n_open
    return script[before + (REPAIR.ask() in text)]


@pytest.mark.parametrize("script", SCRIPTS, ids=str)
def test_an_interview_among_others_ends_as_it_does_alone(script: tuple[Reply, ...], characters: CharacterSet) -> None:
    target = characters.characters[0]

    def ask(question: Question, text: str) -> str:
        reply = said(question, text, script)
        if isinstance(reply, Exception):
            raise reply
        return reply

    alone = interview(ask, target, characters)

    def ask_all(question: Question, texts: Sequence[tuple[int, str]]) -> list[Reply]:
        return [said(question, text, scripts[place]) for place, text in texts]

    scripts = [*SCRIPTS, script]
    assert interview_all(ask_all, [target] * len(scripts), characters)[-1] == alone


def test_all_pictures_hear_the_same_question_at_once(characters: CharacterSet) -> None:
    rounds: list[tuple[str, int]] = []

    def ask_all(question: Question, texts: Sequence[tuple[int, str]]) -> list[Reply]:
        rounds.append((question.id, len(texts)))
        return [said(question, text, SCRIPTS[place]) for place, text in texts]

    interview_all(ask_all, [characters.characters[0]] * 3, characters)
    assert rounds == [(OPEN.id, 3), (OPEN.id, 1), (CLOSED.id, 3)]


def test_a_picture_without_an_answer_does_not_take_the_others_with_it(characters: CharacterSet) -> None:
    def ask_all(question: Question, texts: Sequence[tuple[int, str]]) -> list[Reply]:
        return [BackendError("it fell over") if place else (GOOFY, SHOWN)[question == CLOSED] for place, _ in texts]

    good, bad = interview_all(ask_all, [characters.characters[0]] * 2, characters)
    assert (good.detected, bad.detected, bad.reason) == ("goofy", None, "it fell over")


def test_no_picture_is_no_question(characters: CharacterSet) -> None:
    assert interview_all(lambda *_: pytest.fail("asked"), [], characters) == []
