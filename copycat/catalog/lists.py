"""Frozen lists that a user made or downloaded: lists/<set>/<kind>-<name>.json, each with its provenance and hash.

They stand beside the prompts that ship: `copycat.discover` and `copycat.data lists` write them, `copycat.eval`
reads them. A list never changes: another text is another name.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from copycat.catalog.anchors import RANKER_PATTERN
from copycat.catalog.hashing import canonical_sha256
from copycat.catalog.prompt_files import Sha256
from copycat.catalog.prompt_sets import PromptSet
from copycat.errors import DataError, UserError
from copycat.paths import data_folder, shown
from copycat.schema import CharacterSet, Record, Slug, Text

LISTS = Path("lists")
"""Where lists are looked for, in the working directory, unless a command says otherwise."""

Kind = Literal["keywords", "description", "rewrite"]


class FrozenList(Record):
    """One list of a character set.

    `texts` goes from character id to keywords, the most telling first, or to descriptions, the best first; of
    rewrites from prompt id to one text, or to one for each repeat. `removed` and `faults` are for people to
    read. `sha256` is of `texts`.
    """

    schema_version: int = 1
    kind: Kind
    characters: Slug
    name: Text
    provenance: dict[str, str] = Field(min_length=1)
    texts: dict[str, tuple[Text, ...]]
    removed: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    sha256: Sha256

    @property
    def file_name(self) -> str:
        """The file that holds this list."""
        return f"{self.kind}-{self.name}.json"


def write_list(
    folder: Path,
    character_set: CharacterSet,
    kind: Kind,
    name: str,
    texts: dict[str, tuple[str, ...]],
    *,
    provenance: dict[str, str],
    removed: tuple[str, ...] = (),
    faults: tuple[str, ...] = (),
) -> Path:
    """Write a list below `folder`/<set id> and give its path.

    Raises:
        UserError: the name has the wrong form, or there is a list of this name with other texts.
    """
    if not re.fullmatch(RANKER_PATTERN, name) or re.search(r"-[0-9]+$", name):
        raise UserError(
            f"'{name}' cannot name a list\n  needed: lower case words joined by hyphens, no number at the end"
        )
    made = FrozenList(
        kind=kind,
        characters=character_set.id,
        name=name,
        provenance=provenance,
        texts=texts,
        removed=removed,
        faults=faults,
        sha256=canonical_sha256({key: list(words) for key, words in texts.items()}),
    )
    path = folder / character_set.id / made.file_name
    if path.exists() and read_list(path).sha256 != made.sha256:
        raise UserError(
            f"{shown(path)} holds other texts, and lists are frozen\n  choose another name, or move the file away"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(made.model_dump(mode="json"), ensure_ascii=False, indent=1) + "\n"
    temporary = path.with_suffix(".tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)
    return path


def with_lists(prompt_set: PromptSet, folder: Path) -> PromptSet:
    """Add to a prompt set the lists that ship with it, and those of a folder.

    Raises:
        DataError: a file is damaged or edited, of another set, or named like a list that the set has.
    """
    keywords, described, rewrites = (dict(d) for d in (prompt_set.keywords, prompt_set.described, prompt_set.rewrites))
    faults: list[str] = []
    shipped = data_folder("prompts") / prompt_set.id
    own = folder / prompt_set.id
    places = (shipped,) if own.absolute() == shipped else (shipped, own)
    for path in (path for place in places for path in sorted(place.glob("*.json"))):
        try:
            one = read_list(path)
        except DataError as error:
            faults += error.faults
            continue
        if one.characters != prompt_set.id or path.name != one.file_name:
            faults.append(f"{shown(path)}: this is '{one.file_name}' of character set '{one.characters}'")
        elif one.kind == "keywords" and one.name in keywords:
            faults.append(f"{shown(path)}: the set has keywords '{one.name}' of its own; give the list another name")
        elif one.kind == "keywords":
            keywords[one.name] = {character: one.texts.get(character, ()) for character in prompt_set.names}
        else:
            (rewrites if one.kind == "rewrite" else described)[one.name] = one.texts
    if faults:
        raise DataError(faults)
    default = prompt_set.default_ranker or next(iter(keywords), None)
    found = {"keywords": keywords, "described": described, "rewrites": rewrites, "default_ranker": default}
    return prompt_set.model_copy(update=found)


def read_list(path: Path) -> FrozenList:
    """Read one list.

    Raises:
        DataError: it is no list, or was edited.
    """
    try:
        found = FrozenList.model_validate_json(path.read_bytes())
    except (ValidationError, OSError) as error:
        said = error.errors(include_url=False)[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise DataError([f"{shown(path)}: is no frozen list ({said})"]) from error
    if canonical_sha256({key: list(words) for key, words in found.texts.items()}) != found.sha256:
        raise DataError(
            [f"{shown(path)}: its texts differ from its sha256, and lists are frozen"],
            "  move the file away, and make the list again",
        )
    return found
