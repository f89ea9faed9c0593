"""Write a frozen prompt set: once per release, never in a run."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from copycat.catalog.anchors import RANKER_PATTERN
from copycat.catalog.character_checks import telling_phrases, telling_word
from copycat.catalog.character_sets import characters_sha256
from copycat.catalog.hashing import canonical_json
from copycat.catalog.marked_yaml import read_marked_yaml
from copycat.catalog.prompt_files import CARD, KeywordRow, PromptCard, PromptFile, TextRow
from copycat.catalog.prompt_sets import AUTHORED, PromptSet, derived_prompt_set
from copycat.errors import DataError, UserError
from copycat.names import fold
from copycat.paths import shown
from copycat.schema import CharacterSet

RankedKeywords = Mapping[str, Mapping[str, Sequence[str]]]
"""Ranker -> character id -> keywords, the most telling first."""


def freeze_prompt_set(
    character_set: CharacterSet,
    folder: Path,
    extra_keywords: RankedKeywords | None = None,
    *,
    how: str | Mapping[str, str],
    by: str,
    date: str,
    version: str = "1.0",
    default_ranker: str | None = None,
    licence: str | None = None,
) -> PromptCard:
    """Write the prompts of a character set and their card into `folder`, and give the card.

    Args:
        extra_keywords: keywords of further rankers, such as the sandbox's "cooccurrence".
        how: how the texts were made, for all files or by file name ("keywords-authored.jsonl").
        date: as 2026-01-31; recorded, never read from the clock.
        licence: of the texts, an SPDX expression.
        default_ranker: what plain "keywords" means; None means the authored ones, else the first.

    Raises:
        DataError: a keyword names its character or a brand, is given twice, or a character lacks
            a list; all faults at once. Nothing is written then.
        UserError: the folder holds this version with other content.
    """
    derived = derived_prompt_set(character_set)
    keywords: dict[str, Mapping[str, Sequence[str]]] = {**derived.keywords, **(extra_keywords or {})}
    if faults := _keyword_faults(character_set, keywords):
        raise DataError(faults)
    contents = _contents(derived, keywords, [character.id for character in character_set.characters])
    card = PromptCard(
        id=character_set.id,
        version=version,
        licence=licence,
        characters_sha256=characters_sha256(character_set),
        default_ranker=default_ranker or (AUTHORED if AUTHORED in keywords else next(iter(keywords), None)),
        files={
            name: PromptFile(
                how=how if isinstance(how, str) else how[name],
                by=by,
                date=date,
                sha256=hashlib.sha256(content).hexdigest(),
            )
            for name, content in contents.items()
        },
    )
    _refuse_same_version(folder / CARD, card)
    _write(folder, card, contents)
    return card


def _contents(
    derived: PromptSet, keywords: Mapping[str, Mapping[str, Sequence[str]]], ids: Sequence[str]
) -> dict[str, bytes]:
    rows: dict[str, list[TextRow] | list[KeywordRow]] = {
        "name.jsonl": [TextRow(character=i, text=derived.names[i]) for i in ids],
        "description.jsonl": [TextRow(character=i, text=derived.descriptions[i]) for i in ids],
    }
    for ranker, lists in keywords.items():
        rows[f"keywords-{ranker}.jsonl"] = [KeywordRow(character=i, keywords=tuple(lists[i])) for i in ids]
    return {
        name: "".join(canonical_json(row.model_dump(mode="json")) + "\n" for row in these).encode()
        for name, these in rows.items()
    }


def _keyword_faults(character_set: CharacterSet, keywords: RankedKeywords) -> list[str]:
    faults: list[str] = []
    for ranker, lists in keywords.items():
        if not re.fullmatch(RANKER_PATTERN, ranker) or re.search(r"-[0-9]+$", ranker):
            faults.append(f"ranker '{ranker}' must be lower case words joined by hyphens that do not end in a number")
        known = {character.id for character in character_set.characters}
        faults += [f"ranker '{ranker}': character '{i}' is not in the set" for i in lists if i not in known]
        for character in character_set.characters:
            where = f"ranker '{ranker}', character '{character.id}'"
            if character.id not in lists:
                faults.append(f"{where}: keywords are missing")
                continue
            words = lists[character.id]
            matcher = telling_phrases(character.name, character.aliases, character.brand_words)
            faults += [f"{where}: {said}" for word in words if (said := telling_word(word, matcher))]
            folded = [fold(word) for word in words]
            faults += [f"{where}: '{w}' is given twice" for n, w in enumerate(words) if folded[n] in folded[:n]]
    return faults


def _refuse_same_version(path: Path, card: PromptCard) -> None:
    if not path.is_file():
        return
    old = PromptCard.model_validate(read_marked_yaml(path).value)
    changed = {name for name in {*old.files, *card.files} if _sha256(old, name) != _sha256(card, name)}
    if old.version == card.version and changed:
        raise UserError(
            f"{shown(path)}: version '{old.version}' is frozen, and {', '.join(sorted(changed))} would change\n"
            f"  needed: a new version, with --version"
        )


def _sha256(card: PromptCard, name: str) -> str | None:
    return card.files[name].sha256 if name in card.files else None


def _write(folder: Path, card: PromptCard, contents: Mapping[str, bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    said = card.model_dump(mode="json", exclude={"licence"} if card.licence is None else None)
    text = yaml.safe_dump(said, sort_keys=False, allow_unicode=True, width=100)
    (folder / CARD).write_text(text, encoding="utf-8", newline="\n")
