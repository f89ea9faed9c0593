"""Answers of a server that speaks the OpenAI API, whole or in events, and what of them may be shown.

Filtered are the texts of a message: its content, what the model thought aloud, and arguments of function calls. To cut
these would break them: they are shown whole or the choice is blocked.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from copycat.errors import BackendError
from copycat.fairuse.filter.fields import TEXT_FIELDS, Json, Place, leave_unknown_out, places_of, put_rest
from copycat.fairuse.filter.records import Action, Decision
from copycat.fairuse.filter.streaming import FilterStream, OutputFilter

ORDER: tuple[Action, ...] = ("allow", "attribute", "trim", "rewrite", "block")
DONE = "[DONE]"


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


def choices_of(body: Json) -> int:
    """Say how many choices an answer to a request should have."""
    prompt, each = body.get("prompt"), body.get("n")
    prompts = len(prompt) if isinstance(prompt, list) and isinstance((*prompt, None)[0], str | list) else 1
    return prompts * each if isinstance(each, int) and each > 0 else prompts


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
    leave_unknown_out(answer)
    decisions: list[Decision] = []
    calls = _for_calls(owner)
    for choice in answer["choices"]:
        if not isinstance(choice, dict):
            raise BackendError("a choice of the server's answer is no object")
        here: list[Decision] = []
        for place in places_of(choice):
            decision = (calls if place.is_call else owner).check(place.part[place.name], prompt)
            is_cut_call = place.is_call and decision.action == "block"
            place.part[place.name] = "{}" if is_cut_call else decision.text
            here.append(decision)
        if any(decision.action != "allow" for decision in here) and "logprobs" in choice:
            choice["logprobs"] = None
        if any(decision.action == "block" for decision in here):
            choice["finish_reason"] = "content_filter"
        decisions += here
    return answer, decisions


def _for_calls(owner: OutputFilter) -> OutputFilter:
    """Give the filter that arguments of calls go through: nothing is cut, and nothing is added."""
    policy = owner.policy
    strict = {"beyond": "block", "cite": False, "allow": policy.allow + policy.attribute, "attribute": ()}
    return owner.with_policy(policy.model_copy(update=strict))


class EventFilter:
    """Filters an answer that arrives in events, one choice beside or behind the other.

    Args:
        expected: choices that were asked for.

    Attributes:
        decisions: of the texts that ended.
        is_over: every choice was blocked, so that the server need not go on.
    """

    def __init__(self, owner: OutputFilter, prompt: str, expected: int = 1) -> None:
        self.expected = expected
        self._owner, self._calls, self._prompt = owner, _for_calls(owner), prompt
        self._streams: dict[tuple[int, str], FilterStream] = {}
        self._blocked: set[int] = set()
        self._begun: set[int] = set()
        self._finished: set[int] = set()
        self._last: Json = {}
        self.decisions: list[Decision] = []

    @property
    def is_over(self) -> bool:
        """Whether nothing more will be shown."""
        return len(self._blocked) >= self.expected and self._begun == self._blocked

    @property
    def is_finished(self) -> bool:
        """Whether the server told of each choice that it ended; else it broke off, if it says no more."""
        return len(self._begun) >= self.expected and self._begun == self._finished | self._blocked

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
        leave_unknown_out(event)
        if not isinstance(event.get("choices"), list) or not event["choices"]:
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
                put_rest(choice, key, self._end(index, key))
            if any(place.part[place.name] for place in places_of(choice)):
                events.append({**self._last, "choices": [choice]})
        return events

    # --------------------------------------------------------------------------- private

    def _choice(self, choice: Json) -> bool:
        """Filter one choice of an event; say whether it is shown."""
        index = choice.get("index", 0)
        self._begun.add(index)
        if index in self._blocked:
            return False
        had_more = bool(choice.get("finish_reason")) or _has_more(choice)
        if "logprobs" in choice:
            choice["logprobs"] = None  # they spell the tokens, also those that wait
        texts = False
        for place in places_of(choice):
            stream = self._stream_of(index, place)
            text = place.part[place.name]
            place.part[place.name] = "" if stream.is_closed else stream.push(text)
            if stream.is_blocked:
                self._block(choice, index)
                return True
            texts |= bool(place.part[place.name])
        if choice.get("finish_reason"):
            self._finished.add(index)
            for key in self._open(index):
                put_rest(choice, key, self._end(index, key))
            if any(stream.is_blocked for (number, _), stream in self._streams.items() if number == index):
                choice["finish_reason"] = "content_filter"
        return texts or had_more

    def _stream_of(self, index: int, place: Place) -> FilterStream:
        key = (index, place.key)
        if key not in self._streams:
            owner = self._calls if place.is_call else self._owner
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


def _has_more(choice: Json) -> bool:
    """Whether a choice of an event holds anything but text: a role, calls of functions."""
    delta = choice.get("delta")
    return isinstance(delta, dict) and any(value for name, value in delta.items() if name not in TEXT_FIELDS)
