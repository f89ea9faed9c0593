"""A text -> what of persons is in it: kind and place. What was found is never shown, only masked."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import NamedTuple

from copycat.provenance.datasheet.personal.kinds import KINDS

MOST_LETTERS = 20_000
"""Of one text; what comes after is not looked at."""

WORDS_BEFORE = 40
"""Letters before a number, on the same line, among which a word may say what it is."""

EMAIL = re.compile(
    r"(?<![\w.+%-])[A-Za-z0-9][\w.+%-]{0,63}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+([A-Za-z]{2,24})"
    r"(?![\w@]|[.-]\w)"
)
NO_ENDINGS = {"png", "jpg", "jpeg", "gif", "webp", "svg", "js", "css", "py", "html", "json", "txt", "md", "local",
              "example", "invalid", "test", "localhost"}  # fmt: skip
PLACEHOLDER = re.compile(
    r"@(?:[\w-]+\.)*(?:example\.(?:com|org|net|edu)|domain\.(?:com|tld)|email\.com|company\.com|yourdomain\.com)$|^git@",
    re.IGNORECASE,
)
"""Addresses that stand for an address (RFC 2606 and habit)."""

PHONE = re.compile(r"(?<![\w.,/@-])(?:\+|00)?\(?\d[\d ().\u2011\u2013/-]{5,20}\d(?![\w@]|[.,/-]\d)")
PHONE_WORDS = re.compile(
    r"\b(?:tel|phone|telephone|call|mobile|cell|fax|telefon|handy|mobil|t[ée]l[ée]phone|tel[ée]fono|whatsapp|ring"
    r"|dial|sms)\b",
    re.IGNORECASE,
)
US_FORM = re.compile(r"^(?:\+?1[ .-]?)?(?:\(\d{3}\) ?|\d{3}[-.])\d{3}[-.]\d{4}$")
NO_PHONE = re.compile(
    r"\b(?:isbn|issn|doi|version|v|id|no|nr|order|invoice|ticket|part|serial|model|sku|lat|lon|longitude|latitude"
    r"|arxiv)\b[\s.:#]*$",
    re.IGNORECASE,
)

IPV4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d)")
IPV6 = re.compile(r"(?<![\w:])[23][0-9A-Fa-f]{3}:(?:[0-9A-Fa-f]{0,4}:){1,6}[0-9A-Fa-f]{1,4}(?![\w:])")
VERSION_WORDS = re.compile(
    r"(?:version|release|section|chapter|build|rev|firmware|driver|\bv|[A-Za-z]/)[\s.:]*$", re.IGNORECASE
)

REGIONS = {"EU": ("DE", "FR", "IT", "ES", "NL", "PL"), "UK": ("GB",)}
"""What a region is to telephone numbers, where it is no country's code."""


DIGIT = re.compile(r"\d")
FEWEST_DIGITS = 4
"""A line with fewer holds no number of any kind; most lines are passed over so."""


class Hit(NamedTuple):
    """What was found: its kind, and the letters from `start` to `end`."""

    kind: str
    start: int
    end: int


def find_personal(text: str, region: str = "US") -> list[Hit]:
    """Find e-mail and IP addresses, telephone numbers, and numbers of identity, cards and accounts.

    Args:
        region: an ISO 3166 code or "EU": whose telephone numbers are known without their country's code.

    No two hits share a letter: what has a check digit goes before a telephone number.
    """
    text = text[:MOST_LETTERS]
    hits: list[Hit] = []
    for found in _all(text, region):
        if not any(found.start < other.end and other.start < found.end for other in hits):
            hits.append(found)
    return sorted(hits, key=lambda hit: hit.start)


def mask(kind: str, value: str) -> str:
    """Say that something was found without saying it: "e-mail address j…@m…", "telephone number +4…"."""
    if kind == "e-mail address":
        name, _, host = value.partition("@")
        return f"{kind} {name[:1]}…@{host[:1]}…"
    if kind in {"telephone number", "IBAN"}:
        return f"{kind} {value[:2]}…"
    return f"{kind} …"


def _all(text: str, region: str) -> Iterator[Hit]:
    if "@" in text:
        yield from _emails(text)
    start = 0
    for line in text.splitlines(keepends=True):
        if len(DIGIT.findall(line)) >= FEWEST_DIGITS:
            for hit in _numbers(line, region):
                yield Hit(hit.kind, hit.start + start, hit.end + start)
        start += len(line)


def _numbers(line: str, region: str) -> Iterator[Hit]:
    for kind in KINDS:
        for found in kind.pattern.finditer(line):
            if kind.words is not None and not kind.words.search(_before(line, found.start())):
                continue
            if kind.check(found[0].translate({ord(mark): None for mark in kind.marks})):
                yield Hit(kind.name, *found.span())
    yield from _addresses(line)
    yield from _phones(line, REGIONS.get(region.upper(), (region.upper(),)))


def _before(text: str, at: int) -> str:
    return text[max(0, at - WORDS_BEFORE) : at]


def _emails(text: str) -> Iterator[Hit]:
    for found in EMAIL.finditer(text):
        if found[1].casefold() not in NO_ENDINGS and not PLACEHOLDER.search(found[0]):
            yield Hit("e-mail address", *found.span())


def _addresses(text: str) -> Iterator[Hit]:
    """Find addresses of the public Internet; three small numbers of four are a version, whatever they could be."""
    for found in IPV4.finditer(text):
        parts = [int(part) for part in found[0].split(".")]
        is_version = sum(part >= 20 for part in parts) < 2 or VERSION_WORDS.search(
            text[max(0, found.start() - 12) : found.start()]
        )
        if max(parts) <= 255 and not is_version and _is_public(found[0]):
            yield Hit("IP address", *found.span())
    for found in IPV6.finditer(text):
        if _is_public(found[0]):
            yield Hit("IP address", *found.span())


def _is_public(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_global
    except ValueError:
        return False


def _phones(text: str, regions: tuple[str, ...]) -> Iterator[Hit]:
    """Find telephone numbers: with a country's code, in the US form, or after a word such as "tel"."""
    for found in PHONE.finditer(text):
        value, before = found[0].strip(), _before(text, found.start())
        if NO_PHONE.search(before):
            continue
        if value.startswith("+"):
            is_number = _is_valid(value, None)
        elif PHONE_WORDS.search(before):
            is_number = any(_is_valid(value, region) for region in regions)
        else:
            is_number = "US" in regions and US_FORM.match(value) is not None and _is_valid(value, "US")
        if is_number:
            yield Hit("telephone number", found.start(), found.start() + len(found[0].rstrip()))


def _is_valid(value: str, region: str | None) -> bool:
    import phonenumbers

    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(value, region))
    except phonenumbers.NumberParseException:
        return False
