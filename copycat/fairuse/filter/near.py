"""The near stage: stretches whose wording was changed so often that no whole window is left.

Short windows that are rare in the works (fingerprints, as in winnowing: Schleimer, Wilkerson and Aiken, SIGMOD 2003)
are chained where they follow each other in the output as they do in one work. A chain of several, over some length, is
a run. Each step depends on the letters so far alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

from copycat.fairuse.filter.index import GramIndex, WorkLetters
from copycat.fairuse.filter.letters import joined_letters

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


@lru_cache(maxsize=4)
def prompt_windows(prompt: str, window: int) -> frozenset[str]:
    """Give all windows of a prompt; each text of each choice of an answer asks for the same."""
    letters = joined_letters(prompt)
    return frozenset(letters[i : i + window] for i in range(len(letters) - window + 1))


class Chain:
    """Fingerprints in a row: output letters from `first` on; the last begins at `last`, in the work at `place`."""

    __slots__ = ("covered", "first", "is_trusted", "last", "links", "place", "place_first", "run", "work")

    def __init__(self, work: int, start: int, place: int, window: int = 0) -> None:
        self.work, self.first, self.last, self.place, self.place_first = work, start, start, place, place
        self.links, self.covered, self.is_trusted = 1, window, False
        self.run: Run | None = None


class Chains:
    """Takes the letters of one output, and gives runs as they are found."""

    def __init__(
        self,
        near: tuple[GramIndex, int, int],
        letters: WorkLetters,
        prompt: str,
        allowed: Iterable[int],
    ) -> None:
        self._index, self.window, self.sample = near
        self.bloom = self._index.bloom
        self.chains: list[Chain] = []
        self._letters, self._allowed = letters, frozenset(allowed)
        self._prompt = prompt_windows(prompt, self.window)

    def take(self, hashed: int, window: str, seen: int) -> list[Run]:
        """Take a window that the Bloom filter knows; give the runs that begin to be known with it."""
        return [] if window in self._prompt else self._link(hashed, window, seen)

    def follow(self, run: Run, first: int) -> None:
        """Go on where a run ended: a single fingerprint that follows it is enough.

        Args:
            first: the place of the run's work among all letters.
        """
        if run.work not in self._allowed:
            chain = Chain(run.work, run.end - self.window, run.place + first + run.end - self.window - run.start)
            chain.first, chain.is_trusted = run.end, True
            chain.place_first = run.place + first + run.end - run.start
            self.chains.append(chain)

    def age(self, seen: int) -> None:
        """Let chains end that have had no new link for long."""
        oldest = seen - self.window - MAX_STEP
        ended = False
        for chain in self.chains:
            if chain.last < oldest:
                self._end(chain)
                ended = True
        if ended:
            self.chains = [chain for chain in self.chains if chain.last >= oldest]

    def finish(self) -> None:
        """End every chain."""
        for chain in self.chains:
            self._end(chain)
        self.chains = []

    # --------------------------------------------------------------------------- private

    def _end(self, chain: Chain) -> None:
        if chain.run is not None:
            chain.run.is_open = False

    def _link(self, hashed: int, tail: str, seen: int) -> list[Run]:
        start = seen - self.window
        found: list[Run] = []
        for place in self._index.find(hashed, tail):
            work = self._letters.work_at(place)
            if work in self._allowed:
                continue
            chain = self._chain_of(work, start, place)
            if chain is None:
                self.chains.append(Chain(work, start, place, self.window))
                continue
            chain.covered += min(start - chain.last, self.window)
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
            for chain in self.chains
            if chain.work == work
            and 0 < start - chain.last <= MAX_STEP
            and place > chain.place
            and abs((place - chain.place) - (start - chain.last)) <= MAX_SHIFT
        ]
        return max(fitting, key=lambda chain: chain.links, default=None)

    def _is_run(self, chain: Chain, seen: int) -> bool:
        length = seen - chain.first
        if chain.is_trusted:
            return length > 0
        return chain.links >= MIN_LINKS and length >= MIN_LETTERS and chain.covered >= MIN_SHARE * length

    def _run_of(self, chain: Chain, seen: int) -> Run:
        from copycat.fairuse.filter.matching import Run

        work = self._letters.works[chain.work]
        run = Run(chain.work, chain.first, seen, chain.place_first - work.first)
        run.is_near = True
        chain.run = run
        return run
