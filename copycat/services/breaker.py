"""Stop a run whose service answers nobody, before it spends hours on failing one request after the other."""

from __future__ import annotations

import threading

from copycat.services import ServiceDownError


class Breaker:
    """Counts requests, not attempts, that ended failed one after the other; safe to share between threads.

    Args:
        service: what it is called in the error's text, such as its host.
        max_consecutive: so many failed requests in a row open it, and it stays open.
    """

    def __init__(self, service: str, max_consecutive: int = 10) -> None:
        self.service, self.max_consecutive = service, max_consecutive
        self._failures, self._last = 0, ""
        self._is_open = False
        self._lock = threading.Lock()

    @property
    def is_open(self) -> bool:
        """Whether no further request should be made."""
        return self._is_open

    def check(self) -> None:
        """Call it before a request.

        Raises:
            ServiceDownError: it is open.
        """
        with self._lock:
            if self._is_open:
                raise ServiceDownError(self.service, self._failures, self._last)

    def note_success(self) -> None:
        """Count a request that was answered; a refusal is an answer."""
        with self._lock:
            if not self._is_open:
                self._failures = 0

    def note_failure(self, message: str) -> None:
        """Count a request that ended failed, after all its attempts."""
        with self._lock:
            self._failures += 1
            self._last = message
            self._is_open = self._is_open or self._failures >= self.max_consecutive
