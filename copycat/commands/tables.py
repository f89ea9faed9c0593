"""The small tables at the end of a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.markup import escape

from copycat.commands.attacked_runs_table import is_attacked, print_attacks
from copycat.commands.benign_table import print_benign
from copycat.commands.headings import heading, print_notes
from copycat.console import cell_text, comparison_table, err, out
from copycat.judges import NO_JUDGE
from copycat.metrics import ALL_ANCHORS
from copycat.metrics.texts import METRIC_TEXTS, text_of
from copycat.paths import shown
from copycat.schema import MIN_COVERAGE, Estimate, RunResult

if TYPE_CHECKING:
    from copycat.eval import Outcome, ShardOutcome
    from copycat.runs.shards import Shard

TABLES = ("detect", "detect_corrected", "consistency")
"""The figures that have a table of their own; every other one stands in one line, for all anchors together."""


def print_outcomes(outcomes: Sequence[Outcome]) -> None:
    """Print one pair of tables per mitigated run (or per baseline that stands alone), and where the report is."""
    everything, asked = outcomes, [outcome for outcome in outcomes if not outcome.is_benign]
    outcomes = [outcome for outcome in asked if not is_attacked(outcome)]
    baseline = outcomes[0]
    for position, outcome in enumerate(outcomes):
        if not outcome.differences:
            baseline = outcome
            follows = outcomes[position + 1 : position + 2]
            if follows and follows[0].differences:
                continue
        _print_pair(outcome, baseline)
    print_attacks(asked)
    print_benign([outcome for outcome in everything if outcome.is_benign])
    for outcome in everything:
        if not outcome.is_valid:
            counts = outcome.result.counts
            err.print(
                f"not valid: {100 * counts.coverage:.1f} % of {counts.planned} planned pictures of "
                f"'{outcome.result.mitigation}' were judged, refused or blocked; {100 * MIN_COVERAGE:.0f} % are needed",
                markup=False,
            )


def print_shards(shard: Shard | None, outcomes: Sequence[ShardOutcome]) -> None:
    """Print what a shard has drawn, and how the whole is put together."""
    for outcome in outcomes:
        failed = f", {outcome.n_failed} failed: the same command tries them again" if outcome.n_failed else ""
        what = ", benign prompts" if outcome.is_benign else ""
        out.print(
            f"{outcome.model} + {outcome.mitigation}{what}, shard {shard}: {outcome.n_finished} pictures{failed}"
            f"  {shown(outcome.folder)}",
            markup=False,
            soft_wrap=True,
        )
    out.print("when all shards are through, the same command without --shard judges and reports", style="italic dim")


def _print_pair(outcome: Outcome, baseline: Outcome) -> None:
    result = outcome.result
    out.print(heading(result), markup=False)
    print_notes([baseline, outcome] if outcome is not baseline else [outcome])
    if result.judge == NO_JUDGE:
        out.print("no figures: nobody has looked at these pictures yet", markup=False)
        out.print("the same command with --judge NAME judges them and draws none again\n", markup=False)
        return
    metrics = {estimate.metric for estimate in result.estimates}
    for metric in [metric for metric in TABLES if metric in metrics]:
        columns = []
        if outcome is not baseline:
            columns.append((baseline.result.mitigation, _by_anchor(baseline.result.estimates, metric)))
        columns.append((result.mitigation, _by_anchor(result.estimates, metric)))
        if outcome.differences:
            columns.append(("difference", _by_anchor(outcome.differences, f"{metric}_difference")))
        anchors = list(columns[0][1])
        out.print()
        out.print(comparison_table(text_of(metric).name, anchors, columns))
        out.print(text_of(metric).meaning, style="italic dim", markup=False)
        shown_estimates = [estimate for _, of_one in columns for estimate in of_one.values()]
        for reason in dict.fromkeys(e.reason for e in shown_estimates if e.value is None and e.reason):
            out.print(f"no figure: {reason}", style="italic dim", markup=False)
    _print_others(baseline, outcome)
    _print_standing(result, baseline)
    out.print(
        f"\n[95 % intervals over characters]  {shown(outcome.folder / 'report.html')}\n", markup=False, soft_wrap=True
    )


def _print_others(baseline: Outcome, outcome: Outcome) -> None:
    """Print one line for each further figure, all anchors together; those of every run are left to the report."""
    for_all = {e.metric: e for e in outcome.result.estimates if e.anchor == ALL_ANCHORS}
    before = {e.metric: e for e in baseline.result.estimates if e.anchor == ALL_ANCHORS}
    further = [metric for metric in METRIC_TEXTS if metric in for_all and metric not in (*TABLES, "any_character")]
    if further:
        out.print()
    for metric in further:
        both = [before[metric]] if outcome is not baseline and metric in before else []
        shown = " -> ".join(cell_text(estimate) for estimate in [*both, for_all[metric]])
        out.print(f"{text_of(metric).name}: {shown}  [dim]{escape(text_of(metric).meaning)}[/dim]")


def _print_standing(result: RunResult, baseline: Outcome) -> None:
    """Say on what the judge's figures stand."""
    correction = result.correction or baseline.result.correction
    if correction is not None and correction.is_possible:
        how = f"corrected by {correction.n_labels} labels ({correction.method})"
        out.print(f"\n{how}: {correction.source}", markup=False, soft_wrap=True)
    elif correction is not None:
        out.print(
            f"\n{correction.n_labels} labels support no correction: {correction.source}", markup=False, soft_wrap=True
        )
    elif not result.is_judge_calibrated:
        out.print(
            f"\njudge not calibrated: nobody has compared {result.judge} with labels of people; to do it:\n"
            f"  python -m copycat.calibrate {shown(baseline.folder)}",
            markup=False,
            soft_wrap=True,
        )


def _by_anchor(estimates: Sequence[Estimate], metric: str) -> dict[str, Estimate]:
    return {e.anchor: e for e in estimates if e.metric == metric}
