"""Whom a dataset names for questions and removals: the one finder, for look-ups, P4 and O1.

A contact has an address, of e-mail or of the web: "ask the maintainers" reaches nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from copycat.provenance.dataset.card import Card

KEYS = ("removal_contact", "removal", "opt_out", "opt-out", "contact", "contact_email", "email", "point_of_contact",
        "maintainer", "maintainers", "contacts")  # fmt: skip
"""Of the card's front matter, the likeliest first."""

HEADINGS = re.compile(r"^#{1,6}\s.*\b(removal|remove|opt[- ]?out|contact|maintenance)\b.*$", re.IGNORECASE)
ADDRESS = re.compile(r"https?://[^\s<>()\"']+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
SPEAKS_OF_CONTACT = re.compile(
    r"mailto:[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
    r"|https?://[^\s<>()\"']*(?:contact|issues|discussions|support|removal|takedown|opt-?out)[^\s<>()\"']*",
    re.IGNORECASE,
)
"""What is meant for questions wherever it stands; any other address in a text may be that of a source or an author."""

INVITES = re.compile(
    r"\b(?:write|e-?mail|contact|ask|reach|questions?|requests?)\b[^@]{0,80}?\b([\w.+-]{1,100}@[\w-]+(?:\.[\w-]+)+)",
    re.IGNORECASE,
)
"""An address that a line says to write to."""

MAX_LETTERS, MAX_TEXT, MAX_WORD, MAX_TRIED = 300, 400_000, 300, 1_000


def contact_of(card: Card, terms: Iterable[str] = ()) -> str:
    """Give how to ask for removal, as the dataset says it; "" where it names no address.

    Looked for in this order: the front matter (`KEYS`); an address below a heading of the card that speaks of removal
    or contact; the release and maintenance plan, maintainer, creator or publisher of croissant.json; an address
    anywhere in the card that speaks of contact, or that one is asked to write to; any address in the terms of use.

    Args:
        terms: the dataset's own terms of use (`licences.terms.terms_of`).
    """
    return next((found for each in _candidates(card, terms) if (found := _plain(each))), "")


def _candidates(card: Card, terms: Iterable[str]) -> Iterator[Any]:
    for key in KEYS:
        yield card.front.get(key)
    yield _below_heading(card.body)
    for key in ("rai:dataReleaseMaintenancePlan", "dataReleaseMaintenancePlan"):
        yield card.croissant.get(key)
    for key in ("maintainer", "creator", "publisher"):
        yield from _addresses_of(card.croissant.get(key))
    yield _first(SPEAKS_OF_CONTACT, card.body)
    yield _invited(card.body)
    for text in terms:
        yield _first(SPEAKS_OF_CONTACT, text) or _first(ADDRESS, text)


def _first(wanted: re.Pattern[str], text: str) -> str | None:
    """Give the first address in a text; words of thousands of letters are cut, so that searching takes linear time."""
    words = (word[:MAX_WORD] for word in text[:MAX_TEXT].split() if "@" in word or "://" in word)
    found = next((match for word in words if (match := wanted.search(word))), None)
    return None if found is None else found.group().removeprefix("mailto:").rstrip(".,;:)]")


def _invited(body: str) -> str | None:
    places = islice((found.start() for found in re.finditer("@", body[:MAX_TEXT])), MAX_TRIED)
    lines = (body[max(0, at - 150) : at].rpartition("\n")[2] + body[at : at + 100].partition("\n")[0] for at in places)
    return next((found[1] for line in lines if (found := INVITES.search(line))), None)


def _below_heading(body: str) -> str | None:
    lines = body[:MAX_TEXT].splitlines()
    for at, line in enumerate(lines):
        if HEADINGS.match(line[:1000]):
            for below in lines[at + 1 : at + 12]:
                if below.startswith("#"):
                    break
                if found := _first(ADDRESS, below):
                    return found
    return None


def _addresses_of(value: Any) -> Iterator[Any]:
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, Mapping):
            yield one.get("email") or one.get("url")


def _plain(value: Any) -> str:
    """Give a value in one line, if it holds an address."""
    if isinstance(value, Mapping):
        value = value.get("email") or value.get("url") or value.get("name")
    if isinstance(value, list):
        return next((found for each in value if (found := _plain(each))), "")
    if not isinstance(value, str):
        return ""
    text = " ".join("".join(letter if letter.isprintable() else " " for letter in value[:2000]).split())[:MAX_LETTERS]
    return text if ADDRESS.search(text) else ""
