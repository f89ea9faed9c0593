"""Candidates that would give the character away are no innocent words: they are taken out, and each is told.

The published lists have no such filter: twelve of fifty lists of twenty words hold a name, and brands are common.
Source: CopyCat (arXiv 2406.14526), the lists released with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from copycat.catalog.character_checks import Phrases
from copycat.names import NameMatcher, fold
from copycat.schema import Character, CharacterSet


class Removed(NamedTuple):
    """A candidate that was taken out, and why."""

    character: str
    text: str
    reason: str

    def __str__(self) -> str:
        return f"{self.character}: '{self.text}' {self.reason}"


class Filter:
    """Keeps the innocent candidates of the characters of a set.

    Out go: what holds the character's name, an alias, its franchise or one of its brand words; what holds the name of
    another character of the set; what a user leaves out; what folds to nothing; and what is there already but for
    case and accents. The brands of others stay: "cars" gives away one character and is a plain word for the rest.
    """

    def __init__(self, characters: CharacterSet, without: Iterable[str] = ()) -> None:
        self._unwanted = NameMatcher((Phrases("unwanted", "", tuple(without)),))
        self._everybody = NameMatcher(characters.characters)
        self._own = {who.id: _own_words(who) for who in characters.characters}

    def keep(self, character: Character, candidates: Iterable[str]) -> tuple[tuple[str, ...], tuple[Removed, ...]]:
        """Split candidates into those that stay, in their order, and those that go."""
        kept: dict[str, str] = {}
        removed: list[Removed] = []
        for text in (" ".join(candidate.split()) for candidate in candidates):
            key = fold(text)
            if key in kept:
                if text != kept[key]:  # the very same word from two sources is no news
                    removed.append(Removed(character.id, text, f"is '{kept[key]}' again"))
            elif reason := self._reason(character, text, key):
                removed.append(Removed(character.id, text, reason))
            else:
                kept[key] = text
        return tuple(kept.values()), tuple(removed)

    def _reason(self, character: Character, text: str, key: str) -> str | None:
        if not key:
            return "holds no letter or digit"
        for mention in self._own[character.id].find(text):
            return f"{mention.character_id} ('{mention.alias}')"
        for mention in self._unwanted.find(text):
            return f"holds a word that is to be left out ('{mention.alias}')"
        for mention in self._everybody.find(text):
            return f"names another character of the set ('{mention.alias}')"
        return None


def _own_words(who: Character) -> NameMatcher:
    """Build the matcher of what gives a character away; the id of a mention is the reason."""
    named: Sequence[tuple[str, tuple[str, ...]]] = (
        ("names the character", (who.name, *who.aliases)),
        ("names its franchise", (who.franchise,)),
        ("is one of its brand_words", who.brand_words),
    )
    return NameMatcher(Phrases(reason, "", words) for reason, words in named)
