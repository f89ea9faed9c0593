"""A whole matrix: the original model once, every cell, and the figures of all of them."""

from __future__ import annotations

from copycat.console import progress_bar
from copycat.erasure.eraser import Concept
from copycat.erasure.settings import CORRECTED
from copycat.erasure.training import Order as ErasureOrder
from copycat.erasure.training import settle as settle_erasure
from copycat.errors import UserError
from copycat.eval import Outcome, evaluate
from copycat.metrics import Outcomes, detect
from copycat.models.resolve import resolve_model
from copycat.robustness.cells import RUNS, Around, encoder_setting, job_of, read_cell, read_drawn
from copycat.robustness.generic import moved_by_seed
from copycat.robustness.matrix import Table, build_cells, build_rows, build_success, build_tests, weak_concepts
from copycat.robustness.order import WELL_DRAWN, Order, Settled, settle
from copycat.robustness.page import write_page
from copycat.robustness.records import MATRIX_FILE, Matrix
from copycat.robustness.workers import Failed, make_cells
from copycat.runs.folder import RunFolder, write_json


def run_matrix(order: Order) -> tuple[Matrix, list[Failed]]:
    """Make what is not finished of a matrix, and write matrix.json and matrix.html.

    Returns: the figures of the cells that are there, and those that failed.

    Raises:
        UserError: anything that the user must fix; nothing finished is lost.
    """
    settled = settle(order)
    check_methods(settled)
    names, generic = draw_original(settled)
    spec = RunFolder(names.folder).read_run().spec
    others = well_drawn(names.rows, settled)
    around = Around(others, generic.folder.name, (spec.model_source, spec.model_revision))
    cells = settled.cells()
    todo = [cell for cell in cells if read_cell(settled, cell, around) is None]
    failed: list[Failed] = []
    with progress_bar("cells of the matrix", len(cells)) as advance:
        advance(len(cells) - len(todo))
        if todo:
            failed = make_cells(settled, todo, around, advance)
    matrix = _figures(settled, around, names, generic, spec.judge)
    write_json(order.base.out / MATRIX_FILE, matrix.model_dump(mode="json"))
    write_page(settled, matrix, around)
    return matrix, failed


def check_methods(settled: Settled) -> None:
    """Refuse now what a method could not do with the model, or a preset that it has not; loads no weights."""
    base, first = settled.order.base, settled.concepts[0]
    for text in settled.methods:
        method, _, preset = text.partition(":")
        settle_erasure(
            ErasureOrder(
                row=resolve_model(settled.model, base.revision),
                method=method,
                concepts=(Concept(name=first.name, anchor=first.key_characteristic),),
                preset=preset or CORRECTED,
            )
        )


def draw_original(settled: Settled) -> tuple[Outcome, Outcome]:
    """Draw every character by name, and benign prompts, with the model's own weights: once for all cells."""
    changes = {"anchors": ("name",), "benign": True, "attacks": (), "only": ()}
    outcomes = evaluate(job_of(settled, None, None).model_copy(update=changes))
    names = next(one for one in outcomes if not one.is_benign)
    return names, next(one for one in outcomes if one.is_benign)


def well_drawn(names: Outcomes, settled: Settled) -> tuple[str, ...]:
    """Name the characters on whom retention is measured.

    Raises:
        UserError: there are none.
    """
    rates = {
        who.id: detect(Outcomes(rows=tuple(row for row in names.rows if row.sample.character == who.id)), "name").value
        for who in settled.characters.characters
    }
    found = tuple(who for who, rate in rates.items() if (rate or 0.0) >= WELL_DRAWN)
    if not found:
        raise UserError(
            f"'{settled.model}' draws no character of '{settled.characters.id}' by name in {WELL_DRAWN:.0%} of the "
            "pictures: there is nothing to erase\n  needed: another model, or other --characters or --judge"
        )
    return found


def _figures(settled: Settled, around: Around, names: Outcome, generic: Outcome, judge: str) -> Matrix:
    cells = settled.cells()
    records = [record for cell in cells if (record := read_cell(settled, cell, around)) is not None]
    drawn = [read_drawn(settled, record) for record in records]
    by_seed = moved_by_seed(RunFolder(settled.order.base.out / RUNS / around.generic), encoder_setting(settled))
    anchors = tuple(
        dict.fromkeys(row.sample.anchor for one in drawn for rows in one.by_attack.values() for row in rows.rows)
    )
    # The same characters as in the cells, or CONS of the own weights would be that of others.
    original = Outcomes(rows=tuple(row for row in names.rows.rows if row.sample.character in around.others))
    table = Table(drawn, original, by_seed, settled.characters, settled.attacks, anchors)
    return Matrix(
        model=settled.model,
        characters=settled.characters.id,
        judge=judge,
        is_sandbox=settled.characters.is_sandbox,
        concepts={concept.id: concept.name for concept in settled.concepts},
        weak_concepts=tuple(weak_concepts(table)),
        others=around.others,
        methods=tuple(table.methods),
        attacks=settled.attacks,
        anchors=anchors,
        seeds=settled.order.base.seeds,
        training_seeds=settled.order.training_seeds,
        n_missing=len(cells) - len(records),
        cells=tuple(build_cells(table)),
        success=tuple(build_success(table)),
        rows=tuple(build_rows(table)),
        tests=tuple(build_tests(table)),
    )
