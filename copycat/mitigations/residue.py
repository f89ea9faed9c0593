"""What a rewritten prompt still holds of the character that it should not bring back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from copycat.catalog.character_checks import Phrases, telling_phrases
from copycat.names import NameMatcher
from copycat.schema import Character


class Residue(NamedTuple):
    """Names and brands as they stand in the text, and the keywords that are still there as whole words."""

    names: tuple[str, ...]
    keywords: tuple[str, ...]


def residue(text: str, character: Character, keywords: Sequence[str]) -> Residue:
    """Look for the character's names, aliases, franchise, brands and keywords in a text.

    CopyCat (arXiv 2406.14526, section 5) counts the top five co-occurring words in rewrites: 0.67 of them
    where the character was detected, 0.39 where not.
    """
    brands = (*character.brand_words, character.franchise)
    named = telling_phrases(character.name, character.aliases, brands).find(text)
    held = {keyword for keyword in keywords if NameMatcher((Phrases("keyword", keyword),)).find(text)}
    return Residue(
        tuple(dict.fromkeys(text[mention.start : mention.end] for mention in named)),
        tuple(keyword for keyword in keywords if keyword in held),
    )
