"""How alike two texts are by a model's embeddings of them: the cosine of two vectors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from copycat.mitigations.lexical import Match

Vector = tuple[float, ...]
Embed = Callable[[Sequence[str]], Sequence[Vector]]

DECIMALS = 12
"""Of a cosine: the last ones hang on the order in which products are added, and would part what is equal."""


class VectorIndex:
    """Documents to look a text up in.

    Args:
        embed: gives a vector for each text, all of one length, finite and not zero; the same one to the same text.
        documents: id -> text.
    """

    def __init__(self, embed: Embed, documents: Mapping[str, str]) -> None:
        self._embed, self._ids = embed, list(documents)
        self._vectors = self._unit(list(documents.values()))  # (documents, D)

    def best(self, text: str) -> Match | None:
        """Give the nearest document, the first of equals; None where there are no documents."""
        if not self._ids:
            return None
        cosines = np.round(self._vectors @ self._unit([text])[0], DECIMALS)
        place = int(np.argmax(cosines))
        return Match(self._ids[place], float(cosines[place]))

    def _unit(self, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        """Embed texts and scale each vector to length 1: (texts, D)."""
        vectors: npt.NDArray[np.float64] = np.asarray(self._embed(texts), np.float64)
        scaled: npt.NDArray[np.float64] = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
        return scaled
