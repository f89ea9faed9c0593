"""Which texts were there before: 64-bit hashes in sorted arrays, 8 bytes for each text that differs."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl


class SeenTexts:
    """Remembers folded texts by their hashes.

    Memory: 8 bytes for each distinct text, twice that for a moment when arrays are merged. Two of n distinct texts
    share a hash, and one is left out wrongly, with a chance of about n^2 / 2^65: 1 in 90,000 for 20 million.
    """

    def __init__(self) -> None:
        self.runs: list[Any] = []
        self.lock = Lock()

    def fresh(self, folded: pl.Series) -> tuple[Any, Any]:
        """Give the places of texts that are here for the first time, and their hashes, sorted; remember them."""
        import numpy as np

        hashes, places = np.unique(folded.hash().to_numpy(), return_index=True)
        with self.lock:
            is_new = np.ones(len(hashes), dtype=bool)
            for run in self.runs:
                at = np.searchsorted(run, hashes)
                at[at == len(run)] = 0
                is_new &= run[at] != hashes
            self._keep(hashes[is_new])
        return np.sort(places[is_new]), hashes[is_new]

    def remember(self, hashes: Any) -> None:
        """Take in hashes, sorted, of an earlier count."""
        with self.lock:
            self._keep(hashes)

    def _keep(self, hashes: Any) -> None:
        """Add a sorted array; arrays of like sizes are merged, so that there are few."""
        import numpy as np

        while self.runs and len(self.runs[-1]) <= 2 * len(hashes):
            hashes = np.sort(np.concatenate([self.runs.pop(), hashes]), kind="stable")
        if len(hashes):
            self.runs.append(hashes)
