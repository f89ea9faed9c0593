"""Bootstrap over clusters, to the same bytes on every machine and in every order of the rows.

Sums are taken in integers, percentiles are order statistics, and the random bits come from the raw
stream of a bit generator, the only one that numpy promises to keep (NEP 19). Nothing is left for
the processor's order of summation, or for the next numpy, to change.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 10_000

_SEED = 20240620
_FIXED_POINT = 2.0**40
_DRAWS_PER_BLOCK = 1_000_000
SAME_MEAN = 0.01
"""Cluster means that lie this close are alike: a judge's noise in the fifth digit is no variety."""


class Clusters(NamedTuple):
    """Sum (in units of 2^-40, about 1e-12) and size of each cluster, in the order of their names.

    Shapes:
        sums, sizes: (C,) int64, one per cluster, C >= 1.
    """

    sums: NDArray[np.int64]
    sizes: NDArray[np.int64]

    @classmethod
    def build(cls, values: Sequence[float], clusters: Sequence[str]) -> Clusters:
        """Group values by cluster.

        Shapes:
            values: (N,), each in [-1, 1], N >= 1.
            clusters: (N,), the cluster of each value.

        Raises:
            ValueError: empty input, lengths that differ, a value out of range or NaN.
        """
        if len(values) == 0:
            raise ValueError("an interval needs at least one value, got none")
        if len(values) != len(clusters):
            raise ValueError(f"each value needs a cluster, got {len(values)} values and {len(clusters)} clusters")
        for value in values:
            if not -1 <= value <= 1:  # NaN too
                raise ValueError(f"values must lie in [-1, 1], got {value}")
        rank = {name: i for i, name in enumerate(sorted(set(clusters)))}
        member = np.array([rank[name] for name in clusters], dtype=np.int64)
        fixed = np.rint(np.asarray(values, dtype=np.float64) * _FIXED_POINT).astype(np.int64)
        sums = np.zeros(len(rank), dtype=np.int64)
        np.add.at(sums, member, fixed)
        return cls(sums, np.bincount(member).astype(np.int64))

    def n_varied(self) -> int:
        """Count the clusters whose mean differs by more than 0.01 from the most common one, rounded to 0.01."""
        means = self.sums / self.sizes / _FIXED_POINT
        levels, counts = np.unique(np.rint(means / SAME_MEAN), return_counts=True)
        usual = levels[counts.argmax()] * SAME_MEAN
        return int(np.count_nonzero(np.abs(means - usual) > SAME_MEAN))

    def percentiles(self) -> tuple[float, float]:
        """Give the 2.5 % and 97.5 % percentiles of the mean over 10,000 resamples of clusters.

        A resample draws C clusters with replacement; its mean is `sum of sums / sum of sizes`.
        """
        means = np.sort(np.concatenate(list(self._resampled_means())))
        tail = RESAMPLES // 40
        return float(means[tail - 1]), float(means[-tail])

    def _resampled_means(self) -> Iterator[NDArray[np.float64]]:
        """Yield the resamples' means in blocks; the size of a block moves memory, not results."""
        n_clusters = len(self.sizes)
        bits = np.random.PCG64(_SEED)
        rows_per_block = max(1, _DRAWS_PER_BLOCK // n_clusters)
        for start in range(0, RESAMPLES, rows_per_block):
            rows = min(rows_per_block, RESAMPLES - start)
            raw = bits.random_raw(rows * n_clusters) % np.uint64(n_clusters)
            drawn = raw.astype(np.intp).reshape(rows, n_clusters)
            yield self.sums[drawn].sum(axis=1) / self.sizes[drawn].sum(axis=1) / _FIXED_POINT
