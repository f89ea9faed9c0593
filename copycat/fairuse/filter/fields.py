"""Where the texts of an answer stand, and which of its other fields are known to hold none.

A field that nobody here knows may spell out the text that is held back, as some servers' debug output does. So it is
left out where it holds words; numbers go through.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any, NamedTuple

log = logging.getLogger(__name__)

Json = dict[str, Any]  # as services send it

TEXT_FIELDS = ("content", "reasoning_content", "reasoning", "refusal")
PART, THOUGHT = "content part", "content thought"
"""Keys of texts in a content that is a list of parts."""

ANSWER_FIELDS = frozenset(
    {
        *("choices", "citations", "created", "error", "id", "model", "object", "prompt_filter_results", "provider"),
        *("service_tier", "system_fingerprint", "usage"),
    }
)
CHOICE_FIELDS = frozenset(
    {
        *("content_filter_results", "delta", "finish_reason", "index", "logprobs", "matched_stop", "message"),
        *("native_finish_reason", "stop_reason", "text"),
    }
)
MESSAGE_FIELDS = frozenset({*TEXT_FIELDS, "function_call", "name", "role", "tool_calls"})

_told: set[str] = set()


class Place(NamedTuple):
    """Where a text of a choice stands: `part[name]`; texts of one `key` follow each other from event to event.

    `is_call`: it is an argument of a function call, which is shown whole or not at all.
    """

    part: Json
    name: str
    key: str
    is_call: bool = False


def places_of(choice: Json) -> Iterator[Place]:
    """Give where the texts of a choice stand."""
    if isinstance(choice.get("text"), str):
        yield Place(choice, "text", "text")
    for holder in ("message", "delta"):
        part = choice.get(holder)
        if isinstance(part, dict):
            yield from (Place(part, name, name) for name in TEXT_FIELDS if isinstance(part.get(name), str))
            yield from _in_parts(part.get("content"), PART)
            yield from _calls(part)


def _in_parts(content: object, key: str) -> Iterator[Place]:
    for part in content if isinstance(content, list) else []:
        if isinstance(part, dict):
            if isinstance(part.get("text"), str):
                yield Place(part, "text", key)
            if isinstance(part.get("thinking"), str):
                yield Place(part, "thinking", THOUGHT)
            yield from _in_parts(part.get("thinking"), THOUGHT)


def _calls(part: Json) -> Iterator[Place]:
    calls = part.get("tool_calls")
    for place, call in enumerate(calls if isinstance(calls, list) else []):
        if isinstance(call, dict):
            number = call.get("index", place)
            yield from _arguments(call.get("function"), "arguments", f"arguments {number}")
            yield from _arguments(call.get("custom"), "input", f"input {number}")
    yield from _arguments(part.get("function_call"), "arguments", "arguments")


def _arguments(function: object, name: str, key: str) -> Iterator[Place]:
    if isinstance(function, dict) and isinstance(function.get(name), str):
        yield Place(function, name, key, is_call=True)


def put_rest(choice: Json, key: str, rest: str) -> None:
    """Add the last of a text to the event that ends its choice."""
    if not rest:
        return
    if key == "text":
        choice["text"] = (choice.get("text") or "") + rest
        return
    delta = choice.setdefault("delta", {})
    name, _, call = key.partition(" ")
    if key in (PART, THOUGHT):
        part: Json = {"type": "text", "text": rest}
        parts = delta.get("content") if isinstance(delta.get("content"), list) else []
        delta["content"] = [*parts, part if key == PART else {"type": "thinking", "thinking": [part]}]
    elif name == "input":
        delta.setdefault("tool_calls", []).append({"index": int(call), "custom": {"input": rest}})
    elif call:
        delta.setdefault("tool_calls", []).append({"index": int(call), "function": {name: rest}})
    elif name == "arguments":
        function = delta.setdefault("function_call", {})
        function[name] = (function.get(name) or "") + rest
    else:
        delta[name] = (delta.get(name) or "") + rest


def leave_unknown_out(answer: Json) -> None:
    """Take out of an answer, or an event, what may hold text and nobody knows."""
    _leave_out(answer, ANSWER_FIELDS)
    choices = answer.get("choices")
    for choice in choices if isinstance(choices, list) else []:
        if isinstance(choice, dict):
            _leave_out(choice, CHOICE_FIELDS)
            for holder in ("message", "delta"):
                if isinstance(choice.get(holder), dict):
                    _leave_out(choice[holder], MESSAGE_FIELDS)
                    _leave_parts_out(choice[holder].get("content"))


def _leave_parts_out(content: object) -> None:
    """Keep of parts what is filtered: their text and thoughts."""
    for part in content if isinstance(content, list) else []:
        if isinstance(part, dict):
            _leave_out(part, frozenset({"type", "text", "thinking"}))
            _leave_parts_out(part.get("thinking"))


def _leave_out(part: Json, known: frozenset[str]) -> None:
    for name in [name for name in part if name not in known and _has_words(part[name])]:
        del part[name]
        if name not in _told:
            _told.add(name)
            log.warning("field '%s' of the server's answers is not shown: it is not known, and may hold text", name)


def _has_words(value: object) -> bool:
    if isinstance(value, dict):
        return any(map(_has_words, value.values()))
    return any(map(_has_words, value)) if isinstance(value, list) else isinstance(value, str)
