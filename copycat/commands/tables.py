"""The small tables at the end of a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from copycat.console import comparison_table, err, out
from copycat.judges import NO_JUDGE
from copycat.paths import shown
from copycat.schema import MIN_COVERAGE, Estimate

if TYPE_CHECKING:
    from copycat.eval import Outcome, ShardOutcome
    from copycat.runs.shards import Shard

HEADINGS = {"detect": "DETECT", "consistency": "CONS"}
MEANINGS = {
    "detect": "share of pictures, in %, in which the judge recognises the character asked for; lower protects better",
    "consistency": "probability, in %, that the key characteristic asked for is shown; higher is better",
}


def print_outcomes(outcomes: Sequence[Outcome]) -> None:
    """Print one pair of tables per mitigated run (or per baseline that stands alone), and where the report is."""
    baseline = outcomes[0]
    for position, outcome in enumerate(outcomes):
        if not outcome.differences:
            baseline = outcome
            follows = outcomes[position + 1 : position + 2]
            if follows and follows[0].differences:
                continue
        _print_pair(outcome, baseline)
    for outcome in outcomes:
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
        out.print(
            f"{outcome.model} + {outcome.mitigation}, shard {shard}: {outcome.n_finished} pictures{failed}"
            f"  {shown(outcome.folder)}",
            markup=False,
            soft_wrap=True,
        )
    out.print("when all shards are through, the same command without --shard judges and reports", style="italic dim")


def _print_pair(outcome: Outcome, baseline: Outcome) -> None:
    result = outcome.result
    out.print(_heading(outcome), markup=False)
    for of in [baseline, outcome] if outcome is not baseline else [outcome]:
        for note in of.notes:
            out.print(f"  {of.result.mitigation}: {note}", markup=False, soft_wrap=True)
    if result.judge == NO_JUDGE:
        out.print("no figures: nobody has looked at these pictures yet", markup=False)
        out.print("the same command with --judge NAME judges them and draws none again\n", markup=False)
        return
    for metric, heading in HEADINGS.items():
        columns = []
        if outcome is not baseline:
            columns.append((baseline.result.mitigation, _by_anchor(baseline.result.estimates, metric)))
        columns.append((result.mitigation, _by_anchor(result.estimates, metric)))
        if outcome.differences:
            columns.append(("difference", _by_anchor(outcome.differences, f"{metric}_difference")))
        anchors = list(columns[0][1])
        out.print()
        out.print(comparison_table(heading, anchors, columns))
        out.print(MEANINGS[metric], style="italic dim", markup=False)
    out.print(
        f"\n[95 % intervals over characters]  {shown(outcome.folder / 'report.html')}\n", markup=False, soft_wrap=True
    )


def _heading(outcome: Outcome) -> str:
    result = outcome.result
    labels = ["sandbox: an invented world, never comparable with real models"] if result.is_sandbox else []
    labels += ["partial: --limit was set"] if result.is_partial else []
    counts = result.counts
    judge = "nobody" if result.judge == NO_JUDGE else result.judge
    about = f"{result.model}, judged by {judge}: {counts.ok} of {counts.planned} pictures"
    return f"{about} ({'; '.join(labels)})" if labels else about


def _by_anchor(estimates: Sequence[Estimate], metric: str) -> dict[str, Estimate]:
    return {e.anchor: e for e in estimates if e.metric == metric}
