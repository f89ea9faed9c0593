"""Whose a name, a folder or a cell is: concepts by id, by name or by alias."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from copycat.imitation.concepts import slug_of
from copycat.imitation.records import Concept
from copycat.imitation.threshold.steps import MIN_SEGMENT
from copycat.names import fold, words
from copycat.paths import shown
from copycat.schema.base import Slug

MAX_NAMED = 5
"""Concepts or folders that a warning names."""
NEAR = 0.75
"""How alike a stranger and a name must be, by difflib's ratio, for the name to be suggested."""


class Whose(NamedTuple):
    """Names that were looked up: `ids` of those that are one concept's; names of several; names of none.

    `known` are the names of the concepts, one of which may be meant by a stranger.
    """

    ids: Mapping[str, Slug]
    shared: Mapping[str, Sequence[Slug]] = {}
    strangers: Sequence[str] = ()
    known: Sequence[str] = ()

    def warnings(self, one: str, many: str) -> list[str]:
        """Tell the names that are left out, and those of one concept.

        Args:
            one, many: what has such a name, "folder" and "folders".
        """
        told = [
            f"{one} '{name}' is left out: it is a name of {' and of '.join(ids)}; call it by the id of one of them"
            for name, ids in self.shared.items()
        ]
        by_concept: dict[Slug, list[str]] = {}
        for name, concept in self.ids.items():
            by_concept.setdefault(concept, []).append(name)
        told += [
            f"{many} {' and '.join(names)} are of one concept, {concept}: a picture that is in both counts once"
            for concept, names in by_concept.items()
            if len(names) > 1
        ]
        if self.strangers:
            n = len(self.strangers)
            shown_first = [self._with_near(name) for name in self.strangers[:MAX_NAMED]]
            whom = listed([*shown_first, *self.strangers[MAX_NAMED:]])
            told.append(f"{n:,} {f'{many} are' if n > 1 else f'{one} is'} of no concept: {whom}")
        return told

    def _with_near(self, name: str) -> str:
        near = difflib.get_close_matches(name, self.known, n=1, cutoff=NEAR)
        return f"{name} (did you mean {near[0]}?)" if near else name


class Naming:
    """Makes ids of what stands in a user's table: an id, a name or an alias; any other name is spelt as an id.

    `changed` holds the names that were no ids, and what they were taken for.
    """

    def __init__(self, concepts: Sequence[Concept] = ()) -> None:
        self._owners = _owners(concepts)
        self._ids = {concept.id for concept in concepts}
        self.changed: dict[str, str] = {}

    def __call__(self, text: str) -> str:
        """Give the id; a text that can be none is given back as it is."""
        text = text.strip()
        owners = self._owners.get(fold(text), ())
        if text in self._ids or not words(text):
            return text
        found = owners[0] if len(owners) == 1 else slug_of(text)
        if found != text:
            self.changed[text] = found
        return found

    def notes(self, path: Path) -> tuple[str, ...]:
        """Say how the names of a file were taken; nothing where it holds ids."""
        if not self.changed:
            return ()
        name, taken = next(iter(self.changed.items()))
        more = f", and so on for {len(self.changed) - 1:,} more" if len(self.changed) > 1 else ""
        return (f"{shown(path)} has names in place of ids: '{name}' is read as the id {taken}{more}",)


def look_up(names: Iterable[str], concepts: Sequence[Concept]) -> Whose:
    """Find the concept of each name: an id is its own, a name or an alias that two share is nobody's."""
    own, owners = {concept.id for concept in concepts}, _owners(concepts)
    ids: dict[str, Slug] = {}
    shared: dict[str, Sequence[Slug]] = {}
    strangers: list[str] = []
    for name in dict.fromkeys(names):
        found = (name,) if name in own else owners.get(fold(name), ())
        if len(found) == 1:
            ids[name] = found[0]
        elif found:
            shared[name] = found
        else:
            strangers.append(name)
    return Whose(ids, shared, strangers, [concept.name for concept in concepts])


def subfolders(place: Path) -> list[Path]:
    """List the folders within one, without hidden ones."""
    return sorted(child for child in place.iterdir() if child.is_dir() and not child.name.startswith("."))


def look_up_folders(place: Path, concepts: Sequence[Concept]) -> Whose:
    """Find the concept of each folder in `place`."""
    return look_up((child.name for child in subfolders(place)), concepts)


def few_concepts(n: int, what: str) -> list[str]:
    """Warn where fewer concepts are left than `threshold` needs, MIN_SEGMENT at either level.

    Args:
        what: the n concepts have, "a count".
    """
    needed = 2 * MIN_SEGMENT
    if n >= needed:
        return []
    return [f"{n} {'concept has' if n == 1 else 'concepts have'} {what}; `threshold` needs {needed} to find a step"]


def listed(names: Sequence[str], most: int = MAX_NAMED) -> str:
    """Name the first few, and say how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _owners(concepts: Sequence[Concept]) -> dict[str, tuple[Slug, ...]]:
    """Give the concepts of each folded name."""
    found: dict[str, dict[Slug, None]] = {}
    for concept in concepts:
        for text in (concept.name, *concept.aliases):
            found.setdefault(fold(text), {})[concept.id] = None
    return {name: tuple(ids) for name, ids in found.items()}
