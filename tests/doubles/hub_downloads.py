"""A small Hub on this machine: one dataset repository to download from, with the few endpoints that are used."""

from __future__ import annotations

import hashlib
import http.server
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote, urlsplit

REPOSITORY = "somebody/copycat-suite"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
REVISIONS = ("main", "v1", COMMIT)


class Hub:
    """Serves `files`; `fetched` are the paths of the files that were sent whole, `broken` those that end too early.

    After `stall_after` files every other one waits for as long as the test runs.
    """

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files, self.fetched, self.broken = files, list[str](), set[str]()
        self.stall_after: int | None = None
        self.stalled = threading.Event()
        self.address = ""

    def answer(self, path: str) -> tuple[int, dict[str, str], bytes]:
        """Give status, headers and body of a path without its query."""
        prefix = f"/api/datasets/{REPOSITORY}"
        if path == prefix or path.startswith(f"{prefix}/revision/"):
            revision = path.removeprefix(prefix).removeprefix("/revision/") or "main"
            return self._info() if revision in REVISIONS else _missing("RevisionNotFound")
        if path.startswith(f"{prefix}/tree/"):
            return self._tree(path.removeprefix(f"{prefix}/tree/").partition("/")[2])
        start = f"/datasets/{REPOSITORY}/resolve/{COMMIT}/"
        if path.startswith(start):
            content = self.files.get(path.removeprefix(start))
            return _missing("EntryNotFound") if content is None else (200, _file_headers(content), content)
        return _missing("RepoNotFound")

    def _info(self) -> tuple[int, dict[str, str], bytes]:
        siblings = [{"rfilename": name} for name in self.files]
        return _json({"id": REPOSITORY, "sha": COMMIT, "private": False, "siblings": siblings, "tags": []})

    def _tree(self, below: str) -> tuple[int, dict[str, str], bytes]:
        found = [name for name in self.files if not below or name.startswith(f"{below}/")]
        if not found:
            return _missing("EntryNotFound")
        return _json(
            [{"type": "file", "path": n, "size": len(self.files[n]), "oid": _oid(self.files[n])} for n in found]
        )


@contextmanager
def hub_of(files: dict[str, bytes]) -> Iterator[Hub]:
    """Run a Hub for one dataset repository."""
    hub = Hub(files)

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._send(with_body=False)

        def do_GET(self) -> None:
            self._send(with_body=True)

        def _send(self, with_body: bool) -> None:
            path = unquote(urlsplit(self.path).path)
            status, headers, body = hub.answer(path)
            is_file = "/resolve/" in path and status == 200
            if is_file and with_body and hub.stall_after is not None and len(hub.fetched) >= hub.stall_after:
                hub.stalled.set()
                time.sleep(60)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if with_body:
                name = path.rpartition(f"/{COMMIT}/")[2]
                self.wfile.write(body[: len(body) // 2] if name in hub.broken else body)
                if is_file:
                    hub.fetched.append(name)
                if name in hub.broken:
                    self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    hub.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()


def _json(content: Any) -> tuple[int, dict[str, str], bytes]:
    return 200, {"Content-Type": "application/json"}, json.dumps(content).encode()


def _missing(code: str) -> tuple[int, dict[str, str], bytes]:
    return 404, {"X-Error-Code": code}, b""


def _file_headers(content: bytes) -> dict[str, str]:
    return {"ETag": f'"{_oid(content)}"', "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}


def _oid(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
