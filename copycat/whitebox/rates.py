"""Pure: how often an attack succeeds, with intervals; before it and after it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from copycat.attacks.saved import AttackedPrompt
from copycat.metrics import rate_interval


class Rate(NamedTuple):
    """Successes `k` of `n` judged pictures, as a share with its 95 % interval; all None of nothing."""

    k: int
    n: int
    value: float | None
    low: float | None
    high: float | None


class AttackRates(NamedTuple):
    """Of one form of attack, over all prompts and seeds.

    Attributes:
        original: the original model under the plain prompts.
        before: the attacked model under the plain prompts ("pre-ASR" of UnlearnDiffAtk).
        after: under attack ("post-ASR"). Of a search what was there before counts, as published: it needs no prefix. Of
            compositions and learned embeddings it is what their own pictures show.
    """

    form: str
    original: Rate
    before: Rate
    after: Rate


def attack_rates(rows: Sequence[AttackedPrompt]) -> tuple[AttackRates, ...]:
    """Count for each form, in the order of the rows; pictures that could not be judged count nowhere.

    Seeds of one prompt are one cluster, so that with one seed the intervals are Wilson's.
    """
    return tuple(
        AttackRates(
            form,
            *(
                _rate((row.id, getattr(row, side)) for row in rows if row.form == form)
                for side in ("original", "before", "after")
            ),
        )
        for form in dict.fromkeys(row.form for row in rows)
    )


def _rate(pairs: Iterable[tuple[str, bool | None]]) -> Rate:
    judged = [(cluster, is_shown) for cluster, is_shown in pairs if is_shown is not None]
    if not judged:
        return Rate(0, 0, None, None, None)
    hits = [float(is_shown) for _, is_shown in judged]
    interval = rate_interval(hits, [cluster for cluster, _ in judged])
    return Rate(int(sum(hits)), len(hits), sum(hits) / len(hits), interval[0], interval[1])
