"""The control arms: what stands in a prompt, or beside a picture, where the concept's own name does not."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Collection, Sequence

from copycat.imitation.records import Concept
from copycat.names import fold, words

CONSONANTS = "bdfgklmnprstvz"
VOWELS = "aeiou"
SYLLABLES = (2, 3)
MAX_WORDS = 3
"""A made-up name has as many words as the name that it stands for, but no more."""


def zero_names(concepts: Sequence[Concept]) -> dict[str, str]:
    """Make up a pronounceable name for each concept that is no word of any concept's names.

    The same concepts get the same names, on every machine. Nothing is looked up: that no caption holds such a name is
    likely and not proven.
    """
    taken = {word for concept in concepts for word in _words_of(concept)}
    made: dict[str, str] = {}
    for concept in sorted(concepts, key=lambda one: one.id):
        parts = []
        for place in range(min(MAX_WORDS, max(1, len(words(concept.name))))):
            part = _made_up(f"zero/{concept.id}/{place}", taken)
            taken.add(part)
            parts.append(part.capitalize())
        made[concept.id] = " ".join(parts)
    return {concept.id: made[concept.id] for concept in concepts}


def derangement(ids: Sequence[str], seed: int = 0) -> dict[str, str]:
    """Pair each concept with another one whose pictures are compared with its references.

    Every concept is taken once, and none is paired with itself: the concepts stand in a circle in an order that
    follows from their ids and the seed, and each takes the next one. Fewer than two concepts have no pairs.
    """
    if len(set(ids)) < 2:
        return {}
    order = sorted(set(ids), key=lambda one: hashlib.sha256(f"shuffled/{seed}/{one}".encode()).hexdigest())
    following = dict(zip(order, [*order[1:], order[0]], strict=True))
    return {one: following[one] for one in ids}


def _words_of(concept: Concept) -> set[str]:
    return {word for name in (concept.name, *concept.aliases, concept.noun) for word in words(name)}


def _made_up(seed: str, taken: Collection[str]) -> str:
    """Draw syllables until the word is new and is no part of a word that is there, nor the other way round."""
    dice = random.Random(int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8], "big"))
    while True:
        n = dice.choice(SYLLABLES)
        syllables = (dice.choice(CONSONANTS) + dice.choice(VOWELS) for _ in range(n))
        word = fold("".join(syllables) + dice.choice(CONSONANTS))
        if not any(word in other or (len(other) > 3 and other in word) for other in taken):
            return word
