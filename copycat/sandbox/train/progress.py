"""Show how training goes: a line per hundred steps on stderr, with the loss and the time left."""

from __future__ import annotations

import time

from copycat.console import err
from copycat.sandbox.train.loop import Report


def training_progress(name: str, steps: int) -> Report:
    """Give a report function for one stage; the rate is that of the last hundred steps."""
    last_step, last_time = -1, time.monotonic()

    def report(step: int, loss: float) -> None:
        nonlocal last_step, last_time
        if step % 100 and step != steps:
            return
        if last_step >= 0:
            rate = (step - last_step) / max(1e-9, time.monotonic() - last_time)
            left = (steps - step) / max(1e-9, rate) / 60
            pace = f"  {rate:.1f} steps/s  {left:.0f} min left"
        else:
            pace = ""
        err.print(f"{name} {step}/{steps}  loss {loss:.4f}{pace}", markup=False)
        last_step, last_time = step, time.monotonic()

    return report
