"""What a service has been paid for: counted over all starts of a run, and stopped before a limit is passed."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import NamedTuple, NoReturn

from copycat.errors import DataError, LimitReachedError
from copycat.fairuse.extract.backends import Spent
from copycat.fairuse.extract.plan import FED_BACK
from copycat.fairuse.extract.records import Ask
from copycat.paths import shown
from copycat.runs.folder import write_json

BYTES_PER_TOKEN = 3
"""Fewer than English has, and those of one letter of Chinese, so that an estimate is rather too high."""

TOKENS_PER_WORD = 2

MILLION = 1_000_000


class Prices(NamedTuple):
    """Dollars for a million tokens of requests and of answers."""

    usd_in: float
    usd_out: float

    def of(self, spent: Spent) -> float:
        """Give what so many tokens cost, in dollars."""
        return (spent.prompt_tokens * self.usd_in + spent.completion_tokens * self.usd_out) / MILLION


def most_tokens(ask: Ask, request: str, rounds: int, spare: int = 0) -> Spent:
    """Estimate what an ask takes at most: requests, tokens in and out.

    Args:
        request: the first, as it is sent.
        rounds: pieces of an answer to `continue`, each of which is asked for with the end of the one before.
        spare: tokens that a model gets to reason with, for each piece.
    """
    tokens_in = len(request.encode("utf-8", "surrogatepass")) // BYTES_PER_TOKEN + 1
    if ask.prompt != "continue":
        return Spent(1, tokens_in, ask.length + spare)
    later = (rounds - 1) * (tokens_in + FED_BACK * TOKENS_PER_WORD)
    return Spent(rounds, tokens_in + later, rounds * (ask.length + spare))


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

    def reserve(self, tokens: Spent) -> float | None:
        """Set aside what a request may cost at most, and give how much that is; None where it is too much."""
        if self.prices is None:
            return 0.0
        most = self.prices.of(tokens)
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
    try:
        return Spent(**{name: int(count) for name, count in json.loads(path.read_bytes()).items()})
    except (ValueError, TypeError, AttributeError) as error:
        raise DataError(
            [f"{shown(path)}: cannot be read, and it says what was spent already"],
            "  bring it back, or start again with --fresh: then nothing counts as spent",
        ) from error
