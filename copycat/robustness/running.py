"""A whole matrix: the original model once, every cell, and the figures of all of them."""

from __future__ import annotations

from typing import Any

from copycat.catalog import build_prompts, parse_anchor, prompt_set_of, prompts_sha256, with_lists
from copycat.console import progress_bar
from copycat.erasure.training import settle as settle_erasure
from copycat.errors import UserError
from copycat.eval import Outcome, evaluate
from copycat.metrics import Outcomes, detect
from copycat.models.resolve import resolve_model
from copycat.plan import run_id
from copycat.robustness.cells import RUNS, Around, encoder_setting, erasure_order, job_of, read_cell, read_drawn
from copycat.robustness.generic import moved_by_seed
from copycat.robustness.matrix import (
    Table,
    build_by_concept,
    build_cells,
    build_rows,
    build_success,
    build_tests,
    least_p,
    weak_concepts,
)
from copycat.robustness.order import CHOOSING_SEEDS, WELL_DRAWN, Basis, CellName, Order, Settled, is_searched, settle
from copycat.robustness.page import write_page
from copycat.robustness.records import MATRIX_FILE, Matrix
from copycat.robustness.workers import Failed, make_cells
from copycat.runs.folder import RunFolder, write_json
from copycat.schema import RunSpec
from copycat.staging import Job
from copycat.whitebox.settings import build_settings, preset_of


def run_matrix(order: Order) -> tuple[Matrix, list[Failed]]:
    """Make what is not finished of a matrix, and write matrix.json and matrix.html.

    Returns: the figures of the cells that are there, and those that failed.

    Raises:
        UserError: anything that the user must fix; nothing finished is lost.
    """
    settled = settle(order)
    methods = check_methods(settled)
    names, generic = draw_original(settled)
    spec = RunFolder(names.folder).read_run().spec
    around = Around(well_drawn(names.rows, settled), generic.folder.name, basis_of(settled, spec, methods))
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


def check_methods(settled: Settled) -> dict[str, dict[str, Any]]:
    """Give every setting of each method; refuse now what one could not do with the model. Loads no weights."""
    first = settled.concepts[0].id
    found = {method: settle_erasure(erasure_order(settled, CellName(first, method, 0))) for method in settled.methods}
    # The names of others depend on the concept, and follow from the characters.
    return {
        method: {"preset": one.preset, "small": one.small, **one.settings.model_dump(mode="json", exclude={"preserve"})}
        for method, one in found.items()
    }


def basis_of(settled: Settled, spec: RunSpec, methods: dict[str, dict[str, Any]]) -> Basis:
    """Say what all figures rest on.

    Args:
        spec: of the run of the original weights on all names.
        methods: their settings.
    """
    return Basis(
        source=spec.model_source,
        revision=spec.model_revision,
        names=run_id(spec),
        judge=f"{spec.judge}@{spec.judge_revision}",
        prompts=prompts_hash(settled),
        methods=methods,
        searches=search_settings(settled),
    )


def search_settings(settled: Settled) -> dict[str, dict[str, Any]]:
    """Give every setting of each attack that is searched for."""
    row = resolve_model(settled.model, settled.order.base.revision)
    presets = {attack: preset_of(attack, None, row) for attack in settled.attacks if is_searched(attack)}
    return {
        attack: {"preset": preset, **build_settings(attack, preset, ()).model_dump(mode="json")}
        for attack, preset in presets.items()
    }


def prompts_hash(settled: Settled) -> str:
    """Hash the prompts of all anchors, so that other keyword lists are another matrix."""
    base = settled.order.base
    prompt_set = with_lists(prompt_set_of(settled.characters), base.lists)
    anchors = [parse_anchor(text, prompt_set.default_ranker) for text in base.anchors]
    return prompts_sha256(build_prompts(settled.characters, prompt_set, anchors))


def original_job(settled: Settled) -> Job:
    """Say what the model's own weights draw once for all cells: every character by name, and benign prompts.

    There are pictures that no cell has: by them it is chosen on whom retention is measured. Those chosen for the very
    pictures that a loss is counted on would seem to lose where nothing was lost.
    """
    seeds = settled.order.base.seeds + CHOOSING_SEEDS
    changes = {"anchors": ("name",), "benign": True, "attacks": (), "only": (), "seeds": seeds}
    return job_of(settled, None, None).model_copy(update=changes)


def draw_original(settled: Settled) -> tuple[Outcome, Outcome]:
    """Draw that, or find it drawn: the run on names, and that on benign prompts."""
    outcomes = evaluate(original_job(settled))
    names = next(one for one in outcomes if not one.is_benign)
    return names, next(one for one in outcomes if one.is_benign)


def well_drawn(names: Outcomes, settled: Settled) -> tuple[str, ...]:
    """Name the characters on whom retention is measured: by the pictures of seeds that no cell has.

    Raises:
        UserError: there are none.
    """
    rows = [row for row in names.rows if row.sample.repeat >= settled.order.base.seeds]
    rates = {
        who.id: detect(Outcomes(rows=tuple(row for row in rows if row.sample.character == who.id)), "name").value
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
    found = {cell: read_cell(settled, cell, around) for cell in cells}
    records = [record for record in found.values() if record is not None]
    drawn = [read_drawn(settled, record) for record in records]
    by_seed = moved_by_seed(RunFolder(settled.order.base.out / RUNS / around.generic), encoder_setting(settled))
    anchors = tuple(
        dict.fromkeys(row.sample.anchor for one in drawn for rows in one.by_attack.values() for row in rows.rows)
    )
    # The same characters and seeds as in the cells, or CONS of the own weights would be that of others.
    original = Outcomes(
        rows=tuple(
            row
            for row in names.rows.rows
            if row.sample.character in around.others and row.sample.repeat < settled.order.base.seeds
        )
    )
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
        missing=tuple(cell.text for cell, record in found.items() if record is None),
        diverged=tuple(
            cell.text for cell, record in found.items() if record and record.card and record.card.status == "diverged"
        ),
        least_p=least_p(len(settled.concepts)),
        cells=tuple(build_cells(table)),
        by_concept=tuple(build_by_concept(table)),
        success=tuple(build_success(table)),
        rows=tuple(build_rows(table)),
        tests=tuple(build_tests(table)),
    )
