"""What a model should go on drawing: retain prompts in our own words, without what is erased."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

from copycat.catalog import read_character_set
from copycat.erasure.eraser import Concept
from copycat.errors import DataError, UserError
from copycat.models import SANDBOX
from copycat.names import NameMatcher, words
from copycat.paths import data_folder, shown
from copycat.sandbox.captions import MEDIA, SETTINGS, caption
from copycat.sandbox.world import COLOURS, SPECIES, generic_appearance
from copycat.schema import Character

KINDS = ("objects", "captions", "names")
"""objects: 'a picture of a bicycle', for real models. captions: the sandbox's, of nobody. names: other characters'."""

_CAPTIONS = 200


def retain_prompts(kind: str, concepts: Sequence[Concept], model: str) -> tuple[str, ...]:
    """List retain prompts, none of which names a concept or shows its anchor.

    A character's other names count as the concept. Of a concept's anchor all its words must stand in a prompt for it
    to be left out, because keeping it would teach the model to keep the concept (arXiv 2405.15234, table A3).
    Other characters' names are kept whatever the anchor is.

    Args:
        kind: one of `KINDS`, or "file:PATH" with a prompt in each line.
        model: its name; it chooses whose names those of "names" are.

    Raises:
        UserError: no such kind, or nothing is left.
        DataError: the file cannot be read.
    """
    characters = read_character_set("sandbox" if model == SANDBOX else "copycat50").characters
    found = dict.fromkeys(_without(_listed(kind, characters), concepts, characters, by_anchor=kind != "names"))
    if not found:
        raise UserError(f"no retain prompt of '{kind}' is left without the concept\n  needed: other prompts")
    return tuple(found)


def _listed(kind: str, characters: Sequence[Character]) -> list[str]:
    if kind == "objects":
        lines = (data_folder("prompts") / "retain" / "objects.txt").read_text(encoding="utf-8").split("\n")
        return [f"a picture of {_with_article(line)}" for line in lines if line]
    if kind == "captions":
        return _captions()
    if kind == "names":
        return [character.name for character in characters]
    if kind.startswith("file:"):
        return _lines_of(Path(kind.removeprefix("file:")).expanduser())
    raise UserError(f"no retain prompts '{kind}'\n  there are: {', '.join(KINDS)}, file:PATH")


def _captions() -> list[str]:
    """Write captions as the sandbox's training had them, of looks that are nobody's: the same at any time."""
    rng = random.Random(0)
    plain = [*SPECIES, *(f"{rng.choice(COLOURS)} {species}" for species in SPECIES)]
    places = [f"{rng.choice(MEDIA)} of {theme}" for theme in SETTINGS]
    return [*plain, *places, *(caption(generic_appearance(rng), rng) for _ in range(_CAPTIONS))]


def _without(
    prompts: Sequence[str], concepts: Sequence[Concept], characters: Sequence[Character], *, by_anchor: bool
) -> list[str]:
    erased = [_character_of(concept, characters) for concept in concepts]
    matcher = NameMatcher(erased)
    anchors = [set(words(concept.anchor)) for concept in concepts if concept.anchor] if by_anchor else []
    return [
        prompt
        for prompt in prompts
        if not matcher.find(prompt) and not any(anchor <= set(words(prompt)) for anchor in anchors)
    ]


class _Bare:
    """A concept that is no character of a set: it has its name alone."""

    aliases: tuple[str, ...] = ()
    not_aliases: tuple[str, ...] = ()

    def __init__(self, name: str) -> None:
        self.id = self.name = name


def _character_of(concept: Concept, characters: Sequence[Character]) -> Character | _Bare:
    asked = words(concept.name)
    known = (c for c in characters if any(words(name) == asked for name in (c.name, *c.aliases)))
    return next(known, _Bare(concept.name))


def _with_article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def _lines_of(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        fix = "  needed: a text file in UTF-8 with a prompt in each line"
        raise DataError([f"{shown(path)}: cannot be read"], fix) from error
    return [line.strip() for line in lines if line.strip()]
