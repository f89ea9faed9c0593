"""Lists in the words of a language model."""

from __future__ import annotations

import pytest

from copycat.errors import BackendError
from copycat.llm.parsing import read_list

THREE = ["red cap", "moustache", "overalls"]


@pytest.mark.parametrize(
    "answer",
    [
        "red cap, moustache, overalls",
        "red cap, moustache, overalls.",
        '"red cap", "moustache", "overalls"',
        "\u201cred cap\u201d, \u201cmoustache\u201d, \u201coveralls\u201d",
        '["red cap", "moustache", "overalls"]',
        '```json\n["red cap", "moustache", "overalls"]\n```',
        "1. red cap\n2. moustache\n3. overalls",
        "1) red cap\n2) moustache\n3) overalls",
        "- red cap\n- moustache\n- overalls",
        "* **red cap**\n* **moustache**\n* **overalls**",
        "Sure, here are three keywords:\n\n1. red cap\n2. moustache\n3. overalls\n\nLet me know if you need more!",
        "Sure, here are some:\nred cap, moustache, overalls",
        "Sure, here you go\nred cap\nmoustache\noveralls\n\nI hope this helps, tell me if not!",
        "Sure, here are three keywords: red cap, moustache, overalls",
        "Keywords: red cap, moustache, overalls",
        "red cap\nmoustache\noveralls",
        "red cap, moustache,\noveralls, Red Cap",
    ],
)
def test_the_same_list_is_read_whatever_its_shape(answer: str) -> None:
    assert read_list(answer, 10) == THREE


def test_no_more_than_the_limit_is_read() -> None:
    assert read_list("red cap, moustache, overalls", 2) == THREE[:2]


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "  \n",
        "[]",
        "...",
        "I am sorry, but I am not able to help with a request of this kind.",
        "Sorry, but that can't be done.",
        "I'm sorry, but I can't help with that.",
    ],
)
def test_an_answer_without_a_list_is_told(answer: str) -> None:
    with pytest.raises(BackendError, match="gave no list"):
        read_list(answer, 5)


def test_an_error_shows_the_start_of_the_answer_only() -> None:
    with pytest.raises(BackendError) as caught:
        read_list("x" * 79 + " y" * 40 + ".", 5)
    assert f"'{'x' * 79} '" in str(caught.value)
