"""What a command could not read of a dataset, for an answer that says what it does not cover."""

from __future__ import annotations

from collections.abc import Sequence

from copycat.errors import DataError, first_faults
from copycat.paths import shown
from copycat.provenance.dataset.batches import Fault
from copycat.provenance.dataset.opening import Dataset

MAX_NAMED = 3
"""Places that an answer names; only the place, since what cannot be read may hold anything."""


class Unread:
    """What could not be read of a dataset: how much, and the first of it."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset, self.n, self.first = dataset, 0, list[Fault]()
        self.take(dataset.faults)

    def take(self, faults: Sequence[Fault]) -> None:
        """Take note of faults."""
        self.n += len(faults)
        self.first += faults[: 10 - len(self.first)]

    def told(self) -> str:
        """Say it in a sentence; "" where all was read."""
        if not self.n:
            return ""
        named = list(dict.fromkeys(fault.evidence.place for fault in self.first))
        places = ", ".join(named[:MAX_NAMED]) + (", ..." if self.n > len(named[:MAX_NAMED]) else "")
        were = "1 place was" if self.n == 1 else f"{self.n:,} places were"
        return f"{were} not read, or not as it stands ({places}): python -m copycat.provenance check names all of it"

    def error(self, undone: str) -> DataError:
        """Give the error of a dataset in which there is nothing to look at.

        Args:
            undone: what was not done for that, such as "nothing was looked up".
        """
        said = [f"{fault.evidence.place}: {fault.said}" for fault in self.first]
        return DataError(
            first_faults(said) if said else [f"{shown(self.dataset.root)}: holds no record"],
            f"  {undone}: mend it, or give the folder or file with the records",
        )
