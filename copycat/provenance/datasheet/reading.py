"""Values of a card that are read, not weighed: licences, addresses, days, versions, people, languages."""

from __future__ import annotations

import re
from datetime import date
from typing import NamedTuple

from copycat.provenance.datasheet.boilerplate import folded, why_boilerplate
from copycat.provenance.datasheet.evidence import EMAIL, LINK, NAME, language_code
from copycat.provenance.datasheet.fields import Kind
from copycat.provenance.datasheet.words import words

MOST_ID = 80
"""Letters of an identifier."""


class Value(NamedTuple):
    """What a value is worth: 0, 0.5 or 1, and why. `is_wrong`: it contradicts what is known (a day to come)."""

    points: float
    reason: str
    is_wrong: bool = False


def read_value(kind: Kind, texts: list[str], as_of: date) -> Value:
    """Weigh the answers of a field that holds a value: the best of them counts."""
    read = {
        "licence": _licence,
        "url": _url,
        "version": _version,
        "people": _people,
        "name": _name,
        "language": _language,
    }
    found: list[Value] = []
    for text in texts:
        said = why_boilerplate(text) if kind != "name" or len(text.split()) > 1 or not NAME.search(text) else ""
        if said:
            found.append(Value(0, f"{said}: '{text[:60]}'"))
        else:
            found.append(_date(text, as_of) if kind == "date" else read[kind](text))
    wrong = next((value for value in found if value.is_wrong), None)
    return wrong or max(found, key=lambda value: value.points, default=Value(0, "nothing is said"))


def _name(text: str) -> Value:
    said = folded(text).split()
    if not said or set(said) <= {"my", "the", "a", "new", "dataset", "data", "name", "test", "untitled"}:
        return Value(0, f"'{text[:60]}' names nothing")
    return Value(1, "a name")


def _licence(text: str) -> Value:
    from copycat.provenance.licences import parse_licence

    read = parse_licence(text)
    if read.expression and not read.is_unknown and not read.is_family:
        if read.method in {"spdx", "hub-id"}:
            return Value(1, "a licence by its SPDX identifier")
        return Value(0.5, f"the licence is named, but not as an SPDX expression: {read.expression}")
    if read.expression or spdx_in(text):
        return Value(0.5, "the licence is named, but not as an SPDX expression alone")
    return Value(0, f"'{text[:60]}' is no SPDX expression")


def _url(text: str) -> Value:
    return Value(1, "an address") if LINK.search(text) else Value(0, f"'{text[:60]}' is no address")


def _date(text: str, as_of: date) -> Value:
    found = re.search(r"\b(\d{4})-(\d\d)-(\d\d)\b", text)
    if found is None:
        has_year = re.search(r"\b(?:19|20)\d\d\b", text)
        return Value(0.5, "a year, not a day") if has_year else Value(0, f"'{text[:60]}' is no day")
    try:
        day = date(*(int(part) for part in found.groups()))
    except ValueError:
        return Value(0, f"'{found[0]}' is no day of the calendar", is_wrong=True)
    if day > as_of:
        return Value(0, f"'{found[0]}' is still to come", is_wrong=True)
    return Value(1, "a day")


def _version(text: str) -> Value:
    found = re.search(r"\b(?:v?\d+(?:\.\d+)*|[0-9a-f]{7,40})\b", text)
    return Value(1, "a version") if found else Value(0, f"'{text[:60]}' is no version")


def _people(text: str) -> Value:
    names = [word for word in NAME.findall(text) if word.casefold() not in words().no_names]
    reach = bool(LINK.search(text) or EMAIL.search(text))
    if names and reach:
        return Value(1, "a name with an address")
    if names or reach:
        return Value(0.5, "a name without an address" if names else "an address without a name")
    return Value(0, "no name")


def _language(text: str) -> Value:
    tags = [part for part in re.split(r"[\s,;]+", text) if part]
    codes = [code for code in map(language_code, tags) if code]
    if codes and len(codes) == len(tags):
        return Value(1, "languages by their tags")
    from copycat.provenance.datasheet.evidence import languages_in

    named = languages_in(text)
    return Value(0.5, "languages by name, not by tag") if named else Value(0, f"'{text[:60]}' names no language")


def spdx_in(text: str) -> set[str]:
    """Find identifiers of SPDX in a text. One without digit or hyphen counts in its own letter case (MIT) only."""
    from copycat.provenance.licences import parse_licence

    found = set()
    for token in re.findall(r"[A-Za-z][\w.+-]*[\w+]", text):
        has_mark = re.search(r"[-\d]", token) is not None
        if len(token) > MOST_ID or not (has_mark or token[0].isupper()):
            continue
        read = parse_licence(token)
        if read.method == "spdx" and read.expression and (has_mark or token == read.expression):
            found.add(read.expression)
    return found
