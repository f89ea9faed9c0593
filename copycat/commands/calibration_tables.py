"""What `python -m copycat.calibrate` prints."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from copycat.calibration.cases import CLOSED, OPEN
from copycat.calibration.flows import Compared
from copycat.calibration.report import CalibrationReport
from copycat.calibration.scores import Score
from copycat.calibration.sheet import Sheet
from copycat.console import err, out
from copycat.metrics.correction import why_uncorrectable
from copycat.paths import shown
from copycat.schema import Calibration

PEOPLE = (
    "for comparison, against people: GPT-4V 82.5 % accuracy, kappa 0.65; Llava-34b 78 %, 0.56; told the name, both did "
    "worse (CopyCat, arXiv 2406.14526, Table 6)"
)
SHARES = ("accuracy", "sensitivity", "specificity")
MEANINGS = {
    OPEN: "what the judge says by itself; this one counts",
    CLOSED: "what it says when it is told whom to look for",
}


def print_sheet(sheet: Sheet, run: Path) -> None:
    """Say what was made and what to do with it."""
    kept = f"; the table holds {sheet.n_filled} labels already" if sheet.n_filled else ""
    out.print(f"{sheet.n_pictures} pictures to label{kept}", markup=False)
    out.print(
        f"  page:  {shown(sheet.page)}  (open it in a browser; it needs no network)", markup=False, soft_wrap=True
    )
    for path in sheet.tables:
        out.print(
            f"  table: {shown(path)}  (or fill in the column 'label': yes, no, unsure)", markup=False, soft_wrap=True
        )
    options = " ".join(f"--labels {shown(path)}" for path in sheet.tables)
    out.print(
        f"then: python -m copycat.calibrate {shown(run)} {options}"
        "\nfrom the page you download a CSV: give that one to --labels",
        markup=False,
        soft_wrap=True,
    )


def print_report(compared: Compared) -> None:
    """Print the figures, what they mean, and what happens next."""
    report = compared.report
    _print_head(report, compared.notes)
    _print_ways(report)
    _print_groups(report)
    _print_worst(report)
    _print_people(report)
    _print_threshold(report)
    for warning in report.warnings:
        err.print(f"warning: {warning}", markup=False, soft_wrap=True)
    out.print(f"\n{PEOPLE}", style="italic dim", markup=False, soft_wrap=True)
    out.print(f"\n\\[95 % intervals over characters]  {shown(compared.path)}", soft_wrap=True)
    out.print(_what_follows(report.calibration), markup=False, soft_wrap=True)


def _what_follows(calibration: Calibration) -> str:
    if calibration.method == "rogan-gladen" and (why := why_uncorrectable(calibration.cells)) is not None:
        return f"no rate can be corrected with these labels: {why}"
    whose = "this judge in this revision" if calibration.method == "rogan-gladen" else "this judge in this very run"
    return (
        f"from now on copycat.eval corrects the rates of {whose} ({calibration.method}); run the eval command again to "
        "see them\n(no picture is made or judged again)"
    )


def _print_head(report: CalibrationReport, notes: Sequence[str]) -> None:
    of = report.calibration
    out.print(f"judge {of.judge} (revision {of.judge_revision[:8]}) against {of.source}", markup=False, soft_wrap=True)
    left_out = [f"{report.n_unsure} unsure"] * bool(report.n_unsure) + [f"{report.n_tied} tied"] * bool(report.n_tied)
    rest = f"; left out: {', '.join(left_out)}" if left_out else ""
    out.print(f"labels: {report.n_yes} yes, {report.n_no} no{rest}", markup=False)
    for note in notes:
        out.print(f"  {note}", markup=False, soft_wrap=True)


def _print_ways(report: CalibrationReport) -> None:
    names = (*SHARES, "kappa")
    table = _table(("", "left"), *((name, "right") for name in names))
    for way in report.ways:
        scores = {score.name: score for score in way.scores}
        table.add_row(way.name, *(_cell(scores[name]) for name in names))
    out.print()
    out.print(table)
    for way in report.ways:
        if way.name in MEANINGS and len(report.ways) > 1:
            out.print(f"{way.name}: {MEANINGS[way.name]}", style="italic dim", markup=False)
        if way.n_unanswered:
            out.print(f"{way.name}: {way.n_unanswered} labelled pictures without an answer", markup=False)
    out.print(f"Krippendorff's alpha of judge and people: {_plain(report.alpha)}", markup=False)


def _print_groups(report: CalibrationReport) -> None:
    for kind in ("anchor", "franchise"):
        groups = [group for group in report.groups if group.kind == kind]
        if not groups:
            continue
        table = _table((kind, "left"), ("n", "right"), *((name, "right") for name in SHARES))
        for group in sorted(groups, key=lambda group: -group.n)[:10]:
            table.add_row(group.name, str(group.n), *(_cell(score) for score in group.scores))
        out.print()
        out.print(table)


def _print_worst(report: CalibrationReport) -> None:
    if not report.worst:
        return
    table = _table(("most errors", "left"), ("missed", "right"), ("seen in vain", "right"), ("right", "right"))
    for cell in report.worst:
        table.add_row(cell.character, str(cell.fn), str(cell.fp), str(cell.tp + cell.tn))
    out.print()
    out.print(table)


def _print_people(report: CalibrationReport) -> None:
    people = report.people
    if people is None:
        return
    kappa = f"mean kappa of pairs {_plain(people.kappa)}, " if people.kappa is not None else ""
    out.print(
        f"\npeople among themselves ({people.n_people}): {kappa}alpha {_plain(people.alpha)}",
        markup=False,
        soft_wrap=True,
    )


def _print_threshold(report: CalibrationReport) -> None:
    threshold = report.threshold
    if threshold is None:
        return
    held_out = ", ".join(f"{score.name} {_plain(score)}" for score in threshold.held_out)
    own = ", ".join(f"{score.name} {_plain(score)}" for score in threshold.held_out_own)
    out.print(
        f"\nthreshold {threshold.threshold:g}, fitted on {threshold.n_fitted} pictures of one half of the characters "
        "(largest sensitivity + specificity)\n"
        f"  on the other half: {held_out}\n"
        f"  the judge's own there: {own}\n"
        f"  use it: --judge {threshold.use}",
        markup=False,
        soft_wrap=True,
    )
    if threshold.is_at_edge:
        out.print(
            "  it is the lowest that these verdicts can show; to see lower ones, judge with threshold 0 (NAME@0)",
            markup=False,
            soft_wrap=True,
        )


def _table(*columns: tuple[str, str]) -> Table:
    table = Table(box=None, pad_edge=False, title_justify="left")
    for name, justify in columns:
        table.add_column(name, justify=justify, no_wrap=justify == "right", overflow="fold")  # type: ignore[arg-type]
    return table


def _cell(score: Score | None) -> str:
    if score is None:
        return ""
    text, interval = _value(score)
    return f"{text}[dim]{interval.replace('[', chr(92) + '[')}[/dim]"


def _plain(score: Score) -> str:
    return "".join(_value(score))


def _value(score: Score) -> tuple[str, str]:
    """Give value and interval: shares in per cent, kappa and alpha as they are."""
    if score.value is None:
        return "no figure", ""
    scale, digits = (100, 1) if score.name in SHARES else (1, 2)
    value = f"{scale * score.value + 0.0:.{digits}f}"
    if score.low is None or score.high is None:
        return value, ""
    return value, f" [{scale * score.low + 0.0:.{digits}f}, {scale * score.high + 0.0:.{digits}f}]"
