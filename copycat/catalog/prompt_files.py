"""The files of a prompt set: card.yaml and JSONL rows, and how one JSONL file is checked."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import Field, StringConstraints, ValidationError

from copycat.catalog.anchors import RANKER_PATTERN
from copycat.paths import shown
from copycat.schema import Record, Slug, Text

CARD = "card.yaml"
FILE_PATTERN = rf"^(name|description|keywords-{RANKER_PATTERN})\.jsonl$"
Sha256 = Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]
Date = Annotated[str, StringConstraints(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
FileName = Annotated[str, StringConstraints(pattern=FILE_PATTERN)]


class PromptFile(Record):
    """How one file of a prompt set was made, by whom or by what program, and its fixed bytes."""

    how: Text
    by: Text
    date: Date
    sha256: Sha256


class PromptCard(Record):
    """card.yaml. `characters_sha256` records the characters at the freeze; they may move on.

    `licence` is that of all texts in the folder, lists among them: an SPDX expression.
    """

    id: Slug
    version: Text
    licence: Text | None = None
    characters_sha256: Sha256 | None = None
    default_ranker: str | None = None
    files: dict[FileName, PromptFile] = Field(min_length=1)


class TextRow(Record):
    """A line of name.jsonl and description.jsonl."""

    character: Slug
    text: Text


class KeywordRow(Record):
    """A line of keywords-<ranker>.jsonl; the most telling keyword first, perhaps fewer than one wants."""

    character: Slug
    keywords: tuple[Text, ...]


R = TypeVar("R", TextRow, KeywordRow)


def read_prompt_file(
    path: Path, card: PromptCard, ids: Sequence[str], row_type: type[R], faults: list[str]
) -> dict[str, R]:
    """Read one JSONL file as character id -> row, adding what is wrong with it to `faults`.

    Of a file whose bytes are not those of its card, only that is reported.
    """
    if path.name not in card.files:
        faults.append(f"{shown(path.parent / CARD)}: field 'files': lacks '{path.name}'")
        return {}
    if not path.is_file():
        faults.append(f"{shown(path)}: there is no such file, but {CARD} lists it")
        return {}
    raw = path.read_bytes()
    if hashlib.sha256(raw).hexdigest() != card.files[path.name].sha256:
        faults.append(
            f"{shown(path)}: differs from its sha256 in {CARD}; it is frozen: restore it, or make a new version"
        )
        return {}
    rows: dict[str, R] = {}
    for number, line in enumerate(raw.splitlines(), start=1):
        try:
            row = row_type.model_validate_json(line)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            field = f"field '{'.'.join(map(str, first['loc']))}': " if first["loc"] else ""
            faults.append(f"{shown(path)}:{number}: {field}{first['msg'][:1].lower()}{first['msg'][1:]}")
            continue
        if row.character in rows:
            faults.append(f"{shown(path)}:{number}: character '{row.character}' is given twice")
        elif row.character not in ids:
            faults.append(f"{shown(path)}:{number}: character '{row.character}' is not in the set")
        rows[row.character] = row
    faults.extend(f"{shown(path)}: character '{missing}' is missing" for missing in ids if missing not in rows)
    return rows
