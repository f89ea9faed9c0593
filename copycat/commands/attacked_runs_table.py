"""The table of what attacks bring back: every mitigation without and with each attack, side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from copycat.attacks import split_attacked
from copycat.commands.headings import heading, print_notes
from copycat.console import FILE_WIDTH, cell_text, in_lines, out
from copycat.judges import NO_JUDGE
from copycat.metrics import ALL_ANCHORS
from copycat.metrics.texts import text_of
from copycat.paths import shown

if TYPE_CHECKING:
    from rich.table import Table

    from copycat.eval import Outcome
    from copycat.schema import Estimate

MEANING = "regained: DETECT under the attack minus DETECT without it, over pairs of the same prompt and seed"

NARROW = 20
"""Letters of a mitigation beside the figures, and of an attack half as many."""


def is_attacked(outcome: Outcome) -> bool:
    """Whether an attack acted on a run."""
    return split_attacked(outcome.result.mitigation)[1] is not None


def print_attacks(outcomes: Sequence[Outcome]) -> None:
    """Print a table for each model and anchor; nothing where nothing was attacked.

    Args:
        outcomes: attacked ones and those that they are compared with, as `evaluate` gives them.
    """
    for _, of_model in groupby(outcomes, key=lambda outcome: outcome.result.model):
        runs = list(of_model)
        attacked = [run for run in runs if is_attacked(run)]
        if not attacked:
            continue
        out.print(heading(attacked[0].result, "pictures of each attacked run"), markup=False)
        print_notes(attacked)
        if attacked[0].result.judge == NO_JUDGE:
            out.print("no figures: nobody has looked at these pictures yet\n", markup=False)
            continue
        anchors = list(dict.fromkeys(e.anchor for e in attacked[0].result.estimates))
        for anchor in [a for a in anchors if a != ALL_ANCHORS or len(anchors) > 2]:
            out.print()
            out.print(_table(runs, anchor))
        out.print(f"{MEANING}\nCONS: {text_of('consistency').meaning}", style="italic dim", markup=False)
        out.print("\n[95 % intervals over characters]", markup=False)
        for run in attacked:
            out.print(f"  {shown(run.folder / 'report.html')}", markup=False, soft_wrap=True)
        out.print()


def _table(runs: Sequence[Outcome], anchor: str) -> Table:
    from rich.table import Table

    table = Table(title=f"under attack, {anchor}", title_justify="left", box=None, pad_edge=False)
    for title in ("mitigation", "attack"):
        table.add_column(title, no_wrap=True)
    for title in ("DETECT", "regained", "CONS"):
        table.add_column(title, justify="right", no_wrap=True)
    for group in _by_mitigation(runs):
        for place, run in enumerate(group):
            mitigation, attack = split_attacked(run.result.mitigation)
            figures = {e.metric: e for e in run.result.estimates if e.anchor == anchor}
            differences = {e.metric: e for e in run.differences if e.anchor == anchor} if attack else {}
            table.add_row(
                in_lines(mitigation, NARROW) if place == 0 else "",
                in_lines(attack or "-", NARROW // 2),
                _figure(figures.get("detect")),
                _figure(differences["detect_difference"]) if "detect_difference" in differences else "",
                _figure(figures.get("consistency")),
            )
    return table


def _by_mitigation(runs: Sequence[Outcome]) -> Iterator[list[Outcome]]:
    groups: dict[str, list[Outcome]] = {}
    for run in runs:
        groups.setdefault(split_attacked(run.result.mitigation)[0], []).append(run)
    yield from groups.values()


def _figure(estimate: Estimate | None) -> str:
    """Give a figure, its interval below it where there is little room."""
    text = cell_text(estimate)
    return text if out.width > FILE_WIDTH else text.replace(" [", "\n[", 1)
