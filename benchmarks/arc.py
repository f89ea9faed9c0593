"""What concept arithmetics cost: seconds of a picture without an attack and under O1 and O2, on the sandbox.

    python benchmarks/arc.py [--pictures 8] [--rounds 3] [--device cpu]

O1 has two terms and O2 six, so that a step asks the network about 2, 4 and 8 texts. Rounds alternate, so that a
drifting machine hits all alike. Prints passes of the network for each step (one, whatever the number of texts), rows
of each pass, seconds per picture, and the ratio to no attack: the number of texts over 2 if nothing but the network
took time.
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Any

from copycat.staging import Job, plan_job

ATTACKS = ("arc:O1", "arc:O2")


def main() -> None:
    """Draw the same pictures in turn without and with each attack."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--pictures", type=int, default=8)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--device", default="cpu")
    asked = options.parse_args()
    job = Job(models=("sandbox",), attacks=ATTACKS, anchors=("name",), limit=asked.pictures, device=asked.device)
    stage, cells = plan_job(job)[0]
    model: Any = stage.model
    plans = {cell.plan.spec.mitigation: cell.plan for cell in cells}
    for plan in plans.values():  # loads the weights, and encodes the texts
        model.generate(plan.requests, plan.spec.sampling)
    rows: list[int] = []
    model.pipeline.unet.conv_in.register_forward_pre_hook(lambda _module, inputs: rows.append(len(inputs[0])))
    seconds: dict[str, list[float]] = {name: [] for name in plans}
    passes: dict[str, list[int]] = {}
    for _ in range(asked.rounds):
        for name, plan in plans.items():
            rows.clear()
            start = time.perf_counter()
            model.generate(plan.requests, plan.spec.sampling)
            seconds[name].append(time.perf_counter() - start)
            passes[name] = list(rows)
    plain = statistics.median(seconds["none"])
    for name, plan in plans.items():
        taken, steps = statistics.median(seconds[name]), plan.spec.sampling.steps or 1
        print(
            f"{name}: {len(passes[name]) / steps:g} passes a step of {max(passes[name])} rows for {asked.pictures} "
            f"pictures, {taken / asked.pictures:.3f} s a picture, {taken / plain:.2f} times no attack"
        )


if __name__ == "__main__":
    main()
