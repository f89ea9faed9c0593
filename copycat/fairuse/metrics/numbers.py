"""Words as numbers, so that two texts can be compared by arrays and a suffix array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np


LARGEST = 2**62
"""Beyond it, the number of a window would no longer fit 64 bits."""


class Pair(NamedTuple):
    """Two texts in one numbering: equal words have equal numbers, from 0 on.

    Shapes: output (N,), reference (M,), int32.
    """

    output: np.ndarray[Any, Any]
    reference: np.ndarray[Any, Any]

    @property
    def shorter(self) -> int:
        """How many words the shorter text has."""
        return min(len(self.output), len(self.reference))


def number_words(output: Sequence[str], reference: Sequence[str]) -> Pair:
    """Give equal words of two texts equal numbers."""
    import numpy as np

    known: dict[str, int] = {}
    first, second = ([known.setdefault(word, len(known)) for word in words] for words in (output, reference))
    return Pair(np.array(first, dtype=np.int32), np.array(second, dtype=np.int32))


def number_letters(output: str, reference: str) -> Pair:
    """Give letters their code points as numbers; a lone surrogate is a letter like others."""
    import numpy as np

    first, second = (
        np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.int32)
        for text in (output, reference)
    )
    return Pair(first, second)


def gram_numbers(pair: Pair, n: int) -> Pair:
    """Give equal windows of n words of two texts equal numbers.

    Shapes: (N - n + 1,) and (M - n + 1,), empty where a text is shorter than a window. No hash takes part, so
    that nothing collides.
    """
    import numpy as np

    count = len(pair.output)
    both = np.concatenate([pair.output, pair.reference]).astype(np.int64)
    base = int(both.max(initial=0)) + 1
    grams, highest = both, base
    for offset in range(1, n):
        if highest >= LARGEST // base:
            grams = np.unique(grams, return_inverse=True)[1].astype(np.int64)
            highest = int(grams.max(initial=0)) + 1
        grams = grams[:-1] * base + both[offset:]
        highest *= base
    # Windows that begin in the output and end in the reference stand between the two parts.
    return Pair(grams[: max(0, count - n + 1)], grams[count : max(count, len(both) - n + 1)])
