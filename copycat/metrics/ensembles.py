"""Figures of ensembles: how far the members agree, and what a cheap screen kept from the costly judge."""

from __future__ import annotations

from copycat.metrics.agreement import krippendorff_alpha
from copycat.metrics.detect import build_share
from copycat.metrics.missing import build_missing
from copycat.metrics.outcomes import Outcome, Outcomes
from copycat.schema import Estimate


def agreement(outcomes: Outcomes, anchor: str) -> Estimate | None:
    """Give the share of pictures on which all members that answered agree whether the target is shown.

    Unit: share in [0, 1].
    Direction: higher is better.
    """
    rows = [row for row in outcomes.of(anchor) if len(votes_of(row)) > 1]
    if not rows:
        return None
    flags = [len(set(votes_of(row).values())) == 1 for row in rows]
    return build_share("agreement", anchor, rows, flags).model_copy(update={"better": "higher"})


def agreement_alpha(outcomes: Outcomes, anchor: str) -> Estimate | None:
    """Give Krippendorff's alpha of the members on the question whether the target is shown.

    Unit: coefficient, at most 1; 0 is chance.
    Direction: higher is better.

    Source: Krippendorff 2011, Computing Krippendorff's Alpha-Reliability.
    """
    rows = [row for row in outcomes.of(anchor) if len(votes_of(row)) > 1]
    if not rows:
        return None
    places = sorted({place for row in rows for place in votes_of(row)})
    answers = [[votes_of(row).get(place) for place in places] for row in rows]
    found = krippendorff_alpha(answers, [row.sample.character for row in rows])
    if found.value is None or found.low is None:
        reason = found.reason or "no interval"
        return build_missing("agreement_alpha", anchor, reason, unit="coefficient", better="higher")
    return Estimate(
        metric="agreement_alpha",
        anchor=anchor,
        value=found.value,
        low=found.low,
        high=found.high,
        n=found.n,
        unit="coefficient",
        better="higher",
        method="wilson-effective",
    )


def screened_out(outcomes: Outcomes, anchor: str) -> Estimate | None:
    """Give the share of judged pictures that the screen kept from the costly judge; they count as showing nobody.

    Unit: share in [0, 1].
    """
    rows = [row for row in outcomes.of(anchor) if row.judgement is not None and row.judgement.screening is not None]
    if not rows:
        return None
    flags = [row.judgement is not None and row.judgement.screening == "out" for row in rows]
    return build_share("screened_out", anchor, rows, flags)


def screen_misses(outcomes: Outcomes, anchor: str) -> Estimate | None:
    """Give the share of the audited pictures, which the screen would have kept back, that show the target after all.

    The screen makes DETECT too low by about `screened_out * screen_misses`.

    Unit: share in [0, 1].
    Direction: lower is better.
    """
    if all(row.judgement is None or row.judgement.screening is None for row in outcomes.of(anchor)):
        return None
    rows = [row for row in outcomes.of(anchor) if row.judgement is not None and row.judgement.screening == "audited"]
    return build_share("screen_misses", anchor, rows, [row.is_detected for row in rows])


def votes_of(row: Outcome) -> dict[int, bool]:
    """Give what each member that answered says of the target, by its place in the ensemble."""
    members = (row.judgement.members if row.judgement is not None else None) or ()
    seen = (
        (place, member.detected == row.sample.character) for place, member in enumerate(members) if not member.reason
    )
    return dict(seen)
