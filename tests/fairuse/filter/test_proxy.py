"""A proxy in front of a server that speaks the OpenAI API: what it shows, passes on, and refuses."""

from __future__ import annotations

import http.client
import json
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from text_server import TextServer

from copycat.commands.fairuse_filter_tables import decided_line
from copycat.errors import UserError
from copycat.fairuse.filter import Decision, OutputFilter
from copycat.fairuse.filter.answers import EventFilter, filter_answer, prompt_of
from copycat.fairuse.filter.proxy import FilterProxy

from .conftest import NOVEL, UNRELATED

Under = Callable[..., OutputFilter]
TRIMMED = f"{UNRELATED}The lamp keeper of [...].\n"
TEXT = f"{UNRELATED}{NOVEL}"


class Upstream(ThreadingHTTPServer):
    """Answers with a text in events, or with what it is told to."""

    daemon_threads = True

    def __init__(self, text: str = TEXT, size: int = 7) -> None:
        super().__init__(("127.0.0.1", 0), _Upstream)
        self.text, self.size = text, size
        self.raw: tuple[int, str, bytes] | None = None
        self.asked: list[tuple[str, dict[str, str], bytes]] = []
        self.sent = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that gave up is no news."""


class _Upstream(BaseHTTPRequestHandler):
    server: Upstream

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append((self.path, dict(self.headers), body))
        if self.server.raw is not None:
            status, kind, content = self.server.raw
            self._begin(status, kind)
            self.wfile.write(content)
            return
        self._begin(200, "text/event-stream")
        is_chat = "chat" in self.path
        pieces = [self.server.text[i : i + self.server.size] for i in range(0, len(self.server.text), self.server.size)]
        for number, piece in enumerate(pieces):
            choice: dict[str, Any] = {"index": 0, "finish_reason": None}
            choice |= {"delta": {"content": piece}} if is_chat else {"text": piece}
            if is_chat and not number:
                choice["delta"]["role"] = "assistant"
            self._event({"id": "1", "choices": [choice]})
            self.server.sent += 1
        self._event({"id": "1", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        self._event({"id": "1", "choices": [], "usage": {"total_tokens": 3}})
        self.wfile.write(b"data: [DONE]\n\n")

    def do_GET(self) -> None:
        self.server.asked.append((self.path, dict(self.headers), b""))
        self._begin(200, "application/json")
        self.wfile.write(b'{"object": "list"}')

    def _begin(self, status: int, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("X-Request-Id", "r-1")
        self.end_headers()

    def _event(self, content: dict[str, Any]) -> None:
        self.wfile.write(b"data: " + json.dumps(content).encode() + b"\n\n")


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    server = Upstream()
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


class Got:
    def __init__(self, answer: http.client.HTTPResponse) -> None:
        self.status, self.headers, self.body = answer.status, answer.headers, answer.read().decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def events(self) -> list[Any]:
        lines = [line[6:] for line in self.body.splitlines() if line.startswith("data: ")]
        return [json.loads(line) for line in lines if line != "[DONE]"]

    @property
    def choices(self) -> list[Any]:
        return [choice for event in self.events for choice in event.get("choices", [])]

    @property
    def shown(self) -> str:
        return "".join((c.get("delta") or {}).get("content") or c.get("text") or "" for c in self.choices)


def ask(proxy: FilterProxy, path: str, body: Any = None, **headers: str) -> Got:
    port = int(proxy.url.rpartition(":")[2].partition("/")[0])
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    content = None if body is None else json.dumps(body)
    connection.request("GET" if body is None else "POST", path, content, headers)
    try:
        return Got(connection.getresponse())
    finally:
        connection.close()


def chat(text: str = "Go on.", **more: Any) -> dict[str, Any]:
    return {"model": "words-1", "messages": [{"role": "user", "content": text}], **more}


def test_a_whole_answer_is_trimmed_and_the_header_tells_it(under: Under) -> None:
    with TextServer(lambda *_: TEXT) as server, FilterProxy(under(quote_words=4), server.url) as proxy:
        got = ask(proxy, "/v1/chat/completions", chat())
    assert (got.status, got.headers["x-copycat-action"]) == (200, "trim")
    assert int(got.headers["x-copycat-words"]) > 100
    assert got.json["choices"][0]["message"]["content"] == TRIMMED
    assert got.json["usage"]["total_tokens"] == 70


def test_an_answer_of_its_own_goes_through_as_it_is(under: Under) -> None:
    with TextServer(lambda *_: UNRELATED) as server, FilterProxy(under(), server.url) as proxy:
        got = ask(proxy, "/v1/chat/completions", chat())
    assert got.headers["x-copycat-action"] == "allow"
    assert got.json["choices"][0]["message"]["content"] == UNRELATED


def test_what_the_user_asked_with_may_be_repeated(under: Under) -> None:
    with TextServer(lambda *_: NOVEL) as server, FilterProxy(under(quote_words=4), server.url) as proxy:
        got = ask(proxy, "/v1/chat/completions", chat(f"Correct this: {NOVEL}"))
    assert got.headers["x-copycat-action"] == "allow"


def test_a_blocked_answer_is_a_clear_error(under: Under) -> None:
    owner = under(quote_words=4, beyond="block")
    with TextServer(lambda *_: NOVEL) as server, FilterProxy(owner, server.url) as proxy:
        got = ask(proxy, "/v1/chat/completions", chat())
    assert (got.status, got.headers["x-copycat-action"]) == (400, "block")
    assert got.json["error"]["code"] == "content_filter"
    assert "may be quoted" in got.json["error"]["message"]
    assert "lamp keeper" not in got.body


def test_what_was_decided_is_told_of_whole_answers_and_of_events(under: Under, upstream: Upstream) -> None:
    told: list[str] = []

    def tell(decisions: Sequence[Decision]) -> None:
        told.append(decided_line(decisions) or "nothing")
        raise BrokenPipeError  # whoever does not read it gets the answer all the same

    with (
        TextServer(lambda *_: NOVEL) as server,
        FilterProxy(under(quote_words=4, beyond="block"), server.url, tell=tell) as whole,
        FilterProxy(under(quote_words=4), upstream.url, tell=tell) as events,
    ):
        assert ask(whole, "/v1/chat/completions", chat()).status == 400
        assert ask(whole, "/v1/chat/completions", chat(NOVEL)).status == 200
        assert ask(events, "/v1/chat/completions", chat(stream=True)).shown == TRIMMED
        upstream.raw = (200, "text/event-stream", b'data: {"choices": [{"index": 0, "delta": {}}]}')
        assert "broke off" in ask(events, "/v1/chat/completions", chat(stream=True)).body
    assert [re.sub(r"\d+", "N", line) for line in told] == [
        "block: tenth-storm N words",
        "nothing",
        "trim: tenth-storm N words",
        "nothing",
    ]


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/completions"])
@pytest.mark.parametrize("size", [1, 7, 5000])
def test_events_show_what_a_whole_answer_would(under: Under, upstream: Upstream, path: str, size: int) -> None:
    upstream.size = size
    with FilterProxy(under(quote_words=4), upstream.url) as proxy:
        got = ask(proxy, path, chat(stream=True) if "chat" in path else {"prompt": "Go on.", "stream": True})
    assert got.headers.get_content_type() == "text/event-stream"
    assert got.shown == TRIMMED
    assert got.choices[-1]["finish_reason"] == "stop"
    assert got.events[-1] == {"id": "1", "choices": [], "usage": {"total_tokens": 3}}
    assert ": x-copycat-action: trim\n" in got.body
    assert got.body.endswith("data: [DONE]\n\n")


def test_a_blocked_stream_ends_with_the_reason_and_the_server_is_left(under: Under, upstream: Upstream) -> None:
    upstream.text = TEXT + UNRELATED * 2000
    with FilterProxy(under(quote_words=4, beyond="block"), upstream.url) as proxy:
        got = ask(proxy, "/v1/chat/completions", chat(stream=True))
    assert got.shown == UNRELATED
    assert got.choices[-1]["finish_reason"] == "content_filter"
    assert ": x-copycat-action: block\n" in got.body
    assert upstream.sent < len(upstream.text) / upstream.size


def test_a_stream_that_breaks_off_shows_what_was_waiting_if_it_may_be_shown(under: Under) -> None:
    events = EventFilter(under(), "")
    shown = events.take(json.dumps({"id": "1", "choices": [{"index": 0, "delta": {"content": "Good morning"}}]}))
    shown += events.close()
    assert "".join(c["delta"]["content"] for e in shown for c in e["choices"]) == "Good morning"


def test_two_choices_are_filtered_each_by_itself(under: Under) -> None:
    events, shown = EventFilter(under(quote_words=4, beyond="block"), ""), ["", ""]
    finishes: list[Any] = [None, None]
    for i in range(0, len(NOVEL), 50):
        choices = [
            {"index": number, "delta": {"content": text[i : i + 50]}} for number, text in enumerate((NOVEL, UNRELATED))
        ]
        for event in events.take(json.dumps({"choices": choices})):
            for choice in event["choices"]:
                shown[choice["index"]] += choice["delta"]["content"]
                finishes[choice["index"]] = choice.get("finish_reason")
        assert not events.is_over
    for event in events.close():
        for choice in event["choices"]:
            shown[choice["index"]] += choice["delta"]["content"]
    assert shown == ["", UNRELATED]
    assert finishes == ["content_filter", None]


def test_what_a_model_thinks_aloud_is_filtered_too_and_tokens_are_not_spelt(under: Under) -> None:
    message = {"role": "assistant", "content": "Yes.", "reasoning_content": NOVEL}
    answer = {"choices": [{"index": 0, "message": message, "logprobs": {"content": [{"token": "The lamp"}]}}]}
    filtered, _ = filter_answer(under(quote_words=4), answer, "")
    assert filtered["choices"][0]["message"]["reasoning_content"].startswith("The lamp keeper of [...]")
    assert filtered["choices"][0]["logprobs"] is None


def call_of(arguments: str, **more: Any) -> list[Any]:
    return [{**more, "function": {"name": "save", "arguments": arguments}}]


def test_arguments_of_calls_are_shown_whole_or_not_at_all(under: Under) -> None:
    owner = under(quote_words=4, cite=True)
    for text, shown, reason in (
        (UNRELATED, json.dumps({"text": UNRELATED}), "tool_calls"),
        (NOVEL, "{}", "content_filter"),
    ):
        message = {"content": None, "tool_calls": call_of(json.dumps({"text": text}))}
        answer, _ = filter_answer(owner, {"choices": [{"message": message, "finish_reason": "tool_calls"}]}, "")
        assert answer["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"] == shown
        assert answer["choices"][0]["finish_reason"] == reason


@pytest.mark.parametrize("text", [UNRELATED, NOVEL])
def test_arguments_that_arrive_in_events_are_filtered_too(under: Under, text: str) -> None:
    events, shown, finish = EventFilter(under(quote_words=4), ""), "", None
    arguments = json.dumps({"text": text})
    choices = [{"delta": {"tool_calls": call_of(arguments[i : i + 9], index=0)}} for i in range(0, len(arguments), 9)]
    for choice in [*choices, {"delta": {}, "finish_reason": "tool_calls"}]:
        for event in events.take(json.dumps({"choices": [{"index": 0, **choice}]})):
            (got,) = event["choices"]
            finish = got.get("finish_reason") or finish
            shown += "".join(call["function"]["arguments"] for call in got["delta"].get("tool_calls", []))
    if text == UNRELATED:
        assert (json.loads(shown)["text"], finish) == (UNRELATED, "tool_calls")
    else:
        assert (shown, finish) == ('{"text": "', "content_filter")


def test_everything_else_goes_through_with_its_key_and_other_ways_to_ask_are_refused(
    under: Under, upstream: Upstream, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with FilterProxy(under(), upstream.url) as proxy:
        models = ask(proxy, "/v1/models?limit=2", Authorization="Bearer sk-secret-1")
        assert (models.status, models.json, models.headers["X-Request-Id"]) == (200, {"object": "list"}, "r-1")
        for path in ("/v1/responses", "/v1/messages", "/completion"):
            refused = ask(proxy, path, {"input": "Go on."}, Authorization="Bearer sk-secret-1")
            assert (refused.status, "is not filtered" in refused.json["error"]["message"]) == (501, True)
    (asked,) = upstream.asked
    assert (asked[0], asked[1]["Authorization"]) == ("/v1/models?limit=2", "Bearer sk-secret-1")
    told = "".join(capfd.readouterr()) + caplog.text
    assert "sk-secret-1" not in told


def test_errors_of_the_server_go_through_and_answers_nobody_can_read_do_not(under: Under, upstream: Upstream) -> None:
    with FilterProxy(under(), upstream.url) as proxy:
        upstream.raw = (429, "application/json", b'{"error": {"message": "slow down"}}')
        got = ask(proxy, "/v1/chat/completions", chat())
        assert (got.status, got.json["error"]["message"]) == (429, "slow down")
        for content in (b"<html>The lamp keeper", b'["The lamp keeper"]', b'{"choices": ["The lamp keeper"]}'):
            upstream.raw = (200, "application/json", content)
            got = ask(proxy, "/v1/chat/completions", chat())
            assert got.status == 502
            assert "nothing of it is shown" in got.json["error"]["message"]
            assert "lamp" not in got.body
        upstream.raw = (200, "text/event-stream", b"data: The lamp keeper\n\n")
        got = ask(proxy, "/v1/chat/completions", chat(stream=True))
        assert got.events[-1]["error"]["message"] == "an event of the server is no JSON"
        assert "lamp" not in got.body


def test_a_server_that_is_silent_or_not_there_is_told_of(under: Under) -> None:
    with TextServer(lambda *_: "", ["hang"], hang_s=5.0) as server:
        with FilterProxy(under(), server.url, timeout_s=0.2) as proxy:
            assert ask(proxy, "/v1/chat/completions", chat()).status == 504
        gone = server.url
    with FilterProxy(under(), gone) as proxy:
        got = ask(proxy, "/v1/chat/completions", chat())
        assert (got.status, "cannot be reached" in got.json["error"]["message"]) == (502, True)


def test_the_openai_client_works_through_it(under: Under) -> None:
    from openai import OpenAI

    with TextServer(lambda *_: TEXT) as server, FilterProxy(under(quote_words=4), server.url) as proxy:
        client = OpenAI(base_url=proxy.url, api_key="sk-secret-1")
        answer = client.chat.completions.create(**chat())
    assert answer.choices[0].message.content == TRIMMED


def test_an_address_that_is_none_and_a_taken_port_are_refused(under: Under) -> None:
    with pytest.raises(UserError, match="is no address of a server"):
        FilterProxy(under(), "127.0.0.1:8000")
    with FilterProxy(under(), "http://127.0.0.1:1/v1") as proxy:
        port = int(proxy.url.rpartition(":")[2].partition("/")[0])
        with pytest.raises(UserError, match="cannot be used"):
            FilterProxy(under(), "http://127.0.0.1:1/v1", port=port)


@pytest.mark.parametrize(
    ("body", "prompt"),
    [
        ({"prompt": "one"}, "one"),
        ({"prompt": ["one", "two"]}, "one\n\ntwo"),
        ({"prompt": [1, 2]}, ""),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": "one"}, {"type": "image_url"}]}]}, "one"),
        ({"messages": [{"role": "system", "content": "a"}, {"role": "assistant", "content": "b"}]}, "a"),
        ({"messages": None}, ""),
    ],
)
def test_the_prompt_is_what_user_and_operator_wrote(body: dict[str, Any], prompt: str) -> None:
    assert prompt_of(body) == prompt
