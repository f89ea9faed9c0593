"""prompts/<set>/ -> PromptSet: frozen texts, each file checked against the sha256 of its card."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import Field, ValidationError

from copycat.catalog.character_sets import list_character_sets
from copycat.catalog.faults import duplicate_key_faults, rendered, schema_faults
from copycat.catalog.marked_yaml import read_marked_yaml
from copycat.catalog.prompt_files import CARD, FILE_PATTERN, KeywordRow, PromptCard, TextRow, read_prompt_file
from copycat.errors import DataError, UserError
from copycat.paths import data_folder, shown
from copycat.schema import CharacterSet, Record, Slug, Text

AUTHORED = "authored"
"""The ranker of the keywords that a character file itself gives."""


class PromptSet(Record):
    """All texts of a character set: character id -> text, and ranker -> character id -> keywords.

    Keywords are the most telling first; so are the lists of descriptions in `described`. `rewrites` goes from
    version to prompt id to one text, or to one for each repeat. `version` is "derived" where the texts come
    straight from a user's own character file.
    """

    id: Slug
    version: Text
    default_ranker: str | None = None
    names: dict[Slug, Text]
    descriptions: dict[Slug, Text]
    keywords: dict[str, dict[Slug, tuple[Text, ...]]] = Field(default_factory=dict)
    described: dict[str, dict[Slug, tuple[Text, ...]]] = Field(default_factory=dict)
    rewrites: dict[str, dict[str, tuple[Text, ...]]] = Field(default_factory=dict)


def prompt_set_of(character_set: CharacterSet) -> PromptSet:
    """Give the frozen prompts of a set that ships, or those derived from a user's own file."""
    if character_set.id in list_character_sets():
        return read_prompt_set(character_set)
    return derived_prompt_set(character_set)


def derived_prompt_set(character_set: CharacterSet) -> PromptSet:
    """Make the prompts that the character file itself gives, with keywords if any character has some."""
    characters = character_set.characters
    keywords = {c.id: c.keywords for c in characters}
    has_keywords = any(keywords.values())
    return PromptSet(
        id=character_set.id,
        version="derived",
        default_ranker=AUTHORED if has_keywords else None,
        names={c.id: c.name for c in characters},
        descriptions={c.id: c.description for c in characters},
        keywords={AUTHORED: keywords} if has_keywords else {},
    )


def read_prompt_set(character_set: CharacterSet, folder: Path | None = None) -> PromptSet:
    """Read the frozen prompts of a character set.

    Args:
        folder: where they are; None means prompts/<set id>.

    Raises:
        UserError: there is no such folder.
        DataError: every fault: a file that is missing, edited, not on the card, or that does not
            give each character exactly once.
    """
    folder = folder or data_folder("prompts") / character_set.id
    if not (folder / CARD).is_file():
        raise UserError(
            f"character set '{character_set.id}' has no frozen prompts: there is no {shown(folder / CARD)}\n"
            f"  needed: a prompt set made by copycat.catalog.freeze_prompt_set"
        )
    card = _read_card(folder / CARD, character_set.id)
    faults = _unlisted(folder, card)
    ids = tuple(c.id for c in character_set.characters)
    names = read_prompt_file(folder / "name.jsonl", card, ids, TextRow, faults)
    descriptions = read_prompt_file(folder / "description.jsonl", card, ids, TextRow, faults)
    ranked = sorted(name for name in card.files if name.startswith("keywords-"))
    keywords = {_ranker_of(name): read_prompt_file(folder / name, card, ids, KeywordRow, faults) for name in ranked}
    if card.default_ranker is not None and card.default_ranker not in keywords:
        faults.append(f"{shown(folder / CARD)}: default_ranker '{card.default_ranker}' has no keywords file")
    if faults:
        raise DataError(faults)
    return PromptSet(
        id=card.id,
        version=card.version,
        default_ranker=card.default_ranker,
        names={i: row.text for i, row in names.items()},
        descriptions={i: row.text for i, row in descriptions.items()},
        keywords={ranker: {i: row.keywords for i, row in rows.items()} for ranker, rows in keywords.items()},
    )


def _read_card(path: Path, set_id: str) -> PromptCard:
    document = read_marked_yaml(path)
    faults = duplicate_key_faults(document)
    try:
        card = PromptCard.model_validate(document.value)
    except ValidationError as error:
        faults += schema_faults(document, error, PromptCard, {})
    if faults:
        raise DataError(rendered(document.path, faults))
    if card.id != set_id:
        raise DataError([f"{document.path}: these are the prompts of '{card.id}', not of '{set_id}'"])
    return card


def _unlisted(folder: Path, card: PromptCard) -> list[str]:
    found = sorted(path.name for path in folder.glob("*.jsonl") if re.match(FILE_PATTERN, path.name))
    return [f"{shown(folder / name)}: is not on {CARD}" for name in found if name not in card.files]


def _ranker_of(file_name: str) -> str:
    return file_name.removeprefix("keywords-").removesuffix(".jsonl")
