"""The head of an HTML page: its meta tags, links and embedded licences, whatever state it is in.

Tags are found one by one, in time that grows with the page and no faster, which the parser of the standard library does
not promise. What stands in a comment or in a script is no tag; `loose` has it all the same, for refusals, and what
only a lenient eye sees (a slash for a space, an attribute twice). A page of which not all was read says so.
"""

from __future__ import annotations

import html
import re
from typing import NamedTuple

from copycat.provenance.signals.credentials import format_of
from copycat.provenance.signals.recorded import Response
from copycat.provenance.signals.robots import decoded

MAX_PAGE_BYTES = 4 << 20
"""Of a page; meta tags stand at its beginning, and some generators put a megabyte of style before them."""
MAX_TAGS = 50_000
MAX_LICENCES = 10
_OF_TEXT = {"script", "style", "title", "textarea", "template", "xmp", "iframe", "noscript", "noframes", "noembed"}
"""Elements whose content is no page."""
_OPENING = re.compile(rf"<!--|<(meta|link|{'|'.join(sorted(_OF_TEXT))})(?![\w-])", re.IGNORECASE)
_START = re.compile(r"<(?:!doctype\s+html|html|head|body|meta|title)(?![\w-])", re.IGNORECASE)
_NAME = re.compile(r"[\s/]*+([^\s/>=\"'<][^\s/>=]*+)?\s*+(=\s*+)?")
_BARE = re.compile(r"[^\s>]*+")
_LOOSE = re.compile(r"<\s*meta(?![\w-])[^>]{0,65536}", re.IGNORECASE)
_QUOTED = re.compile(r"<\s*+meta(?![\w-])(?:[^>\"']++|\"[^\"]{0,8192}+\"|'[^']{0,8192}+')*+", re.IGNORECASE)
_LOOSE_PAIR = re.compile(r"(?<![\w:-])([\w:-]++)\s*+=[\s`]*+(?:\"([^\"]*+)\"|'([^']*+)'|([^\s\"'`>/]++))")

Metas = tuple[tuple[str, str], ...]


class Page(NamedTuple):
    """(name, content) of each meta tag, (rel, type, href) of each link, and the text of each RSL licence in it.

    `loose` are meta tags in comments, scripts and ruins. `is_cut`: there was more than is read.
    """

    metas: Metas
    loose: Metas
    links: tuple[tuple[str, str, str], ...]
    licences: tuple[str, ...]
    is_cut: bool


def is_page(response: Response) -> bool:
    """Whether a body is HTML, by its header or by how it begins."""
    if "html" in " ".join(response.header_values("Content-Type")).casefold():
        return True
    is_other = format_of(response.body) is not None or response.body.startswith(b"PK")
    return not is_other and _START.search(decoded(response.body[:8192])) is not None


def read_page(response: Response) -> Page:
    """Read meta tags, links and licences; never fails."""
    text = decoded(response.body[:MAX_PAGE_BYTES])
    low = text.lower() if len(text.lower()) == len(text) else text
    metas: list[tuple[str, str]] = []
    links: list[tuple[str, str, str]] = []
    licences: list[str] = []
    at = n_tags = 0
    while n_tags < MAX_TAGS and (found := _OPENING.search(text, at)) is not None:
        n_tags += 1
        if found.group(1) is None:
            at = text.find("-->", found.end()) + 3
            if at < 3:
                break
            continue
        name = found.group(1).casefold()
        held, at = _attributes(text, found.end())
        if at < 0:
            break
        if name == "meta":
            metas.append(_meta(held))
        elif name == "link":
            links.append((held.get("rel", ""), held.get("type", ""), held.get("href", "")))
        else:
            close = low.find(f"</{name}", at)
            if name == "script" and "rsl+xml" in held.get("type", "").casefold():
                licences.append(text[at : close if close >= 0 else None])
            if close < 0:
                break
            at = close
    plain = text.replace("\0", "")
    loose = [pair for form in (_LOOSE, _QUOTED) for tag in form.findall(plain)[:MAX_TAGS] for pair in _loose(tag)]
    is_cut = response.is_cut or len(response.body) > MAX_PAGE_BYTES or n_tags == MAX_TAGS
    is_cut = is_cut or len(licences) > MAX_LICENCES
    return Page(tuple(metas), tuple(dict.fromkeys(loose)), tuple(links), tuple(licences[:MAX_LICENCES]), is_cut)


def _attributes(text: str, at: int) -> tuple[dict[str, str], int]:
    """Give the attributes of a tag from behind its name, of equal ones the first, and where it ends (-1: nowhere)."""
    held: dict[str, str] = {}
    while at < len(text):
        found = _NAME.match(text, at)
        if found is None or found.end() >= len(text):
            break
        at, name = found.end(), (found.group(1) or "").casefold()
        letter = text[at]
        if found.group(2) is not None:
            end = text.find(letter, at + 1) if letter in "\"'" else -2
            if end == -1:
                break
            bare = _BARE.match(text, at)
            value = text[at + 1 : end] if end >= 0 else (bare.group() if bare else "")
            at = end + 1 if end >= 0 else at + len(value)
            held.setdefault(name, html.unescape(value))
        elif not name:
            at += 1
            if letter == ">":
                return held, at
    return held, -1


def _meta(held: dict[str, str]) -> tuple[str, str]:
    name = held.get("name") or held.get("property") or held.get("http-equiv") or ""
    return _known(name), held.get("content", "") or held.get("value", "")


def _loose(tag: str) -> list[tuple[str, str]]:
    """Give each name of a tag with all that stands in it as content."""
    pairs = [(key.casefold(), html.unescape(a or b or c)) for key, a, b, c in _LOOSE_PAIR.findall(tag)[:100]]
    content = ", ".join(value for key, value in pairs if key in {"content", "value"})
    return [(_known(value), content) for key, value in pairs if key in {"name", "property", "http-equiv", "itemprop"}]


def _known(name: str) -> str:
    return "robots" if name.strip().casefold() == "x-robots-tag" else name
