"""Who is counted: the concepts of a character set, or of a file of a user's own; kept in the study's folder."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from copycat.catalog import read_character_set
from copycat.catalog.marked_yaml import read_marked_yaml
from copycat.errors import DataError, UserError, first_faults
from copycat.imitation.records import CONCEPTS_FILE, Concept
from copycat.imitation.tables import FORMS, cells_beyond, other_separator, read_all
from copycat.names import fold, words
from copycat.paths import shown
from copycat.runs.folder import write_json
from copycat.schema import Character

YAML = (".yaml", ".yml")
FIX = f"  needed: {', '.join(FORMS)} or .yaml with a name for each concept, and if you like id, aliases (a|b), noun"


class _Entry(NamedTuple):
    """One row of a user's file: where it stands, and its cells."""

    place: str
    cells: dict[str, Any]


def read_concepts(study: Path, given: str | Path | None, *, may_replace: bool = False) -> tuple[Concept, ...]:
    """Give the concepts of a study, and keep them in its folder.

    Args:
        study: the folder of the analysis; made where it is not there.
        given: a character set ("copycat50"), a file of characters, or a file of concepts. None means those that the
            study has.
        may_replace: whether other concepts may take the place of those that the study has.

    Raises:
        UserError: nothing is given and the study has no concepts, or it has others.
        DataError: all faults of the file at once.
    """
    kept = study / CONCEPTS_FILE
    if given is None:
        if not kept.is_file():
            raise UserError(
                f"{shown(study)} has no {CONCEPTS_FILE}, and no concepts are given\n"
                "  needed: --characters SET or --concepts FILE"
            )
        return _read_kept(kept)
    concepts = load_concepts(given)
    if kept.is_file() and (before := _read_kept(kept)) != concepts:
        if not may_replace:
            raise UserError(
                f"{shown(study)} is of {len(before)} other concepts than '{given}'\n"
                "  count again for these: python -m copycat.imitation count, or choose another folder: --out STUDY"
            )
    elif kept.is_file():
        return concepts
    write_json(kept, {"concepts": [concept.model_dump(mode="json") for concept in concepts]})
    return concepts


def load_concepts(given: str | Path) -> tuple[Concept, ...]:
    """Read concepts from what a user names; see `read_concepts`.

    Raises:
        UserError: no character set has this name, or there is no such file.
        DataError: all faults of the file at once.
    """
    path = Path(given).expanduser()
    if path.suffix.lower() in FORMS:
        if not path.is_file():
            raise UserError(f"there is no file {shown(path)}\n{FIX}")
        return _checked(path, [_Entry(f"{shown(path)}:{line}", row) for line, row in read_all(path, FIX)])
    if path.suffix.lower() in YAML:
        document = read_marked_yaml(path)
        if not (isinstance(document.value, dict) and "characters" in document.value):
            whole = document.value
            at, entries = (("concepts",), whole.get("concepts")) if isinstance(whole, dict) else ((), whole)
            if not isinstance(entries, list):
                raise DataError([f"{document.path}: holds no list of concepts"], FIX)
            return _checked(path, [_Entry(f"{document.path}:{document.line_of((*at, n))}", entry)
                                   for n, entry in enumerate(entries)])  # fmt: skip
    return of_characters(read_character_set(given).characters)


def of_characters(characters: Iterable[Character]) -> tuple[Concept, ...]:
    """Take characters as concepts: the plain noun is what stands for the name, impostors are of the same franchise."""
    return tuple(
        Concept(
            id=who.id, name=who.name, aliases=who.aliases, not_aliases=who.not_aliases,
            noun=who.key_characteristic, stratum=who.franchise,
        )
        for who in characters
    )  # fmt: skip


def slug_of(name: str) -> str:
    """Make an id of a name: its folded words with hyphens; a name in other letters than a to z ends in a hash."""
    folded = words(name)
    plain = [word for word in folded if word.isascii()]
    if len(plain) == len(folded):
        return "-".join(plain)
    return "-".join([*(plain or ["concept"]), hashlib.sha256(fold(name).encode()).hexdigest()[:8]])


def concepts_of_names(names: Iterable[str]) -> tuple[Concept, ...]:
    """Take names as concepts, such as those of folders; a name without letters or digits is nobody's."""
    found = {slug_of(name): Concept(id=slug_of(name), name=name) for name in names if words(name)}
    return tuple(found.values())


# --------------------------------------------------------------------------------------- a user's own file


