"""Sums over clusters in integers, so that they have the same bytes on every machine and in every order of the rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_FIXED_POINT = 2.0**40


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
