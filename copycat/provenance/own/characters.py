"""X1: each field of a character has a source and a licence, and its legal notes come from dated facts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from copycat.catalog import legal_notes, read_character_set
from copycat.catalog.character_checks import FACT
from copycat.errors import UserError
from copycat.provenance.own.found import Own, Result, licence_fault
from copycat.provenance.records import Finding
from copycat.schema import Character, CharacterSet

_PLACE = re.compile(r"(?P<file>.*?):(?P<line>\d+): (?P<said>.*)", re.DOTALL)
UNSTATED = {"id", "sources", "licences"}
"""Fields that say nothing of a character."""


def check_characters(own: Own) -> Result:
    """Check every set below characters/."""
    paths = sorted((own.root / "characters").glob("*.yaml"))
    if not paths:
        said = f"there is no character set in {own.shown(own.root / 'characters') or 'characters'}"
        return Result((own.finding(said, "restore characters/, or install copycat again"),), said)
    findings: list[Finding] = []
    n_characters = n_versions = 0
    for path in paths:
        own.n_files += 1
        try:
            one = read_character_set(str(path), strict_sources=True)
        except UserError as error:
            findings += _faults(own, path, error)
            continue
        n_characters += len(one.characters)
        n_versions += sum(len(character.versions) for character in one.characters)
        for character in one.characters:
            findings += _of_character(own, path, one, character)
    own.n_records += n_characters
    return Result(tuple(findings), f"{n_characters} characters in {len(paths)} sets, {n_versions} dated versions")


def _faults(own: Own, path: Path, error: UserError) -> Iterator[Finding]:
    """Give a finding for each fault that the catalog's own rules see, the missing sources and licences among them."""
    for fault in getattr(error, "faults", ()) or (str(error),):
        match = _PLACE.match(fault)
        said, line = (match["said"], int(match["line"])) if match else (fault, None)
        yield own.finding(said, "mend the entry; see docs/add-a-character-set.md", own.at(path, line=line))


def _of_character(own: Own, path: Path, one: CharacterSet, character: Character) -> Iterator[Finding]:
    licences = {**one.licences, **character.licences}
    sources = {**one.sources, **character.sources}
    for field in sorted(set(Character.model_fields) - UNSTATED):
        if not getattr(character, field):
            continue
        where = own.at(path, f"{character.id} {field}")
        licence = licences.get(field)
        if licence != FACT and (fault := licence_fault(licence)):
            yield own.finding(f"{character.id}, field '{field}': {fault}", "give an SPDX expression, or 'fact'", where)
        if field not in {"versions"} and not sources.get(field):
            yield own.finding(f"{character.id}, field '{field}' has no source", "say where it is from", where)
    for note in character.legal_status:
        if note.status != "invented":
            said = f"{character.id}: the legal note on '{note.version}' is typed in, not computed"
            yield own.finding(
                said, "give its dated facts under 'versions'", own.at(path, f"{character.id} legal_status")
            )
    yield from _unexplained(own, path, character)


def _unexplained(own: Own, path: Path, character: Character) -> Iterator[Finding]:
    """Look for a note without its reason, and for a term by lives that names nobody."""
    for version in character.versions:
        if version.kind == "personal" and not version.authors:
            where = own.at(path, f"{character.id} versions", version.name)
            said = f"{character.id}: the term of '{version.name}' runs by lives, and no author is named"
            yield own.finding(said, "name the authors under 'authors'", where)
    for note in legal_notes(character, max(own.as_of.year, 2019)):
        if note.status == "unknown":
            where = own.at(path, f"{character.id} versions", note.note)
            said = f"{character.id}: the status of '{note.version}' in {note.jurisdiction} is not known"
            advice = "look up the fact that its note names, or leave it as it is"
            yield own.finding(said, advice, where, severity="note")
