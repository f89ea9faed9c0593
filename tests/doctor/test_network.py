"""What the doctor asks the network, and that it never waits long nor tells a secret."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from copycat.doctor.network import ask_hub, ask_service, within

KEY = "sk-a-secret-that-nobody-may-see"
ANSWERS = {
    "good": (
        200,
        '{"object": "list", "data": ['
        '{"id": "gpt-image-2", "object": "model", "created": 1, "owned_by": "x", "shutdown_date": "2027-01-01"},'
        '{"id": "gpt-5", "object": "model", "created": 1, "owned_by": "x", "shutdown_date": "2027-01-01"},'
        '{"id": "gpt-image-3", "object": "model", "created": 1, "owned_by": "x"}]}',
    ),
    "denied": (401, f'{{"error": {{"message": "wrong key {KEY}"}}}}'),
    "odd": (200, '{"data": [1, 2]}'),
    "page": (200, "<html>"),
}


class Server(BaseHTTPRequestHandler):
    answer = "good"

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        status, text = ANSWERS[Server.answer]
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A service on this computer; gives its name and port."""
    with HTTPServer(("127.0.0.1", 0), Server) as listening:
        threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True).start()
        host = f"127.0.0.1:{listening.server_port}"
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        monkeypatch.setenv("OPENAI_BASE_URL", f"http://user:{KEY}@{host}/v1")
        yield host
        listening.shutdown()


def test_a_service_says_which_of_its_image_models_end(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Server, "answer", "good")
    found = ask_service()
    assert (found.host, found.fault, found.n_models) == (server, None, 3)
    assert found.shutdowns == {"gpt-image-2": "2027-01-01"}


@pytest.mark.parametrize("answer", ["denied", "odd", "page"])
def test_a_service_that_answers_badly_is_told_without_its_key(
    server: str, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    monkeypatch.setattr(Server, "answer", answer)
    found = ask_service()
    assert found.fault
    assert KEY not in found.model_dump_json()


def test_a_service_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    found = ask_service()
    assert found.host == "127.0.0.1:9"
    assert "the connection to 127.0.0.1:9 failed" in str(found.fault)


def test_an_address_that_is_none_is_told_without_being_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", KEY)
    assert ask_service().fault == "the base URL of the service is no http address"


def test_a_hub_that_is_switched_off_is_not_asked() -> None:
    assert ask_hub().fault == "HF_HUB_OFFLINE is set"


def test_nobody_waits_longer_than_asked_for() -> None:
    start = time.perf_counter()
    assert within(lambda: time.sleep(5) or "late", lambda why: why, seconds=0.05)() == "no answer within 0.05 s"
    assert time.perf_counter() - start < 2


def test_an_error_while_asking_is_an_answer() -> None:
    def ask() -> str:
        raise OSError(KEY)

    assert within(ask, lambda why: why)() == "OSError"
