"""JSON asked of one address with the standard library: politely, again where that may help, and never elsewhere."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from http.client import HTTPException
from typing import Any, TypeVar
from urllib.parse import urlsplit

from copycat.errors import BackendError, UserError
from copycat.services import RefusedError
from copycat.services.breaker import Breaker
from copycat.services.retry import RetryPolicy, TransientError, call_with_retries, parse_http_date, parse_retry_after

PAUSE_S = 0.1
"""Between an answer and the next request, as infini-gram once asked for."""

TIMEOUT_S = 60.0
MAX_ANSWER_BYTES = 1 << 20
SHOWN_LETTERS = 200
LOCAL_HOSTS = {"localhost", "127.0.0.1", "::1"}

T = TypeVar("T")


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A key goes to the host that it is for, and nowhere else."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Follow none."""


class JsonService:
    """Sends one request at a time, with a pause after each; safe to share between threads.

    Args:
        headers: with what the service asks for, such as a key; a key leaves this machine by https only.
        policy: how long one request is tried; None for the usual one.
        subject: what is asked for, as error texts say it.
    """

    def __init__(self, url: str, headers: Mapping[str, str], policy: RetryPolicy | None, subject: str) -> None:
        self.url, self.host, self.subject = url.rstrip("/") + "/", _checked_host(url, has_key=bool(headers)), subject
        self._headers = {"Content-Type": "application/json", "User-Agent": "copycat", **headers}
        self._secret = headers.get("Authorization", "").rpartition(" ")[2]
        self._policy = policy or RetryPolicy()
        self._breaker = Breaker(self.host)
        self._opener = urllib.request.build_opener(_NoRedirects)
        self._next_s = self._policy.clock()
        self._lock = threading.Lock()

    def post(self, path: str, body: Mapping[str, Any], read: Callable[[Mapping[str, Any]], T]) -> T:
        """Give what `read` makes of the answer; it may raise TransientError to have it asked again.

        Raises:
            RefusedError: `read` found that the service declined.
            BackendError: this request failed, after all its attempts.
            ServiceDownError: so did too many before it.
            UserError: the key, the address or what is asked for must be changed.
        """
        with self._lock:
            self._breaker.check()
            try:
                found = call_with_retries(self._policy, lambda: read(self._attempt(path, body)))
            except RefusedError:
                self._breaker.note_success()
                raise
            except BackendError as error:
                self._breaker.note_failure(str(error))
                raise
            self._breaker.note_success()
            return found

    def _attempt(self, path: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        if (wait_s := self._next_s - self._policy.clock()) > 0:
            self._policy.sleep(wait_s)
        try:
            content = self._sent(urllib.request.Request(self.url + path, json.dumps(body).encode(), self._headers))  # noqa: S310 - the scheme was checked
        finally:
            self._next_s = self._policy.clock() + PAUSE_S
        try:
            answer = json.loads(content)
        except ValueError as error:
            raise TransientError(
                f"{self.host} did not answer with JSON: {self._readable(content)}", kind="bad_answer"
            ) from error
        if not isinstance(answer, dict):
            raise TransientError(
                f"{self.host} answered with no JSON object: {self._readable(content)}", kind="bad_answer"
            )
        return answer

    def _sent(self, request: urllib.request.Request) -> bytes:
        try:
            with self._opener.open(request, timeout=TIMEOUT_S) as answer:
                content: bytes = answer.read(MAX_ANSWER_BYTES)
                return content
        except urllib.error.HTTPError as error:
            raise self._translated(error) from error
        except TimeoutError as error:
            raise TransientError(f"{self.host} did not answer within {TIMEOUT_S:g} s", kind="timeout") from error
        except (OSError, HTTPException) as error:
            reason = getattr(error, "reason", error)
            raise TransientError(f"the connection to {self.host} failed ({reason})", kind="connection") from error

    def _translated(self, error: urllib.error.HTTPError) -> Exception:
        """Give the exception to raise for a status: try again, fail, or stop."""
        try:
            said = self._readable(error.read(MAX_ANSWER_BYTES))
        except (OSError, HTTPException):
            said = ""
        status, text = error.code, f"{self.host} answered with status {error.code}: {said}"
        if status == 429:
            wait_s = parse_retry_after(error.headers.get("Retry-After"), parse_http_date(error.headers.get("Date")))
            return TransientError(text, wait_s, kind="rate_limit")
        if status == 408 or status >= 500:
            return TransientError(text)
        if status in (401, 403):
            return UserError(f"{text}\n  needed: a key that may read {self.subject}")
        if status in (400, 404):
            return UserError(f"{text}\n  asked for: {self.subject}")
        return BackendError(text)

    def _readable(self, content: bytes) -> str:
        text = content.decode("utf-8", "replace")
        return short(text.replace(self._secret, "***") if self._secret else text)


def _checked_host(url: str, *, has_key: bool) -> str:
    """Give host and port of an address."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:  # an unclosed bracket, a port that is no number
        host, port, parts = "", None, urlsplit("")
    is_open = parts.scheme == "http" and (host in LOCAL_HOSTS or not has_key)
    if not host or parts.username is not None or not (parts.scheme == "https" or is_open):
        raise UserError(
            f"the address of host '{host}' cannot be asked\n"
            f"  needed: {'https' if has_key else 'http or https'}://HOST, without a password in it"
        )
    return host if port is None else f"{host}:{port}"


def short(text: str) -> str:
    """Give a text on one line, and its beginning only where it is long."""
    line = " ".join(text.split())
    return line if len(line) <= SHOWN_LETTERS else f"{line[:SHOWN_LETTERS]}..."
