"""A rewriter without a language model: names go, distinguishing attributes are exchanged, all else stays.

Deterministic: the same character and the same prompt give the same text on every machine. It follows the
rule that CopyCat (arXiv 2406.14526, section 5) takes from a deployed rewriter: describe a specific other
character with other colours and defining traits. What it cannot do is understand: traits that are in no
group below stay.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence

from copycat.catalog.character_checks import telling_phrases
from copycat.names import Mention, fold
from copycat.schema import Character

GROUPS: tuple[tuple[str, ...], ...] = (
    ("red", "orange", "yellow", "green", "blue", "purple", "pink", "white", "black", "brown", "grey", "turquoise"),
    ("golden", "silver", "copper"),
    ("stripes", "spots", "chequers"),
    ("striped", "spotted", "patched"),
    ("crown", "top hat", "wizard hat", "straw hat", "flower", "helmet", "hood", "beret"),
    ("bow", "scarf", "ribbon", "necklace"),
    ("horns", "antlers", "feathers"),
    ("round eyes", "sleepy eyes", "narrow eyes", "one big eye"),
    ("cape", "cloak", "shawl", "poncho"),
    ("gloves", "mittens", "bracelets"),
    ("boots", "sandals", "slippers"),
    ("overalls", "tunic", "pyjamas", "raincoat"),
    ("gown", "kimono", "sari"),
    ("beard", "sideburns"),
    ("moustache", "freckles"),
    ("shorts", "trousers", "kilt"),
    ("sword", "umbrella", "lantern"),
    ("shield", "drum", "suitcase"),
)
"""Words of one group stand for each other."""

PLACES: tuple[tuple[str, ...], ...] = (
    ("in outer space", "space", "stars", "planet"),
    ("under the sea", "ocean", "waves", "bubbles"),
    ("in the pine woods", "forest", "trees", "meadow"),
    ("among the dunes", "desert", "cactus", "sun"),
    ("in the snow", "winter", "snowflakes", "mountains"),
    ("in the big city", "city", "skyline", "windows"),
    ("on the lava fields", "volcano", "lava", "sparks"),
    ("at the old castle", "castle", "towers", "stones"),
    ("in the land of sweets", "candy", "lollipops", "sprinkles"),
    ("in the circus ring", "circus", "tent", "flags"),
)
"""Words of one place are exchanged together, each for the word of the same rank of another place."""

_EMPTY = frozenset(["a", "an", "the", "of", "from", "in", "with", "and", "by", "s", "as", "is"])
"""Words that say nothing once a name is gone."""


def rewrite_by_rules(text: str, character: Character) -> str:
    """Rewrite a prompt so that it names nobody and describes somebody else.

    A prompt that is nothing but names becomes the character's description first, so that the same kind of
    thing is asked for; the key characteristic (CONS asks for it) is kept.

    Returns: a text without the character's names, aliases, franchise and brand words.
    """
    nameless = _without_names(text, character)
    if set(fold(nameless.replace(_thing(character), "")).split()) <= _EMPTY:
        nameless = character.description
    return _without_names(_exchanged(nameless, character), character)


def _without_names(text: str, character: Character) -> str:
    """Put the key characteristic where a name stood, and nothing where a brand stood."""
    matcher = telling_phrases(character.name, character.aliases, (*character.brand_words, character.franchise))
    for mention in reversed(_apart(matcher.find(text))):
        before, after = text[: mention.start], text[mention.end :]
        if mention.character_id == "name":
            before = re.sub(r"\b(an?|the) $", "", before, flags=re.IGNORECASE) + _thing(character)
        else:
            after = re.sub(r"^['\u2019]s\b", "", after)
        text = before + after
    text = re.sub(r"\s+([,.;:])", r"\1", " ".join(text.split()))
    text = re.sub(r"\b(from|of|by|in)(?=[,.;:]|$)", "", text)
    text = re.sub(r"\s*([,;:])(\s*[,;:])+", r"\1", text)
    return text.strip(" ,;:-")


def _thing(character: Character) -> str:
    article = "an" if character.key_characteristic[:1].lower() in "aeiou" else "a"
    return f"{article} {character.key_characteristic}"


def _apart(mentions: Sequence[Mention]) -> list[Mention]:
    """Leave out what stands in a place that is taken: a name and a franchise may be the same word."""
    taken: list[Mention] = []
    for mention in sorted(mentions, key=lambda m: (m.start, m.character_id != "name")):
        if not taken or mention.start >= taken[-1].end:
            taken.append(mention)
    return taken


def _exchanged(text: str, character: Character) -> str:
    """Exchange every word of a group for another one, the longest phrases first, each place of the text once."""
    table = dict(_exchanges(character))
    phrases = sorted(table, key=len, reverse=True)
    pattern = re.compile(rf"\b(?:(an?) )?({'|'.join(map(re.escape, phrases))})\b", re.IGNORECASE)

    def exchange(match: re.Match[str]) -> str:
        article, word = match.groups()
        other = table[word.lower()]
        other = other[:1].upper() + other[1:] if word[:1].isupper() and article is None else other
        if article is None:
            return other
        fitting = "" if other.endswith("s") and not word.endswith("s") else "an " if other[0] in "aeiou" else "a "
        return (fitting[:1].upper() + fitting[1:] if article[:1].isupper() else fitting) + other

    return pattern.sub(exchange, text)


def _exchanges(character: Character) -> Iterator[tuple[str, str]]:
    """Give each word and what stands for it; words of the key characteristic stay."""
    kept = set(fold(character.key_characteristic).split())
    for group in GROUPS:
        for word in group:
            if not set(fold(word).split()) & kept:
                yield word, _other(group, word, character.id)
    for place in PLACES:
        other = PLACES[_shifted(PLACES.index(place), len(PLACES), character.id)]
        yield from ((word, there) for word, there in zip(place, other, strict=True) if word not in kept)


def _other(group: Sequence[str], word: str, character_id: str) -> str:
    return group[_shifted(group.index(word), len(group), f"{character_id} {group[0]}")]


def _shifted(place: int, count: int, salt: str) -> int:
    """Choose another place than this one, as far away for the same salt, so that two words stay two."""
    step = int.from_bytes(hashlib.sha256(salt.encode()).digest()[:4], "big") % (count - 1)
    return (place + 1 + step) % count
