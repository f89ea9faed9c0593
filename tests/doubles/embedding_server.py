"""A model of text embeddings behind an address of this computer: a vector for each text, as a function says, or none.

As a context manager in tests, or by hand, to try the command line on:

    python tests/doubles/embedding_server.py --port 8096
    export OPENAI_BASE_URL=http://127.0.0.1:8096/v1
"""

from __future__ import annotations

import argparse
import hashlib
import math
import random
import re
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from image_server import ERRORS, ImageServer, Say, Script, _Handler, always

MODEL = "vectors-1"
LENGTH = 64

Vectors = Callable[[str], list[Any]]


def word_vector(text: str, length: int = LENGTH) -> list[float]:
    """Sum a random direction for each word: texts that share words are near to each other."""
    total = [0.0] * length
    for word in re.findall(r"\w+", text.lower()) or [""]:
        generator = random.Random(hashlib.sha256(word.encode()).digest())
        total = [value + generator.gauss(0, 1) for value in total]
    size = math.sqrt(sum(value * value for value in total))
    return [value / size for value in total]


class EmbeddingServer(ImageServer):
    """Speaks the Embeddings API on 127.0.0.1.

    Args:
        vectors: the vector of a text; the script decides for each request how it is answered.
    """

    def __init__(
        self, vectors: Vectors = word_vector, script: Script | Iterable[Say | str] = (), *, port: int = 0
    ) -> None:
        self._start(_EmbeddingHandler, script, port, 0.0, 2.0)
        self.vectors = vectors

    @property
    def texts(self) -> list[str]:
        """The texts of all requests, in order."""
        return [text for entry in self.entries for text in entry.body["input"]]


class _EmbeddingHandler(_Handler):
    errors = ERRORS | {
        "no_page": (404, {"message": "Not Found"}),
        "no_method": (405, {"message": "Method Not Allowed"}),
    }

    def do_POST(self) -> None:  # noqa: N802 - as the library calls it
        if self.path == "/v1/embeddings":
            super().do_POST()
        else:
            self.close_connection = True
            self._send_json(404, {"error": {"message": f"no page {self.path}", "code": None}})

    def _prompt_of(self, body: dict[str, Any]) -> str:
        return "\n".join(body["input"])

    def _success(self, behaviour: str, body: dict[str, Any]) -> Any:
        owner = self.server.owner
        assert isinstance(owner, EmbeddingServer)
        items: list[dict[str, Any]] = [
            {"object": "embedding", "index": place, "embedding": owner.vectors(text)}
            for place, text in enumerate(body["input"])
        ]
        data: dict[str, Any] = {
            "ok": items,
            "backwards": items[::-1],
            "no_index": [{"embedding": item["embedding"]} for item in items],
            "same_index": [item | {"index": 0} for item in items],
            "one_less": items[:-1],
            "no_data": None,
            "no_vector": [{"index": item["index"]} for item in items],
        }
        return {"object": "list", "model": body["model"], "data": data[behaviour], "usage": {"total_tokens": 9}}


def main() -> None:
    parser = argparse.ArgumentParser(description="text embeddings behind an address of this computer")
    parser.add_argument("--port", type=int, default=8096)
    parser.add_argument("--say", default="ok", help="answer every request so: ok, no_page, one_less, rate_limit, ...")
    asked = parser.parse_args()
    with EmbeddingServer(script=always(asked.say), port=asked.port) as server:
        print(f"export OPENAI_BASE_URL={server.url}\nCtrl-C stops it", flush=True)
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            print(f"\n{len(server.entries)} requests, {len(server.texts)} texts")


if __name__ == "__main__":
    main()
