"""A Hub on this computer: the few endpoints by which files are read, and pull requests are opened.

Repositories are dictionaries of path and bytes. Every request is kept, so that a test can see what was sent:

    with HubServer({"datasets/some-lab/board": {"README.md": b"..."}}) as hub:
        HfApi(endpoint=hub.url, token="hf_...").create_commit(..., create_pr=True)
        assert hub.pull_requests[0].files.keys() == {...}
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qs, unquote, urlsplit

LFS_SUFFIXES = (".parquet", ".safetensors", ".arrow", ".tar", ".zip")
"""Files that the Hub keeps apart from git, whatever their size."""

TOKEN = "hf_doublesdoublesdoubles"  # noqa: S105 - of nobody
RESOLVE = re.compile(r"/(?:(datasets|spaces)/)?([\w.-]+/[\w.-]+)/resolve/([^/]+)/(.+)")
API = re.compile(r"/api/(datasets|models|spaces)/([\w.-]+/[\w.-]+)(?:/(.*))?")
LFS_BATCH = re.compile(r"/(?:(datasets|spaces)/)?([\w.-]+/[\w.-]+)\.git/info/lfs/objects/batch")


class Asked(NamedTuple):
    """One request as it came; header names are in lower case."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes


class PullRequest(NamedTuple):
    """What one asked to change: all files with their bytes, those kept apart from git, too."""

    repository: str
    title: str
    description: str
    files: dict[str, bytes]
    deleted: tuple[str, ...] = ()


