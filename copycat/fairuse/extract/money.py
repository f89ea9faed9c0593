"""What a service has been paid for: counted over all starts of a run, and stopped before a limit is passed."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import NamedTuple, NoReturn

from copycat.errors import LimitReachedError
from copycat.fairuse.extract.backends import Spent
from copycat.runs.folder import write_json

LETTERS_PER_TOKEN = 3
"""Fewer than English has, so that an estimate is rather too high."""

MILLION = 1_000_000


class Prices(NamedTuple):
    """Dollars for a million tokens of requests and of answers."""

    usd_in: float
    usd_out: float

    def of(self, spent: Spent) -> float:
        """Give what so many tokens cost, in dollars."""
        return (spent.prompt_tokens * self.usd_in + spent.completion_tokens * self.usd_out) / MILLION


class Purse:
    """Counts tokens over all starts, and what requests under way may still cost; safe to share between threads.

    Args:
        path: charges.json of the run.
        prices: None where nothing is charged, or nobody told the prices.
        max_usd: the most that the run may cost over all its starts; None for no limit.
    """

    def __init__(self, path: Path, prices: Prices | None = None, max_usd: float | None = None) -> None:
        self._path, self.prices, self.max_usd = path, prices, max_usd
        self._before = _read(path)
        self._now = Spent()
        self._reserved = 0.0
        self._lock = threading.Lock()

    @property
    def total(self) -> Spent:
        """Give what was spent over all starts."""
        return Spent(*(before + now for before, now in zip(self._before, self._now, strict=True)))

    @property
    def usd(self) -> float:
        """Give the dollars spent so far; 0 without prices."""
        return self.prices.of(self.total) if self.prices else 0.0

    def reserve(self, letters: int, max_tokens: int) -> float | None:
        """Set aside what a request may cost at most, and give how much that is; None where it is too much."""
        if self.prices is None:
            return 0.0
        most = self.prices.of(Spent(1, letters // LETTERS_PER_TOKEN + 1, max_tokens))
        with self._lock:
            if self.max_usd is not None and self.usd + self._reserved + most > self.max_usd:
                return None
            self._reserved += most
        return most

    def settle(self, reserved: float, now: Spent) -> None:
        """Give back what was set aside, and note what has been spent in this start."""
        with self._lock:
            self._reserved = max(0.0, self._reserved - reserved)
            if now != self._now:
                self._now = now
                write_json(self._path, self.total._asdict())

    def stop(self) -> NoReturn:
        """Say that the money is used up.

        Raises:
            LimitReachedError: always.
        """
        raise LimitReachedError(
            f"stopped: about ${self.usd:.4f} spent on {self.total.requests} requests, and the next might go beyond "
            f"--max-cost ${self.max_usd:.2f}\n"
            "  everything finished is kept; the same command with a higher --max-cost goes on from there"
        )


def _read(path: Path) -> Spent:
    if not path.is_file():
        return Spent()
    return Spent(**json.loads(path.read_text(encoding="utf-8")))
