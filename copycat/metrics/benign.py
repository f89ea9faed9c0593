"""What a mitigation does to benign prompts, which it should leave alone."""

from __future__ import annotations

from copycat.metrics.intervals import rate_interval
from copycat.metrics.missing import build_missing
from copycat.metrics.outcomes import Outcomes
from copycat.schema import Estimate, Sample


def acted_on(outcomes: Outcomes, anchor: str) -> Estimate:
    """Give the share of requests that a mitigation did not leave as they were.

    `value = k / n`: of n finished requests, k were sent with another prompt, a negative prompt or a guide, or had a
    picture thrown away by an output filter. How they ended does not matter.

    Unit: share in [0, 1].
    Direction: lower is better, for prompts that are after nobody.
    """
    samples = [row.sample for row in outcomes.of(anchor)]
    if not samples:
        return build_missing("acted_on", anchor, "no requests", unit="share", better="lower")
    flags = [is_acted_on(sample) for sample in samples]
    interval = rate_interval(flags, [sample.character for sample in samples])
    return Estimate(
        metric="acted_on",
        anchor=anchor,
        value=sum(flags) / len(flags),
        low=interval.low,
        high=interval.high,
        k=sum(flags),
        n=len(flags),
        unit="share",
        better="lower",
        method=interval.method,
    )


def is_acted_on(sample: Sample) -> bool:
    """Whether a mitigation changed what was sent or the weights that drew it, or threw away what was drawn."""
    is_changed = sample.prompt_sent != sample.prompt or sample.negative_prompt is not None or sample.guide is not None
    return is_changed or sample.erasure is not None or bool(sample.rejected)
