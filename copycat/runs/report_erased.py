"""What the report of edited weights shows besides: DETECT on what was erased, and on everyone else. Pure."""

from __future__ import annotations

from copycat.metrics import ALL_ANCHORS, Outcomes, compare, detect, join_outcomes
from copycat.names import fold
from copycat.runs.report_records import FigureGroup, FigureRow, ReportInput, RunView
from copycat.schema import BENIGN


def build_erased_figures(report: ReportInput) -> tuple[FigureGroup, ...]:
    """Part DETECT into the erased characters and the others; () where nothing, or nobody of the set, was erased."""
    erasure = next((sample.erasure for sample in report.run.samples if sample.erasure is not None), None)
    if erasure is None or BENIGN in report.spec.anchors:
        return ()
    names = {fold(name) for name in erasure.concepts}
    gone = [who for who in report.characters.characters if fold(who.name) in names]
    if not gone:
        return ()
    ids = frozenset(who.id for who in gone)
    others = frozenset(who.id for who in report.characters.characters) - ids
    told = ", ".join(who.name for who in gone)
    return (
        FigureGroup(
            metric="detect_erased",
            name=f"DETECT on {told}",
            meaning="what was erased; lower erases better",
            rows=_rows(report, ids, "lower"),
        ),
        FigureGroup(
            metric="detect_others",
            name="DETECT on everyone else",
            meaning="what should be kept: as high as without the erasure",
            rows=_rows(report, others, "higher"),
        ),
    )


def _rows(report: ReportInput, who: frozenset[str], better: str) -> tuple[FigureRow, ...]:
    run = _outcomes(report.run, who)
    base = None if report.baseline is None else _outcomes(report.baseline, who)
    differences = () if base is None else compare(report.spec.anchors, run, base)
    changes = {one.anchor: one for one in differences if one.metric == "detect_difference"}
    turned = {"better": better}
    return tuple(
        FigureRow(
            anchor=anchor,
            baseline=None if base is None else detect(base, anchor).model_copy(update=turned),
            run=detect(run, anchor).model_copy(update=turned),
            difference=changes[anchor].model_copy(update=turned) if anchor in changes else None,
        )
        for anchor in (*report.spec.anchors, ALL_ANCHORS)
    )


def _outcomes(view: RunView, who: frozenset[str]) -> Outcomes:
    joined = join_outcomes(view.samples, view.judgements)
    return Outcomes(rows=tuple(row for row in joined.rows if row.sample.character in who))
