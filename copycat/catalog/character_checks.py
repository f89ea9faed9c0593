"""The rules of a character file that no type can say. Each gives all its faults.

They work on the raw entries, so that a fault of one field does not hide those of another.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from copycat.catalog.faults import Fault, fault_at
from copycat.catalog.marked_yaml import Location, MarkedYaml
from copycat.names import NameMatcher, fold
from copycat.schema import Character

REQUIRED_FIELDS = ("name", "franchise", "rights_holder", "first_appearance", "key_characteristic", "description")
SOURCED_FIELDS = (*REQUIRED_FIELDS, "legal_status", "aliases", "not_aliases", "brand_words", "keywords")
"""What is said of a character; each needs a source in a set that ships. Versions state their own."""

LICENSED_FIELDS = (*SOURCED_FIELDS, "versions")
"""Each needs a licence in a set that ships."""

FACT = "fact"
"""The licence status of names and facts: no licence covers them (17 U.S.C. § 102(b))."""

_EXPRESSION = re.compile(r"[A-Za-z0-9.+-]+( (AND|OR|WITH) [A-Za-z0-9.+-]+)*")

Entry = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Phrases:
    """The names of one thing, as names.NameMatcher takes them."""

    id: str
    name: str
    aliases: tuple[str, ...] = ()
    not_aliases: tuple[str, ...] = ()


def character_faults(document: MarkedYaml, is_shipped: bool) -> list[Fault]:
    """Give every fault of the entries under `characters` that the schema cannot see."""
    value = document.value
    entries = value.get("characters") if isinstance(value, Mapping) else None
    known = [(index, e) for index, e in enumerate(entries if isinstance(entries, list) else ()) if isinstance(e, dict)]
    faults = [*_repeated_ids(document, known), *_shared_names(document, known)]
    for index, entry in known:
        here = ("characters", index)
        faults += [*_empty_names(document, here, entry), *_wrong_not_aliases(document, here, entry)]
        faults += [*_telling_texts(document, here, entry, is_shipped), *_repeated_keywords(document, here, entry)]
        if is_shipped:
            faults += [*_missing_facts(document, here, entry), *_source_faults(document, here, entry)]
            faults += _licence_faults(document, here, entry)
    if is_shipped and isinstance(value, Mapping):
        faults += [*_unknown_keys(document, (), value, "sources"), *_unknown_keys(document, (), value, "licences")]
    return faults


def telling_phrases(name: str, aliases: Sequence[str], brand_words: Sequence[str]) -> NameMatcher:
    """Build the matcher of everything that a description or keyword must not say.

    Longer phrases of `not_aliases` are no excuse here: "link to" is not in Link's description.
    """
    return NameMatcher((Phrases("name", name, tuple(aliases)), Phrases("brand", "", tuple(brand_words))))


def telling_word(text: str, matcher: NameMatcher) -> str | None:
    """Say which words of `text` give the character away, or None."""
    for mention in matcher.find(text):
        words = text[mention.start : mention.end]
        if mention.character_id == "name":
            return f"'{words}' names the character ('{mention.alias}')"
        return f"'{words}' is one of its brand_words ('{mention.alias}')"
    return None


def _texts(entry: Entry, field: str) -> list[tuple[Location, str]]:
    """List the texts of a field, whether it is one or a list, each with its location below the entry."""
    value = entry.get(field)
    if isinstance(value, str):
        return [((field,), value)]
    return [((field, i), v) for i, v in enumerate(value if isinstance(value, list) else ()) if isinstance(v, str)]


def _names(entry: Entry) -> list[tuple[Location, str]]:
    return [*_texts(entry, "name"), *_texts(entry, "aliases")]


def _repeated_ids(document: MarkedYaml, known: Sequence[tuple[int, Entry]]) -> Iterator[Fault]:
    first: dict[str, int] = {}
    for index, entry in known:
        for location, text in _texts(entry, "id"):
            if first.setdefault(text, index) != index:
                yield fault_at(
                    document,
                    ("characters", index, *location),
                    f"'{text}' is already the id of characters[{first[text]}]",
                )


def _shared_names(document: MarkedYaml, known: Sequence[tuple[int, Entry]]) -> Iterator[Fault]:
    first: dict[str, int] = {}
    for index, entry in known:
        for location, text in _names(entry):
            folded = fold(text)
            if folded and first.setdefault(folded, index) != index:
                other = dict(known)[first[folded]].get("id", "")
                yield fault_at(
                    document,
                    ("characters", index, *location),
                    f"'{text}' is already a name of characters[{first[folded]}] '{other}'; one name, one character",
                )


def _empty_names(document: MarkedYaml, here: Location, entry: Entry) -> Iterator[Fault]:
    for location, text in [*_names(entry), *_texts(entry, "brand_words")]:
        if text.strip() and not fold(text):
            yield fault_at(document, (*here, *location), f"'{text}' must contain a letter or a digit")


def _wrong_not_aliases(document: MarkedYaml, here: Location, entry: Entry) -> Iterator[Fault]:
    names = [text for _, text in _names(entry)]
    matcher = NameMatcher((Phrases("name", "", tuple(names)),))
    for location, text in _texts(entry, "not_aliases"):
        if fold(text) in {fold(name) for name in names}:
            yield fault_at(document, (*here, *location), f"'{text}' is a name of the character; it cannot be both")
        elif not matcher.find(text):
            yield fault_at(
                document,
                (*here, *location),
                f"'{text}' must contain the name or an alias as whole words; else leave it out",
            )


def _telling_texts(document: MarkedYaml, here: Location, entry: Entry, is_shipped: bool) -> Iterator[Fault]:
    matcher = telling_phrases("", [t for _, t in _names(entry)], [t for _, t in _texts(entry, "brand_words")])
    fields = ("description", "keywords", "key_characteristic") if is_shipped else ("description", "keywords")
    for location, text in [pair for field in fields for pair in _texts(entry, field)]:
        if said := telling_word(text, matcher):
            yield fault_at(document, (*here, *location), f"{said}; describe it without")


def _repeated_keywords(document: MarkedYaml, here: Location, entry: Entry) -> Iterator[Fault]:
    first: dict[str, int] = {}
    for location, text in _texts(entry, "keywords"):
        position = int(location[-1]) if len(location) > 1 else 0
        if first.setdefault(fold(text), position) != position:
            yield fault_at(document, (*here, *location), f"'{text}' is already keywords[{first[fold(text)]}]")


def _missing_facts(document: MarkedYaml, here: Location, entry: Entry) -> Iterator[Fault]:
    for field in ("rights_holder", "first_appearance"):
        if not entry.get(field):
            yield fault_at(document, (*here, field), "is missing; needed in a set that ships")
    if not entry.get("versions") and not entry.get("legal_status"):
        yield fault_at(document, (*here, "versions"), "is missing; needed in a set that ships, with dated facts")


def _source_faults(document: MarkedYaml, here: Location, entry: Entry) -> Iterator[Fault]:
    yield from _unknown_keys(document, here, entry, "sources")
    stated = _stated(document, entry, "sources")
    for field in SOURCED_FIELDS:
        if not stated.get(field) and (field in REQUIRED_FIELDS or entry.get(field)):
            yield fault_at(document, (*here, "sources", field), f"is missing; needed: where '{field}' is from")


def _licence_faults(document: MarkedYaml, here: Location, entry: Entry) -> Iterator[Fault]:
    yield from _unknown_keys(document, here, entry, "licences")
    stated = _stated(document, entry, "licences")
    for field in LICENSED_FIELDS:
        licence = stated.get(field)
        if not licence and entry.get(field):
            needed = f"is missing; needed: an SPDX expression such as Apache-2.0, or '{FACT}'"
            yield fault_at(document, (*here, "licences", field), needed)
        elif isinstance(licence, str) and not _EXPRESSION.fullmatch(licence):
            said = f"'{licence}' is no SPDX expression; needed: such as Apache-2.0, or '{FACT}'"
            yield fault_at(document, (*here, "licences", field), said)


def _stated(document: MarkedYaml, entry: Entry, field: str) -> dict[object, object]:
    """Give what the set says of all its characters, and over it what the character says; faults are the schema's."""
    of_set = document.value.get(field) if isinstance(document.value, Mapping) else None
    own = entry.get(field)
    return {**(of_set if isinstance(of_set, dict) else {}), **(own if isinstance(own, dict) else {})}


def _unknown_keys(document: MarkedYaml, here: Location, entry: Entry, field: str) -> Iterator[Fault]:
    stated = entry.get(field)
    for key in stated if isinstance(stated, dict) else ():
        if key not in Character.model_fields:
            line = document.key_line_of((*here, field, key))
            text = fault_at(document, (*here, field, key), "there is no such field of a character").text
            yield Fault(line, text)
