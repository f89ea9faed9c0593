"""A figure over works: its mean with an interval by work, and the tail that a mean hides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from copycat.schema import Record

DRAWS = 2_000
MIN_WORKS = 5
"""With fewer works, a bootstrap draws the same few again and again, and its interval is far too narrow."""

TAIL = 0.95


class WorkSummary(Record):
    """One figure over works.

    Attributes:
        mean: over works, of the mean of each work's values.
        low, high: 95 % interval of it, by a bootstrap over works; None, with the reason, for fewer than five.
        tail: the 95th percentile of the works' highest values.
        highest: the highest value of all; `highest_work` has it. A mean hides a single full copy.
        values: how many there are, over all works.
    """

    mean: float
    low: float | None
    high: float | None
    reason: str = ""
    tail: float
    highest: float
    highest_work: str
    works: int
    values: int


def by_work(values: Mapping[str, Sequence[float]], seed: int = 0, draws: int = DRAWS) -> WorkSummary:
    """Summarise a figure: work -> its values, such as one for each prompt. A work without values does not count.

    Prompts of one work resemble each other, so whole works are drawn, and never prompts.

    Raises:
        ValueError: no work has a value.

    Source: Efron & Tibshirani 1993, ch. 13 (percentile interval), over clusters.
    """
    import numpy as np

    kept = {work: list(given) for work, given in sorted(values.items()) if len(given)}
    if not kept:
        raise ValueError("there is no value of any work")
    means = np.array([np.mean(given) for given in kept.values()])
    highest = {work: max(given) for work, given in kept.items()}
    low = high = None
    if len(kept) >= MIN_WORKS:
        rng = np.random.default_rng(seed)
        drawn = means[rng.integers(len(means), size=(draws, len(means)))].mean(axis=1)
        low, high = (float(end) for end in np.quantile(drawn, (0.025, 0.975)))
    top = max(highest, key=lambda work: highest[work])
    return WorkSummary(
        mean=float(means.mean()),
        low=low,
        high=high,
        reason="" if low is not None else f"an interval needs {MIN_WORKS} works, and there are {len(kept)}",
        tail=float(np.quantile(list(highest.values()), TAIL)),
        highest=float(highest[top]),
        highest_work=top,
        works=len(kept),
        values=sum(map(len, kept.values())),
    )
