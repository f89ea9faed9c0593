"""Asking for a work: once, or again and again with the end of the answer so far, as far as it goes.

The second follows the two phases of Ahmed et al. (arXiv 2601.02671): probe, then continue.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from copycat.fairuse.extract.backends import Reply, Request, TextModel
from copycat.fairuse.extract.measuring import is_looping, longest_common_run
from copycat.fairuse.extract.plan import FED_BACK
from copycat.fairuse.extract.prompts import build_request
from copycat.fairuse.extract.records import Answered, Ask, Ended, Probability, Status
from copycat.fairuse.works import LoadedWork

DIVERGED_BELOW_WORDS = 6
"""A piece whose longest run in common with the rest of the work is shorter than this has left the work."""

PROBABILITY_TOKENS = 50
"""Tokens whose probability is told, as in Cooper et al. (arXiv 2505.12546)."""


@dataclass
class _Thread:
    """One ask under way: the pieces that came, and how it ended."""

    ask: Ask
    loaded: LoadedWork
    pieces: list[str] = field(default_factory=list)
    status: Status = "answered"
    ended: Ended | None = None
    detail: str = ""

    @property
    def text(self) -> str:
        return "".join(self.pieces)


def ask_all(model: TextModel, asks: Sequence[tuple[Ask, LoadedWork]], rounds: int) -> list[Answered]:
    """Ask for each work in its way; those that go on are asked together, round by round.

    Args:
        rounds: pieces of an answer at most, where the model is asked to go on.

    Raises:
        UserError: no request can be answered.
    """
    threads = [_Thread(ask, loaded) for ask, loaded in asks]
    for number in range(rounds):
        open_threads = [t for t in threads if t.ended is None]
        if not open_threads:
            break
        replies = model.answer([_request(model, thread) for thread in open_threads])
        for thread, reply in zip(open_threads, replies, strict=True):
            _take(thread, reply, model, is_last=number + 1 >= rounds)
    return [_answered(thread, model) for thread in threads]


def _request(model: TextModel, thread: _Thread) -> Request:
    ask, prefix = thread.ask, None
    if thread.pieces:
        so_far = (thread.loaded.text or "")[ask.start : ask.rest] + thread.text
        prefix = so_far[model.tail(so_far, max(ask.prefix, FED_BACK)) :]
    text = build_request(ask, thread.loaded, is_chat=model.is_chat, prefix=prefix)
    # Each piece is drawn with a seed of its own: the same one would draw the same noise again.
    return Request(text, ask.length, ask.temperature, (ask.seed + len(thread.pieces)) % 2**32)


def _take(thread: _Thread, reply: Reply, model: TextModel, *, is_last: bool) -> None:
    """Add a piece, and see whether the thread has ended."""
    is_first = not thread.pieces
    if reply.status != "answered" and not is_first:
        thread.ended, thread.detail = "stop", f"then {reply.status}: {reply.detail}".rstrip(": ")
        return
    if thread.pieces and model.is_chat:
        thread.pieces.append(" ")  # a chat's answers have no blanks around them
    thread.pieces.append(reply.text)
    if thread.ask.prompt != "continue" or reply.status != "answered":
        thread.status, thread.ended, thread.detail = reply.status, reply.ended, reply.detail
        return
    if is_looping(reply.text):
        thread.ended = "loop"
    elif longest_common_run(reply.text, (thread.loaded.text or "")[thread.ask.rest :]) < DIVERGED_BELOW_WORDS:
        thread.ended = "diverged"
    elif reply.ended == "stop" and not model.is_chat:
        thread.ended = "stop"
    elif is_last:
        thread.ended = "rounds"


def _answered(thread: _Thread, model: TextModel) -> Answered:
    ask = thread.ask
    return Answered(
        ask=ask,
        status=thread.status,
        ended=thread.ended or "unknown",
        detail=thread.detail,
        text=thread.text,
        pieces=max(1, sum(1 for piece in thread.pieces if piece != " ")),
        probability=_probability(thread, model) if thread.status != "failed" else None,
    )


def _probability(thread: _Thread, model: TextModel) -> Probability | None:
    """Weigh the true continuation, once for each place of a work: with the greedy answer to a plain prefix."""
    ask, text = thread.ask, thread.loaded.text
    if text is None or (ask.prompt, ask.evasion, ask.draw, ask.temperature) != ("prefix", "none", 0, 0.0):
        return None
    end = model.cut(text, ask.rest, PROBABILITY_TOKENS)
    if end is None:
        return None
    log_p = model.log_probability(text[ask.start : ask.rest], text[ask.rest : end])
    if log_p is None:
        return None
    return Probability(log_p=log_p, tokens=PROBABILITY_TOKENS, letters=end - ask.rest)
