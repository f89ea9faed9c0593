"""From the words of a language model to an answer, or to the reason why there is none."""

from __future__ import annotations

import re

from copycat.errors import BackendError
from copycat.services import RefusedError
from copycat.services.reasoning import after_reasoning

SHOWN_LETTERS = 80

_REFUSAL = re.compile(
    r"\W*(?:sorry\b|my apologies|unfortunately,? I\b|as an AI\b"
    r"|I (?:apologi[sz]e|cannot|can not|can't|won't|must decline)"
    r"|(?:I'm|I am) (?:\w+ )?(?:sorry|unable|not able)"
    r"|(?:es )?tut mir leid|lo siento|(?:je suis )?désolé|mi dispiace|desculpe|申し訳|很?抱歉|对不起|對不起)",
    re.IGNORECASE,
)
"""Only as first words: in the middle of a text they may be part of what it tells."""


def read_answer(words: str) -> str:
    """Give the answer in what a model said.

    Raises:
        RefusedError: the model declined.
        BackendError: there is nothing but reasoning, or nothing at all.
    """
    answer = after_reasoning(words)
    if answer is None:
        raise BackendError("the language model thought aloud and gave no answer")
    # Halves of letters (lone surrogates) can stand in no file.
    answer = answer.encode("utf-8", "replace").decode("utf-8").strip()
    if not re.search(r"\w", answer):
        raise BackendError("the language model gave an empty answer")
    if _REFUSAL.match(answer.replace("\u2019", "'")):
        raise RefusedError(f"the language model declined: '{answer[:SHOWN_LETTERS]}'")
    return answer