def _read_kept(kept: Path) -> tuple[Concept, ...]:
    try:
        return tuple(Concept.model_validate(row) for row in json.loads(kept.read_bytes())["concepts"])
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            [f"{shown(kept)}: holds no concepts ({str(error).splitlines()[0]})"],
            "  delete it, and give the concepts again: --characters SET or --concepts FILE",
        ) from error


def _checked(path: Path, entries: Sequence[_Entry]) -> tuple[Concept, ...]:
    """Make concepts of rows, or tell everything that is wrong with them."""
    faults: list[str] = []
    found: list[tuple[str, Concept]] = []
    for entry in entries:
        if not isinstance(entry.cells, dict):
            faults.append(f"{entry.place}: {entry.cells!r:.40} is no concept; needed: a name, aliases, ...")
            continue
        if more := cells_beyond(entry.cells):
            faults.append(f"{entry.place}: {more}")
            continue
        try:
            found.append((entry.place, Concept.model_validate(_fields(entry.cells))))
        except ValidationError as error:
            faults += [f"{entry.place}: {_worded(each)}" for each in error.errors(include_url=False)]
    if columns := _without_name(entries):
        hint = other_separator(columns)
        faults = [f"{shown(path)}: no column name; it has {', '.join(columns)[:200]}{'; ' * bool(hint)}{hint}"]
    faults = [*_column_faults(path, entries), *faults, *_empty_faults(found)]
    faults += _twice_faults([(place, concept) for place, concept in found if words(concept.name)])
    if not entries:
        faults.append(f"{shown(path)}: holds no concept")
    if faults:
        raise DataError(first_faults(faults), FIX)
    return tuple(concept for _, concept in found)


def _without_name(entries: Sequence[_Entry]) -> list[str]:
    """Give the columns of a file of which none is the name; empty where some row has one."""
    columns = [str(name) for entry in entries if isinstance(entry.cells, dict) for name in entry.cells if name]
    return [] if "name" in columns else list(dict.fromkeys(columns))


def _fields(cells: dict[str, Any]) -> dict[str, Any]:
    """Take what a concept has; an empty cell says nothing, `a|b` is a list, an id is made where there is none."""
    given = {name: cells[name] for name in Concept.model_fields if cells.get(name) not in (None, "", [])}
    for name in ("aliases", "not_aliases"):
        if isinstance(given.get(name), str):
            given[name] = [part for part in given[name].split("|") if part.strip()]
    if "id" not in given and isinstance(given.get("name"), str) and words(given["name"]):
        given["id"] = slug_of(given["name"])
    elif "id" not in given:
        given["id"] = "none"  # the name is what is wrong, and is told
    return given


def _worded(details: Any) -> str:
    field = details["loc"][0] if details["loc"] else "concept"
    if details["type"] == "missing":
        return f"'{field}' is missing"
    if details["type"] == "string_pattern_mismatch":
        return f"{field} '{details['input']}' must be lower case letters and digits joined by single hyphens"
    return f"{field} {details['input']!r:.60}: {details['msg'][:1].lower()}{details['msg'][1:]}"


def _column_faults(path: Path, entries: Sequence[_Entry]) -> list[str]:
    """Tell columns that look like one of ours and are not; any others are a user's own business."""
    there = {str(name) for entry in entries if isinstance(entry.cells, dict) for name in entry.cells if name}
    wanted = [name for name in Concept.model_fields if name not in there]
    close = {name: difflib.get_close_matches(name.lower(), wanted, n=1, cutoff=0.75) for name in sorted(there)}
    return [
        f"{shown(path)}: unknown column '{name}'; did you mean '{match[0]}'?"
        for name, match in close.items()
        if match and name not in Concept.model_fields
    ]


def _empty_faults(found: Sequence[tuple[str, Concept]]) -> list[str]:
    return [
        f"{place}: '{name}' of '{concept.id}' holds no letter or digit"
        for place, concept in found
        for name in (concept.name, *concept.aliases, *concept.not_aliases)
        if not words(name)
    ]


def _twice_faults(found: Sequence[tuple[str, Concept]]) -> list[str]:
    """Tell ids and names of two concepts; an alias may be shared, which counting warns of."""
    faults: list[str] = []
    ids = Counter(concept.id for _, concept in found)
    places: dict[tuple[str, str], list[str]] = defaultdict(list)
    for place, concept in found:
        places["id", concept.id].append(place)
        if ids[concept.id] == 1:
            places["name", fold(concept.name)].append(place)
    for (what, value), where in places.items():
        if value and len(where) > 1:
            faults.append(f"{where[1]}: {what} '{value}' is given {len(where)} times, first at {where[0]}")
    return faults
