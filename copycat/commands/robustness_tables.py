"""`python -m copycat.eval --grid erasers`: its options, and its matrix on a terminal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.table import Table

from copycat.commands.job import build_job
from copycat.console import out
from copycat.errors import UserError
from copycat.metrics.significance import LEVEL
from copycat.paths import shown
from copycat.robustness.forecast import Forecast
from copycat.robustness.order import Order
from copycat.robustness.page import attack_text, method_text, percent, seconds_text, signed_text, spread
from copycat.robustness.records import MATRIX_FILE, ORIGINAL, PAGE_FILE, Matrix, MatrixCell, MethodRow

FOLDER = "erasers"
"""Below the default folder of runs: a matrix has many folders of its own."""

REFUSED = ("mitigation", "erased", "shard", "benign", "limit", "fresh", "metrics", "llm", "embedder")


def build_order(options: dict[str, Any], command: str) -> Order:
    """Check the options and put them together.

    Raises:
        UserError: an option does not go with the grid, or a value has the wrong form.
    """
    for name in REFUSED:
        if options[name]:
            raise UserError(
                f"--grid erasers and --{name.replace('_', '-')} do not go together\n"
                f"  the grid says what is run; leave out --{name.replace('_', '-')}"
            )
    if len(options["model"] or ()) != 1:
        raise UserError("--grid erasers needs one model\n  needed: --model NAME, e.g. --model sandbox")
    base = build_job({**options, "grid": None, "attack": None} | _unset(), command)
    folder = base.out / FOLDER if base.out == Path("runs") else base.out
    return Order(
        base=base.model_copy(update={"out": folder}),
        concepts=_parts(options["concepts"]),
        methods=_parts(options["methods"]),
        attacks=tuple(options["attack"] or ()),
        training_seeds=options["training_seeds"] or 1,
        workers=options["workers"] or 1,
    )


def print_forecast(found: Forecast) -> None:
    """Print what is left to make of a matrix."""
    done = f", {found.n_finished:,} of them finished" if found.n_finished else ""
    about = "about" if found.is_exact else "at most"
    lines = {
        "concepts": ", ".join(found.concepts),
        "attacks": ", ".join(found.attacks),
        "cells": f"{found.n_cells:,}{done}",
        "erasures": _counts(found.erasures),
        "searches": _counts(found.searches),
        "pictures": f"{about} {found.n_pictures:,} to draw" + (", and those of the searches" if found.searches else ""),
        "folder": shown(Path(found.folder)),
    }
    out.print(f"erasers against attacks: {found.model}; nothing was made", markup=False)
    for label, text in lines.items():
        out.print(f"  {label:<10}{text}", markup=False, soft_wrap=True)
    if not found.is_exact:
        out.print("  how many others are drawn is seen from the pictures of the original model", style="italic dim")


def _counts(counts: dict[str, int]) -> str:
    told = f"{sum(counts.values()):,}: " + ", ".join(f"{name} {count:,}" for name, count in counts.items())
    return told if counts else "none to make"


def print_matrix(matrix: Matrix, folder: Path) -> None:
    """Print DETECT of methods under attacks, what they keep and cost, and where the page is."""
    out.print(f"\nerasers against attacks: {matrix.model}, judged by {matrix.judge}", style="bold", markup=False)
    out.print(
        f"{_count(len(matrix.concepts), 'concept')}, {_count(matrix.training_seeds, 'erasure')} of each by each "
        f"method, {_count(matrix.seeds, 'picture')} of each prompt",
        style="italic dim",
        markup=False,
    )
    for anchor in (*matrix.anchors, "all"):
        out.print(_detect(matrix, anchor))
    out.print(
        "DETECT on the erased concepts, in %, with 95 % intervals over concepts; lower erases better\n"
        f"in brackets: what the attack changed, in points; * where chance would not (p <= {LEVEL:g}, adjusted"
        + (f"; {len(matrix.concepts)} are too few to tell)" if matrix.least_p > LEVEL else ")"),
        style="italic dim",
        markup=False,
    )
    if matrix.success:
        out.print(_success(matrix))
        out.print(
            "a search's own prompts and seeds: share that show the concept before -> after, the published success rate",
            style="italic dim",
        )
    if any(row.method != ORIGINAL for row in matrix.rows):
        out.print(_kept(matrix))
        out.print(
            "DETECT by name of the other characters, over that of the original model; higher is better",
            style="italic dim",
        )
    out.print(_costs(matrix))
    if matrix.weak_concepts:
        names = ", ".join(matrix.weak_concepts)
        out.print(f"the original model hardly draws {names} by name: erasing them shows little", soft_wrap=True)
    if matrix.n_missing:
        cells = "1 cell is missing" if matrix.n_missing == 1 else f"{matrix.n_missing} cells are missing"
        out.print(f"{cells} ({', '.join(matrix.missing)}); the same command makes what is missing", soft_wrap=True)
    if matrix.diverged:
        stands = "it stands" if len(matrix.diverged) == 1 else "they stand"
        told = f"{', '.join(matrix.diverged)} diverged: {stands} here with the last weights that were numbers"
        out.print(told, style="yellow", soft_wrap=True)
    if matrix.is_sandbox:
        out.print("a sandbox figure: an invented world, with a judge of its own", style="italic dim")
    out.print(f"{shown(folder / MATRIX_FILE)}  {shown(folder / PAGE_FILE)}", markup=False, soft_wrap=True)


def _count(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _detect(matrix: Matrix, anchor: str) -> Table:
    title = "all prompts" if anchor == "all" else f"by {anchor}"
    table = _table(title, [attack_text(attack) for attack in matrix.attacks])
    places = {(cell.method, cell.attack): cell for cell in matrix.cells if cell.anchor == anchor}
    for method in matrix.methods:
        table.add_row(method_text(method), *(_rate(places.get((method, attack))) for attack in matrix.attacks))
    return table


def _rate(cell: MatrixCell | None) -> str:
    if cell is None:
        return "-"
    found = cell.detect
    if found.value is None or found.low is None or found.high is None:
        return "no figure"
    # One under the other: six attacks side by side fit no terminal otherwise.
    text = f"{100 * found.value:.0f}\n[dim]\\[{100 * found.low:.0f}, {100 * found.high:.0f}][/dim]"
    if cell.regained is None or cell.regained.value is None or cell.p_holm is None:
        return text
    return f"{text}\n({signed_text(cell.regained)}{'*' if cell.p_holm <= LEVEL else ''})"


def _success(matrix: Matrix) -> Table:
    attacks = list(dict.fromkeys(row.attack for row in matrix.success))
    table = _table("attack success", [attack_text(attack) for attack in attacks])
    found = {(row.method, row.attack): row for row in matrix.success}
    for method in dict.fromkeys(row.method for row in matrix.success):
        rows = [found.get((method, attack)) for attack in attacks]
        texts = [
            "-"
            if row is None
            else f"{percent(row.before.value)} -> {percent(row.after.value)}\n"
            f"[dim]{spread(row.after.low, row.after.high)}[/dim]"
            for row in rows
        ]
        table.add_row(method_text(method), *texts)
    return table


def _kept(matrix: Matrix) -> Table:
    groups = list(dict.fromkeys(kept.group for row in matrix.rows for kept in row.retention))
    table = _table("others kept", [g if g in ("all", "neighbours", "rest") else f"same {g}" for g in groups])
    for row in matrix.rows:
        if row.method != ORIGINAL:
            table.add_row(method_text(row.method), *(_kept_text(row, group) for group in groups))
    return table


def _kept_text(row: MethodRow, group: str) -> str:
    found = next((kept for kept in row.retention if kept.group == group), None)
    if found is None or found.value is None:
        return "-"
    inside = spread(found.low, found.high)
    return percent(found.value) + (f"\n[dim]{inside}[/dim]" if inside else "")


def _costs(matrix: Matrix) -> Table:
    searched = list(dict.fromkeys(name for row in matrix.rows for name in row.search_seconds))
    headings = ["CONS concept", "CONS others", "pixels", "embedding", "erasing", *(f"search {n}" for n in searched)]
    table = _table("costs", headings)
    for row in matrix.rows:
        moved = {one.metric: one.value for one in row.distances}
        distances = [moved.get("pixels"), moved.get("embedding")]
        table.add_row(
            method_text(row.method),
            *(percent(row.consistency[name].value) for name in ("concept", "others")),
            *("-" if value is None else f"{value:.3f}" for value in distances),
            seconds_text(row.erase_seconds),
            *(seconds_text(row.search_seconds.get(name)) for name in searched),
        )
    return table


def _table(title: str, headings: list[str]) -> Table:
    table = Table(title=f"\n{title}", title_justify="left", box=None, pad_edge=False)
    table.add_column("", min_width=14)
    for heading in headings:
        table.add_column(heading, justify="right")
    return table


def _unset() -> dict[str, None]:
    return dict.fromkeys(("concepts", "methods", "training_seeds", "workers"))


def _parts(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())
