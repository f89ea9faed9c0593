"""A language model behind an address of this computer: it answers texts as a function says, or misbehaves.

As a context manager in tests, or by hand, to try the command line on:

    python tests/doubles/text_server.py --port 8097
    export OPENAI_BASE_URL=http://127.0.0.1:8097/v1
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from chat_server import BROKEN, FINGERPRINT, FINISH, ChatServer, _ChatHandler, content_for
from image_server import Say, Script

MODEL = "words-1"

Answer = Callable[[str, str, dict[str, Any]], str]
"""(instruction, text, body of the request) -> what the model says."""


class TextServer(ChatServer):
    """Speaks the Chat Completions API for texts; see `ChatServer` for the options.

    Args:
        answer: what it says to a text. The script decides for each request whether it says so.
    """

    def __init__(self, answer: Answer, script: Script | Iterable[Say | str] = (), **options: Any) -> None:
        super().__init__(script, **options)
        self.answer = answer
        self._http.RequestHandlerClass = _TextHandler


def instruction_of(body: dict[str, Any]) -> str:
    return "\n".join(message["content"] for message in body["messages"] if message["role"] == "system")


def text_of(body: dict[str, Any]) -> str:
    return "\n".join(message["content"] for message in body["messages"] if message["role"] == "user")


class _TextHandler(_ChatHandler):
    def _prompt_of(self, body: dict[str, Any]) -> str:
        return text_of(body)

    def _success(self, behaviour: str, body: dict[str, Any]) -> Any:
        if behaviour in BROKEN:
            return BROKEN[behaviour]
        owner = self.chat
        assert isinstance(owner, TextServer)
        message = {"role": "assistant"}
        message["content"] = content_for(behaviour, owner.answer(instruction_of(body), text_of(body), body))
        if behaviour == "refusal_field":
            message["refusal"] = "I can't help with that."
        return {
            "id": "chatcmpl-2",
            "object": "chat.completion",
            "created": int(time.time()),
            "model": f"{MODEL}-2026-04-21",
            "system_fingerprint": FINGERPRINT,
            "choices": [{"index": 0, "message": message, "finish_reason": FINISH.get(behaviour, "stop")}],
            "usage": {"prompt_tokens": 50, "completion_tokens": 20, "total_tokens": 70},
        }


def main() -> None:
    parser = argparse.ArgumentParser(description="a language model behind an address of this computer")
    parser.add_argument("--port", type=int, default=8097)
    parser.add_argument("--say", default="A tall figure in a striped coat, beside a lake.", help="the answer to all")
    parser.add_argument("--latency", type=float, default=0.2, metavar="SECONDS")
    asked = parser.parse_args()
    with TextServer(lambda *_: asked.say, port=asked.port, latency_s=asked.latency) as server:
        print(f"export OPENAI_BASE_URL={server.url}\nCtrl-C stops it", flush=True)
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            print(f"\n{len(server.entries)} requests, {len(server.charged)} charged")


if __name__ == "__main__":
    main()
