"""A grid as people read it: the published figure beside the measured one, and who beats whom."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from copycat.console import cell_text, out
from copycat.grids import Comparison, GridResult, MeasuredCell, Published
from copycat.grids.verdicts import NOISE, count_verdicts
from copycat.models import SANDBOX
from copycat.paths import shown


def print_grid(result: GridResult) -> None:
    """Print a grid: figures, orders, what is missing, and where the JSON is."""
    grid = result.grid
    out.print(f"\n{grid.title}: {result.model}, judged by {result.judge}", style="bold", markup=False)
    out.print(
        f"published: {grid.source}, DETECT of 50 (mean and spread of 3 runs)\n"
        "measured: the same, as a share with its 95 % interval, and CONS",
        style="italic dim",
        markup=False,
    )
    for table in _figures(result):
        out.print(table)
    if any(one.verdict is not None for one in result.comparisons):
        out.print(_orders(result))
        counted = count_verdicts(result.comparisons)
        said = ", ".join(f"{count} {verdict}" for verdict, count in counted.items())
        out.print(f"{said}; published differences below {NOISE:g} of 50 are left out", style="italic dim")
    for one in result.missing:
        place = f"{grid.rows[one.row].label} / {grid.columns[one.column].label}"
        out.print(f"not run: {place}: {one.reason}", markup=False, soft_wrap=True)
    if result.model == SANDBOX:
        out.print("a sandbox figure: an invented world, with a judge of its own", style="italic dim")
    out.print(f"{shown(result.path)}", markup=False, soft_wrap=True)


def _figures(result: GridResult) -> list[Table]:
    """Lay out one table per column of the grid: side by side they fit no terminal."""
    measured = {(one.cell.row, one.cell.column): one for one in result.measured}
    rows = sorted({row for row, _ in measured} | {one.row for one in result.missing})
    tables = []
    for place, column in enumerate(result.grid.columns):
        table = Table(title=f"\n{column.label}", title_justify="left", box=None, pad_edge=False)
        table.add_column("", min_width=24)
        for heading in ("published, of 50", "measured, of 50", "DETECT", "CONS"):
            table.add_column(heading, justify="right", no_wrap=True)
        for row in rows:
            line = result.grid.rows[row]
            table.add_row(line.label, published_text(line.cells[place]), *measured_texts(measured.get((row, place))))
        tables.append(table)
    return tables


def published_text(figure: Published | None) -> str:
    """Give a published figure: '30.33 ± 1.89'."""
    if figure is None:
        return "-"
    spread = "" if figure.detect_spread is None else f" ± {figure.detect_spread:.2f}"
    return f"{figure.detect:.2f}{spread}"


def measured_texts(one: MeasuredCell | None) -> Sequence[str]:
    """Give DETECT of 50 characters, DETECT with its interval, and CONS; dashes where a cell was not run."""
    if one is None:
        return ("-", "-", "-")
    detect, cons = one.detect, one.consistency
    of_50 = "-" if detect is None or detect.per50_mean is None else f"{detect.per50_mean:.1f}"
    return (of_50, cell_text(detect), "-" if cons is None or cons.value is None else f"{cons.value:.2f}")


def _orders(result: GridResult) -> Table:
    table = Table(title="\nwho beats whom, in characters of 50", title_justify="left", box=None, pad_edge=False)
    for heading in ("from", "to"):
        table.add_column(heading)
    for heading in ("published", "measured", "p (Holm)"):
        table.add_column(heading, justify="right")
    table.add_column("verdict")
    for one in result.comparisons:
        if one.verdict is not None:
            table.add_row(*_order(result, one))
    return table


def _order(result: GridResult, one: Comparison) -> Sequence[str]:
    places = [f"{result.grid.rows[row].label} / {result.grid.columns[column].label}" for row, column in one[:2]]
    p = "< 0.001" if one.p_holm < 0.001 else f"{one.p_holm:.3f}"
    return (*places, f"{one.published:+.2f}", f"{50 * one.measured:+.1f}", p, one.verdict or "")
