"""Where an output runs along a work, letter by letter.

A run opens where a whole window of the output stands in a work, goes on as long as the letters are the same, and ends
with the first that is not. Every step depends on the letters so far alone, and so on no way to cut them into pieces.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from functools import cached_property
from operator import index as as_int
from typing import TYPE_CHECKING, Any

from copycat.fairuse.filter.hashing import BASE, MASK, MIX, LetterValues
from copycat.fairuse.filter.index import GramIndex, WorkLetters
from copycat.fairuse.filter.near import Chains, prompt_windows
from copycat.fairuse.works import WithheldGrams

if TYPE_CHECKING:
    from rbloom import Bloom

AHEAD = 64
"""Letters of a work that are read at once."""

MAX_OPEN_RUNS = 8
"""Along one work."""

LOOK_EVERY = 8
"""Where the output has no beginning of a word for long, withheld works are looked at after so many letters again."""

NO_LETTER = "\0"
"""What stands before the first letter: no work holds it."""

PROMPT = -1
"""In place of a work's number: what the user's own prompt holds."""


class Run:
    """A stretch of the output that stands in a work; it is open while it may go on.

    Attributes:
        work: its number in the filter, or PROMPT.
        start, end: letters of the output.
        place: of its first letter, among those of its work.
    """

    __slots__ = ("end", "is_near", "is_open", "place", "start", "work")

    def __init__(self, work: int, start: int, end: int, place: int) -> None:
        self.work, self.start, self.end, self.place = work, start, end, place
        self.is_open, self.is_near = True, False

    def step(self, letter: str, salted: dict[int, int]) -> bool:
        """Take the next letter of the output; say whether the run goes on."""
        raise NotImplementedError


class PlainRun(Run):
    """Along a work whose letters are there."""

    __slots__ = ("_ahead", "_at", "_letters", "_next")

    def __init__(self, work: int, start: int, end: int, place: int, letters: WorkLetters) -> None:
        super().__init__(work, start, end, place - letters.works[work].first)
        self._letters, self._next = letters, place + end - start
        self._ahead, self._at = "", 0

    def step(self, letter: str, salted: dict[int, int]) -> bool:
        """Compare the letter with the work's next one."""
        if self._at == len(self._ahead):
            work = self._letters.works[self.work]
            if self._next >= work.first + work.letters:
                return False
            self._ahead, self._at = self._letters.read(self._next, AHEAD), 0
            self._next += len(self._ahead)
        if self._ahead[self._at] != letter:
            return False
        self._at += 1
        self.end += 1
        return True


class WithheldRun(Run):
    """Along a work of which there are salted hashes alone: the next window must have the next hash."""

    __slots__ = ("_grams", "_next")

    def __init__(self, work: int, start: int, end: int, place: int, grams: Any) -> None:
        super().__init__(work, start, end, place)
        self._grams, self._next = grams, place + 1

    def step(self, letter: str, salted: dict[int, int]) -> bool:
        """Compare the window that the letter completes with the work's next one."""
        if self._next >= len(self._grams) or int(self._grams[self._next]) != salted[self.work]:
            return False
        self._next += 1
        self.end += 1
        return True


class WithheldWork:
    """Looks windows up in one withheld work."""

    def __init__(self, number: int, grams: WithheldGrams, bloom_rate: float) -> None:
        from rbloom import Bloom

        self.number, self.grams = number, grams
        self.bloom: Bloom = Bloom(max(len(grams.grams), 1), bloom_rate, as_int)
        self.bloom.update(grams.grams.tolist())
        self._keyed = hashlib.blake2b(key=grams.salt, digest_size=8)

    def hash(self, window: bytes) -> int:
        """Hash a window, in UTF-8, as `works.withheld` does."""
        state = self._keyed.copy()
        state.update(window)
        return int.from_bytes(state.digest(), "little")

    def find(self, hashed: int) -> list[int]:
        """Give the letters of the work at which windows of this hash begin."""
        import numpy as np

        if hashed not in self.bloom:
            return []
        order, ordered = self._sorted
        key = np.uint64(hashed)
        low, high = int(np.searchsorted(ordered, key, "left")), int(np.searchsorted(ordered, key, "right"))
        return sorted(order[low:high].tolist())

    @cached_property
    def _sorted(self) -> tuple[Any, Any]:
        import numpy as np

        order = np.argsort(self.grams.grams, kind="stable")
        return order, self.grams.grams[order]


