"""Answers of a server that speaks the OpenAI API, whole or in events, and what of them may be shown.

Filtered are the texts of a message: its content, what the model thought aloud, and arguments of function calls. To cut
these would break them: they are shown whole or the choice is blocked.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from copycat.errors import BackendError
from copycat.fairuse.filter.records import Action, Decision
from copycat.fairuse.filter.streaming import FilterStream, OutputFilter

ORDER: tuple[Action, ...] = ("allow", "attribute", "trim", "rewrite", "block")
TEXT_FIELDS = ("content", "reasoning_content", "reasoning", "refusal")
DONE = "[DONE]"

Json = dict[str, Any]  # as services send it


def prompt_of(body: Json) -> str:
    """Give what the user and the operator wrote; what the model answered before is not theirs."""
    if isinstance(prompt := body.get("prompt"), str):
        return prompt
    if isinstance(prompt, list):
        return "\n\n".join(part for part in prompt if isinstance(part, str))
    messages = body.get("messages")
    texts = [
        text
        for message in (messages if isinstance(messages, list) else [])
        if isinstance(message, dict) and message.get("role") in ("user", "system", "developer")
        for text in _texts(message.get("content"))
    ]
    return "\n\n".join(texts)


def _texts(content: object) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    elif isinstance(content, list):
        yield from (part["text"] for part in content if isinstance(part, dict) and isinstance(part.get("text"), str))


def strictest(actions: list[Action]) -> Action:
    """Give the strictest of some actions."""
    return max(actions, key=ORDER.index, default="allow")


def filter_answer(owner: OutputFilter, answer: object, prompt: str) -> tuple[Json, list[Decision]]:
    """Filter a whole answer.

    Raises:
        BackendError: it is no answer of the API, so that nobody can tell what stands in it.
    """
    if not isinstance(answer, dict) or not isinstance(answer.get("choices"), list):
        raise BackendError("the server's answer has no choices")
    decisions: list[Decision] = []
    calls = _for_calls(owner)
    for choice in answer["choices"]:
        if not isinstance(choice, dict):
            raise BackendError("a choice of the server's answer is no object")
        here: list[Decision] = []
        for place in _places(choice):
            decision = (owner if place.call is None else calls).check(place.part[place.name], prompt)
            is_cut_call = place.call is not None and decision.action == "block"
            place.part[place.name] = "{}" if is_cut_call else decision.text
            here.append(decision)
        if any(decision.action != "allow" for decision in here) and "logprobs" in choice:
            choice["logprobs"] = None
        if any(decision.action == "block" for decision in here):
            choice["finish_reason"] = "content_filter"
        decisions += here
    return answer, decisions


class Place(NamedTuple):
    """Where a text of a choice stands: `part[name]`; `call` is the number of the function call that it belongs to."""

    part: Json
    name: str
    call: int | None = None

    @property
    def key(self) -> str:
        """Name the text among those of its choice."""
        return self.name if self.call is None else f"{self.name} {self.call}"


def _places(choice: Json) -> Iterator[Place]:
    """Give where the texts of a choice stand."""
    if isinstance(choice.get("text"), str):
        yield Place(choice, "text")
    for holder in ("message", "delta"):
        part = choice.get(holder)
        if isinstance(part, dict):
            yield from (Place(part, name) for name in TEXT_FIELDS if isinstance(part.get(name), str))
            yield from _calls(part)


def _calls(part: Json) -> Iterator[Place]:
    calls = part.get("tool_calls")
    functions = [
        (call.get("index", number), call.get("function"))
        for number, call in enumerate(calls if isinstance(calls, list) else [])
        if isinstance(call, dict)
    ]
    for number, function in [*functions, (-1, part.get("function_call"))]:
        if isinstance(function, dict) and isinstance(function.get("arguments"), str):
            yield Place(function, "arguments", number)


def _for_calls(owner: OutputFilter) -> OutputFilter:
    """Give the filter that arguments of calls go through: nothing is cut, and nothing is added."""
    policy = owner.policy
    strict = {"beyond": "block", "cite": False, "allow": policy.allow + policy.attribute, "attribute": ()}
    return owner.with_policy(policy.model_copy(update=strict))


class EventFilter:
    """Filters an answer that arrives in events, one choice beside the other.

    Attributes:
        decisions: of the texts that ended.
        is_over: every choice was blocked, so that the server need not go on.
    """

    def __init__(self, owner: OutputFilter, prompt: str) -> None:
        self._owner, self._calls, self._prompt = owner, _for_calls(owner), prompt
        self._streams: dict[tuple[int, str], FilterStream] = {}
        self._blocked: set[int] = set()
        self._last: Json = {}
        self.decisions: list[Decision] = []

    @property
    def is_over(self) -> bool:
        """Whether nothing more will be shown."""
        return bool(self._blocked) and {index for index, _ in self._streams} == self._blocked

    def take(self, data: str) -> list[Json]:
        """Take the data of one event; give the events to show.

        Raises:
            BackendError: it is no event of the API.
        """
        try:
            event = json.loads(data)
        except ValueError as error:
            raise BackendError("an event of the server is no JSON") from error
        if not isinstance(event, dict):
            raise BackendError("an event of the server is no object")
        if not isinstance(event.get("choices"), list):
            return [event]
        if not event["choices"]:
            return [event]
        self._last = event
        shown = [choice for choice in event["choices"] if isinstance(choice, dict) and self._choice(choice)]
        return [event | {"choices": shown}] if shown else []

    def close(self) -> list[Json]:
        """End the choices that the server did not end."""
        events: list[Json] = []
        for index in sorted({index for index, _ in self._streams}):
            choice: Json = {"index": index, "finish_reason": None}
            for key in self._open(index):
                self._put(choice, key, self._end(index, key))
            if any(part[name] for part, name, _ in _places(choice)):
                events.append({**self._last, "choices": [choice]})
        return events

    # --------------------------------------------------------------------------- private

    def _choice(self, choice: Json) -> bool:
        """Filter one choice of an event; say whether it is shown."""
        index = choice.get("index", 0)
        if index in self._blocked:
            return False
        had_more = bool(choice.get("finish_reason")) or _has_more(choice)
        if "logprobs" in choice:
            choice["logprobs"] = None  # they spell the tokens, also those that wait
        texts = False
        for place in _places(choice):
            stream = self._stream_of(index, place)
            text = place.part[place.name]
            place.part[place.name] = "" if stream.is_closed else stream.push(text)
            if stream.is_blocked:
                self._block(choice, index)
                return True
            texts |= bool(place.part[place.name])
        if choice.get("finish_reason"):
            for key in self._open(index):
                self._put(choice, key, self._end(index, key))
            if any(stream.is_blocked for (number, _), stream in self._streams.items() if number == index):
                choice["finish_reason"] = "content_filter"
        return texts or had_more

    def _stream_of(self, index: int, place: Place) -> FilterStream:
        key = (index, place.key)
        if key not in self._streams:
            owner = self._owner if place.call is None else self._calls
            self._streams[key] = owner.stream(self._prompt)
        return self._streams[key]

    def _block(self, choice: Json, index: int) -> None:
        self._blocked.add(index)
        choice["finish_reason"] = "content_filter"
        for key in self._open(index):
            self._end(index, key)

    def _open(self, index: int) -> list[str]:
        return [key for (number, key), stream in self._streams.items() if number == index and not stream.is_closed]

    def _end(self, index: int, key: str) -> str:
        rest, decision = self._streams[index, key].close()
        self.decisions.append(decision)
        return rest

    def _put(self, choice: Json, key: str, rest: str) -> None:
        """Add the last of a text to the event that ends its choice."""
        if not rest:
            return
        if key == "text":
            choice["text"] = choice.get("text", "") + rest
            return
        delta = choice.setdefault("delta", {})
        name, _, call = key.partition(" ")
        if call == "-1":
            function = delta.setdefault("function_call", {})
            function[name] = (function.get(name) or "") + rest
        elif call:
            delta.setdefault("tool_calls", []).append({"index": int(call), "function": {name: rest}})
        else:
            delta[name] = (delta.get(name) or "") + rest


def _has_more(choice: Json) -> bool:
    """Whether a choice of an event holds anything but text: a role, calls of functions."""
    delta = choice.get("delta")
    return isinstance(delta, dict) and any(value for name, value in delta.items() if name not in TEXT_FIELDS)
