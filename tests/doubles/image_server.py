"""An image service on this computer that misbehaves on command and keeps a ledger of what it was asked.

As a context manager in tests, or by hand, to try the command line on:

    python tests/doubles/image_server.py --port 8099 --storm 1
    export OPENAI_BASE_URL=http://127.0.0.1:8099/v1
"""

from __future__ import annotations

import argparse
import base64
import functools
import hashlib
import io
import json
import random
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterable
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self
from urllib.parse import unquote

from PIL import Image

MODEL = "paint-1"
CREATED = 1_776_729_600  # 2026-04-21
STEP = 64
"""Pixels of one square of a picture's pattern."""


class Say(NamedTuple):
    """How to answer one request: a behaviour of the table below, and its number if it has one."""

    behaviour: str = "ok"
    value: float | None = None


Script = Callable[[int, dict[str, Any]], "Say | str"]
"""(number of the request from 0, its body) -> how to answer it."""


class Entry(NamedTuple):
    """One line of the ledger; `is_charged` for every answer 200, whatever it is worth."""

    prompt: str
    behaviour: str
    status: int
    is_charged: bool
    body: dict[str, Any]
    headers: dict[str, str]


# ------------------------------------------------------------------------------------ the pictures


@functools.lru_cache(maxsize=512)
def picture(prompt: str, width: int, height: int) -> bytes:
    """A PNG of coloured squares that depend on the prompt alone."""
    generator = random.Random(hashlib.sha256(prompt.encode()).digest())
    columns, rows = max(2, width // STEP), max(2, height // STEP)
    small = Image.frombytes("RGB", (columns, rows), generator.randbytes(3 * columns * rows))
    return encoded(small.resize((width, height), Image.Resampling.NEAREST))


def encoded(image: Image.Image, form: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


@functools.cache
def bomb() -> bytes:
    """A PNG of 17 kB that stands for 432 MB of pixels."""
    side = 12_000
    packer = zlib.compressobj(9)
    # One bit per pixel keeps the making of it quick; decoded to RGB it is three bytes per pixel.
    rows = b"".join(packer.compress(bytes(1 + side // 8)) for _ in range(side)) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", rows), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


# ------------------------------------------------------------------------------------- the scripts


def in_order(says: Iterable[Say | str]) -> Script:
    """Answer the first requests so, and all later ones with 'ok'."""
    lines = list(says)
    return lambda number, _: lines[number] if number < len(lines) else Say()


def always(say: Say | str) -> Script:
    return lambda _, __: say


def storm(seed: int, share: float = 0.3, retry_after_s: float | None = None) -> Script:
    """Answer this share of the requests with 429 or 500, by the seed."""
    generator, lock = random.Random(seed), threading.Lock()

    def script(_: int, __: dict[str, Any]) -> Say:
        with lock:
            draw = generator.random()
        if draw >= share:
            return Say()
        return Say("rate_limit", retry_after_s) if draw < share / 2 else Say("server_error")

    return script


ERRORS: dict[str, tuple[int, dict[str, Any]]] = {
    "refusal": (
        400,
        {
            "message": "Your request was rejected by the safety system.",
            "type": "image_generation_user_error",
            "param": None,
            "code": "moderation_blocked",
        },
    ),
    "refusal_without_code": (400, {"message": "This prompt has been flagged by our content filter.", "code": None}),
    "rate_limit": (429, {"message": "Rate limit reached.", "type": "requests", "code": "rate_limit_exceeded"}),
    "rate_limit_date": (429, {"message": "Rate limit reached.", "code": "rate_limit_exceeded"}),
    "no_credit": (429, {"message": "You exceeded your current quota.", "code": "insufficient_quota"}),
    "bad_key": (401, {"message": "Incorrect API key provided: {key}.", "code": "invalid_api_key"}),
    "forbidden": (403, {"message": "Key {key} must be verified to use this model.", "code": None}),
    "unknown_model": (404, {"message": "The model does not exist.", "code": "model_not_found"}),
    "bad_request": (400, {"message": "Unknown parameter: 'moderation'.", "param": "moderation"}),
    "server_error": (500, {"message": "The server had an error.", "type": "server_error", "code": None}),
}


# -------------------------------------------------------------------------------------- the server


class ImageServer:
    """Speaks the Images API on 127.0.0.1.

    Args:
        script: what to say, request by request; a sequence is answered in order and then 'ok'.
        port: 0 takes any that is free.
        latency_s: seconds before every answer.
        hang_s: seconds for which 'hang' says nothing.
    """

    def __init__(
        self, script: Script | Iterable[Say | str] = (), port: int = 0, latency_s: float = 0.0, hang_s: float = 2.0
    ) -> None:
        self._start(_Handler, script, port, latency_s, hang_s)

    def _start(
        self, handler: type[_Handler], script: Script | Iterable[Say | str], port: int, latency_s: float, hang_s: float
    ) -> None:
        self.script = script if callable(script) else in_order(script)
        self.latency_s, self.hang_s = latency_s, hang_s
        self.entries: list[Entry] = []
        self.most_at_once = 0
        self.closing = threading.Event()
        self._numbers, self._at_once, self._lock = 0, 0, threading.Lock()
        self._http = _Http(("127.0.0.1", port), handler)
        self._http.owner = self

    def __enter__(self) -> Self:
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._http.shutdown()
        self._http.server_close()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    @property
    def url(self) -> str:
        return f"{self.origin}/v1"

    @property
    def asked(self) -> list[str]:
        """The prompts of all requests, in order."""
        return [entry.prompt for entry in self.entries]

    @property
    def charged(self) -> list[str]:
        """The prompts of all answers that cost money, in order."""
        return [entry.prompt for entry in self.entries if entry.is_charged]

    def say(self, number: int, body: dict[str, Any]) -> Say:
        """Decide how one request is answered."""
        said = self.script(number, body)
        return Say(said) if isinstance(said, str) else said

    def begin(self) -> int:
        with self._lock:
            self._numbers += 1
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            return self._numbers - 1

    def end(self) -> None:
        with self._lock:
            self._at_once -= 1

    def record(self, entry: Entry) -> None:
        with self._lock:
            self.entries.append(entry)


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    owner: ImageServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that gave up is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Without it, an answer in two packets waits 40 ms for the client's acknowledgement.
    disable_nagle_algorithm = True
    server: _Http
    errors = ERRORS

    def log_message(self, format: str, *args: Any) -> None:
        """Keep the terminal for the command that is tried."""

    def do_GET(self) -> None:
        if self.path.startswith("/pictures/"):
            self._send(200, picture(unquote(self.path.removeprefix("/pictures/")), STEP, STEP), "image/png")
        elif self.path == "/elsewhere":
            self._send(302, b"", "text/plain", {"Location": "/pictures/elsewhere"})
        elif self.path == "/v1/models":
            self._send_json(200, {"object": "list", "data": [self._facts()]})
        elif self.path == f"/v1/models/{MODEL}":
            self._send_json(200, self._facts())
        else:
            self._send_json(404, {"error": {"message": f"no page {self.path}", "code": None}})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        owner = self.server.owner
        number = owner.begin()
        try:
            say = owner.say(number, body)
            time.sleep(owner.latency_s)
            status = self.errors[say.behaviour][0] if say.behaviour in self.errors else 200
            sent = {name.lower(): value for name, value in self.headers.items()}
            is_charged = status == 200 and say.behaviour != "refusal_inside"
            # Before the answer: who has read it may look into the ledger at once.
            owner.record(Entry(self._prompt_of(body), say.behaviour, status, is_charged, body, sent))
            self._answer(say, body)
        finally:
            owner.end()

    def _prompt_of(self, body: dict[str, Any]) -> str:
        return str(body["prompt"])

    def _answer(self, say: Say, body: dict[str, Any]) -> None:
        if say.behaviour in self.errors:
            self._send_error(say)
        elif say.behaviour == "hang":
            self.server.owner.closing.wait(say.value or self.server.owner.hang_s)
            self.close_connection = True
        elif say.behaviour == "closed":
            self._close_half_way()
        elif say.behaviour == "no_json":
            self._send(200, b"<html>busy</html>", "text/html")
        else:
            self._send_json(200, self._success(say.behaviour, body))

    def _send_error(self, say: Say) -> None:
        status, error = self.errors[say.behaviour]
        key = self.headers.get("Authorization", "").removeprefix("Bearer ")
        headers = {}
        if say.behaviour == "rate_limit" and say.value is not None:
            headers["Retry-After"] = f"{say.value:g}"
        elif say.behaviour == "rate_limit_date":
            headers["Retry-After"] = formatdate(time.time() + (say.value or 0), usegmt=True)
        self._send_json(status, {"error": error | {"message": error["message"].replace("{key}", key)}}, headers)

    def _success(self, behaviour: str, body: dict[str, Any]) -> dict[str, Any]:
        prompt = str(body["prompt"])
        width, height = (int(side) for side in str(body.get("size", "64x64")).split("x"))
        whole = picture(prompt, width, height)
        answers: dict[str, dict[str, Any]] = {
            "ok": {"data": [{"b64_json": text_of(whole)}]},
            "rewritten": {"data": [{"b64_json": text_of(whole), "revised_prompt": f"A detailed {prompt}. " * 40}]},
            "empty": {"data": []},
            "no_data": {"data": None},
            "empty_item": {"data": [{}]},
            "refusal_inside": {"error": ERRORS["refusal"][1]},
            "bad_base64": {"data": [{"b64_json": "%%% no base64 %%%"}]},
            "data_uri": {"data": [{"b64_json": f"data:image/png;base64,{text_of(whole)}"}]},
            "truncated": {"data": [{"b64_json": text_of(whole[: len(whole) // 2])}]},
            "wrong_size": {"data": [{"b64_json": text_of(picture(prompt, width // 2, height // 2))}]},
            "black": {"data": [{"b64_json": text_of(encoded(Image.new("RGB", (width, height))))}]},
            "url": {"data": [{"url": f"{self.server.owner.origin}/pictures/{prompt.replace(' ', '%20')}"}]},
            "redirected_url": {"data": [{"url": f"{self.server.owner.origin}/elsewhere"}]},
            "foreign_url": {"data": [{"url": "https://pictures.example.com/a.png?signature=secret"}]},
            "file_url": {"data": [{"url": "file:///etc/hostname"}]},
        }
        found = {"data": [{"b64_json": text_of(bomb())}]} if behaviour == "bomb" else answers[behaviour]
        return {"created": int(time.time()), **found}

    def _facts(self) -> dict[str, Any]:
        return {"id": MODEL, "object": "model", "created": CREATED, "owned_by": "nobody", "shutdown_date": "2031-01-31"}

    def _close_half_way(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "100000")
        self.end_headers()
        self.wfile.write(b'{"created": 1, "data": [{"b64_json": "iVBOR')
        self.close_connection = True

    def _send_json(self, status: int, content: object, headers: dict[str, str] | None = None) -> None:
        self._send(status, json.dumps(content).encode(), "application/json", headers)

    def _send(self, status: int, content: bytes, kind: str, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(content)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


def text_of(data: bytes) -> str:
    return base64.b64encode(data).decode()


def main() -> None:
    parser = argparse.ArgumentParser(description="an image service on this computer, to try the command line on")
    parser.add_argument("--port", type=int, default=8099)
    parser.add_argument("--storm", type=int, metavar="SEED", help="answer 30 %% of the requests with 429 or 500")
    parser.add_argument("--say", default="ok", help="answer every request so: ok, refusal, server_error, empty, ...")
    parser.add_argument("--latency", type=float, default=0.2, metavar="SECONDS")
    asked = parser.parse_args()
    script = always(asked.say) if asked.storm is None else storm(asked.storm)
    with ImageServer(script, asked.port, asked.latency) as server:
        print(f"export OPENAI_BASE_URL={server.url}\nCtrl-C stops it", flush=True)
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            print(f"\n{len(server.entries)} requests, {len(server.charged)} charged")


if __name__ == "__main__":
    main()
