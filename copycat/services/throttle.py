"""How many requests are under way at a time: more while all goes well, fewer at a rate limit."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from copycat.services import StoppedError

GROWTH = 0.05
COOL_DOWN_S = 15.0
"""One burst of rate limits is one episode: requests that were under way at the cut tell nothing new."""


class Throttle:
    """A limit that adapts; safe to share between threads.

    A window is as many successes as the limit is high: then the limit grows by 5 %, at least by 1. A
    rate limit cuts it to 80 %, at most once in 15 s. An error of the server says nothing of our
    rate: it pauses the growth for 15 s and cuts nothing.

    Args:
        start: the limit at first.
        maximum: the limit is never above this, and never below 1.
        clock: seconds that only rise.
    """

    def __init__(self, start: int, maximum: int, clock: Callable[[], float] = time.monotonic) -> None:
        if not 1 <= start <= maximum:
            raise ValueError(f"needed: 1 <= start <= maximum, got {start} and {maximum}")
        self.maximum = maximum
        self._limit, self._in_use, self._successes = start, 0, 0
        self._clock = clock
        self._next_cut = self._growth_from = clock()
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
            if self._successes < self._limit or self._clock() < self._growth_from:
                return
            self._successes = 0
            self._limit = min(self.maximum, self._limit + max(1, round(GROWTH * self._limit)))
            self._changed.notify_all()

    def note_rate_limit(self) -> None:
        """Cut the limit, unless it was cut in this episode already."""
        with self._changed:
            now = self._clock()
            self._pause_growth(now)
            if now >= self._next_cut:
                self._limit = max(1, self._limit * 4 // 5)
                self._next_cut = now + COOL_DOWN_S

    def note_server_error(self) -> None:
        """Pause the growth."""
        with self._changed:
            self._pause_growth(self._clock())

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

    def _pause_growth(self, now: float) -> None:
        self._successes = 0
        self._growth_from = now + COOL_DOWN_S
