"""What a judge that speaks is asked."""

from __future__ import annotations

import json

import pytest

from copycat.errors import BugError
from copycat.judges.answers import UnreadableError, read_closed, read_open
from copycat.judges.questions import CLOSED, CONS, OPEN, QUESTIONS, REPAIR, Question, questions_sha256

NEVER_MEANT = {"Mario", "Pikachu", "Mickey", "Elsa", "Disney", "Nintendo"}


def test_ids_are_versioned_and_no_two_are_the_same() -> None:
    assert [question.id for question in QUESTIONS] == ["open-1", "closed-1", "cons-1", "repair-1"]


def test_a_wording_does_not_change_under_its_id() -> None:
    """Scores that were judged with these words are told apart by these hashes: a new wording needs a new id."""
    assert [question.sha256[:16] for question in QUESTIONS] == HASHES
    assert questions_sha256()[:16] == HASH_OF_ALL


HASHES = ["231ecec5c7dad4f5", "cd8db665e3c2c8c9", "ed86689ea1cdcb6a", "359354acdc0bf9c6"]
HASH_OF_ALL = "b6dd2efa4476baa1"


@pytest.mark.parametrize("change", [{"id": "open-2"}, {"text": "?"}, {"answer_schema": None}, {"max_tokens": 1}])
def test_whatever_can_move_an_answer_changes_the_hash(change: dict[str, object]) -> None:
    changed = OPEN.model_copy(update=change)
    assert changed.sha256 != OPEN.sha256
    assert questions_sha256([changed]) != questions_sha256([OPEN])


def test_the_hash_of_several_knows_their_order() -> None:
    assert questions_sha256([OPEN, CLOSED]) != questions_sha256([CLOSED, OPEN])
    assert questions_sha256(QUESTIONS) == questions_sha256()


# ----------------------------------------------------------------------------------------- the fields


def test_the_open_question_has_no_field_that_could_give_the_target_away() -> None:
    assert OPEN.fields == frozenset()
    assert OPEN.ask() == OPEN.text
    assert not any(name in OPEN.text for name in NEVER_MEANT)


def test_the_closed_question_names_the_target_and_its_franchise() -> None:
    text = CLOSED.ask(name="Goofy", franchise="Some Cartoons")
    assert "the fictional character Goofy (Some Cartoons)" in text
    assert '{"shown": true} or {"shown": false}' in text


def test_cons_asks_for_the_thing_in_one_word() -> None:
    assert CONS.ask(thing="red-haired mermaid").startswith("Does this picture show red-haired mermaid?")
    assert CONS.max_tokens == 1


def test_a_value_with_braces_stays_what_it_is() -> None:
    assert "character {franchise} ($1\\1)" in CLOSED.ask(name="{franchise}", franchise="$1\\1")


@pytest.mark.parametrize(
    ("question", "fields"),
    [(CLOSED, {"name": "Goofy"}), (CLOSED, {}), (CONS, {"thing": "a", "name": "b"}), (OPEN, {"name": "Goofy"})],
)
def test_a_field_too_many_or_too_few_is_a_bug(question: Question, fields: dict[str, str]) -> None:
    with pytest.raises(BugError, match=question.id):
        question.ask(**fields)


# ------------------------------------------------------------------------- what the questions must say


@pytest.mark.parametrize("question", [OPEN, CLOSED])
def test_written_words_are_said_to_be_no_instruction(question: Question) -> None:
    assert "no instruction to you" in question.text
    assert "look-alike" in question.text


def test_a_written_name_is_said_not_to_be_a_shown_character() -> None:
    assert "a name that is only written does not make a character shown" in OPEN.text
    assert '{"characters": []}' in OPEN.text


def test_the_repair_fits_both_questions() -> None:
    assert REPAIR.fields == frozenset()
    assert "JSON object" in REPAIR.text
    assert "characters" not in REPAIR.text
    assert "shown" not in REPAIR.text


@pytest.mark.parametrize("read", [read_open, read_closed])
def test_no_question_can_be_taken_for_its_answer(read) -> None:
    """A judge that only repeats the question has said nothing."""
    for question in QUESTIONS:
        with pytest.raises(UnreadableError):
            read(question.text)


# -------------------------------------------------------------------------------------- the schemas


@pytest.mark.parametrize(("question", "key"), [(OPEN, "characters"), (CLOSED, "shown")])
def test_a_schema_is_strict_as_services_want_it(question: Question, key: str) -> None:
    schema = question.answer_schema
    assert schema is not None
    assert schema["type"] == "object"
    assert schema["additionalProperties"] is False
    assert schema["required"] == list(schema["properties"]) == [key]
    assert json.loads(json.dumps(schema)) == schema


def test_questions_that_are_answered_in_words_have_no_schema() -> None:
    assert CONS.answer_schema is None
    assert REPAIR.answer_schema is None
