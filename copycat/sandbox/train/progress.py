"""Show how training goes: a line per hundred steps on stderr, with the loss and the time left."""

from __future__ import annotations

import time

from copycat.console import err
from copycat.sandbox.train.loop import Report


def training_progress(name: str, steps: int) -> Report:
    """Give a report function for one stage."""
    begun, first = time.monotonic(), -1

    def report(step: int, loss: float) -> None:
        nonlocal first
        if first < 0:
            first = step - 1
        if step % 100 and step != steps:
            return
        rate = (step - first) / max(1e-9, time.monotonic() - begun)
        left = (steps - step) / max(1e-9, rate) / 60
        err.print(f"{name} {step}/{steps}  loss {loss:.4f}  {rate:.1f} steps/s  {left:.0f} min left", markup=False)

    return report
