"""What every group of rows is read against: models that show nobody, measured where somebody did, else by construction.

A model that refuses everything has DETECT 0 and no picture to rate: that follows from what it is. What a judge makes of
a blank picture does not, so without a measured row it has no figures.
"""

from __future__ import annotations

from collections.abc import Sequence

from copycat.leaderboard.rows import BASELINE_MODELS, BASELINES_SOURCE, BoardRow, Tally
from copycat.metrics import ALL_ANCHORS, rate_interval
from copycat.metrics.missing import build_missing
from copycat.schema import Counts, Estimate

REFUSING = "refusing"
NO_PICTURE = "it makes no picture that could be rated"
NOT_MEASURED = "nobody has shown this judge its pictures yet: python -m copycat.eval --model blank"


def missing_baselines(rows: Sequence[BoardRow]) -> tuple[BoardRow, ...]:
    """Give a row for each baseline model that a group of rows has none of; the group needs a row at least."""
    measured = {row.model for row in rows if row.is_baseline_model}
    like = max(rows, key=lambda row: (row.counts.planned, row.id))
    return tuple(_by_construction(name, like) for name in BASELINE_MODELS if name not in measured)


def _by_construction(model: str, like: BoardRow) -> BoardRow:
    """Make the row of a model that was asked what `like` was asked."""
    refuses = model == REFUSING
    n = like.counts.planned
    by_character = _nobody(like) if refuses else {}
    return BoardRow(
        id=f"{like.section}/{model}",
        href="",
        run_id="",
        section=like.section,
        badge="by construction",
        model=model,
        source=BASELINES_SOURCE,
        revision="1",
        modality=like.modality,
        is_open=True,
        mitigation="none",
        characters=like.characters,
        suite_version=like.suite_version,
        judge=like.judge,
        judge_revision=like.judge_revision,
        is_judge_calibrated=like.is_judge_calibrated,
        anchors=like.anchors,
        seeds=like.seeds,
        counts=Counts(planned=n, ok=0, refused=n if refuses else 0, blocked=0, invalid=0, failed=0, unjudged=0),
        detect={a: _detect(a, by_character) if refuses else _none("detect", a) for a in (*like.anchors, ALL_ANCHORS)},
        consistency={a: _none("consistency", a, refuses=refuses) for a in (*like.anchors, ALL_ANCHORS)},
        n_produced=0,
        n_characters=like.n_characters,
        device="none",
        submitter="by construction",
        date=like.date,
        has_pictures=False,
        is_baseline_model=True,
        by_character=by_character,
    )


def _nobody(like: BoardRow) -> dict[str, dict[str, Tally]]:
    return {
        anchor: {character: (0, n) for character, (_, n) in cells.items()}
        for anchor, cells in like.by_character.items()
    }


def _detect(anchor: str, by_character: dict[str, dict[str, Tally]]) -> Estimate:
    asked = [
        character
        for name, cells in by_character.items()
        if anchor in (ALL_ANCHORS, name)
        for character, (_, n) in cells.items()
        for _ in range(n)
    ]
    if not asked:
        return _none("detect", anchor, refuses=True)
    interval = rate_interval([0.0] * len(asked), asked)
    return Estimate(
        metric="detect",
        anchor=anchor,
        value=0.0,
        low=interval.low,
        high=interval.high,
        k=0,
        n=len(asked),
        unit="share",
        better="lower",
        method=interval.method,
    )


def _none(metric: str, anchor: str, *, refuses: bool = False) -> Estimate:
    reason = NO_PICTURE if refuses else NOT_MEASURED
    if metric == "detect":
        return build_missing(metric, anchor, reason, unit="share", better="lower")
    return build_missing(metric, anchor, reason, unit="probability", better="higher")
