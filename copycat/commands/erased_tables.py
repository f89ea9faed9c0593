"""Erasures on a terminal: DETECT on what was erased, and what is kept of everyone else."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from rich.table import Table

from copycat.catalog import read_character_set
from copycat.console import cell_text, out
from copycat.eval import Outcome
from copycat.robustness.of_runs import ErasedFigures, measure_erased
from copycat.robustness.page import percent, spread
from copycat.runs.environment import pick_device
from copycat.staging import Job


def erased_figures(job: Job, outcomes: Sequence[Outcome]) -> dict[str, list[ErasedFigures]]:
    """Give the figures of a job's erasures by model."""
    found = {}
    for model, group in groupby(outcomes, key=lambda outcome: outcome.result.model):
        of_model = list(group)
        characters = read_character_set(job.characters or of_model[0].result.characters)
        found[model] = measure_erased(of_model, characters, pick_device(job.device))
    return found


def print_erased(figures: dict[str, list[ErasedFigures]]) -> None:
    """Print a table of what is left of the concepts, and one of what is kept."""
    for model, rows in figures.items():
        named = [row for row in rows if row.concepts]
        if named:
            out.print(f"\non what was erased: {model}", style="bold", markup=False)
            out.print(_left(named))
            out.print("DETECT on the erased characters alone, in %; lower erases better", style="italic dim")
        if any(row.retention for row in named):
            out.print(_kept(named))
            out.print(
                "DETECT by name of the other characters, over that of the own weights; higher is better",
                style="italic dim",
            )
        for row in rows:
            for one in row.distances:
                if one.value is not None:
                    out.print(
                        f"{row.mitigation}: benign pictures moved by {one.value:.3f} ({one.metric})", markup=False
                    )


def _left(rows: Sequence[ErasedFigures]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    for anchor in rows[0].detect:
        table.add_column(anchor, justify="right")
    seen: set[tuple[str, ...]] = set()
    for row in rows:
        if row.concepts not in seen:
            table.add_row(f"none ({', '.join(row.concepts)})", *map(cell_text, row.original.values()))
            seen.add(row.concepts)
        table.add_row(row.mitigation, *map(cell_text, row.detect.values()))
    return table


def _kept(rows: Sequence[ErasedFigures]) -> Table:
    table = Table(title="\nothers kept", title_justify="left", box=None, pad_edge=False)
    table.add_column("")
    for one in rows[0].retention:
        table.add_column(one.group, justify="right")
    for row in rows:
        texts = [
            percent(one.value) + (f" [dim]({inside})[/dim]" if (inside := spread(one.low, one.high)) else "")
            for one in row.retention
        ]
        table.add_row(row.mitigation, *texts)
    return table
