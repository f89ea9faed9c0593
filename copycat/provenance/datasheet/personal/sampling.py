"""A sample of records that is the same however the dataset is cut into batches."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Sequence
from typing import Any, NamedTuple

from copycat.provenance.dataset import Batch
from copycat.provenance.records import Evidence

MOST_LETTERS = 20_000
"""Of one text that is kept."""


class Sampled(NamedTuple):
    """A record of the sample: where it lies, and its texts with the names of their columns."""

    place: Evidence
    texts: tuple[tuple[str, str], ...]


class Sample:
    """Keeps `size` records of all, each with the same chance, without replacement, in memory for `size` records.

    Each record draws a number from the stream of its file; the smallest ones stay (bottom-k sampling). The streams
    are raw ones of PCG64, the only numbers that numpy promises to keep (NEP 19).
    """

    def __init__(self, size: int, seed: int, columns: Sequence[str]) -> None:
        self.size, self.seed, self.columns = size, seed, columns
        self.n_seen = 0
        self._streams: dict[str, Any] = {}
        self._kept: list[tuple[int, int, Sampled]] = []
        """A heap whose first has the largest number (negated), with a count that decides between equal ones."""

    def add(self, batch: Batch) -> None:
        """Look at one batch."""
        import numpy as np

        stream = self._streams.get(batch.file)
        if stream is None:
            name = hashlib.sha256(f"{self.seed}:{batch.file}".encode()).digest()
            stream = self._streams[batch.file] = np.random.PCG64(int.from_bytes(name[:16], "big"))
        draws = stream.random_raw(batch.size) if batch.size else np.zeros(0, np.uint64)
        self.n_seen += batch.size
        limit = -self._kept[0][0] if len(self._kept) >= self.size else 1 << 64
        rows = np.nonzero(draws < np.uint64(limit))[0] if limit < 1 << 64 else np.arange(batch.size)
        order = rows[np.argsort(draws[rows], kind="stable")][: self.size]
        for row in order.tolist():
            self._keep(batch, row, int(draws[row]))

    def _keep(self, batch: Batch, row: int, draw: int) -> None:
        if len(self._kept) >= self.size and draw >= -self._kept[0][0]:
            return
        texts = []
        for name in self.columns:
            column = batch.column(name)
            value = None if column is None else column[row].as_py()
            if isinstance(value, str) and value:
                texts.append((name, value[:MOST_LETTERS]))
        entry = (-draw, -self.n_seen - row, Sampled(batch.evidence(row), tuple(texts)))
        if len(self._kept) < self.size:
            heapq.heappush(self._kept, entry)
        else:
            heapq.heapreplace(self._kept, entry)

    def records(self) -> list[Sampled]:
        """Give the sample, in the order of what was drawn."""
        return [record for _, _, record in sorted(self._kept, key=lambda entry: -entry[0])]
