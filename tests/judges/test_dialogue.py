"""What a judge that speaks is asked, and what its words amount to."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from copycat.errors import BackendError
from copycat.judges import Verdict
from copycat.judges.dialogue import CutOffError, interview
from copycat.judges.questions import CLOSED, OPEN, REPAIR, Question
from copycat.schema import CharacterSet, Judgement
from copycat.services import RefusedError

NOBODY, GOOFY, BOTH = '{"characters": []}', '{"characters": ["Goofy"]}', '{"characters": ["Max", "Goofy"]}'
YES, NO = '{"shown": true}', '{"shown": false}'
Says = str | Exception


class Speaker:
    """Says what it was told to, in order, and notes what it was asked."""

    def __init__(self, *says: Says) -> None:
        self.says = list(says)
        self.asked: list[tuple[str, str]] = []

    def __call__(self, question: Question, text: str) -> str:
        self.asked.append((question.id, text))
        said = self.says.pop(0)
        if isinstance(said, Exception):
            raise said
        return said


Ask = Callable[..., tuple[Verdict, Speaker]]


@pytest.fixture
def ask(characters: CharacterSet) -> Ask:
    """Interview about a picture that was to show Goofy."""

    def begin(*says: Says) -> tuple[Verdict, Speaker]:
        speaker = Speaker(*says)
        return interview(speaker, characters.characters[0], characters), speaker

    return begin


def test_the_open_question_decides_and_the_closed_one_is_kept_beside_it(ask: Ask) -> None:
    verdict, speaker = ask(NOBODY, YES)
    assert (verdict.detected, verdict.named, verdict.names, verdict.closed) == (None, (), (), True)
    assert verdict.is_answered
    assert [question for question, _ in speaker.asked] == [OPEN.id, CLOSED.id]


def test_the_one_asked_for_goes_first_among_several(ask: Ask) -> None:
    verdict, _ = ask(BOTH, YES)
    assert verdict.detected == "goofy"
    assert verdict.named == ("max", "goofy")
    assert verdict.names == ("Max", "Goofy")


def test_somebody_else_is_detected_as_somebody_else(ask: Ask) -> None:
    verdict, _ = ask('{"characters": ["Max"]}', NO)
    assert (verdict.detected, verdict.closed) == ("max", False)


def test_a_name_outside_of_the_set_is_told_and_counts_as_nobody_of_it(ask: Ask) -> None:
    verdict, _ = ask('{"characters": ["Popeye"]}', NO)
    assert (verdict.detected, verdict.named, verdict.names) == (None, (), ("Popeye",))


def test_the_open_question_names_nobody_and_the_closed_one_the_target(ask: Ask) -> None:
    _, speaker = ask(GOOFY, YES)
    (_, in_the_open), (_, by_name) = speaker.asked
    assert "goofy" not in in_the_open.lower()
    assert "Some Cartoons" not in in_the_open
    assert "Goofy (Some Cartoons)" in by_name


def test_the_words_are_kept_as_they_came(ask: Ask) -> None:
    verdict, _ = ask("Sure:\n" + GOOFY, YES)
    assert [(answer.question, answer.text) for answer in verdict.answers or ()] == [
        (OPEN.id, "Sure:\n" + GOOFY),
        (CLOSED.id, YES),
    ]


# ----------------------------------------------------------------------------------- unreadable


def test_an_unreadable_answer_is_asked_for_once_more_with_the_words_that_came(ask: Ask) -> None:
    verdict, speaker = ask("I think it is a dog.", GOOFY, YES)
    assert verdict.detected == "goofy"
    assert [question for question, _ in speaker.asked] == [OPEN.id, OPEN.id, CLOSED.id]
    repair = speaker.asked[1][1]
    assert repair == "\n\n".join((OPEN.ask(), "I think it is a dog.", REPAIR.ask()))
    assert [answer.question for answer in verdict.answers or ()] == [OPEN.id, REPAIR.id, CLOSED.id]


def test_a_second_unreadable_answer_is_no_verdict_and_nothing_more_is_asked(ask: Ask) -> None:
    verdict, speaker = ask("a dog", "still a dog")
    assert (verdict.detected, verdict.named, verdict.closed) == (None, None, None)
    assert verdict.reason == "unreadable answer to open-1: no whole JSON object"
    assert [answer.text for answer in verdict.answers or ()] == ["a dog", "still a dog"]
    assert len(speaker.asked) == 2


def test_an_unreadable_closed_answer_decides_nothing(ask: Ask) -> None:
    verdict, speaker = ask(GOOFY, "perhaps", "perhaps not")
    assert (verdict.detected, verdict.closed, verdict.reason) == ("goofy", None, None)
    assert [answer.text for answer in verdict.answers or ()] == [GOOFY, "perhaps", "perhaps not"]
    assert len(speaker.asked) == 3


def test_a_long_answer_is_cut_where_it_is_kept_and_where_it_is_shown_again(ask: Ask) -> None:
    verdict, speaker = ask("a" * 5000, GOOFY, YES)
    assert [len(answer.text) for answer in verdict.answers or ()] == [2000, len(GOOFY), len(YES)]
    assert speaker.asked[1][1].count("a" * 500) == 1


def test_half_a_letter_can_be_kept(ask: Ask) -> None:
    verdict, _ = ask("\ud83d", '{"characters": ["\\ud83d"]}')
    assert not verdict.is_answered
    judgement = Judgement(key="k", image_sha256="s", **verdict._asdict())
    assert "?" in judgement.model_dump_json()


def test_an_answer_that_was_cut_off_is_not_read_even_if_a_name_stands_in_it(ask: Ask) -> None:
    draft = f"It could be {GOOFY}. On the other hand"
    verdict, _ = ask(CutOffError(draft), CutOffError(draft))
    assert verdict.detected is None
    assert verdict.reason == "unreadable answer to open-1: it was cut off"
    assert [answer.text for answer in verdict.answers or ()] == [draft, draft]


# ------------------------------------------------------------------------------------ reasoning


def test_names_that_were_only_thought_of_do_not_count(ask: Ask) -> None:
    verdict, _ = ask(f"<think>{GOOFY}? No.</think>\n{NOBODY}", f"{YES}</think>{NO}")
    assert (verdict.detected, verdict.names, verdict.closed) == (None, (), False)


def test_reasoning_without_an_end_is_unreadable(ask: Ask) -> None:
    verdict, _ = ask(f"<think>{GOOFY}, or", f"<think>{GOOFY}, or")
    assert verdict.detected is None
    assert verdict.reason == "unreadable answer to open-1: it is reasoning without an answer"


# ------------------------------------------------------------------------------------- refusals


def test_a_refusal_of_the_open_question_is_no_verdict(ask: Ask) -> None:
    verdict, speaker = ask(RefusedError("refused by the service: policy"))
    assert (verdict.detected, verdict.reason) == (None, "refused by the judge: policy")
    assert len(speaker.asked) == 1


def test_a_refusal_of_the_closed_question_decides_nothing(ask: Ask) -> None:
    verdict, _ = ask(GOOFY, RefusedError("policy"))
    assert (verdict.detected, verdict.closed, verdict.reason) == ("goofy", None, None)


def test_a_failed_request_is_the_callers(ask: Ask) -> None:
    with pytest.raises(BackendError, match="gave up"):
        ask(GOOFY, BackendError("gave up"))


def test_words_are_to_be_kept_once_they_could_be_read(characters: CharacterSet) -> None:
    says = Speaker("a dog", GOOFY, "perhaps", "perhaps not")
    kept: list[int] = []
    interview(says, characters.characters[0], characters, lambda: kept.append(len(says.asked)))
    assert kept == [2]
