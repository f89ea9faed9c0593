"""What the runner costs over a bare batched diffusers loop that makes the same pictures.

    python benchmarks/overhead.py [--pictures 450] [--rounds 3]

Both sides use the same pipeline, loaded before the clock starts, and the same batches, seeds and settings. The
runner's side also writes PNG files and a flushed journal. Rounds alternate, so that a drifting machine hits both.
Prints seconds of each round and the ratio of the medians.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from copycat.mitigations import NONE
from copycat.models.hub import Source
from copycat.models.loading import load_pipeline
from copycat.plan import build_batches
from copycat.runs import runner
from copycat.runs.executors import LocalExecutor
from copycat.runs.folder import RunFolder
from copycat.staging import Job, plan_job


def bare_loop(pipeline: Any, plan: runner.Plan) -> float:
    """Make every picture with nothing around it; returns seconds."""
    import torch

    sampling = plan.spec.sampling
    start = time.perf_counter()
    for batch in build_batches(plan.requests, plan.spec.batch_size):
        pipeline(
            prompt=[request.prompt_sent for request in batch],
            generator=[torch.Generator("cpu").manual_seed(request.seed) for request in batch],
            num_inference_steps=sampling.steps,
            guidance_scale=sampling.guidance,
            width=sampling.width_px,
            height=sampling.height_px,
        )
    return time.perf_counter() - start


def main() -> None:
    """Run both sides in turn and print the ratio."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--pictures", type=int, default=450)
    options.add_argument("--rounds", type=int, default=3)
    asked = options.parse_args()
    stage, cells = plan_job(Job(models=("sandbox",), limit=asked.pictures))[0]
    plan = next(cell.plan for cell in cells if cell.plan.spec.mitigation == NONE)
    model: Any = stage.model
    model.generate(plan.requests[: plan.spec.batch_size], plan.spec.sampling)
    executor = LocalExecutor(model, overlaps=False)
    row, sampling = stage.row, plan.spec.sampling
    pipeline = load_pipeline(Source(row.source, row.name), row, sampling, "cpu")
    bare, ours = [], []
    for number in range(asked.rounds):
        bare.append(bare_loop(pipeline, plan))
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            runner.generate(plan, RunFolder(Path(folder)), executor, lambda _: None)
            ours.append(time.perf_counter() - start)
        print(f"round {number + 1}: bare {bare[-1]:.1f} s, runner {ours[-1]:.1f} s")
    ratio = statistics.median(ours) / statistics.median(bare)
    print(f"{len(plan.requests)} pictures, medians of {asked.rounds}: runner / bare = {ratio:.3f}")


if __name__ == "__main__":
    main()
