"""Who shares something with an erased character: where an erasure does harm first."""

from __future__ import annotations

from collections.abc import Mapping

from copycat.names import fold
from copycat.sandbox.world import inhabitants
from copycat.schema import Character, CharacterSet

ALL, NEIGHBOURS, REST = "all", "neighbours", "rest"
"""Groups of the other characters: all, those that share anything, those that share nothing."""


def relations_of(characters: CharacterSet) -> tuple[str, ...]:
    """Name what characters of a set can share."""
    return ("species", "theme", "franchise") if characters.is_sandbox else ("franchise", "characteristic")


def groups_around(concept: str, characters: CharacterSet) -> dict[str, frozenset[str]]:
    """Part the other characters by what they share with one of them: ids by group.

    The groups are 'all', each relation of the set, 'neighbours' (any relation) and 'rest' (none of them).

    Args:
        concept: id of a character of the set.
    """
    marks = {who.id: _marks(who, characters) for who in characters.characters}
    others = [who for who in marks if who != concept]
    shared = {
        relation: frozenset(who for who in others if _is_shared(marks[who], marks[concept], relation))
        for relation in relations_of(characters)
    }
    near = frozenset[str]().union(*shared.values())
    return {ALL: frozenset(others), **shared, NEIGHBOURS: near, REST: frozenset(others) - near}


def _is_shared(one: Mapping[str, str | None], other: Mapping[str, str | None], relation: str) -> bool:
    return one.get(relation) is not None and one.get(relation) == other.get(relation)


def _marks(who: Character, characters: CharacterSet) -> dict[str, str | None]:
    """Give what can be shared. In the sandbox species and theme are those that the world was built from."""
    if not characters.is_sandbox:
        return {"franchise": fold(who.franchise), "characteristic": fold(who.key_characteristic)}
    looks = next((one.appearance for one in inhabitants() if one.id == who.id), None)
    return {
        "species": None if looks is None else looks.species,
        "theme": None if looks is None else looks.theme,
        "franchise": fold(who.franchise),
    }
