"""A proxy between a real client and a server that packs, cuts, breaks off or spells out more than it was asked for."""

from __future__ import annotations

import gzip
import http.client
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import openai
import pytest

from copycat.errors import MissingExtraError
from copycat.fairuse.filter import OutputFilter, fields
from copycat.fairuse.filter.answers import EventFilter, choices_of, filter_answer
from copycat.fairuse.filter.proxy import FilterProxy

from .conftest import NOVEL, UNRELATED

Under = Callable[..., OutputFilter]
EVENTS = {"Content-Type": "text/event-stream"}
ACCENTED = "Où est le café ? \u4f60\u597d \U0001f600 " + UNRELATED
ASKED: dict[str, Any] = {"model": "words-1", "messages": [{"role": "user", "content": "Go on."}]}


def event(text: str, finish: str | None = None) -> bytes:
    content = {
        "id": "1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "words-1",
        "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": finish}],
    }
    return f"data: {json.dumps(content, ensure_ascii=False)}\n\n".encode()


def whole(text: str) -> bytes:
    message = {"role": "assistant", "content": text}
    return json.dumps({"id": "1", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}).encode()


def chunked(pieces: Iterable[bytes]) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)


@contextmanager
def raw_server(content: bytes, headers: dict[str, str], *, resets: bool = False) -> Iterator[str]:
    """Answer every request with these bytes, and hang up."""
    listening = socket.create_server(("127.0.0.1", 0))
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())

    def serve() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection.makefile("rb") as asked:
                asked.readline()
                asked.read(int(http.client.parse_headers(asked).get("Content-Length", 0)))
            with suppress(OSError):
                connection.sendall(f"HTTP/1.1 200 OK\r\nConnection: close\r\n{head}\r\n".encode() + content)
            if resets:
                time.sleep(0.1)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()

    threading.Thread(target=serve, daemon=True).start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()


@contextmanager
def client_of(owner: OutputFilter, upstream: str) -> Iterator[openai.OpenAI]:
    with (
        FilterProxy(owner, upstream, timeout_s=5) as proxy,
        openai.OpenAI(base_url=proxy.url, api_key="sk-none", max_retries=0, timeout=10) as client,
    ):
        yield client


def streamed(client: openai.OpenAI) -> str:
    return "".join(
        choice.delta.content or ""
        for chunk in client.chat.completions.create(**ASKED, stream=True)
        for choice in chunk.choices
    )


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_letters_that_are_cut_between_chunks_arrive_whole(under: Under, size: int) -> None:
    content = b"".join(event(letter) for letter in ACCENTED) + event("", "stop") + b"data: [DONE]\n\n"
    pieces = [content[i : i + size] for i in range(0, len(content), size)]
    headers = {**EVENTS, "Transfer-Encoding": "chunked"}
    with raw_server(chunked([*pieces, b""]), headers) as url, client_of(under(), url) as client:
        assert streamed(client) == ACCENTED


def test_a_packed_answer_is_filtered_and_other_answers_stay_packed(under: Under) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    owner = under(quote_words=4)
    with raw_server(gzip.compress(whole(NOVEL)), headers) as url, client_of(owner, url) as client:
        answer = client.chat.completions.create(**ASKED)
        assert answer.choices[0].message.content == "The lamp keeper of [...].\n"
    events = gzip.compress(event(NOVEL) + event("", "stop") + b"data: [DONE]\n\n")
    with raw_server(events, headers | EVENTS) as url, client_of(owner, url) as client:
        assert streamed(client) == "The lamp keeper of [...].\n"
    models = gzip.compress(b'{"object": "list", "data": [{"id": "words-1"}]}')
    with raw_server(models, headers) as url, client_of(owner, url) as client:
        assert [model.id for model in client.models.list()] == ["words-1"]
    with (
        raw_server(b"?", headers | {"Content-Encoding": "br"}) as url,
        client_of(owner, url) as client,
        pytest.raises(openai.InternalServerError, match="packed as 'br'"),
    ):
        client.chat.completions.create(**ASKED)


@pytest.mark.parametrize("how", ["hangs up", "hangs up inside a chunk", "is reset", "is reset inside a packed event"])
def test_a_stream_whose_server_breaks_off_does_not_look_finished(under: Under, how: str) -> None:
    content, headers = event(UNRELATED), EVENTS
    if "chunk" in how:
        content, headers = b"%x\r\n" % (len(content) + 99) + content, {**EVENTS, "Transfer-Encoding": "chunked"}
    if "packed" in how:
        content, headers = gzip.compress(content)[:60], {**EVENTS, "Content-Encoding": "gzip"}
    with (
        raw_server(content, headers, resets="reset" in how) as url,
        client_of(under(), url) as client,
        pytest.raises(openai.APIError, match="broke off"),
    ):
        streamed(client)


