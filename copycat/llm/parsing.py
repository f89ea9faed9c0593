"""Lists in the words of a language model: JSON arrays, numbered or bulleted lines, words between commas."""

from __future__ import annotations

import json
import re

from copycat.errors import BackendError
from copycat.names import fold

MAX_WORDS = 6
"""An entry of a list of keywords is no longer; what is longer is prose."""

SHOWN_LETTERS = 80

_MARKER = re.compile(r"^\s*(?:[-*\u2022\u2013]|\(?\d{1,3}[.):])\s+")
_ARRAY = re.compile(r"\[.*\]", re.DOTALL)
_AROUND = " \t\"'`*_\u201c\u201d\u2018\u2019.;"
_PROSE = re.compile(r"\bI\b|\b[Ss]orry\b|^(?:Sure|Certainly|Of course|Here (?:is|are))\b")
"""Unmarked lines with these are the model speaking of itself; 'I' in capitals only."""

_END_OF_OPENER = re.compile(r"^[^:]{0,80}:\s+(?=\S)")


def read_list(answer: str, limit: int) -> list[str]:
    """Read at most `limit` entries from an answer, in its order, each once.

    Lines with numbers or bullets count before words between commas, and a line that ends with ':' is an opener.

    Raises:
        BackendError: nothing came, or prose only.
    """
    found: dict[str, str] = {}
    for entry in _entries(answer):
        cleaned = entry.strip(_AROUND)
        if fold(cleaned) and len(cleaned.split()) <= MAX_WORDS:
            found.setdefault(fold(cleaned), cleaned)
    if not found:
        raise BackendError(
            f"the language model gave no list: '{answer.strip()[:SHOWN_LETTERS]}'\n"
            "  needed: words between commas, one on each line, or a JSON array"
        )
    return list(found.values())[:limit]


def _entries(answer: str) -> list[str]:
    if (array := _json_array(answer)) is not None:
        return array
    lines = [line.strip() for line in answer.splitlines() if line.strip() and not line.strip().endswith(":")]
    marked = [_MARKER.sub("", line) for line in lines if _MARKER.match(line)]
    if marked:
        return marked
    lines = [_END_OF_OPENER.sub("", line) for line in lines]
    lines = [line for line in lines if not _PROSE.search(line)]
    if any("," in line for line in lines):
        return [part for line in lines if "," in line for part in line.split(",")]
    return [line for line in lines if not line.endswith((".", "!", "?"))]


def _json_array(answer: str) -> list[str] | None:
    """Give the strings of the JSON array in an answer, None where there is none."""
    match = _ARRAY.search(answer)
    if match is None:
        return None
    try:
        found = json.loads(match.group())
    except ValueError:
        return None
    return [entry for entry in found if isinstance(entry, str)]
