"""The head of an HTML page: its meta tags, links and embedded licences, whatever state it is in."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import NamedTuple

from copycat.provenance.signals.recorded import Response
from copycat.provenance.signals.robots import decoded

MAX_PAGE_BYTES = 4 << 20
"""Of a page; meta tags stand at its beginning, and some generators put a megabyte of style before them."""
MAX_TAGS = 10_000
MAX_LICENCES = 10
_TAG = re.compile(r"<\s*meta\b[^>]{0,4096}", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"([\w:-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))")


class Page(NamedTuple):
    """(name, content) of each meta tag, (rel, type, href) of each link, and the text of each RSL licence in it."""

    metas: tuple[tuple[str, str], ...]
    links: tuple[tuple[str, str, str], ...]
    licences: tuple[str, ...]


class _Head(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.metas: list[tuple[str, str]] = []
        self.links: list[tuple[str, str, str]] = []
        self.licences: list[str] = []
        self.is_in_licence = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep meta and link."""
        held = {name.casefold(): value or "" for name, value in attrs}
        if tag == "meta" and len(self.metas) < MAX_TAGS:
            self.metas.append(_meta(held))
        elif tag == "link" and len(self.links) < MAX_TAGS:
            self.links.append((held.get("rel", ""), held.get("type", ""), held.get("href", "")))
        elif tag == "script" and "rsl+xml" in held.get("type", "").casefold() and len(self.licences) < MAX_LICENCES:
            self.licences.append("")
            self.is_in_licence = True

    def handle_endtag(self, tag: str) -> None:
        """Leave a licence."""
        self.is_in_licence &= tag != "script"

    def handle_data(self, data: str) -> None:
        """Keep the text of a licence."""
        if self.is_in_licence:
            self.licences[-1] += data


def _meta(held: dict[str, str]) -> tuple[str, str]:
    name = held.get("name") or held.get("property") or held.get("http-equiv") or ""
    if name.strip().casefold() == "x-robots-tag":
        name = "robots"
    return name, held.get("content", "") or held.get("value", "")


def is_page(response: Response) -> bool:
    """Whether a body is HTML, by its header or by how it begins."""
    kinds = " ".join(response.header_values("Content-Type")).casefold()
    start = response.body[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return "html" in kinds or start.startswith((b"<!doctype html", b"<html", b"<head", b"<meta"))


def read_page(response: Response) -> Page:
    """Read meta tags, links and licences; never fails: where the parser gives up, tags are picked out one by one."""
    text = decoded(response.body[:MAX_PAGE_BYTES])
    head = _Head()
    try:
        head.feed(text)
        head.close()
    except (AssertionError, ValueError, RecursionError, IndexError):
        head.metas = []
    metas = list(head.metas)
    for tag in _TAG.findall(text)[:MAX_TAGS]:
        held = {name.casefold(): one or two or three for name, one, two, three in _ATTRIBUTE.findall(tag)}
        if _meta(held) not in metas and _meta(held)[0]:
            metas.append(_meta(held))
    return Page(tuple(metas), tuple(head.links), tuple(head.licences))
