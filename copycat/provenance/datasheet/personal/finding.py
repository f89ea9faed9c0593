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

UNSEEN = r"[\u200b-\u200d\u2060\ufeff\u00ad]*"
AT = rf"{UNSEEN}(?:[@\uff20\ufe6b]|&#0*64;|&#x0*40;|&commat;|%40){UNSEEN}"
EMAIL = re.compile(
    rf"(?<![\w.+%-])[^\W_][\w.+-]{{0,63}}{AT}((?:[^\W_](?:[\w-]{{0,61}}[^\W_])?\.)+([^\W\d_]{{2,24}}))(?![\w@]|[.-]\w)",
    re.IGNORECASE,
)
AT_SIGNS = re.compile(r"[@\uff20\ufe6b]|&#0*64;|&#x0*40;|&commat;|%40", re.IGNORECASE)

AT_MARKS = ("@", "\uff20", "\ufe6b", "&#", "&commat;", "%40")
BRACKET = re.compile(r"[\[({<]\s?(?:at|dot|@)\s?[\])}>]")
"""In small letters."""

_NAME, _LABEL = r"(?<![\w.+-])[^\W_][\w.+-]{0,63}?", r"[^\W_][^\W_-]{0,61}"
_BRACKET_AT, _BRACKET_DOT = r"\s?[\[({<]\s?(?:at|@)\s?[\])}>]\s?", r"\s?[\[({<]\s?(?:dot|\.)\s?[\])}>]\s?"
_ENDING = (
    r"(?:com|net|org|edu|gov|info|io|eu|de|fr|es|it|nl|pl|se|fi|at|ch|be|dk|no|uk|ca|au|us|br|in|jp|cn|ru|cz|pt)\b"
)
SPELLED_OUT = (
    re.compile(rf"{_NAME}{_BRACKET_AT}(?:{_LABEL}(?:{_BRACKET_DOT}|\s+dot\s+|\.))+[^\W\d_]{{2,24}}\b", re.IGNORECASE),
    re.compile(rf"{_NAME}(?: @ ?| ?@ )(?:{_LABEL}(?:{_BRACKET_DOT}| dot | \. |\.))+{_ENDING}", re.IGNORECASE),
    re.compile(rf"{_NAME}@(?:{_LABEL}(?:{_BRACKET_DOT}| dot | \. ))+{_ENDING}", re.IGNORECASE),
    re.compile(rf"{_NAME}_at_(?:{_LABEL}_dot_)+{_ENDING}", re.IGNORECASE),
    re.compile(r"(?<!\w )\b(?:\w ){3,32}@ (?:\w ){2,32}\. (?:[a-z] ){1,5}[a-z]\b", re.IGNORECASE),
)
SAID = re.compile(rf"{_NAME} at (?:{_LABEL} dot )+{_ENDING}", re.IGNORECASE)
MAIL_WORDS = re.compile(r"\b(?:e-?mail|mail|contact|write|reach|address|ask|send)\b", re.IGNORECASE)
"""Where "at" and "dot" are words, one of these stands before ("mail me: ..."), or the name has a digit or a dot."""

NO_ENDINGS = {"png", "jpg", "jpeg", "gif", "webp", "svg", "js", "css", "py", "html", "json", "txt", "md", "local",
              "example", "invalid", "test", "localhost", "method", "class", "alpha", "beta", "internal"}  # fmt: skip
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
    r"|arxiv|row|line|column|page|pp|figure|fig|vol|lot|port|pid|code|case|ref)\b[\s.:#]*$",
    re.IGNORECASE,
)
DAY = re.compile(r"^(?:19|20)\d\d[-/.](?:0\d|1[0-2])[-/.][0-3]\d\b")
FICTION = re.compile(r"555[ .-]?01\d\d$")
"""Numbers of the American numbering plan that are kept for stories."""

NO_PERSON = re.compile(
    r"\b(?:figure|fig|vol|volume|lot|part|order|invoice|ticket|serial|model|sku|cas|isbn|catalog(?:ue)?)\.?"
    r"(?:\s+(?:no|nr|number|id))?[\s.:#]*$",
    re.IGNORECASE,
)
"""Words right before a number that is that of a thing."""

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
        parts = AT_SIGNS.split(value, maxsplit=1)
        host = parts[1].lstrip(" \u200b\u200c\u200d\u2060\ufeff\u00ad])}>")[:1] if len(parts) > 1 else ""
        return f"{kind} {value[:1]}…@{host}…"
    if kind in {"telephone number", "IBAN"}:
        return f"{kind} {value[:2]}…"
    return f"{kind} …"


def _all(text: str, region: str) -> Iterator[Hit]:
    low = text.casefold() if text.isascii() else text.lower()
    if any(mark in low for mark in AT_MARKS):
        yield from _emails(text)
    yield from _spelled_out(text, low)
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
            if kind.words is None and NO_PERSON.search(_before(line, found.start())):
                continue
            if kind.check(found[0].translate({ord(mark): None for mark in kind.marks})):
                yield Hit(kind.name, *found.span())
    yield from _addresses(line)
    yield from _phones(line, REGIONS.get(region.upper(), (region.upper(),)))


def _before(text: str, at: int) -> str:
    return text[max(0, at - WORDS_BEFORE) : at]


def _emails(text: str) -> Iterator[Hit]:
    for found in EMAIL.finditer(text):
        plain = AT_SIGNS.sub("@", found[0])
        is_version = not re.search(r"[^\W\d_]", found[1][: -len(found[2])])
        if found[2].casefold() not in NO_ENDINGS and not is_version and not PLACEHOLDER.search(plain):
            yield Hit("e-mail address", *found.span())


def _spelled_out(text: str, low: str) -> Iterator[Hit]:
    """Find addresses that are written so that machines do not see them: "jane [at] mail [dot] net".

    Each pattern is slow; what it cannot do without is looked for first.
    """
    has_bracket = BRACKET.search(low) is not None
    has_dot, has_space = " dot " in low, "@" in low and ("@ " in low or " @" in low)
    wanted = (
        has_bracket,
        has_space,
        "@" in low and (has_dot or has_bracket or " . " in low),
        "_dot_" in low,
        has_space,
    )
    for pattern, is_wanted in zip(SPELLED_OUT, wanted, strict=True):
        if is_wanted:
            yield from (Hit("e-mail address", *found.span()) for found in pattern.finditer(text))
    for found in SAID.finditer(text) if has_dot else ():
        name = found[0].partition(" ")[0]
        if re.search(r"[\d._+-]", name) or MAIL_WORDS.search(_before(text, found.start())):
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
        if NO_PHONE.search(before) or DAY.match(value) or (FICTION.search(value) and value[0] != "+"):
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
