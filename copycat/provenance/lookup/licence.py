"""The licence of a record as an answer may tell it: the name of a known licence, never the words that stated it."""

from __future__ import annotations

import re
from functools import cache

from copycat.provenance.licences.facts import all_facts
from copycat.provenance.licences.parsing import names_in, parse_licence


def told_licence(text: object) -> str | None:
    """Give a licence, however it is written, as an SPDX expression of known licences, which name nobody.

    None for anything else, since a free text, and a `LicenseRef-` of somebody's own, may name a person.
    """
    expression = parse_licence(text).expression
    if expression is None:
        return None
    refs = [name for name in names_in(expression) if "Ref-" in name]
    return expression if all(name in _known_refs() for name in refs) else None


def licence_text(licence: str | None) -> str:
    """Say it for people: "LicenseRef-all-rights-reserved" -> "all rights reserved"."""
    if licence is None:
        return "not known"
    return re.sub(r"LicenseRef-([\w-]+)", lambda found: found[1].replace("-", " "), licence)


@cache
def _known_refs() -> frozenset[str]:
    return frozenset(name for facts in all_facts() for name in facts.ids if "Ref-" in name)
