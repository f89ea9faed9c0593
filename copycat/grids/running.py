"""Run every cell of a grid: one job, so that the model is loaded once and what is finished is not drawn again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from copycat.catalog import prompt_set_of, read_character_set, with_lists
from copycat.errors import UnsupportedError
from copycat.eval import Outcome, evaluate
from copycat.grids.cells import Cell, Missing, build_cells
from copycat.grids.tables import Grid
from copycat.grids.verdicts import Comparison, Place, compare_cells
from copycat.metrics import Outcomes
from copycat.mitigations import Setting
from copycat.models.resolve import resolve_model
from copycat.runs.folder import write_json
from copycat.schema import Estimate
from copycat.staging import Job, default_characters

SCHEMA_VERSION = 1


class MeasuredCell(NamedTuple):
    """A cell and its figures; each is None where nothing was judged."""

    cell: Cell
    folder: Path
    detect: Estimate | None
    consistency: Estimate | None


class GridResult(NamedTuple):
    """What came out of a grid for one model."""

    grid: Grid
    model: str
    characters: str
    judge: str
    measured: list[MeasuredCell]
    missing: list[Missing]
    comparisons: list[Comparison]
    is_valid: bool
    path: Path


def run_grid(grid: Grid, job: Job) -> list[GridResult]:
    """Run a grid for every model of a job, whose mitigations and anchors are the grid's.

    Raises:
        UnsupportedError: the character set has the texts of no cell.
        UserError: as `evaluate`.
    """
    return [_run_one(grid, job.model_copy(update={"models": (model,)}), model) for model in job.models]


def _run_one(grid: Grid, job: Job, model: str) -> GridResult:
    characters = read_character_set(job.characters or default_characters(resolve_model(model, job.revision)))
    setting = Setting(characters, with_lists(prompt_set_of(characters), job.lists))
    cells, missing = build_cells(grid, setting, model)
    if not cells:
        raise UnsupportedError(
            f"character set '{characters.id}' has the texts of no cell of {grid.name}\n  {missing[0].reason}"
        )
    outcomes = evaluate(
        job.model_copy(
            update={
                "mitigations": tuple(dict.fromkeys(cell.mitigation for cell in cells)),
                "anchors": tuple(dict.fromkeys(cell.anchor for cell in cells)),
            }
        )
    )
    by_mitigation = {outcome.result.mitigation: outcome for outcome in outcomes}
    measured = [_measured(cell, by_mitigation[cell.mitigation]) for cell in cells]
    rows: dict[Place, Outcomes] = {
        (cell.row, cell.column): Outcomes(rows=by_mitigation[cell.mitigation].rows.of(cell.anchor)) for cell in cells
    }
    first = outcomes[0].result
    result = GridResult(
        grid,
        model,
        characters.id,
        first.judge,
        measured,
        missing,
        compare_cells(grid, rows),
        all(outcome.is_valid for outcome in outcomes),
        job.out / f"{grid.name}-{_plain(model)}.json",
    )
    write_json(result.path, _as_json(result))
    return result


def _measured(cell: Cell, outcome: Outcome) -> MeasuredCell:
    def find(metric: str) -> Estimate | None:
        return next((e for e in outcome.result.estimates if (e.metric, e.anchor) == (metric, cell.anchor)), None)

    return MeasuredCell(cell, outcome.folder, find("detect"), find("consistency"))


def _as_json(result: GridResult) -> dict[str, Any]:
    """Say everything that a table of it is made from."""
    return {
        "schema_version": SCHEMA_VERSION,
        "grid": result.grid.name,
        "source": result.grid.source,
        "model": result.model,
        "characters": result.characters,
        "judge": result.judge,
        "cells": [_cell_json(result, one) for one in result.measured],
        "missing": [
            {"row": result.grid.rows[m.row].label, "column": result.grid.columns[m.column].label, "reason": m.reason}
            for m in result.missing
        ],
        "comparisons": [
            one._asdict() | {"first": _place(result.grid, one.first), "second": _place(result.grid, one.second)}
            for one in result.comparisons
        ],
    }


def _cell_json(result: GridResult, one: MeasuredCell) -> dict[str, Any]:
    cell = one.cell
    return {
        **dict(zip(("row", "column"), _place(result.grid, (cell.row, cell.column)), strict=True)),
        "mitigation": cell.mitigation,
        "anchor": cell.anchor,
        "run": one.folder.name,
        "published": cell.published.model_dump(mode="json") if cell.published else None,
        "detect": one.detect.model_dump(mode="json") if one.detect else None,
        "consistency": one.consistency.model_dump(mode="json") if one.consistency else None,
    }


def _place(grid: Grid, place: Place) -> Sequence[str]:
    return [grid.rows[place[0]].label, grid.columns[place[1]].label]


def _plain(model: str) -> str:
    return "".join(c if c.isalnum() or c in "-." else "-" for c in model).strip("-.")
