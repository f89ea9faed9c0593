"""Search the shortest prompt that brings a character back, within a budget of pictures. Pure: knows no model.

A prompt is a set of words in the order of their ranking. It is an arm of a bandit: a picture of it is a hit or not.
`search` is a generator, so that the searches of many characters can be drawn in common batches: it yields what it
wants drawn, and is sent what came of it.

    first          the first 3, 5 and 8 words together, single words, pairs, and in wide pools groups of six first
    then           what hit goes on until its bounds say whether its rate is the target; what lies close to a good
                   prompt is tried: one word less, or where nothing reaches the target one word more
    at last        the shortest prompt whose lower bound is the target; else the one with the highest lower bound

Source: optimism by upper bounds is UCB1's (Auer, Cesa-Bianchi & Fischer 2002, Machine Learning 47:235), with Wilson's
bounds; taking words away from a prompt that works is delta debugging (Zeller & Hildebrandt 2002, IEEE TSE 28:183).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from itertools import combinations
from typing import NamedTuple

from copycat.metrics.intervals import score_interval

Words = tuple[str, ...]

PREFIXES = (3, 5, 8)
GROUP = 6
GROUPS_SHARE = 0.4
"""Of the budget of a wide pool, that goes into groups at first. A group of six holds 15 pairs at the price of one."""

PAIRED = 40
"""So many words, those that did best so far, are paired."""

FIRST_LOOK, LONGEST_LOOK = 2, 8
"""Pictures of a prompt that is new, and at most at a time."""

Z_SURE, Z_OPEN = 1.2816, 1.6449
"""One-sided 90 % for a prompt that is taken, 95 % for one that is given up."""

LEAST_SURE = 16
"""Pictures of a prompt before it is taken: among many prompts of 60 %, one hits eight times in a row by chance."""


class Rules(NamedTuple):
    """What is looked for, and what it may cost.

    Args:
        target: The rate of hits that makes a prompt a trigger; share in (0, 1).
        budget: Pictures in all.
        longest: Words of the longest prompt.
        per_round: Pictures that are asked for at a time.
        seed: Of the groups of a wide pool.
    """

    target: float = 0.8
    budget: int = 300
    longest: int = 8
    per_round: int = 24
    seed: int = 0


class Ask(NamedTuple):
    """Pictures wanted of one prompt: those with the numbers from `first` on, `n` of them."""

    words: Words
    first: int
    n: int


class Tally(NamedTuple):
    """Hits among pictures that were judged. `drawn` also counts those without a verdict."""

    hits: int = 0
    n: int = 0
    drawn: int = 0

    def plus(self, other: Tally) -> Tally:
        """Add the pictures of another look."""
        return Tally(self.hits + other.hits, self.n + other.n, self.drawn + other.drawn)

    @property
    def rate(self) -> float:
        """Share of hits; 0 where nothing was judged."""
        return self.hits / self.n if self.n else 0.0

    def low(self, z: float = Z_SURE) -> float:
        """Give Wilson's lower bound; 0 where nothing was judged."""
        return score_interval(self.hits, self.n, z, "").low if self.n else 0.0

    def high(self, z: float = Z_OPEN) -> float:
        """Give Wilson's upper bound; 1 where nothing was judged."""
        return score_interval(self.hits, self.n, z, "").high if self.n else 1.0


class Trigger(NamedTuple):
    """A prompt with what the search saw of it: a rate that flatters, because the best was picked by it."""

    words: Words
    tally: Tally


class Found(NamedTuple):
    """What a search ended with; `triggers` are the best first, `trace` is every look in its order."""

    triggers: tuple[Trigger, ...]
    reached: bool
    pictures: int
    trace: tuple[tuple[Ask, Tally], ...]


Search = Generator[tuple[Ask, ...], Sequence[Tally], Found]


def search(words: Sequence[str], rules: Rules, is_innocent: Callable[[Words], bool] = lambda _: True) -> Search:
    """Search; deterministic given the answers.

    Args:
        words: Candidates, the most telling first.
        is_innocent: Whether a prompt may be used; words that are innocent alone may spell a name together.

    Yields:
        Looks that are wanted; send one tally for each, in their order.

    Returns:
        What was found. No triggers where there were no words, or nothing was judged.
    """
    race = _Race(tuple(dict.fromkeys(words)), rules, is_innocent)
    trace: list[tuple[Ask, Tally]] = []
    while asks := race.next_round():
        tallies = yield asks
        for ask, tally in zip(asks, tallies, strict=True):
            race.arms[ask.words] = race.arms.get(ask.words, Tally()).plus(tally._replace(drawn=ask.n))
            trace.append((ask, tally))
    return Found(race.ranking(), race.sure() is not None, race.spent, tuple(trace))


def run_search(running: Search, look: Callable[[Sequence[Ask]], Sequence[Tally]]) -> Found:
    """Run one search to its end against something that can look."""
    try:
        asks = next(running)
        while True:
            asks = running.send(look(asks))
    except StopIteration as stop:
        found: Found = stop.value
        return found


