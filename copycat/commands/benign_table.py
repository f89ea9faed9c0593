"""The table of what mitigations cost on prompts that are after nobody."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from copycat.commands.headings import heading, print_notes
from copycat.console import FILE_WIDTH, cell_text, in_lines, out
from copycat.judges import NO_JUDGE
from copycat.metrics import ALL_ANCHORS
from copycat.metrics.texts import text_of
from copycat.paths import shown
from copycat.schema import Estimate

if TYPE_CHECKING:
    from rich.table import Table

    from copycat.eval import Outcome

MEANING = (
    "acted on: the mitigation did not leave the request as it was; any character: the judge sees a protected one, "
    "which nobody asked for; lost: refused or blocked"
)


def print_benign(outcomes: Sequence[Outcome]) -> None:
    """Print a table for each model: a line for each mitigation, the unmitigated run first."""
    for _, of_model in groupby(outcomes, key=lambda outcome: outcome.result.model):
        runs = list(of_model)
        out.print(heading(runs[0].result, "pictures of benign prompts"), markup=False)
        print_notes(runs)
        out.print()
        out.print(_table(runs))
        out.print(MEANING, style="italic dim", markup=False)
        if runs[0].result.judge != NO_JUDGE:
            out.print(f"CONS: {text_of('consistency').meaning}", style="italic dim", markup=False)
        if any(_thrown_away(run) for run in runs):
            out.print("rejected: pictures that a filter threw away", style="italic dim", markup=False)
        out.print("\n[95 % intervals over prompts; those of the shares are in the reports]", markup=False)
        for run in runs:
            out.print(f"  {shown(run.folder / 'report.html')}", markup=False, soft_wrap=True)
        out.print()


def _table(runs: Sequence[Outcome]) -> Table:
    from rich.table import Table

    is_filtered = any(_thrown_away(run) for run in runs)
    table = Table(title="benign prompts", title_justify="left", box=None, pad_edge=False)
    table.add_column("mitigation", overflow="fold")
    for title in (
        "acted\non",
        "any\ncharacter",
        "CONS",
        "difference",
        "lost",
        *(["rejected"] if is_filtered else []),
    ):
        table.add_column(title, justify="right", no_wrap=True)
    for run in runs:
        counts, found = run.result.counts, {e.metric: e for e in _figures(run)}
        table.add_row(
            in_lines(run.result.mitigation),
            _of(found.get("acted_on")),
            _of(found.get("any_character")),
            _figure(found.get("consistency")),
            _figure(found["consistency_difference"]) if "consistency_difference" in found else "",
            str(counts.refused + counts.blocked),
            *([str(_thrown_away(run))] if is_filtered else []),
        )
    return table


def _figures(run: Outcome) -> list[Estimate]:
    return [e for e in (*run.result.estimates, *run.differences) if e.anchor == ALL_ANCHORS]


def _figure(estimate: Estimate | None) -> str:
    """Give a figure, its interval below it where there is little room."""
    text = cell_text(estimate)
    return text if out.width >= FILE_WIDTH else text.replace(" [", "\n[", 1)


def _of(share: Estimate | None) -> str:
    return "no figure" if share is None or share.value is None else f"{share.k} of {share.n}"


def _thrown_away(run: Outcome) -> int:
    return sum(len(row.sample.rejected or ()) for row in run.rows.rows)
