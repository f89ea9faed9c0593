"""characters/*.yaml, or a user's own file -> CharacterSet."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from copycat.catalog.character_checks import character_faults
from copycat.catalog.faults import Fault, duplicate_key_faults, fault_at, rendered, schema_faults
from copycat.catalog.hashing import canonical_sha256
from copycat.catalog.marked_yaml import MarkedYaml, read_marked_yaml
from copycat.errors import DataError, UnknownNameError
from copycat.paths import data_folder
from copycat.schema import Character, CharacterSet

CHARACTER_SETS_HINT = "a path to a YAML file works as well, such as './my-characters.yaml'"
_SUFFIXES = (".yaml", ".yml")
_OF_ONE = {"__all__": {"versions", "licences"}}
_NOT_HASHED: dict[str, Any] = {"sources": True, "licences": True, "characters": _OF_ONE, "subjects": _OF_ONE}
_NEEDED = {
    "id": "a short name in lower case letters, digits and hyphens",
    "name": "the name, as people write it",
    "franchise": "the work that it comes from",
    "key_characteristic": "what it plainly is, such as 'cartoon mouse'",
    "description": "about 60 words on its looks that do not name it",
    "characters": "a list of characters",
    "title": "the title of the work, in quotes",
    "year": "the year of first publication",
}


def list_character_sets() -> tuple[str, ...]:
    """Give the names of the character sets that ship, in alphabetical order."""
    return tuple(sorted(path.stem for path in data_folder("characters").glob("*.yaml")))


def read_character_set(name_or_path: str | os.PathLike[str], *, strict_sources: bool | None = None) -> CharacterSet:
    """Read and check a character set.

    Args:
        name_or_path: a set that ships ("copycat50"), or a path to a YAML file.
        strict_sources: whether it is read as a set that ships, wherever it lies: rights, legal facts, sources and
            licences are required, and its id may be that of one; None means: of the sets that ship, not of a
            user's own file.

    Raises:
        UnknownNameError: no set has this name, and it does not look like a path.
        DataError: every fault of the file, each as `path:line: entry, field: value and rule`.
    """
    text = os.fspath(name_or_path)
    path = _path_of(text)
    is_strict = _is_shipped(path) if strict_sources is None else strict_sources
    if _is_shipped(path) and path.is_file() and os.access(path, os.R_OK):
        return _read_once(path, path.read_bytes(), is_strict)
    return _read(path, is_strict)


def characters_sha256(character_set: CharacterSet) -> str:
    """Give the sha256 of what the set says, whatever the layout and comments of its file.

    Fields that have their default do not count, so a new optional field leaves old hashes as they are. Nor do dated
    facts of versions, and what the set says of licences and sources: no score depends on them, and a renewal that
    somebody looks up must not make old runs runs of another set.
    """
    content = character_set.model_dump(mode="json", exclude_defaults=True, exclude=_NOT_HASHED)
    return canonical_sha256(content)


@lru_cache(maxsize=16)
def _read_once(path: Path, content: bytes, is_strict: bool) -> CharacterSet:
    """Read a set that ships: a command needs it in several places, and its checks take a tenth of a second."""
    return _read(path, is_strict)


def _read(path: Path, is_shipped: bool) -> CharacterSet:
    document = read_marked_yaml(path)
    characters, faults = _parsed(document)
    faults += [*duplicate_key_faults(document), *character_faults(document, is_shipped)]
    faults += _set_faults(document, path, is_shipped)
    if faults or characters is None:
        fix = f"then check it: python -m copycat.data validate {document.path}"
        raise DataError(list(dict.fromkeys(rendered(document.path, faults))), fix)
    return characters


def _path_of(name_or_path: str) -> Path:
    shipped = data_folder("characters") / f"{name_or_path}.yaml"
    if name_or_path in list_character_sets():
        return shipped
    if os.sep in name_or_path or "/" in name_or_path or name_or_path.lower().endswith(_SUFFIXES):
        return Path(name_or_path).expanduser()
    raise UnknownNameError("character set", name_or_path, list_character_sets(), CHARACTER_SETS_HINT)


def _is_shipped(path: Path) -> bool:
    found = Path(os.path.realpath(path))  # of a link to itself, too, of which Path.resolve raises
    return found.parent == data_folder("characters").resolve()


def _parsed(document: MarkedYaml) -> tuple[CharacterSet | None, list[Fault]]:
    if not isinstance(document.value, dict):
        return None, [fault_at(document, (), "must be a mapping with 'id' and 'characters'")]
    try:
        return CharacterSet.model_validate(document.value), []
    except ValidationError as error:
        return None, schema_faults(document, error, Character, _NEEDED)


def _set_faults(document: MarkedYaml, path: Path, is_shipped: bool) -> list[Fault]:
    """Rules on the set itself; the id of a set that ships belongs to its frozen prompts."""
    if not isinstance(document.value, dict):
        return []
    set_id = document.value.get("id")
    if not is_shipped and set_id in list_character_sets():
        return [fault_at(document, ("id",), f"'{set_id}' is the id of a set that ships; choose another")]
    faults: list[Fault] = []
    if _is_shipped(path) and isinstance(set_id, str) and set_id != path.stem:
        faults.append(fault_at(document, ("id",), f"'{set_id}' must be the name of the file, '{path.stem}'"))
    if is_shipped:
        missing = [field for field in ("title", "about") if not document.value.get(field)]
        faults += [fault_at(document, (field,), "is missing; needed in a set that ships") for field in missing]
    return faults
