"""A proxy on this computer, in front of a server that speaks the OpenAI API.

Answers of /chat/completions and /completions are filtered, whole or in events; other ways to ask for text, such as
/responses, are refused, since they would pass unfiltered; everything else goes through. Keys go through too, and are
never written anywhere.
"""

from __future__ import annotations

import gzip
import http.client
import json
import logging
import sys
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import urlsplit

from copycat.errors import BackendError, CopycatError, UserError
from copycat.fairuse.filter.answers import DONE, EventFilter, choices_of, filter_answer, prompt_of, strictest
from copycat.fairuse.filter.records import Decision
from copycat.fairuse.filter.streaming import OutputFilter

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
BASE = "/v1"
FILTERED = ("/chat/completions", "/completions")
REFUSED = ("/responses", "/messages", "/completion", "/infill", "/generate", "/generate_stream", "/api/chat")
"""Other ways in which such servers are asked for text: it would pass unfiltered."""

MAX_BODY_BYTES = 64 * 2**20

BROKEN_OFF = (OSError, http.client.HTTPException, EOFError, zlib.error)
"""What reading from a server raises that is not there, or stops in the middle."""

Lines = http.client.HTTPResponse | gzip.GzipFile

ACTION_HEADER, WORDS_HEADER = "x-copycat-action", "x-copycat-words"
OWN_TO_A_CONNECTION = frozenset(
    {
        *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer"),
        *("transfer-encoding", "upgrade"),
    }
)
NOT_SENT_ON = OWN_TO_A_CONNECTION | {"host", "content-length", "accept-encoding"}
NOT_GIVEN_BACK = OWN_TO_A_CONNECTION | {"content-length", "date", "server"}