class Matcher:
    """Takes the letters of one output; `live` are the runs that the ledger has not done with.

    Args:
        near: what the near stage looks windows up in, where there is one.
        begins: 1 for each letter of the output that is the first of its word. Windows that begin there are looked up
            in withheld works: each has a salt and so hashes of its own, which cost most.
        prompt: the user's own.
        allowed: numbers of the works that may be copied: the near stage leaves them alone.
    """

    def __init__(
        self,
        index: GramIndex,
        letters: WorkLetters,
        withheld: Iterable[WithheldWork],
        *,
        window: int,
        seed: int,
        begins: bytearray,
        near: tuple[GramIndex, int, int] | None = None,
        prompt: str = "",
        allowed: frozenset[int] = frozenset(),
    ) -> None:
        self.index, self.letters, self.withheld = index, letters, tuple(withheld)
        self.window, self.seen = window, 0
        self.live: list[Run] = []
        self._open: list[Run] = []
        self._values = LetterValues(seed)
        self._prompt = prompt_windows(prompt, window)
        self._salted: dict[int, int] = {}
        self._begins, self._last_begin, self._is_looked_up = begins, 0, False
        self._chains = None if near is None else Chains(near, letters, prompt, allowed)
        self._states = (0, 0)
        self._tail = NO_LETTER * window
        self._values[NO_LETTER] = 0
        self._near_window = window if self._chains is None else self._chains.window
        self._away, self._near_away = (pow(BASE, size, 1 << 64) for size in (window, self._near_window))
        self._is_busy = False

    def take(self, letters: str, decide: Callable[[], bool]) -> None:
        """Take the next letters of the output.

        Args:
            decide: called after each letter while there are runs, and on while it says that it is not done with them.
        """
        window, chains, near_window = self.window, self._chains, self._near_window
        away, near_away = self._away, self._near_away
        values, bloom, text = self._values, self.index.bloom, self._tail + letters
        state, near_state = self._states
        looks_closely = bool(self.withheld or self._prompt)
        for at in range(window, len(text)):
            letter = text[at]
            self.seen += 1
            value = values[letter]
            state = (state * BASE + value - values[text[at - window]] * away) & MASK
            mixing = ((state ^ (state >> 32)) * MIX) & MASK
            hashed = mixing ^ (mixing >> 32)
            if looks_closely:
                self._salt(text[at - window + 1 : at + 1])
            if self._open:
                self._go_on(letter)
            if hashed in bloom:
                self._open_runs(hashed, text[at - window + 1 : at + 1])
            if looks_closely:
                self._look_closely(text[at - window + 1 : at + 1])
            if chains is not None:
                near_state = (near_state * BASE + value - values[text[at - near_window]] * near_away) & MASK
                if chains.chains:
                    chains.age(self.seen)
                if not self._open:
                    mixing = ((near_state ^ (near_state >> 32)) * MIX) & MASK
                    hashed = mixing ^ (mixing >> 32)
                    if hashed in chains.bloom and hashed % chains.sample == 0:
                        self.live += chains.take(hashed, text[at - near_window + 1 : at + 1], self.seen)
            if self.live or self._is_busy:
                self._is_busy = decide()
        self._states, self._tail = (state, near_state), text[-window:]

    def finish(self) -> None:
        """End every run: the output has no more letters."""
        for run in self._open:
            run.is_open = False
        self._open = []
        if self._chains is not None:
            self._chains.finish()

    # --------------------------------------------------------------------------- private

    def _go_on(self, letter: str) -> None:
        ended = [run for run in self._open if not run.step(letter, self._salted)]
        if ended:
            for run in ended:
                run.is_open = False
                if self._chains is not None and self._is_plain(run):
                    self._chains.follow(run, self.letters.works[run.work].first)
            self._open = [run for run in self._open if run.is_open]

    def _salt(self, tail: str) -> None:
        """Hash the window as the withheld works do that are looked at: all where a word begins, else those of runs."""
        start = self.seen - self.window
        if start >= 0 and self._begins[start]:
            self._last_begin = start
        self._is_looked_up = start >= 0 and (start - self._last_begin) % LOOK_EVERY == 0
        if self._is_looked_up:
            wanted: Iterable[WithheldWork] = self.withheld
        elif self._open:
            running = {run.work for run in self._open}
            wanted = [work for work in self.withheld if work.number in running]
        else:
            return
        window = tail.encode("utf-8")
        for work in wanted:
            self._salted[work.number] = work.hash(window)

    def _look_closely(self, tail: str) -> None:
        """Look the window up where it takes more than its hash: in withheld works, and in the prompt."""
        if self.seen < self.window:
            return
        if self._is_looked_up:
            self._open_withheld()
        if tail in self._prompt:
            self._cover_prompt()

    def _open_runs(self, hashed: int, tail: str) -> None:
        start = self.seen - self.window
        going = {
            run.place - run.start + self.letters.works[run.work].first for run in self._open if self._is_plain(run)
        }
        for place in self.index.candidates(hashed):
            if place - start in going or self.letters.read(place, self.window) != tail:
                continue
            work = self.letters.work_at(place)
            if self._is_crowded(work):
                continue
            self._begin(PlainRun(work, start, self.seen, place, self.letters))

    def _is_plain(self, run: Run) -> bool:
        return run.work < len(self.letters.works)

    def _open_withheld(self) -> None:
        start = self.seen - self.window
        for work in self.withheld:
            hashed = self._salted[work.number]
            if hashed not in work.bloom or not (found := work.find(hashed)):
                continue
            going = {run.place - run.start for run in self._open if run.work == work.number}
            for place in found:
                if place - start not in going and not self._is_crowded(work.number):
                    self._begin(WithheldRun(work.number, start, self.seen, place, work.grams.grams))

    def _is_crowded(self, work: int) -> bool:
        """Tell a work that repeats itself: further runs along it would find nothing new."""
        return sum(run.work == work for run in self._open) >= MAX_OPEN_RUNS

    def _begin(self, run: Run) -> None:
        self._open.append(run)
        self.live.append(run)

    def _cover_prompt(self) -> None:
        start = self.seen - self.window
        for run in self.live:
            if run.work == PROMPT and run.end >= start:
                run.end = self.seen
                return
        run = Run(PROMPT, start, self.seen, 0)
        run.is_open = False
        self.live.append(run)
