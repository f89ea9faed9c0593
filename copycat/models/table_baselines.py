"""Models that look at nothing they are told: the ends of every leaderboard, between which a real model must lie."""

from __future__ import annotations

from copycat.models.row import ModelRow
from copycat.schema import Sampling

SIDE_PX = 64


def _baseline_row(name: str, target: str, summary: str) -> ModelRow:
    """Describe a model of `baselines.py`: it needs no weights, and honours what makes no difference to it."""
    return ModelRow(
        name=name,
        target=f"copycat.models.baselines:{target}",
        source="package:models/baselines.py",
        summary=summary,
        licence="Apache-2.0",
        sampling=Sampling(guidance=1.0, width_px=SIDE_PX, height_px=SIDE_PX),
        batch_size=50,
        memory_gib=0,
    )


BASELINE_ROWS: tuple[ModelRow, ...] = (
    _baseline_row("blank", "BlankModel", "one grey picture whatever it is asked for: protects, and is no use"),
    _baseline_row("refusing", "RefusingModel", "refuses whatever it is asked for: protects, and is no use"),
)
