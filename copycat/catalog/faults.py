"""What is wrong with a record of a data file, in words."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from copycat.catalog.marked_yaml import Location, MarkedYaml

_RULES = {
    "string_type": "must be text; put it in quotes",
    "string_too_short": "must not be empty",
    "string_pattern_mismatch": "must match {pattern}",
    "tuple_type": "must be a list, such as [first, second]",
    "too_short": "must have at least one entry",
    "literal_error": "must be {expected}",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "model_type": "must be a mapping of fields",
    "model_attributes_type": "must be a mapping of fields",
    "dict_type": "must be a mapping",
}
SLUG_RULE = "must be lower case letters and digits, in parts joined by single hyphens, such as 'mickey-mouse'"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a file: where, and what is wrong there with the value and the rule."""

    line: int
    text: str


def rendered(path: str, faults: Iterable[Fault]) -> list[str]:
    """Give the faults as `path:line: text`, in the order of the file."""
    return [f"{path}:{fault.line}: {fault.text}" for fault in sorted(faults, key=lambda fault: fault.line)]


def place(document: MarkedYaml, location: Location) -> str:
    """Say where `location` is: "characters[3] 'goofy', field 'key_characteristic'"."""
    if location[:1] == ("characters",) and len(location) > 1 and isinstance(location[1], int):
        entry = f"characters[{location[1]}]{_entry_name(document, location[1])}"
        return f"{entry}, field '{_dotted(location[2:])}'" if len(location) > 2 else entry
    return f"field '{_dotted(location)}'" if location else "the file"


def fault_at(document: MarkedYaml, location: Location, text: str) -> Fault:
    """Make the fault of the value at `location`; `text` says what it is and what is needed."""
    return Fault(document.line_of(location), f"{place(document, location)}: {text}")


def duplicate_key_faults(document: MarkedYaml) -> list[Fault]:
    """Give a fault for each key that its mapping has twice (YAML would keep the last in silence)."""
    return [
        Fault(line, f"{place(document, location)}: is given twice, first on line {first}")
        for location, line, first in document.duplicate_keys
    ]


def schema_faults(
    document: MarkedYaml, error: ValidationError, fields: type[BaseModel], needed: Mapping[str, str]
) -> list[Fault]:
    """Word every fault that pydantic found.

    Args:
        fields: the record whose field names are suggested for an unknown one.
        needed: field name -> what to write there, for a missing one.
    """
    found = error.errors(include_url=False)
    # pydantic counts an entry with a fault as absent, and so also calls a list of such entries too short
    inside = {details["loc"][:length] for details in found for length in range(len(details["loc"]))}
    real = [details for details in found if details["type"] != "too_short" or details["loc"] not in inside]
    return [_schema_fault(document, details, fields, needed) for details in real]


def _schema_fault(
    document: MarkedYaml, details: ErrorDetails, fields: type[BaseModel], needed: Mapping[str, str]
) -> Fault:
    location: Location = details["loc"]
    if location[-1:] == ("[key]",):  # pydantic's mark of a mapping's key
        key = location[:-1]
        return Fault(document.key_line_of(key), f"{place(document, key[:-1])}: the key '{key[-1]}' {_rule(details)}")
    where, kind = place(document, location), details["type"]
    if kind == "missing":
        wanted = needed.get(str(location[-1]), "")
        return Fault(document.line_of(location), f"{where}: is missing" + (f"; needed: {wanted}" if wanted else ""))
    if kind == "extra_forbidden":
        close = difflib.get_close_matches(str(location[-1]), list(fields.model_fields), n=1)
        hint = f"; did you mean '{close[0]}'?" if close else ""
        return Fault(document.key_line_of(location), f"{where}: there is no such field{hint}")
    return Fault(document.line_of(location), f"{where}: {_value(document, details)} {_rule(details)}")


def _value(document: MarkedYaml, details: ErrorDetails) -> str:
    return "nothing is given:" if details["input"] is None else document.shown(details["loc"])


def _rule(details: ErrorDetails) -> str:
    context = details.get("ctx", {})
    if details["type"] == "string_pattern_mismatch" and str(context.get("pattern")).startswith("^[a-z0-9]+(-"):
        return SLUG_RULE
    message = details["msg"][:1].lower() + details["msg"][1:]
    return _RULES.get(details["type"], f"is wrong: {message}").format(**context)


def _entry_name(document: MarkedYaml, index: int) -> str:
    characters = document.value.get("characters") if isinstance(document.value, Mapping) else None
    entry = characters[index] if isinstance(characters, list) and index < len(characters) else None
    name = (entry.get("id") or entry.get("name")) if isinstance(entry, Mapping) else None
    return f" '{name}'" if name else ""


def _dotted(location: Location) -> str:
    text = ""
    for step in location:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else str(step)
    return text
