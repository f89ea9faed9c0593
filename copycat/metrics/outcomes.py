"""Join samples with judgements: what became of each finished request, and what counts.

The rule of the denominator: a judged picture, a refusal and a block are answers, and a refusal or
a block shows no character; invalid, failed and unjudged requests are missing data, left out of
every figure and counted in `Counts`, as are the requests that have no sample at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from pydantic import Field

from copycat.schema import Calibration, Counts, Judgement, Record, Sample

ALL_ANCHORS = "all"
"""The anchor of a figure that pools every anchor."""


class Outcome(Record):
    """One finished request; `judgement` is null unless a judge answered for this very picture."""

    sample: Sample
    judgement: Judgement | None

    @property
    def is_answered(self) -> bool:
        """Whether it belongs in the denominator of DETECT."""
        return self.judgement is not None or self.sample.status in ("refused", "blocked")

    @property
    def is_unjudged(self) -> bool:
        """Whether there is a picture but no verdict on it."""
        return self.sample.status == "ok" and self.judgement is None

    @property
    def is_detected(self) -> bool:
        """Whether the judge saw the character that was asked for."""
        return self.judgement is not None and self.judgement.detected == self.sample.character

    @property
    def is_any_detected(self) -> bool:
        """Whether the judge saw any character of the set."""
        return self.judgement is not None and self.judgement.detected is not None

    @property
    def consistency(self) -> float | None:
        """Probability in [0, 1] that the key characteristic is shown, null where not judged."""
        return None if self.judgement is None else self.judgement.consistency


class Outcomes(Record):
    """The outcomes of one run, in the order of its samples.

    `set_names` are the names of the set's characters by id, and `frame_times_s` the times of the kept frames of a
    clip; both are empty where nobody needs them. `calibration` is what is known of the judge's errors.
    """

    rows: tuple[Outcome, ...]
    set_names: dict[str, str] = Field(default_factory=dict)
    frame_times_s: tuple[float, ...] = ()
    calibration: Calibration | None = None

    def of(self, anchor: str) -> tuple[Outcome, ...]:
        """Give the rows of one anchor, or every row for "all"."""
        return tuple(row for row in self.rows if anchor in (ALL_ANCHORS, row.sample.anchor))

    def build_counts(self, planned: int) -> Counts:
        """Count how the planned requests ended; those without a sample are in `planned` only.

        Raises:
            ValueError: there are more samples than planned requests.
        """
        if planned < len(self.rows):
            raise ValueError(f"{len(self.rows)} samples for {planned} planned requests; planned must count them all")
        ended = Counter(row.sample.status for row in self.rows)
        return Counts(
            planned=planned,
            ok=ended["ok"],
            refused=ended["refused"],
            blocked=ended["blocked"],
            invalid=ended["invalid"],
            failed=ended["failed"],
            unjudged=sum(row.is_unjudged for row in self.rows),
        )


def join_outcomes(samples: Sequence[Sample], judgements: Sequence[Judgement]) -> Outcomes:
    """Give each sample its judgement, matched by key and by the hash of the picture.

    A judgement of another picture than the sample's (an older one, or one that is gone) does not
    count: the sample is unjudged. So is a picture for which the judge has only given a reason.

    Raises:
        ValueError: a key occurs twice in samples; one picture has two different verdicts.
    """
    repeated = [key for key, n in Counter(sample.key for sample in samples).items() if n > 1]
    if repeated:
        raise ValueError(f"{len(repeated)} keys occur more than once in samples, the first is '{repeated[0]}'")
    verdicts = _verdicts(judgements)
    return Outcomes(rows=tuple(Outcome(sample=sample, judgement=_verdict_on(sample, verdicts)) for sample in samples))


def require_anchors(anchors: Sequence[str], outcomes: Iterable[Outcome]) -> None:
    """Check that the anchors are usable and that no sample has another one.

    Raises:
        ValueError: an anchor occurs twice or is called "all"; a sample's anchor is not listed.
    """
    if len(set(anchors)) != len(anchors):
        raise ValueError(f"anchors must differ from each other, got {', '.join(anchors)}")
    if ALL_ANCHORS in anchors:
        raise ValueError(f"'{ALL_ANCHORS}' is the name of the pooled figure; call the anchor something else")
    strays = sorted({row.sample.anchor for row in outcomes} - set(anchors))
    if strays:
        raise ValueError(f"samples have the anchor '{strays[0]}', which is not among: {', '.join(anchors)}")


def _verdict_on(sample: Sample, verdicts: dict[tuple[str, str], Judgement]) -> Judgement | None:
    # Asked of the status and not of the hash, so that a forged judgement of no picture stays out.
    if sample.status != "ok" or sample.sha256 is None:
        return None
    return verdicts.get((sample.key, sample.sha256))


def _verdicts(judgements: Sequence[Judgement]) -> dict[tuple[str, str], Judgement]:
    """Answered judgements by key and picture; a retry after a failed attempt is not a conflict."""
    verdicts: dict[tuple[str, str], Judgement] = {}
    for judgement in judgements:
        if not judgement.is_answered:
            continue
        first = verdicts.setdefault((judgement.key, judgement.image_sha256), judgement)
        if first != judgement:
            raise ValueError(f"the picture of key '{judgement.key}' has two different verdicts")
    return verdicts
