r"""What servers answered about one address, as records and as files.

One object of JSON (or a line of JSONL) is one address:

    {"url": "https://example.org/cat.jpg", "status": 200, "fetched_at": "2026-03-01T10:00:00Z",
     "headers": {"TDM-Reservation": "1"},            or [["Name", "value"], ...], for names that come twice
     "body_file": "cat.jpg",                         or "body": text, or "body_base64"
     "robots": "User-agent: *\n...",                 text, or an object of this same form
     "tdmrep": [...], "licences": [...]}             the same; tdmrep may be the JSON itself

A folder is one address, too: `response.json` (the object), `robots.txt`, `tdmrep.json` (or `.well-known/tdmrep.json`),
`license.xml`, `body.*`; each may be missing. What is missing was not asked for: nothing follows from it. A status of
404 says that it was asked for and is not there.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlsplit

from copycat.schema import Record

MAX_BODY_BYTES = 64 << 20
MAX_ROBOTS_BYTES = 1 << 20
"""RFC 9309, section 2.5: at least 500 KiB must be read."""


class Header(NamedTuple):
    """A header field as it was sent; one that was sent twice is there twice."""

    name: str
    value: str


class Response(Record):
    """What came of one request.

    Attributes:
        status: the code of the last answer; None: no answer came (see `error`), or nobody noted it.
        headers: of the last answer, in their order. body: as bytes, cut at MAX_BODY_BYTES.
        fetched_at: ISO 8601. error: why there is no answer, "" where there is one.
        is_cut: the body had more bytes than are here.
        place: what to show as its place: an address or a file.
    """

    url: str = ""
    status: int | None = None
    headers: tuple[Header, ...] = ()
    body: bytes = b""
    fetched_at: str | None = None
    error: str = ""
    is_cut: bool = False
    place: str = ""

    @property
    def where(self) -> str:
        """Where it was read from."""
        return self.place or self.url

    def header_values(self, name: str) -> list[str]:
        """Give all values of a header; in its name only letters and digits count, without their case."""
        wanted = folded_name(name)
        return [value for held, value in self.headers if folded_name(held) == wanted]


class Recorded(Record):
    """All that was recorded about one address. None: it was not asked for."""

    url: str = ""
    page: Response | None = None
    robots: Response | None = None
    tdmrep: Response | None = None
    licences: tuple[Response, ...] = ()

    @property
    def path(self) -> str:
        """The path with the query, as robots.txt matches it: "/" where there is no address."""
        return path_of(self.url)


@lru_cache(maxsize=4096)
def folded_name(name: str) -> str:
    """Give a header's name as it is compared: "xrobotstag" of "X-Robots-Tag", " X_Robots_Tag:", "HTTP_X_ROBOTS_TAG"."""
    return re.sub(r"[^a-z0-9]", "", unicodedata.normalize("NFKC", name).casefold()).removeprefix("http")


def path_of(url: str) -> str:
    """Give path and query of an address, without "." and ".."; "/" where it has none or is none.

    >>> path_of("example.org/x/../art/cat.jpg")
    '/art/cat.jpg'
    """
    before, mark, query = url.strip().partition("?")
    text = before.replace("\\", "/") + mark + query
    if not text.startswith("/") and "://" not in text:
        host, slash, _ = text.partition("/")
        text = f"//{text}" if slash and "." in host else "/"
    try:
        parts = urlsplit(text)
    except ValueError:
        return "/"
    path = _without_dots(parts.path or "/")
    return f"{path}?{parts.query}" if parts.query else path


def _without_dots(path: str) -> str:
    """Take "." and ".." out of a path, as every client does (RFC 3986, section 5.2.4)."""
    if not path.startswith("/") or ("/." not in path and "%2e" not in path.casefold()):
        return path
    parts = re.sub("%2e", ".", path, flags=re.IGNORECASE).split("/")[1:]
    kept: list[str] = []
    for part in parts:
        if part == "..":
            del kept[-1:]
        elif part != ".":
            kept.append(part)
    is_folder = parts[-1] in {".", ".."} and bool(kept)
    return f"/{'/'.join(kept)}{'/' if is_folder else ''}"


def from_headers(url: str, headers: Iterable[tuple[str, str]], fetched_at: str | None = None) -> Recorded:
    """Make the record of an address of which only headers were kept."""
    held = tuple(Header(str(name), str(value)) for name, value in headers)
    return Recorded(url=url, page=Response(url=url, headers=held, fetched_at=fetched_at))
