"""The head of an HTML page: its meta tags, links and embedded licences, whatever state it is in.

Tags are found one by one, in time that grows with the page and no faster, which the parser of the standard library does
not promise. What stands in a comment or in a script is no tag; `loose` has it all the same, for refusals.
"""

from __future__ import annotations

import html
import re
from typing import NamedTuple

from copycat.provenance.signals.recorded import Response
from copycat.provenance.signals.robots import decoded

MAX_PAGE_BYTES = 4 << 20
"""Of a page; meta tags stand at its beginning, and some generators put a megabyte of style before them."""
MAX_TAGS = 10_000
MAX_TAG_LETTERS = 8192
MAX_LICENCES = 10
_OPENING = re.compile(r"<!--|<(meta|link|script|style|title|textarea|template|xmp|iframe)(?![\w-])", re.IGNORECASE)
_META = re.compile(r"<\s*meta(?![\w-])[^>]{0,8192}", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"([\w:-]{1,100})\s{0,20}=\s{0,20}(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))")
_OF_TEXT = {"script", "style", "title", "textarea", "template", "xmp", "iframe"}
"""Elements whose content is no page."""

Metas = tuple[tuple[str, str], ...]


class Page(NamedTuple):
    """(name, content) of each meta tag, (rel, type, href) of each link, and the text of each RSL licence in it.

    `loose` are meta tags in comments, scripts and ruins.
    """

    metas: Metas
    loose: Metas
    links: tuple[tuple[str, str, str], ...]
    licences: tuple[str, ...]


def is_page(response: Response) -> bool:
    """Whether a body is HTML, by its header or by how it begins."""
    kinds = " ".join(response.header_values("Content-Type")).casefold()
    start = response.body[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return "html" in kinds or start.startswith((b"<!doctype html", b"<html", b"<head", b"<meta"))


def read_page(response: Response) -> Page:
    """Read meta tags, links and licences; never fails."""
    text = decoded(response.body[:MAX_PAGE_BYTES])
    low = text.lower() if len(text.lower()) == len(text) else text
    metas: list[tuple[str, str]] = []
    links: list[tuple[str, str, str]] = []
    licences: list[str] = []
    at = 0
    while len(metas) + len(links) < MAX_TAGS and (found := _OPENING.search(text, at)) is not None:
        if found.group(1) is None:
            at = text.find("-->", found.end()) + 3
            if at < 3:
                break
            continue
        name = found.group(1).casefold()
        end = text.find(">", found.end(), found.end() + MAX_TAG_LETTERS)
        if end < 0:
            at = found.end()
            continue
        at = end + 1
        held = _attributes(text[found.end() : end])
        if name == "meta":
            metas.append(_meta(held))
        elif name == "link":
            links.append((held.get("rel", ""), held.get("type", ""), held.get("href", "")))
        elif name in _OF_TEXT:
            close = low.find(f"</{name}", at)
            if name == "script" and "rsl+xml" in held.get("type", "").casefold() and len(licences) < MAX_LICENCES:
                licences.append(text[at : close if close >= 0 else None])
            if close < 0:
                break
            at = close
    loose = [_meta(_attributes(tag)) for tag in _META.findall(text)[:MAX_TAGS]]
    return Page(tuple(metas), tuple(loose), tuple(links), tuple(licences))


def _attributes(tag: str) -> dict[str, str]:
    return {
        name.casefold(): html.unescape(one or two or three) for name, one, two, three in _ATTRIBUTE.findall(tag)[:100]
    }


def _meta(held: dict[str, str]) -> tuple[str, str]:
    name = held.get("name") or held.get("property") or held.get("http-equiv") or ""
    if name.strip().casefold() == "x-robots-tag":
        name = "robots"
    return name, held.get("content", "") or held.get("value", "")
