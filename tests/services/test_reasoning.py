"""What a model thought aloud is no answer."""

from __future__ import annotations

import pytest

from copycat.services.reasoning import after_reasoning


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("a cat", "a cat"),
        ("<think>a dog?</think> a cat", " a cat"),
        ("a dog?</think>a cat", "a cat"),
        ("<think>a</think><think>b</think>c", "c"),
        ("<think>a dog, but then", None),
        ("", ""),
    ],
)
def test_the_answer_is_what_stands_behind_the_reasoning(words: str, answer: str | None) -> None:
    assert after_reasoning(words) == answer
