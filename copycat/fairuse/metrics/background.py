"""The discount for common phrases: how surprising each word of a run is to somebody who knows ordinary language."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache

from copycat.fairuse.text import canonical, read_text
from copycat.paths import package_folder

LONGEST = 4
"""Words of the longest phrases that are counted."""

BACK_OFF = 0.4
"""What a shorter phrase costs in place of one that was never seen (Brants et al. 2007, "stupid backoff")."""

MOST_WORDS = 2_000_000
"""Words of a background that are counted, from its beginning; more would need gigabytes and change little."""

UNSEEN = 1e-7
"""Nothing is rarer: once in ten million words. A small background cannot tell more."""


class Background:
    """Counts of words and phrases in ordinary language, in the canonical form."""

    def __init__(self, counts: Counter[tuple[str, ...]], words: int) -> None:
        self._counts, self._words = counts, words

    @classmethod
    def of_texts(cls, texts: Iterable[str]) -> Background:
        """Count texts of your own; phrases do not reach over the end of a text or a line that is blank."""
        counts: Counter[tuple[str, ...]] = Counter()
        total = 0
        for text in texts:
            for part in text.split("\n\n"):
                words = canonical(part).words[: MOST_WORDS - total]
                total += len(words)
                for n in range(1, LONGEST + 1):
                    counts.update(zip(*(words[k:] for k in range(n)), strict=False))
                if total >= MOST_WORDS:
                    return cls(counts, total)
        return cls(counts, total)

    def weights(self, words: Sequence[str]) -> list[float]:
        """Say of each word of a run how telling it is, from 0 (anybody would go on so) to 1 (never seen before).

        `log p(word | up to three words before it in the run) / log UNSEEN`, at most 1.
        """
        return [
            min(1.0, math.log(self._chance(tuple(words[max(0, i - LONGEST + 1) : i + 1]))) / math.log(UNSEEN))
            for i in range(len(words))
        ]

    def discounted(self, runs: Iterable[Sequence[str]]) -> float:
        """Sum the weights of all words of all runs: about as many as there are telling words in them."""
        return math.fsum(weight for run in runs for weight in self.weights(run))

    def _chance(self, phrase: tuple[str, ...]) -> float:
        cost = 1.0
        while len(phrase) > 1:
            if seen := self._counts.get(phrase, 0):
                return cost * seen / self._counts[phrase[:-1]]
            phrase, cost = phrase[1:], cost * BACK_OFF
        return max(UNSEEN, cost * self._counts.get(phrase, 0) / max(1, self._words))


@cache
def shipped_background() -> Background:
    """Give the background that comes with the project: stock phrases and the most frequent words of English.

    Frequencies of words are those of Zipf's law: the word of rank r is 0.1 / r of all.
    """
    folder = package_folder("fairuse/metrics/english")
    frequent = canonical(read_text(folder / "words.txt")).words
    phrases = [canonical(line).words for line in read_text(folder / "phrases.txt").splitlines()]
    counts: Counter[tuple[str, ...]] = Counter()
    total = 1_000_000
    for rank, word in enumerate(dict.fromkeys(frequent), start=1):
        counts[word,] = total // (10 * rank)
    for words in phrases:
        for n in range(1, LONGEST + 1):
            for k in range(len(words) - n + 1):
                phrase = tuple(words[k : k + n])
                # A phrase is as frequent as its rarest word lets it be, so that what follows it is expected.
                counts[phrase] = max(counts[phrase], PHRASE_COUNT)
    return Background(counts, total)


PHRASE_COUNT = 20
"""How often in a million words a stock phrase counts as seen."""
