"""When to stop a run before its end: too many errors, or too much money."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence, Sized
from typing import NamedTuple, NoReturn, TypeVar

from copycat.errors import LimitReachedError
from copycat.schema import Sample

B = TypeVar("B", bound=Sized)

CHARGED = ("ok", "invalid", "refused")
"""How a request ended that a service may have charged; a refusal counts, to be on the safe side."""


class Limits(NamedTuple):
    """The most failed requests of one command, and the most dollars of all its runs and starts; None: no limit."""

    max_errors: int | None = None
    max_cost_usd: float | None = None
    usd_per_picture: float = 0.0


class Tally:
    """Counts errors and money as samples come in, over all runs of a command.

    Args:
        before: the samples of earlier starts, which were paid for too.
    """

    def __init__(self, limits: Limits, before: Iterable[Sample] = ()) -> None:
        self.limits, self.errors, self.n_charged = limits, 0, 0
        self.is_charged = True
        self.take_up(before)

    def take_up(self, before: Iterable[Sample], extra_charges: int = 0, *, is_charged: bool = True) -> None:
        """Begin another run: count what its earlier starts have paid for.

        Args:
            is_charged: somebody takes money for the pictures of this run.
        """
        self.is_charged = is_charged
        self.n_charged += self._count_charged(before) + extra_charges

    def affordable(self, batches: Sequence[B]) -> Sequence[B]:
        """Give the first batches for which the money is enough; all of them where nothing is charged."""
        price, most = self.limits.usd_per_picture, self.limits.max_cost_usd
        if most is None or price == 0 or not self.is_charged:
            return batches
        left, count = math.floor((most - self.n_charged * price) / price + 1e-9), 0
        for batch in batches:
            left -= len(batch)
            if left < 0:
                break
            count += 1
        return batches[:count]

    def count(self, samples: Sequence[Sample], extra_charges: int = 0) -> None:
        """Count finished samples, and what was charged beside one picture each.

        Raises:
            LimitReachedError: too many have failed; what is finished is already on the disk.
        """
        self.errors += sum(sample.status == "failed" for sample in samples)
        self.n_charged += self._count_charged(samples) + extra_charges
        most = self.limits.max_errors
        if most is not None and self.errors > most:
            raise LimitReachedError(
                f"stopped: {self.errors} requests failed, --max-errors is {most}; the last one: {_why(samples)}\n"
                "  everything finished is kept; the same command tries the failed ones again and goes on"
            )

    def _count_charged(self, samples: Iterable[Sample]) -> int:
        return sum(sample.status in CHARGED for sample in samples) if self.is_charged else 0

    def stop_for_money(self) -> NoReturn:
        """Say that the money is used up.

        Raises:
            LimitReachedError: always.
        """
        spent = self.n_charged * self.limits.usd_per_picture
        raise LimitReachedError(
            f"stopped: about ${spent:.2f} spent on {self.n_charged} answers, --max-cost is "
            f"${self.limits.max_cost_usd:.2f}\n"
            "  everything finished is kept; the same command with a higher --max-cost goes on from there"
        )


def _why(samples: Sequence[Sample]) -> str:
    failed = [sample.detail for sample in samples if sample.status == "failed"]
    return failed[-1] if failed else "no reason given"
