"""What a model said, and whether it is an answer."""

from __future__ import annotations

import pytest

from copycat.errors import BackendError
from copycat.llm.words import read_answer
from copycat.services import RefusedError


def test_an_answer_stands_behind_the_reasoning_and_has_no_blanks_around_it() -> None:
    assert read_answer("<think>a dog?</think>\n\n A cat. \n") == "A cat."


@pytest.mark.parametrize(
    "words",
    [
        "I'm sorry, but I can't help with that.",
        "I\u2019m really sorry, I cannot do this",
        "Sorry, no.",
        "I cannot create content about this character.",
        "I am unable to assist",
        "Unfortunately, I can't",
        "As an AI model, I do not",
        "Lo siento, no puedo.",
        "申し訳ありませんが",
        '"I apologise, but no."',
    ],
)
def test_a_model_that_declines_has_not_answered(words: str) -> None:
    with pytest.raises(RefusedError, match="declined: '"):
        read_answer(words)


@pytest.mark.parametrize(
    "words", ["A sorry-looking dog that cannot sleep", "A girl who says: I can't", "none", "Sorrel mare"]
)
def test_a_text_that_only_holds_such_words_is_an_answer(words: str) -> None:
    assert read_answer(words) == words


@pytest.mark.parametrize(("words", "why"), [("", "empty"), (" \n", "empty"), ("<think>hm", "thought aloud")])
def test_nothing_is_no_answer(words: str, why: str) -> None:
    with pytest.raises(BackendError, match=why):
        read_answer(words)


def test_half_a_letter_is_replaced() -> None:
    assert read_answer("a \ud83d cat") == "a ? cat"
