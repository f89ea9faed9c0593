"""Pure metrics: samples and judgements in, estimates with 95 % intervals out."""

from copycat.metrics.agreement import (
    Agreement,
    accuracy,
    cohens_kappa,
    krippendorff_alpha,
    sensitivity,
    specificity,
)
from copycat.metrics.comparison import compare, paired_tests
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
from copycat.metrics.power import smallest_difference, smallest_difference_seen
from copycat.metrics.ranks import RankInterval, rank_intervals
from copycat.metrics.significance import Welch, benjamini_hochberg, holm, mcnemar_exact, sign_flip, welch
from copycat.metrics.summary import METRICS, CharacterCell, per_character, summarise

__all__ = [
    "ALL_ANCHORS",
    "METRICS",
    "Agreement",
    "CharacterCell",
    "Interval",
    "Outcome",
    "Outcomes",
    "PairedDifference",
    "Per50",
    "RankInterval",
    "Welch",
    "accuracy",
    "any_character",
    "benjamini_hochberg",
    "cohens_kappa",
    "compare",
    "consistency",
    "detect",
    "holm",
    "join_outcomes",
    "krippendorff_alpha",
    "mcnemar_exact",
    "mean_interval",
    "paired_difference",
    "paired_tests",
    "per50",
    "per_character",
    "rank_intervals",
    "rate_interval",
    "sensitivity",
    "sign_flip",
    "smallest_difference",
    "smallest_difference_seen",
    "specificity",
    "summarise",
    "welch",
    "wilson",
]
