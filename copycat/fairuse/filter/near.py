"""The near stage: stretches whose wording was changed so often that no whole window is left.

Short windows that are rare in the works (fingerprints, as in winnowing: Schleimer, Wilkerson and Aiken, SIGMOD 2003)
are chained where they follow each other in the output as they do in one work. A chain of several, over some length, is
a run. Each step depends on the letters so far alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from copycat.fairuse.filter.hashing import BASE, MASK, MIX, LetterValues
from copycat.fairuse.filter.index import GramIndex, WorkLetters

if TYPE_CHECKING:
    from copycat.fairuse.filter.matching import Run

MAX_STEP = 40
"""Letters between the starts of two fingerprints of one chain, at most: some nine words."""
MAX_SHIFT = 15
"""By so many letters two steps of a chain may differ between output and work: a word put in, left out or changed."""
MIN_LINKS = 4
MIN_LETTERS = 40
MIN_SHARE = 0.4
"""Of a chain's letters so many must lie in its fingerprints."""


class Chain:
    """Fingerprints in a row: output letters from `first` on; the last begins at `last`, in the work at `place`."""

    __slots__ = ("covered", "first", "last", "links", "place", "place_first", "run", "work")

    def __init__(self, work: int, start: int, place: int, window: int) -> None:
        self.work, self.first, self.last, self.place, self.place_first = work, start, start, place, place
        self.links, self.covered = 1, window
        self.run: Run | None = None


class Chains:
    """Takes the letters of one output, and gives runs as they are found."""

    def __init__(
        self,
        near: tuple[GramIndex, int, int],
        letters: WorkLetters,
        values: LetterValues,
        prompt: str,
        allowed: Iterable[int],
    ) -> None:
        self._index, self._window, self._sample = near
        self._letters, self._values, self._allowed = letters, values, frozenset(allowed)
        self._bloom = self._index.bloom
        self._away = pow(BASE, self._window, 1 << 64)
        self._state, self._tail = 0, ""
        self._chains: list[Chain] = []
        self._prompt = frozenset(prompt[i : i + self._window] for i in range(len(prompt) - self._window + 1))

    def step(self, letter: str, seen: int) -> list[Run]:
        """Take the letter that makes it `seen`; give the runs that begin to be known with it."""
        tail = self._tail + letter
        state = self._state * BASE + self._values[letter]
        if len(tail) > self._window:
            state -= self._values[tail[0]] * self._away
            tail = tail[1:]
        self._tail, self._state = tail, (state & MASK)
        if self._chains:
            self._age(seen)
        if len(tail) < self._window:
            return []
        mixing = ((self._state ^ (self._state >> 32)) * MIX) & MASK
        hashed = mixing ^ (mixing >> 32)
        if hashed % self._sample or hashed not in self._bloom or tail in self._prompt:
            return []
        return self._link(hashed, tail, seen)

    def finish(self) -> None:
        """End every chain."""
        for chain in self._chains:
            self._end(chain)
        self._chains = []

    # --------------------------------------------------------------------------- private

    def _age(self, seen: int) -> None:
        """Let chains end that have had no new link for long."""
        oldest = seen - self._window - MAX_STEP
        ended = False
        for chain in self._chains:
            if chain.last < oldest:
                self._end(chain)
                ended = True
        if ended:
            self._chains = [chain for chain in self._chains if chain.last >= oldest]

    def _end(self, chain: Chain) -> None:
        if chain.run is not None:
            chain.run.is_open = False

    def _link(self, hashed: int, tail: str, seen: int) -> list[Run]:
        start = seen - self._window
        found: list[Run] = []
        for place in self._index.find(hashed, tail):
            work = self._letters.work_at(place)
            if work in self._allowed:
                continue
            chain = self._chain_of(work, start, place)
            if chain is None:
                self._chains.append(Chain(work, start, place, self._window))
                continue
            chain.covered += min(start - chain.last, self._window)
            chain.links, chain.last, chain.place = chain.links + 1, start, place
            if chain.run is not None:
                chain.run.end = seen
            elif self._is_run(chain, seen):
                found.append(self._run_of(chain, seen))
        return found

    def _chain_of(self, work: int, start: int, place: int) -> Chain | None:
        """Find the longest chain that a fingerprint goes on."""
        fitting = [
            chain
            for chain in self._chains
            if chain.work == work
            and 0 < start - chain.last <= MAX_STEP
            and place > chain.place
            and abs((place - chain.place) - (start - chain.last)) <= MAX_SHIFT
        ]
        return max(fitting, key=lambda chain: chain.links, default=None)

    def _is_run(self, chain: Chain, seen: int) -> bool:
        length = seen - chain.first
        return chain.links >= MIN_LINKS and length >= MIN_LETTERS and chain.covered >= MIN_SHARE * length

    def _run_of(self, chain: Chain, seen: int) -> Run:
        from copycat.fairuse.filter.matching import Run

        work = self._letters.works[chain.work]
        run = Run(chain.work, chain.first, seen, chain.place_first - work.first)
        run.is_near = True
        chain.run = run
        return run
