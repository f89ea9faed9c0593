"""Cells in processes of their own: what fails is told, and the others go on."""

from __future__ import annotations

from pathlib import Path

import pytest

from copycat.errors import UserError
from copycat.robustness.cells import Around
from copycat.robustness.order import Basis, CellName, Order, settle
from copycat.robustness.workers import make_cells
from copycat.staging import Job

BASIS = Basis(source="s", revision="r", names="n", judge="j", prompts="p", methods={}, searches={})


@pytest.mark.slow
def test_a_cell_that_fails_in_its_process_is_told_with_its_reason(tmp_path: Path) -> None:
    """The model has no settings of this name, so that every cell fails before anything is loaded."""
    base = Job(models=("sandbox",), device="cpu", batch_size=2, preset="nowhere", out=tmp_path)
    concepts = ("meklun", "brimzy", "padilko", "zintock")
    settled = settle(Order(base=base, concepts=concepts, methods=("uce",), workers=2))
    told: list[int] = []
    cells = [CellName(concept, "none", 0) for concept in concepts]
    failed = make_cells(settled, cells[:2], Around((), "g", BASIS), told.append)
    assert told == [1, 1]
    assert {one.cell for one in failed} == set(cells[:2])
    assert all("nowhere" in one.reason for one in failed)
    with pytest.raises(UserError, match="nowhere"):
        make_cells(settled, cells, Around((), "g", BASIS), told.append)
