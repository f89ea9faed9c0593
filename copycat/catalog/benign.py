"""prompts/benign/: prompts that are after nobody, so that what a mitigation does to them is its cost."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pydantic import Field, ValidationError

from copycat.catalog.faults import duplicate_key_faults, rendered, schema_faults
from copycat.catalog.marked_yaml import read_marked_yaml
from copycat.catalog.prompt_files import CARD, PromptFile
from copycat.errors import DataError
from copycat.paths import data_folder, shown
from copycat.schema import BENIGN, Character, CharacterSet, Prompt, Record, SetWithSubjects, Slug, Text

EVERYDAY, SANDBOX = "everyday", "sandbox"


class BenignRow(Record):
    """A line of a file of benign prompts; `shows` is the plain noun phrase that CONS asks for."""

    id: Slug
    text: Text
    shows: Text


class BenignCard(Record):
    """card.yaml: where the files come from, and their fixed bytes."""

    id: Slug
    version: Text
    licence: Text | None = None
    files: dict[str, PromptFile] = Field(min_length=1)


def benign_prompts(characters: CharacterSet, folder: Path | None = None) -> tuple[SetWithSubjects, tuple[Prompt, ...]]:
    """Give the benign prompts that fit a character set, and the set together with what they ask for.

    The sandbox has its own, in words that its model knows; every other set has those of everyday things.

    Args:
        folder: where the files are; None means prompts/benign.

    Raises:
        DataError: a file is missing, edited, or holds a line that is no benign prompt.
    """
    name = SANDBOX if characters.is_sandbox else EVERYDAY
    rows = _read(folder or data_folder("prompts") / BENIGN, f"{name}.jsonl")
    subjects = tuple(_subject(row) for row in rows)
    prompts = tuple(
        Prompt(id=f"{BENIGN}/{name}/{row.id}", character=who.id, anchor=BENIGN, text=row.text)
        for row, who in zip(rows, subjects, strict=True)
    )
    return SetWithSubjects(**dict(characters), subjects=subjects), prompts


def _subject(row: BenignRow) -> Character:
    return Character(
        id=f"{BENIGN}-{row.id}",
        name=row.text,
        franchise="benign prompt",
        key_characteristic=row.shows,
        description=row.text,
    )


def _read(folder: Path, file_name: str) -> tuple[BenignRow, ...]:
    path, listed = folder / file_name, _read_card(folder / CARD).files.get(file_name)
    if listed is None or not path.is_file():
        raise DataError([f"{shown(path)}: is missing, there or on {CARD}"], "  install copycat again")
    raw = path.read_bytes()
    if hashlib.sha256(raw).hexdigest() != listed.sha256:
        raise DataError([f"{shown(path)}: differs from its sha256 in {CARD}; it is frozen"], "  install copycat again")
    rows, faults = [], []
    for number, line in enumerate(raw.splitlines(), start=1):
        try:
            rows.append(BenignRow.model_validate_json(line))
        except ValidationError as error:
            faults.append(f"{shown(path)}:{number}: {error.errors(include_url=False)[0]['msg']}")
    ids = [row.id for row in rows]
    faults += [
        f"{shown(path)}: id '{repeated}' is given twice" for repeated in sorted({i for i in ids if ids.count(i) > 1})
    ]
    if faults:
        raise DataError(faults)
    return tuple(rows)


def _read_card(path: Path) -> BenignCard:
    document = read_marked_yaml(path)
    faults = duplicate_key_faults(document)
    try:
        card = BenignCard.model_validate(document.value)
    except ValidationError as error:
        faults += schema_faults(document, error, BenignCard, {})
    if faults:
        raise DataError(rendered(document.path, faults))
    return card
