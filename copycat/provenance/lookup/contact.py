"""Whom a dataset's card names for questions and removals."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from copycat.provenance.dataset import Card

KEYS = ("removal_contact", "removal", "opt_out", "opt-out", "contact", "contact_email", "email", "maintainer",
        "maintainers", "contacts")  # fmt: skip
"""Of the card's front matter, the likeliest first."""

HEADINGS = re.compile(r"^#{1,6}\s.*\b(removal|remove|opt[- ]?out|contact|maintenance)\b.*$", re.IGNORECASE)
ADDRESS = re.compile(r"https?://[^\s<>()\"']+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
MAX_LETTERS = 300


def contact_of(card: Card) -> str:
    """Give how to ask for removal, as the card says it; "" where it says nothing.

    Looked for in this order: the front matter (`KEYS`); an address below a heading of the card that speaks of removal
    or contact; the release and maintenance plan, creator or publisher of croissant.json.
    """
    return next((found for each in _candidates(card) if (found := _plain(each))), "")


def _candidates(card: Card) -> Iterator[Any]:
    for key in KEYS:
        yield card.front.get(key)
    yield _below_heading(card.body)
    for key in ("rai:dataReleaseMaintenancePlan", "dataReleaseMaintenancePlan"):
        plan = card.croissant.get(key)
        yield plan if isinstance(plan, str) and ADDRESS.search(plan) else None
    for key in ("maintainer", "creator", "publisher"):
        yield from _addresses_of(card.croissant.get(key))


def _below_heading(body: str) -> str | None:
    lines = body.splitlines()
    for at, line in enumerate(lines):
        if HEADINGS.match(line):
            for below in lines[at + 1 : at + 12]:
                if below.startswith("#"):
                    break
                if found := ADDRESS.search(below):
                    return found.group().rstrip(".,;:)")
    return None


def _addresses_of(value: Any) -> Iterator[Any]:
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, Mapping):
            yield one.get("email") or one.get("url")


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        value = value.get("email") or value.get("url") or value.get("name")
    if isinstance(value, list):
        value = next((found for each in value if (found := _plain(each))), "")
    if not isinstance(value, str):
        return ""
    text = " ".join("".join(letter if letter.isprintable() else " " for letter in value[:2000]).split())
    return text[:MAX_LETTERS]
