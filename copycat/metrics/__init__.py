"""Pure metrics: samples and judgements in, estimates with 95 % intervals out."""

from copycat.metrics.comparison import compare
from copycat.metrics.consistency import consistency
from copycat.metrics.detect import Per50, any_character, detect, per50
from copycat.metrics.intervals import (
    Interval,
    PairedDifference,
    mean_interval,
    paired_difference,
    rate_interval,
    wilson,
)
from copycat.metrics.outcomes import ALL_ANCHORS, Outcome, Outcomes, join_outcomes
from copycat.metrics.summary import METRICS, CharacterCell, per_character, summarise

__all__ = [
    "ALL_ANCHORS",
    "METRICS",
    "CharacterCell",
    "Interval",
    "Outcome",
    "Outcomes",
    "PairedDifference",
    "Per50",
    "any_character",
    "compare",
    "consistency",
    "detect",
    "join_outcomes",
    "mean_interval",
    "paired_difference",
    "per50",
    "per_character",
    "rate_interval",
    "summarise",
    "wilson",
]