class HubServer:
    """Speaks the Hub's API on 127.0.0.1.

    Args:
        repositories: files by path, by repository: "datasets/org/name" or "models/org/name".
        tokens: who may read and write, each 'hf_...'; others are answered 401 where a token is needed.
        readers: tokens that may read and not write: a commit is answered 403.
        is_private: whether reading needs a token, too.
    """

    def __init__(
        self,
        repositories: Mapping[str, Mapping[str, bytes]] | None = None,
        tokens: tuple[str, ...] = (TOKEN,),
        readers: tuple[str, ...] = (),
        is_private: bool = False,
    ) -> None:
        self.repositories = {name: dict(files) for name, files in (repositories or {}).items()}
        self.tokens, self.readers, self.is_private = tokens, readers, is_private
        self.requests: list[Asked] = []
        self.pull_requests: list[PullRequest] = []
        self.uploaded: dict[str, bytes] = {}
        self.fails: dict[str, list[int]] = {}
        """Path or a part of it -> statuses with which the next requests for it are answered instead."""
        self.cut_after: int | None = None
        """Close the connection once, after so many bytes of a file."""
        self._http = _Http(("127.0.0.1", 0), _Handler)
        self._http.owner = self

    def __enter__(self) -> Self:
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    @property
    def paths(self) -> list[str]:
        """Method and path of every request, in order."""
        return [f"{asked.method} {asked.path}" for asked in self.requests]

    def commit_of(self, repository: str) -> str:
        """The commit of a repository: another for other files."""
        files = self.repositories[repository]
        told = json.dumps({path: _sha1(content) for path, content in sorted(files.items())})
        return _sha1(f"{repository} {told}".encode())

    def where_is(self, secret: str) -> set[str]:
        """Where in all requests a text was: 'header authorization', 'body', 'path'."""
        found = set()
        for asked in self.requests:
            found |= {f"header {name}" for name, value in asked.headers.items() if secret in value}
            found |= {"body"} if secret.encode() in asked.body else set()
            found |= {"path"} if secret in asked.path or secret in str(asked.query) else set()
        return found


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    owner: HubServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that gave up is no news."""


class _RefusalError(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, code: str = "") -> None:
        self.status, self.code = status, code
        super().__init__(code)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Http

    def log_message(self, format: str, *args: Any) -> None:
        """Keep the terminal for the command that is tried."""

    def do_HEAD(self) -> None:
        self._serve()

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PUT(self) -> None:
        self._serve()

    def _serve(self) -> None:
        hub, parts = self.server.owner, urlsplit(self.path)
        body = self._body()
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(self.command, unquote(parts.path), parse_qs(parts.query), headers, body)
        hub.requests.append(asked)
        try:
            for part, statuses in hub.fails.items():
                if part in asked.path and statuses:
                    raise _RefusalError(statuses.pop(0))
            self._answer(asked, parts.path)
        except _RefusalError as refusal:
            self._send_json(refusal.status, {"error": "no"}, {"X-Error-Code": refusal.code} if refusal.code else {})

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _answer(self, asked: Asked, raw_path: str) -> None:
        if asked.method == "PUT" and asked.path.startswith("/lfs-store/"):
            self.server.owner.uploaded[asked.path.rpartition("/")[2]] = asked.body
            self._send(200, b"")
        elif asked.method in ("GET", "HEAD") and (found := RESOLVE.fullmatch(raw_path)):
            kind, repository, revision, path = found.groups()
            self._send_file(asked, f"{kind or 'models'}/{repository}", unquote(revision), unquote(path))
        elif found := LFS_BATCH.fullmatch(asked.path):
            self._require_token(asked, writes=True)
            self._send_json(200, self._lfs_actions(json.loads(asked.body)))
        elif found := API.fullmatch(raw_path):
            self._answer_api(asked, f"{found[1]}/{found[2]}", found[3] or "")
        else:
            raise _RefusalError(404, "EntryNotFound")

    def _answer_api(self, asked: Asked, repository: str, rest: str) -> None:
        verb, _, further = rest.partition("/")
        if verb in ("preupload", "commit"):
            self._require_token(asked, writes=True)
            self._files(repository)
            self._send_json(200, self._preupload(asked) if verb == "preupload" else self._commit(asked, repository))
            return
        self._require_token(asked, writes=False)
        if verb == "tree":
            self._send_tree(asked, repository, further)
        elif verb in ("", "revision"):
            self._send_info(repository, unquote(further))
        else:
            raise _RefusalError(404, "EntryNotFound")

    # ------------------------------------------------------------------------------ who may what

    def _require_token(self, asked: Asked, *, writes: bool) -> None:
        hub = self.server.owner
        token = asked.headers.get("authorization", "").removeprefix("Bearer ")
        if token in hub.readers and writes:
            raise _RefusalError(403)
        if token and token not in (*hub.tokens, *hub.readers):
            raise _RefusalError(401)
        if not token and (writes or hub.is_private):
            raise _RefusalError(401, "RepoNotFound")

    def _files(self, repository: str, revision: str = "main") -> dict[str, bytes]:
        hub = self.server.owner
        if repository not in hub.repositories:
            raise _RefusalError(404, "RepoNotFound")
        if revision not in ("main", hub.commit_of(repository)):
            raise _RefusalError(404, "RevisionNotFound")
        return hub.repositories[repository]

    # ---------------------------------------------------------------------------------- reading

    def _send_info(self, repository: str, revision: str) -> None:
        files, hub = self._files(repository, revision or "main"), self.server.owner
        name = repository.partition("/")[2]
        siblings = [{"rfilename": path} for path in sorted(files)]
        content = {"id": name, "sha": hub.commit_of(repository), "private": hub.is_private, "tags": []}
        self._send_json(200, content | {"siblings": siblings, "downloads": 0, "likes": 0})

    def _send_tree(self, asked: Asked, repository: str, further: str) -> None:
        revision, _, folder = further.partition("/")
        files, folder = self._files(repository, unquote(revision)), unquote(folder)
        inside = {p: c for p, c in files.items() if not folder or p.startswith(f"{folder}/")}
        if folder and not inside:
            raise _RefusalError(404, "EntryNotFound")
        is_recursive = asked.query.get("recursive", ["false"])[0].lower() in ("true", "1")
        depth = len(folder.split("/")) if folder else 0
        entries: dict[str, dict[str, Any]] = {}
        for path, content in sorted(inside.items()):
            parts = path.split("/")
            for place in range(depth + 1, len(parts)):
                entries["/".join(parts[:place])] = {"type": "directory", "oid": "0" * 40, "size": 0}
            entries[path] = {"type": "file", "oid": _git_oid(content), "size": len(content)}
            if path.endswith(LFS_SUFFIXES):
                sha256 = hashlib.sha256(content).hexdigest()
                entries[path]["lfs"] = {"oid": sha256, "size": len(content), "pointerSize": 134}
        shown = {p: e for p, e in entries.items() if is_recursive or len(p.split("/")) == depth + 1}
        self._send_json(200, [{"path": path} | entry for path, entry in shown.items()])

    def _send_file(self, asked: Asked, repository: str, revision: str, path: str) -> None:
        self._require_token(asked, writes=False)
        hub, files = self.server.owner, self._files(repository, revision)
        if path not in files:
            raise _RefusalError(404, "EntryNotFound")
        content = files[path]
        is_lfs = path.endswith(LFS_SUFFIXES)
        etag = hashlib.sha256(content).hexdigest() if is_lfs else _git_oid(content)
        headers = {"ETag": f'"{etag}"', "X-Repo-Commit": hub.commit_of(repository), "Accept-Ranges": "bytes"}
        headers |= {"X-Linked-Etag": f'"{etag}"', "X-Linked-Size": str(len(content))} if is_lfs else {}
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", asked.headers.get("range", ""))
        if wanted is None:
            self._send(200, content, "application/octet-stream", headers)
            return
        start, end = int(wanted[1]), int(wanted[2] or len(content) - 1)
        headers["Content-Range"] = f"bytes {start}-{end}/{len(content)}"
        self._send(206, content[start : end + 1], "application/octet-stream", headers)

    # ---------------------------------------------------------------------------------- writing

    def _preupload(self, asked: Asked) -> dict[str, Any]:
        files = json.loads(asked.body)["files"]
        modes = [(one["path"], "lfs" if one["path"].endswith(LFS_SUFFIXES) else "regular") for one in files]
        return {"files": [{"path": path, "uploadMode": mode, "shouldIgnore": False} for path, mode in modes]}

    def _lfs_actions(self, wanted: dict[str, Any]) -> dict[str, Any]:
        hub = self.server.owner
        objects = [
            {**one, "actions": {"upload": {"href": f"{hub.url}/lfs-store/{one['oid']}", "header": {}}}}
            for one in wanted["objects"]
        ]
        return {"transfer": "basic", "objects": objects}

    def _commit(self, asked: Asked, repository: str) -> dict[str, Any]:
        hub = self.server.owner
        lines = [json.loads(line) for line in asked.body.splitlines()]
        header = next(line["value"] for line in lines if line["key"] == "header")
        files = {v["path"]: base64.b64decode(v["content"]) for v in _values(lines, "file")}
        files |= {v["path"]: hub.uploaded[v["oid"]] for v in _values(lines, "lfsFile")}
        deleted = tuple(v["path"] for v in _values(lines, "deletedFile"))
        name = repository.removeprefix("models/")
        if asked.query.get("create_pr") == ["1"]:
            hub.pull_requests.append(
                PullRequest(repository, header["summary"], header.get("description", ""), files, deleted)
            )
            number = len(hub.pull_requests)
            oid = _sha1(f"{repository} {number}".encode())
            opened = {"pullRequestUrl": f"{hub.url}/{name}/discussions/{number}"}
            return {"success": True, "commitOid": oid, "commitUrl": f"{hub.url}/{name}/commit/{oid}"} | opened
        hub.repositories[repository] |= files
        for path in deleted:
            hub.repositories[repository].pop(path, None)
        oid = hub.commit_of(repository)
        return {"success": True, "commitOid": oid, "commitUrl": f"{hub.url}/{name}/commit/{oid}"}

    # ---------------------------------------------------------------------------------- sending

    def _send_json(self, status: int, content: object, headers: dict[str, str] | None = None) -> None:
        self._send(status, json.dumps(content).encode(), "application/json", headers)

    def _send(
        self, status: int, content: bytes, kind: str = "text/plain", headers: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(content)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        cut, self.server.owner.cut_after = self.server.owner.cut_after, None
        if cut is not None and kind == "application/octet-stream":
            self.wfile.write(content[:cut])
            self.close_connection = True
            return
        if cut is not None:
            self.server.owner.cut_after = cut
        self.wfile.write(content)


def _values(lines: list[dict[str, Any]], key: str) -> list[dict[str, Any]]:
    return [line["value"] for line in lines if line["key"] == key]


def _git_oid(content: bytes) -> str:
    return _sha1(b"blob %d\0" % len(content) + content)


def _sha1(content: bytes) -> str:
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()
