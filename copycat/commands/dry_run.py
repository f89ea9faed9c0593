"""`--dry-run`: what would be made, without loading or making anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from copycat.console import out
from copycat.paths import shown

if TYPE_CHECKING:
    from copycat.eval import Job

BYTES_PER_PIXEL = 1.6
"""Of a PNG of a generated picture; photographs take up to 2.5, flat drawings less than 1."""


def print_plan(job: Job) -> None:
    """Print each run with its pictures, its settings and its folder."""
    from copycat.eval import plan_job

    for stage, cells in plan_job(job):
        out.print(f"{stage.row.name}: {stage.row.source}, licence {stage.row.licence}", markup=False)
        for cell in cells:
            spec = cell.plan.spec
            done = len(cell.folder.read_samples())
            pixels = len(cell.plan.requests) * spec.sampling.width_px * spec.sampling.height_px
            out.print(
                f"  {spec.mitigation}: {len(cell.plan.requests)} pictures ({done} made), "
                f"{spec.sampling.steps} steps, guidance {spec.sampling.guidance:g}, "
                f"{spec.sampling.width_px}x{spec.sampling.height_px}, batches of {spec.batch_size} on {spec.device}, "
                f"about {max(1, round(pixels * BYTES_PER_PIXEL / 2**20))} MiB -> {shown(cell.folder.path)}",
                markup=False,
                soft_wrap=True,
            )
