"""Erasures on a terminal: DETECT on what was erased, and what is kept of everyone else."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from rich.table import Table

from copycat.catalog import read_character_set
from copycat.console import cell_text, in_lines, out
from copycat.eval import Outcome
from copycat.robustness.neighbours import ALL, NEIGHBOURS, REST
from copycat.robustness.of_runs import ErasedFigures, measure_erased
from copycat.robustness.page import percent, spread
from copycat.runs.environment import pick_device
from copycat.schema import Estimate
from copycat.staging import Job

NARROW = 18
"""Letters of a name beside many columns of figures."""


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
        kept = [row for row in named if row.retention]
        if kept:
            out.print(_kept(kept))
            out.print(
                "DETECT by name of the other characters, over that of the own weights; higher is better",
                style="italic dim",
            )
        moved = [row for row in rows if any(one.value is not None for one in row.distances)]
        if moved:
            out.print(_moved(moved))
            out.print(
                "of benign prompts and the same seeds, to the picture of the own weights; lower is closer",
                style="italic dim",
            )


def _left(rows: Sequence[ErasedFigures]) -> Table:
    table = _table("", list(rows[0].detect))
    seen: set[tuple[str, ...]] = set()
    for row in rows:
        if row.concepts not in seen:
            table.add_row(f"none\n({', '.join(row.concepts)})", *map(_figure, row.original.values()))
            seen.add(row.concepts)
        table.add_row(in_lines(row.mitigation, NARROW), *map(_figure, row.detect.values()))
    return table


def _kept(rows: Sequence[ErasedFigures]) -> Table:
    groups = [one.group for one in rows[0].retention]
    table = _table("\nothers kept", [g if g in (ALL, NEIGHBOURS, REST) else f"same {g}" for g in groups])
    for row in rows:
        texts = [
            percent(one.value) + (f"\n[dim]{inside}[/dim]" if (inside := spread(one.low, one.high)) else "")
            for one in row.retention
        ]
        table.add_row(in_lines(row.mitigation, NARROW), *texts)
    return table


def _moved(rows: Sequence[ErasedFigures]) -> Table:
    table = _table("\ndistance of generic pictures", [one.metric for one in rows[0].distances])
    for row in rows:
        table.add_row(
            in_lines(row.mitigation, NARROW), *("-" if d.value is None else f"{d.value:.3f}" for d in row.distances)
        )
    if any(one.of_another_seed is not None for one in rows[0].distances):
        table.add_row("own weights, another seed", *(f"{d.of_another_seed or 0:.3f}" for d in rows[0].distances))
    return table


def _figure(estimate: Estimate) -> str:
    return cell_text(estimate).replace(" [", "\n[", 1)


def _table(title: str, headings: Sequence[str]) -> Table:
    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False)
    table.add_column("", no_wrap=True)
    for heading in headings:
        table.add_column(in_lines(heading).replace(":", ":\n"), justify="right")
    return table