def test_a_stream_without_the_last_line_is_finished_if_its_choices_are(under: Under) -> None:
    with raw_server(event(UNRELATED, "stop"), EVENTS) as url, client_of(under(), url) as client:
        assert streamed(client) == UNRELATED


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_goes_away_is_no_fault(
    under: Under, stream: bool, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    content = event(UNRELATED) * 3000 if stream else whole(UNRELATED * 50)
    with (
        raw_server(content, EVENTS if stream else {"Content-Type": "application/json"}) as url,
        FilterProxy(under(), url) as proxy,
    ):
        before = threading.active_count()
        for _ in range(3):
            port = int(proxy.url.rpartition(":")[2].partition("/")[0])
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request("POST", "/v1/chat/completions", json.dumps(ASKED))
            plain = connection.sock
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            if stream:
                connection.getresponse().read(300)
            connection.close()
            plain.close()
        end = time.monotonic() + 10
        while threading.active_count() > before and time.monotonic() < end:
            time.sleep(0.02)
        assert threading.active_count() <= before
    assert capfd.readouterr().err + caplog.text == ""


@pytest.mark.parametrize("stream", [True, False])
def test_where_nobody_can_write_anew_the_client_is_told_so(under: Under, stream: bool) -> None:
    def rewriter(passage: str) -> str:
        raise MissingExtraError("the key is missing\n  set OPENAI_API_KEY")

    owner = under(rewriter, quote_words=4, beyond="rewrite")
    content = event(NOVEL, "stop") if stream else whole(NOVEL)
    with (
        raw_server(content, EVENTS if stream else {"Content-Type": "application/json"}) as url,
        client_of(owner, url) as client,
        pytest.raises(openai.APIError, match="the key is missing"),
    ):
        streamed(client) if stream else client.chat.completions.create(**ASKED)


def test_a_second_choice_that_comes_behind_a_blocked_one_is_shown(under: Under) -> None:
    second = event(UNRELATED, "stop").replace(b'"index": 0', b'"index": 1')
    with (
        raw_server(event(NOVEL) + event("More.") + second, EVENTS) as url,
        client_of(under(quote_words=4, beyond="block"), url) as client,
    ):
        chunks = list(client.chat.completions.create(**ASKED, n=2, stream=True))
    shown = {0: "", 1: ""}
    for chunk in chunks:
        for choice in chunk.choices:
            shown[choice.index] += choice.delta.content or ""
    assert shown == {0: "", 1: UNRELATED}


@pytest.mark.parametrize(
    ("body", "choices"),
    [
        ({"messages": []}, 1),
        ({"n": 3}, 3),
        ({"prompt": ["a", "b"], "n": 2}, 4),
        ({"prompt": [1, 2, 3]}, 1),
        ({"prompt": [[1, 2], [3]]}, 2),
        ({"prompt": [], "n": "two"}, 1),
    ],
)
def test_so_many_choices_are_asked_for(body: dict[str, Any], choices: int) -> None:
    assert choices_of(body) == choices


# ------------------------------------------------------------------------------------ fields


def test_parts_of_a_content_and_input_of_calls_are_filtered(under: Under) -> None:
    thought = {"type": "thinking", "thinking": [{"type": "text", "text": NOVEL}]}
    message = {
        "content": [{"type": "text", "text": NOVEL}, thought],
        "tool_calls": [{"type": "custom", "custom": {"name": "save", "input": NOVEL}}],
    }
    filtered, _ = filter_answer(under(quote_words=4), {"choices": [{"message": message}]}, "")
    got = filtered["choices"][0]["message"]
    assert got["content"][0]["text"] == got["content"][1]["thinking"][0]["text"] == "The lamp keeper of [...].\n"
    assert got["tool_calls"][0]["custom"] == {"name": "save", "input": "{}"}


def test_parts_that_arrive_in_events_are_filtered_in_their_order(under: Under) -> None:
    events, shown = EventFilter(under(quote_words=4), ""), {"text": "", "thinking": ""}
    choices: list[dict[str, Any]] = []
    for i in range(0, len(NOVEL), 9):
        part = {"type": "text", "text": NOVEL[i : i + 9]}
        choices += [{"delta": {"content": [part]}}]
        choices += [{"delta": {"content": [{"type": "thinking", "thinking": [dict(part)]}]}}]
    for choice in [*choices, {"delta": {}, "finish_reason": "stop"}]:
        for taken in events.take(json.dumps({"choices": [{"index": 0, **choice}]})):
            for part in taken["choices"][0]["delta"].get("content", []):
                texts = part["thinking"] if part["type"] == "thinking" else [part]
                shown[part["type"]] += "".join(text["text"] for text in texts)
    assert shown == dict.fromkeys(shown, "The lamp keeper of [...].\n")
    assert events.is_finished


def test_fields_that_nobody_knows_are_left_out_where_they_hold_words(
    under: Under, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fields, "_told", set())
    choice = {"index": 0, "delta": {"content": "", "details": [{"text": NOVEL}]}, "debug": {"said": NOVEL}, "score": 3}
    sent = {"id": "1", "choices": [choice], "__verbose": {"content": NOVEL}, "timings": {"ms": 4.0}}
    for _ in range(2):
        (got,) = EventFilter(under(), "").take(json.dumps({**sent, "choices": [{**choice, "finish_reason": "stop"}]}))
    assert "lamp" not in json.dumps(got)
    assert (got["timings"], got["choices"][0]["score"]) == ({"ms": 4.0}, 3)
    assert caplog.text.count("may hold text") == 3
