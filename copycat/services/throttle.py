"""How many requests are under way at a time: more while all goes well, fewer at a rate limit."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from copycat.services import StoppedError

FIRST_GROWTH, GROWTH = 0.25, 0.05
"""What a window adds to the limit, as a share of it: until the first rate limit, and later."""

IN_USE = 0.9
"""A limit that was not used up to this share of it was not tried, and does not grow."""

KNOWN_GOOD = 0.95
"""Up to this share of the limit that was too high, the service is taken to answer, as it did before."""

COOL_DOWN_S = 15.0
"""One burst of rate limits is one episode: requests that were under way at the cut tell nothing new."""


class Throttle:
    """A limit that adapts; safe to share between threads.

    It grows in windows of as many successes as the limit is high, by at least 1 each, if it was used up (a user
    who takes no slots is taken at its word):

    - At first by a quarter, until the first rate limit.
    - A rate limit cuts it to 80 %, at most once in 15 s, and the limit that was too high is remembered. The first
      cuts it to 80 % of what it was before it last grew, since a quarter can be far too much.
    - It grows back to 95 % of that without waiting, by 5 % per window. Another rate limit on this way within the
      15 s says that this was too much already: it steps back by 5 % and stays.
    - Beyond 95 % it probes, by 5 %, only when there was no rate limit for 15 s.

    An error of the server says nothing of our rate: it cuts nothing, and keeps the limit for 15 s from going where
    it has not been.

    Args:
        start: the limit at first.
        maximum: the limit is never above this, and never below 1.
        clock: seconds that only rise.
    """

    def __init__(self, start: int, maximum: int, clock: Callable[[], float] = time.monotonic) -> None:
        if not 1 <= start <= maximum:
            raise ValueError(f"needed: 1 <= start <= maximum, got {start} and {maximum}")
        self.maximum = maximum
        self._limit = self._limit_before = start
        self._in_use = self._most_in_use = self._successes = 0
        self._clock = clock
        self._next_cut = self._probe_from = clock()
        self._too_high: int | None = None
        self._has_grown_back = False
        self._is_stopping = False
        self._changed = threading.Condition()

    @property
    def limit(self) -> int:
        """How many requests may be under way now."""
        return self._limit

    @property
    def in_use(self) -> int:
        """How many slots are taken."""
        return self._in_use

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Hold one slot; blocks while all are taken.

        Raises:
            StoppedError: the run is stopping, and no request may start.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._is_stopping or self._in_use < self._limit)
            if self._is_stopping:
                raise StoppedError("not sent: the run is stopping")
            self._in_use += 1
            self._most_in_use = max(self._most_in_use, self._in_use)
        try:
            yield
        finally:
            with self._changed:
                self._in_use -= 1
                self._changed.notify_all()

    def note_success(self) -> None:
        """Count an answer; grow at the end of a window."""
        with self._changed:
            self._successes += 1
            if self._successes < self._limit:
                return
            if 0 < self._most_in_use < IN_USE * self._limit:
                return
            highest = self._highest(self._clock())
            if highest > self._limit:
                share = FIRST_GROWTH if self._too_high is None else GROWTH
                self._change(min(highest, self._limit + max(1, round(share * self._limit))))
                self._has_grown_back = True
                self._changed.notify_all()

    def note_rate_limit(self) -> None:
        """Cut the limit, unless it was cut in this episode already."""
        with self._changed:
            now = self._clock()
            self._probe_from = now + COOL_DOWN_S
            self._successes = 0  # a window is one without a rate limit
            if now >= self._next_cut:
                self._next_cut = now + COOL_DOWN_S
                self._step_back((self._limit if self._too_high else self._limit_before) * 4 // 5)
            elif self._has_grown_back:  # a window ago: what was under way at the cut has ended
                self._step_back(_just_below(self._limit))

    def note_server_error(self) -> None:
        """Go nowhere new for a while."""
        with self._changed:
            self._probe_from = max(self._probe_from, self._clock() + COOL_DOWN_S)

    def stop(self) -> None:
        """Start no request any more: who waits for a slot or sleeps between two attempts wakes up."""
        with self._changed:
            self._is_stopping = True
            self._changed.notify_all()

    def resume(self) -> None:
        """Take back `stop`."""
        with self._changed:
            self._is_stopping = False

    def sleep(self, seconds: float) -> None:
        """Wait between two attempts of one request, without a slot; shorter where the run stops."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_stopping, timeout=seconds)

    def _step_back(self, limit: int) -> None:
        self._too_high = self._limit
        self._change(max(1, limit))
        self._has_grown_back = False

    def _change(self, limit: int) -> None:
        self._limit_before, self._limit = self._limit, limit
        self._successes, self._most_in_use = 0, self._in_use

    def _highest(self, now: float) -> int:
        """How far the limit may grow now."""
        if now >= self._probe_from:
            return self.maximum
        return self._limit if self._too_high is None else _just_below(self._too_high)


def _just_below(limit: int) -> int:
    return min(limit - 1, math.ceil(KNOWN_GOOD * limit))
