"""Attacks that must be searched for, searched for on one erasure."""

from __future__ import annotations

from pathlib import Path

from copycat.robustness.order import CellName, Settled
from copycat.robustness.records import Searched, SearchedPrompt
from copycat.whitebox.job import AttackJob, plan_attack
from copycat.whitebox.running import run_attack


def search(settled: Settled, cell: CellName, attack: str, erasure: Path, folder: Path) -> Searched:
    """Search for an attack on an erasure, or find that done.

    It is searched for as many prompts as the matrix has anchors, each with one seed: names come first, and what was
    found for a prompt is used for that prompt.

    Raises:
        UserError: as `copycat.attack`.
    """
    base = settled.order.base
    card = run_attack(
        plan_attack(
            AttackJob(
                method=attack,
                model=settled.model,
                out=folder,
                concept=cell.concept,
                erased=erasure,
                characters=base.characters,
                prompts=len(base.anchors),
                judge=base.judge,
                device=base.device,
                revision=base.revision,
            )
        )
    )
    prompts = tuple(
        SearchedPrompt(id=f"{row.id}#{row.seed}", before=row.before, after=row.after) for row in card.prompts
    )
    return Searched(seconds=card.seconds, prompts=prompts)