class _Race:
    """The arms of one search and the choice of what to draw next."""

    def __init__(self, words: Words, rules: Rules, is_innocent: Callable[[Words], bool]) -> None:
        self.words, self.rules, self.is_innocent = words, rules, is_innocent
        self.place = {word: i for i, word in enumerate(words)}
        self.arms: dict[Words, Tally] = {}
        self.known: set[Words] = set()
        self.opened: set[Words] = set()
        self.extended: set[Words] = set()
        self.first = dict.fromkeys(self._first())
        self.waiting: dict[Words, None] = {}
        self._wait((*self.first, *((word,) for word in words)))

    @property
    def spent(self) -> int:
        return sum(tally.drawn for tally in self.arms.values())

    def next_round(self) -> tuple[Ask, ...]:
        """Choose: half of the round for prompts that may be triggers, the rest for new ones. Empty at the end."""
        left = min(self.rules.per_round, self.rules.budget - self.spent)
        sure = self.sure()
        shorter = len(sure) if sure is not None else self.rules.longest + 1
        self._open_neighbours()
        known = self._open_arms(shorter)
        new = self._new_arms(shorter)
        if not known and not new and sure is None:
            new = self._longer()
        asks = list(_fill(known, left if not new else (left + 1) // 2))
        asks += _fill([Ask(words, 0, FIRST_LOOK) for words in new], left - sum(ask.n for ask in asks))
        done = {ask.words for ask in asks}
        rest = [ask for ask in known if ask.words not in done]
        return tuple(asks + list(_fill(rest, left - sum(ask.n for ask in asks))))

    def sure(self) -> Words | None:
        """Give the shortest prompt whose lower bound is the target."""
        taken = [words for words, tally in self.arms.items() if self._is_sure(tally)]
        return min(taken, key=lambda words: (len(words), -self.arms[words].low(), self._rank(words)), default=None)

    def _is_sure(self, tally: Tally) -> bool:
        return tally.n >= LEAST_SURE and tally.low() >= self.rules.target

    def ranking(self) -> tuple[Trigger, ...]:
        """Order the prompts that hit: the trigger first, the others by their lower bound."""
        sure = self.sure()
        hit = [words for words, tally in self.arms.items() if tally.hits]
        hit.sort(key=lambda words: (words != sure, -self.arms[words].low(), len(words), self._rank(words)))
        return tuple(Trigger(words, self.arms[words]) for words in hit)

    def _first(self) -> Iterator[Words]:
        yield from (self.words[:k] for k in PREFIXES if k <= min(len(self.words), self.rules.longest))
        if len(self.words) > 2 * GROUP:
            yield from self._groups()

    def _groups(self) -> Iterator[Words]:
        """Deal the words out into groups, again and again."""
        rng = random.Random(self.rules.seed)
        size = min(GROUP, self.rules.longest)
        dealt: list[str] = []
        for _ in range(int(GROUPS_SHARE * self.rules.budget / FIRST_LOOK)):
            if len(dealt) < size:
                dealt = rng.sample(self.words, len(self.words))
            yield self._sorted(dealt.pop() for _ in range(size))

    def _open_neighbours(self) -> None:
        """Let prompts with a word less wait, for each prompt of three or more that does well."""
        for words, tally in self.arms.items():
            if len(words) > 2 and words not in self.opened and tally.n >= 4 and tally.high() >= self.rules.target:
                self.opened.add(words)
                self._wait(words[:i] + words[i + 1 :] for i in range(len(words)))

    def _longer(self) -> list[Words]:
        """Add each word to the best prompt that has not been made longer yet, until that gives new ones."""
        able = [words for words in self.arms if words not in self.extended and len(words) < self.rules.longest]
        able.sort(key=lambda w: (-self.arms[w].low(), -self.arms[w].high(), len(w), self._rank(w)))
        for best in able:
            self.extended.add(best)
            self._wait(self._sorted((*best, word)) for word in self.words if word not in best)
            if new := self._new_arms(self.rules.longest + 1):
                return new
        return []

    def _wait(self, prompts: Iterable[Words]) -> None:
        """Let prompts wait that were never drawn; whether one is innocent is asked once."""
        for words in prompts:
            if words not in self.known:
                self.known.add(words)
                if self.is_innocent(words):
                    self.waiting[words] = None

    def _open_arms(self, shorter: int) -> list[Ask]:
        """List what was drawn and may still be a trigger shorter than the one at hand, the most hopeful first."""
        target = self.rules.target
        may = [w for w, t in self.arms.items() if len(w) < shorter and t.high() >= target and not self._is_sure(t)]
        may.sort(key=lambda w: (-self.arms[w].high(), -self.arms[w].n, len(w), self._rank(w)))
        return [Ask(w, t.drawn, min(max(t.drawn, FIRST_LOOK), LONGEST_LOOK)) for w in may for t in (self.arms[w],)]

    def _new_arms(self, shorter: int) -> list[Words]:
        """List what was never drawn, first those whose words did well wherever they were used."""
        hope = self._hope()
        if shorter > 2 and self.rules.longest > 1:
            best = sorted(self.words, key=lambda word: (-hope[word], self.place[word]))[:PAIRED]
            self._wait(self._sorted(pair) for pair in combinations(best, 2))
        new = [words for words in self.waiting if words not in self.arms and len(words) < shorter]
        new.sort(key=lambda w: (w not in self.first, -sum(map(hope.__getitem__, w)) / len(w), len(w), self._rank(w)))
        return new

    def _hope(self) -> dict[str, float]:
        """Give for each word the share of hits of all prompts with it, drawn towards a half by two pictures."""
        hits, n = dict.fromkeys(self.words, 1.0), dict.fromkeys(self.words, 2.0)
        for words, tally in self.arms.items():
            for word in words:
                hits[word] += tally.hits
                n[word] += tally.n
        return {word: hits[word] / n[word] for word in self.words}

    def _sorted(self, words: Iterable[str]) -> Words:
        return tuple(sorted(words, key=self.place.__getitem__))

    def _rank(self, words: Words) -> tuple[int, Words]:
        return sum(self.place[word] for word in words), words


def _fill(asks: Iterable[Ask], room: int) -> Iterator[Ask]:
    """Give asks as long as there is room; the last one may be cut short."""
    for ask in asks:
        if room <= 0:
            return
        yield ask._replace(n=min(ask.n, room))
        room -= ask.n
