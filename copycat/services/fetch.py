"""Fetch a picture that a service answered with an address for: known hosts only, capped, no redirects."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Collection
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

from copycat.errors import BackendError
from copycat.services.retry import TransientError

CHUNK_BYTES = 1 << 16
PORTS = {"http": 80, "https": 443}


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """An allowed host must not lead to one that is not."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Follow none."""


def fetch_bytes(url: str, api_url: str, allowed_hosts: Collection[str], max_bytes: int, timeout_s: float) -> bytes:
    """Read what is at an address, without sending the key.

    Args:
        url: must have the scheme, host and port of `api_url`, or https and a host of `allowed_hosts`.
        max_bytes: one byte more is an error.
        timeout_s: seconds for the whole transfer.

    Raises:
        BackendError: the address is not allowed; another attempt would give another of that kind.
        TransientError: a "bad_answer": it cannot be fetched, or is too large.
    """
    if not is_allowed(url, api_url, allowed_hosts):
        raise BackendError(f"the answer is a picture at an address that is not allowed: {_shown(url)}")
    opener = urllib.request.build_opener(_NoRedirects)
    deadline = time.monotonic() + timeout_s
    try:
        with opener.open(url, timeout=timeout_s) as answer:
            return _read(answer, max_bytes, deadline)
    except (OSError, HTTPException, ValueError) as error:
        raise TransientError(f"the picture cannot be fetched ({type(error).__name__})", kind="bad_answer") from error


def is_allowed(url: str, api_url: str, allowed_hosts: Collection[str]) -> bool:
    """Whether an address is of the service itself, or https of a host of the list."""
    try:
        asked, own = urlsplit(url), urlsplit(api_url)
        if (asked.scheme, asked.hostname, _port(asked)) == (own.scheme, own.hostname, _port(own)):
            return True
        return asked.scheme == "https" and asked.hostname in allowed_hosts and _port(asked) == PORTS["https"]
    except ValueError:  # a port that is no number, an unclosed bracket
        return False


def _read(answer: Any, max_bytes: int, deadline: float) -> bytes:
    content = bytearray()
    while chunk := answer.read1(CHUNK_BYTES):
        content += chunk
        if len(content) > max_bytes:
            raise TransientError(f"the picture is larger than {max_bytes} bytes", kind="bad_answer")
        if time.monotonic() > deadline:
            raise TimeoutError
    return bytes(content)


def _shown(url: str) -> str:
    """Scheme and host only: what follows may be a signature that works like a key."""
    try:
        parts = urlsplit(url)
        return ascii(f"{parts.scheme}://{parts.hostname}"[:100]).strip("'")
    except ValueError:
        return "unreadable"


def _port(parts: Any) -> int | None:
    return parts.port or PORTS.get(parts.scheme)
