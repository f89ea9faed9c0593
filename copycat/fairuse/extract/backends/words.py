"""Counting in words, for models whose tokens are not known; and telling what kind of an answer words are."""

from __future__ import annotations

from copycat.errors import BackendError
from copycat.fairuse.extract.backends import Reply
from copycat.fairuse.extract.records import Ended
from copycat.fairuse.text.words import WORD
from copycat.llm.words import read_answer
from copycat.services import RefusedError

WORDS_PER_TOKEN = 0.75
"""Of English text; only for the length of the window that an answer of so many tokens can fill."""


def end_of_words(text: str, start: int, count: int) -> int | None:
    """Give where `count` words that begin at `start` end; None where there are fewer."""
    end = start
    for number, match in enumerate(WORD.finditer(text, start), start=1):
        end = match.end()
        if number == count:
            return end
    return None


def start_of_last_words(text: str, count: int) -> int:
    """Give where the last `count` words begin; 0 where there are fewer."""
    starts = [match.start() for match in WORD.finditer(text)]
    return starts[-count] if len(starts) >= count else 0


def reply_of(words: str, ended: Ended) -> Reply:
    """Tell an answer from a refusal and from nothing."""
    words = words.encode("utf-8", "replace").decode("utf-8")  # halves of letters can stand in no file
    try:
        return Reply(read_answer(words), "answered", ended)
    except RefusedError as error:
        return Reply(words.strip(), "refused", ended, str(error))
    except BackendError as error:
        return Reply("", "empty", ended, str(error))