class FilterProxy:
    """Listens on 127.0.0.1 while it is entered.

    Args:
        upstream: the address of the server as a program would be told it, such as https://HOST/v1.
        port: 0 takes any that is free.
        timeout_s: how long the server may be silent.
        tell: is given the decisions on each answer, one for each of its texts.

    Raises:
        UserError: the address is none, or the port is taken.
    """

    def __init__(
        self,
        owner: OutputFilter,
        upstream: str,
        *,
        port: int = 0,
        timeout_s: float = 600.0,
        tell: Callable[[Sequence[Decision]], None] = lambda _: None,
    ) -> None:
        parts = urlsplit(upstream)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UserError(f"'{upstream}' is no address of a server\n  needed: http://HOST:PORT/v1 or https://HOST/v1")
        self.owner, self.timeout_s, self.tell = owner, timeout_s, tell
        self._is_secure, self._netloc, self.base = parts.scheme == "https", parts.netloc, parts.path.rstrip("/")
        self._stopped = threading.Event()
        try:
            self._http = _Server((HOST, port), _Handler)
        except OSError as error:
            raise UserError(f"port {port} cannot be used: {error.strerror}\n  name another: --port N") from error
        self._http.proxy = self

    def __enter__(self) -> Self:
        threading.Thread(target=self._http.serve_forever, args=(0.1,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._http.shutdown()
        self._http.server_close()

    @property
    def url(self) -> str:
        """Give the address for OPENAI_BASE_URL."""
        return f"http://{HOST}:{self._http.server_address[1]}{BASE}"

    @property
    def upstream(self) -> str:
        """Give the address of the server, without a name and password that may stand in it."""
        return f"{'https' if self._is_secure else 'http'}://{self._netloc.rpartition('@')[2]}{self.base}"

    def wait(self) -> None:
        """Go on until somebody interrupts."""
        while not self._stopped.wait(3600):
            pass

    def connect(self) -> http.client.HTTPConnection:
        """Open a connection to the server."""
        kind = http.client.HTTPSConnection if self._is_secure else http.client.HTTPConnection
        return kind(self._netloc, timeout=self.timeout_s)

    def path_of(self, path: str) -> str:
        """Say what a path of the proxy is called at the server."""
        is_below = path == BASE or path.startswith((f"{BASE}/", f"{BASE}?"))
        return self.base + path.removeprefix(BASE) if is_below else path


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    proxy: FilterProxy

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing where a client went away; what else goes wrong is a fault of ours."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            log.exception("a request could not be answered")


class _ClientGoneError(Exception):
    """Nobody reads the answer any more."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing of requests: their addresses may hold keys."""

    def do_GET(self) -> None:
        self._take()

    do_POST = do_DELETE = do_PUT = do_PATCH = do_HEAD = do_OPTIONS = do_GET  # noqa: N815 - http.server's names

    # --------------------------------------------------------------------------- one request

    def _take(self) -> None:
        self._has_begun = False
        try:
            length = int(self.headers.get("Content-Length") or 0)
        except ValueError:
            length = -1
        if not 0 <= length <= MAX_BODY_BYTES or self.headers.get("Transfer-Encoding"):
            self.close_connection = True
            self._fail(413, f"a request needs its length, and may have {MAX_BODY_BYTES:,} bytes")
            return
        body = self.rfile.read(length)
        if len(body) < length:
            self.close_connection = True
            return
        path = self.path.partition("?")[0].rstrip("/")
        if path.endswith(REFUSED) and self.command == "POST":
            self._fail(501, f"{path} is not filtered, so it is not passed on; ask {BASE}{FILTERED[0]}")
            return
        try:
            self._try(body, is_filtered=self.command == "POST" and path.endswith(FILTERED))
        except _ClientGoneError:
            self.close_connection = True

    def _try(self, body: bytes, *, is_filtered: bool) -> None:
        try:
            self._pass_on(body, is_filtered=is_filtered)
        except TimeoutError:
            self._fail(504, self._silence())
        except CopycatError as error:
            self._fail(502, f"{_first_line(error)}; nothing of it is shown")
        except BROKEN_OFF as error:
            self._fail(502, f"the server cannot be reached or broke off ({type(error).__name__})")

    def _pass_on(self, body: bytes, *, is_filtered: bool) -> None:
        proxy = self.server.proxy
        asked = _asked_in(body) if is_filtered else {}
        prompt = prompt_of(asked)
        connection = proxy.connect()
        try:
            headers = {name: value for name, value in self.headers.items() if name.lower() not in NOT_SENT_ON}
            headers["Accept-Encoding"] = "identity"
            connection.request(self.command, proxy.path_of(self.path), body or None, headers)
            answer = connection.getresponse()
            kind = answer.headers.get_content_type()
            if not is_filtered or answer.status >= 400:
                self._send(answer.status, answer.read(), answer.headers)
            elif kind == "text/event-stream":
                lines, events = _unpacked(answer), EventFilter(proxy.owner, prompt, choices_of(asked))
                try:
                    self._send_events(answer, lines, events)
                finally:  # also where the server broke off, or the client is gone
                    self._tell(events.decisions)
            else:
                self._send_filtered(answer, prompt)
        finally:
            connection.close()

    def _send_filtered(self, answer: http.client.HTTPResponse, prompt: str) -> None:
        try:
            content = json.loads(_unpacked(answer).read())
        except ValueError as error:
            raise BackendError("the server's answer is no JSON") from error
        filtered, decisions = filter_answer(self.server.proxy.owner, content, prompt)
        told = _told(decisions)
        self._tell(decisions)
        if decisions and all(decision.action == "block" for decision in decisions):
            self._fail(400, f"the answer is not shown: {decisions[0].reason}", "content_filter", told)
            return
        self._send(answer.status, json.dumps(filtered).encode(), answer.headers, told)

    # --------------------------------------------------------------------------- events

    def _send_events(self, answer: http.client.HTTPResponse, lines: Lines, events: EventFilter) -> None:
        self.send_response(answer.status)
        self._send_headers(answer.headers, {ACTION_HEADER: "see-last-event", "Connection": "close"})
        self.close_connection = self._has_begun = True
        is_done = False
        try:
            for data in _events_of(lines):
                is_done = data == DONE
                if is_done or events.is_over:
                    break
                self._write_events(events.take(data))
            self._write_events(events.close())
            if not is_done and not events.is_finished:
                raise BackendError("the server broke off before the end of its answer")
        except TimeoutError:
            self._write_events([_error(self._silence(), "bad_gateway")])
        except CopycatError as error:
            self._write_events([_error(_first_line(error), "bad_gateway")])
        except BROKEN_OFF as error:
            self._write_events([_error(f"the server broke off ({type(error).__name__})", "bad_gateway")])
        else:
            told = "".join(f": {name}: {value}\n" for name, value in _told(events.decisions).items())
            self._write(f"{told}\ndata: {DONE}\n\n".encode())

    def _write_events(self, events: list[dict[str, Any]]) -> None:
        for event in events:
            self._write(b"data: " + json.dumps(event).encode() + b"\n\n")

    # --------------------------------------------------------------------------- answers

    def _tell(self, decisions: Sequence[Decision]) -> None:
        with suppress(OSError):  # nobody reads what is told: no reason not to answer
            self.server.proxy.tell(decisions)

    def _silence(self) -> str:
        return f"the server said nothing for {self.server.proxy.timeout_s:g} s"

    def _fail(self, status: int, message: str, code: str = "copycat_filter", told: Mapping[str, str] = {}) -> None:
        if self._has_begun:
            self.close_connection = True
            return
        headers = {"Content-Type": "application/json", **told}
        self._send(status, json.dumps(_error(message, code)).encode(), headers)

    def _send(
        self, status: int, content: bytes, headers: Mapping[str, str] | Any, more: Mapping[str, str] = {}
    ) -> None:
        self.send_response(status)
        self._send_headers(headers, {**more, "Content-Length": str(len(content))})
        if self.command != "HEAD":
            self._write(content)

    def _write(self, content: bytes) -> None:
        try:
            self.wfile.write(content)
            self.wfile.flush()
        except OSError as error:
            raise _ClientGoneError from error

    def _send_headers(self, headers: Mapping[str, str] | Any, more: Mapping[str, str]) -> None:
        for name, value in headers.items():
            if name.lower() not in NOT_GIVEN_BACK:
                self.send_header(name, value)
        for name, value in more.items():
            self.send_header(name, value)
        try:
            self.end_headers()
        except OSError as error:
            raise _ClientGoneError from error


def _asked_in(body: bytes) -> dict[str, Any]:
    try:
        asked = json.loads(body)
    except ValueError:
        return {}
    return asked if isinstance(asked, dict) else {}


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _unpacked(answer: http.client.HTTPResponse) -> Lines:
    """Give the content of an answer as it is read; a server may pack it, though it was asked not to.

    Raises:
        BackendError: it is packed in a way that nobody here can read.
    """
    packed = (answer.headers.get("Content-Encoding") or "identity").strip().lower()
    del answer.headers["Content-Encoding"]
    if packed == "identity":
        return answer
    if packed in ("gzip", "x-gzip"):
        return gzip.GzipFile(fileobj=answer)
    raise BackendError(f"the server's answer is packed as '{packed}', though it was asked not to be")


def _events_of(source: Lines) -> Iterator[str]:
    """Give the data of each event; one event may have several lines of it."""
    lines: list[str] = []
    while line := source.readline():
        text = line.decode("utf-8", "replace").rstrip("\r\n")
        if text.startswith("data:"):
            lines.append(text[5:].removeprefix(" "))
        elif not text and lines:
            yield "\n".join(lines)
            lines = []
    if lines:
        yield "\n".join(lines)


def _told(decisions: list[Decision]) -> dict[str, str]:
    """Give the headers that tell what was done."""
    longest = max((decision.longest for decision in decisions), default=0)
    return {ACTION_HEADER: strictest([decision.action for decision in decisions]), WORDS_HEADER: str(longest)}


def _error(message: str, code: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": "copycat_filter", "param": None, "code": code}}
