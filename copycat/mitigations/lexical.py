"""How alike two texts are by their words: TF-IDF vectors and their cosine, without a model.

Source: Salton and Buckley, "Term-weighting approaches in automatic text retrieval" (1988); the smooth form of the
inverse document frequency, ln((1 + N) / (1 + df)) + 1.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from copycat.names import fold


class Match(NamedTuple):
    """The document nearest to a text; `cosine` is in [0, 1], higher means more alike."""

    id: str
    cosine: float


class LexicalIndex:
    """Documents to look a text up in.

    Args:
        documents: id -> text; words are compared as `names.fold` gives them.
    """

    def __init__(self, documents: Mapping[str, str]) -> None:
        counts = {name: Counter(fold(text).split()) for name, text in documents.items()}
        self._total = len(counts)
        self._holding: Counter[str] = Counter(word for words in counts.values() for word in words)
        self._vectors = {name: self._unit(words) for name, words in counts.items()}

    def best(self, text: str) -> Match | None:
        """Give the nearest document, the first of equals; None where no word is shared."""
        asked = self._unit(Counter(fold(text).split()))
        found = [Match(name, _dot(asked, vector)) for name, vector in self._vectors.items()]
        best = max(found, key=lambda match: match.cosine, default=None)
        return best if best is not None and best.cosine > 0 else None

    def _unit(self, words: Counter[str]) -> dict[str, float]:
        """Weigh words and scale to length 1; a word that no document holds counts towards the length."""
        weights = {
            word: count * (math.log((1 + self._total) / (1 + self._holding[word])) + 1) for word, count in words.items()
        }
        length = _length(weights.values())
        return {word: weight / length for word, weight in weights.items()}


def _dot(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    return math.fsum(weight * other.get(word, 0.0) for word, weight in one.items())


def _length(weights: Iterable[float]) -> float:
    return math.sqrt(math.fsum(weight * weight for weight in weights))
