"""What a matrix would make, without loading or making anything."""

from __future__ import annotations

from collections import Counter

from copycat.metrics import join_outcomes
from copycat.robustness.cells import Around, read_cell
from copycat.robustness.order import Order, Settled, attacks_of, is_searched, settle
from copycat.robustness.records import ORIGINAL
from copycat.robustness.running import basis_of, check_methods, original_job, well_drawn
from copycat.schema import Record
from copycat.staging import Cell, plan_job


class Forecast(Record):
    """What is left to do of a matrix.

    Attributes:
        n_cells, n_finished: an erasure, or a concept under the original weights, with all its figures, is one.
        erasures, searches: to be made, by method and by attack; those in part made are counted whole.
        n_pictures: to be drawn, but for those of the searches themselves; cells in part drawn are counted whole.
        is_exact: whether it is known on how many others retention is measured: that is seen from the pictures of the
            original weights. Before these, `n_pictures` counts everybody, and is the most that it can be.
    """

    model: str
    concepts: tuple[str, ...]
    attacks: tuple[str, ...]
    n_cells: int
    n_finished: int
    erasures: dict[str, int]
    searches: dict[str, int]
    n_pictures: int
    is_exact: bool
    folder: str


def forecast(order: Order) -> Forecast:
    """Say what is left to do of a matrix; loads no weights.

    Raises:
        UserError: as `run_matrix`, of all that can be seen before anything is loaded.
    """
    settled = settle(order)
    methods = check_methods(settled)
    (_, (names, *_)), (_, (generic, *_)) = plan_job(original_job(settled))
    others = _others(settled, names)
    everybody = tuple(who.id for who in settled.characters.characters)
    around = Around(others or everybody, generic.folder.path.name, basis_of(settled, names.plan.spec, methods))
    cells = settled.cells()
    todo = [cell for cell in cells if others is None or read_cell(settled, cell, around) is None]
    n_drawn = sum(len(cell.folder.read_samples()) for cell in (names, generic))
    n_pictures = len(names.plan.requests) + len(generic.plan.requests) - n_drawn
    n_benign = len({request.prompt_id for request in generic.plan.requests})
    seeds, n_prompts = order.base.seeds, len(order.base.anchors)
    searches = Counter[str]()
    for cell in todo:
        n_pictures += seeds * n_prompts * len(attacks_of(settled, cell))
        if cell.method != ORIGINAL:
            n_pictures += seeds * (len(set(around.others) - {cell.concept}) + n_benign)
            searches.update(attack for attack in settled.attacks if is_searched(attack))
    return Forecast(
        model=settled.model,
        concepts=tuple(concept.id for concept in settled.concepts),
        attacks=settled.attacks,
        n_cells=len(cells),
        n_finished=len(cells) - len(todo),
        erasures=dict(Counter(cell.method for cell in todo if cell.method != ORIGINAL)),
        searches=dict(searches),
        n_pictures=n_pictures,
        is_exact=others is not None,
        folder=str(order.base.out),
    )


def _others(settled: Settled, names: Cell) -> tuple[str, ...] | None:
    """Give on whom retention is measured; None where the original weights have not drawn all names yet."""
    folder, spec = names.folder, names.plan.spec
    if len(samples := folder.read_samples()) < len(names.plan.requests):
        return None
    return well_drawn(join_outcomes(samples, folder.read_judgements(spec)), settled)
