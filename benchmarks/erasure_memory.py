"""Print peak memory and seconds of a step of each eraser on an architecture of the size of Stable Diffusion 1.4.

    python benchmarks/erasure_memory.py

The weights are random: the figures are of memory and time alone. With a GPU the frozen parts are bfloat16, batches
are the default ones, and the bar is 24 GB of its memory. Without one all is float32 on the CPU, batches are small, and
the peak is that of the whole process. Rollouts, the bank, the prior set and the attack are shortened, which changes no
peak; seconds are of these shortened steps, loading included.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from full_size import sd14

BAR_GB = 24.0
STEPS = 2
CUTS = {
    "esd": ("rollout_steps=4",),
    "uce": (),
    "advunlearn": ("warm_up=0", "attack_steps=2", "rollout_steps=4", "bank=16", "bank_retain=16", "per_rollout=2"),
    "doco": ("warm_up=1", "pictures=8", "prior_steps=2"),
}
"""Settings that shorten what comes in parts of one size: rollouts, the bank, the prior set, the attack."""

SMALL_BATCHES = {"esd": ("batch=1",), "advunlearn": ("bank=2", "bank_retain=2"), "doco": ("batch=2",)}
"""Without a GPU."""


def main() -> None:
    """Build the model once, and run each method in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--methods", default=",".join(CUTS))
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--model", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(measure(asked.one, asked.model)))
        return
    with tempfile.TemporaryDirectory() as folder:
        model = sd14(Path(folder) / "sd14")
        for method in asked.methods.split(","):
            command = [sys.executable, __file__, "--one", method, "--model", str(model)]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603
            found = json.loads(done.stdout.splitlines()[-1])
            print(line_of(method, found))


def line_of(method: str, found: dict[str, Any]) -> str:
    """Say what was measured, on a GPU beside the bar."""
    text = f"{method:<12} {found['device']}: peak {found['peak_gb']:.1f} GB, {found['seconds']:.1f} s a step"
    if found["device"] == "cpu":
        return text
    return f"{text} (bar {BAR_GB:g} GB: {'reached' if found['peak_gb'] <= BAR_GB else 'missed'})"


def typed_for(method: str, device: str) -> dict[str, str]:
    """Give the settings of a short run."""
    cuts = CUTS[method] + (SMALL_BATCHES.get(method, ()) if device == "cpu" else ())
    steps = {} if method == "uce" else {"steps": str(STEPS)}
    return steps | dict(setting.split("=") for setting in cuts)


def measure(method: str, model: Path) -> dict[str, str | float]:
    """Run a few steps of a method, and give its peak of memory."""
    import torch

    from copycat.erasure import Concept
    from copycat.erasure.training import Order, run_erasure
    from copycat.models.resolve import resolve_model

    device = "cuda" if torch.cuda.is_available() else "cpu"
    typed = typed_for(method, device)
    order = Order(
        row=resolve_model(str(model)),
        method=method,
        concepts=(Concept(name="Zoravi", anchor="cat"),),
        typed=typed,
        device=device,
        dtype="bfloat16" if device == "cuda" else "float32",
    )
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        run_erasure(order, Path(folder) / "erased")
    seconds = (time.monotonic() - started) / int(typed.get("steps", 1))
    if device == "cuda":
        return {"device": device, "peak_gb": torch.cuda.max_memory_allocated() / 1e9, "seconds": seconds}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    return {"device": device, "peak_gb": peak, "seconds": seconds}


if __name__ == "__main__":
    main()
