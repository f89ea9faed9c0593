"""What the Ray executor costs over the local one, on the same cores, for the same sandbox pictures.

    python benchmarks/ray_overhead.py [--pictures 900] [--rounds 1]

Both draw and write the same run; nobody judges. Start-up, which is the cluster, the weights and the texts, is told apart:
the clock runs from the first batch's being asked for until the last one's being on the disk. Rounds alternate.
Prints seconds of each side, the ratio, and whether the pictures are the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import statistics
import tempfile
import time
from pathlib import Path

from copycat.eval import Job, plan_job
from copycat.mitigations import NONE
from copycat.plan import build_batches
from copycat.registry import resolve
from copycat.runs import runner
from copycat.runs.executors import Executor, LocalExecutor
from copycat.runs.folder import RunFolder
from copycat.runs.ray_executor import RayExecutor
from copycat.runs.runner import Plan

SEEDS = 6
"""Enough for 900 unmitigated pictures."""


def timed(executor: Executor, plan: Plan, folder: Path) -> tuple[float, float]:
    """Draw a plan. Returns: seconds until the first batch is there, and seconds of all batches after it."""
    start = time.perf_counter()
    executor.prepare(plan.requests, plan.spec.sampling)
    first = Plan(spec=plan.spec, requests=build_batches(plan.requests, plan.spec.batch_size)[0])
    runner.generate(first, RunFolder(folder / "first"), executor, lambda _: None)
    started = time.perf_counter()
    runner.generate(plan, RunFolder(folder / "run"), executor, lambda _: None)
    return started - start, time.perf_counter() - started


def digest(folder: Path) -> str:
    """Hash all pictures of a run."""
    whole = hashlib.sha256()
    for path in sorted((folder / "run" / "images").glob("*.png")):
        whole.update(path.read_bytes())
    return whole.hexdigest()


def main() -> None:
    """Time both sides in turn and print the ratio."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--pictures", type=int, default=900)
    options.add_argument("--rounds", type=int, default=1)
    asked = options.parse_args()
    stage, cells = plan_job(Job(models=("sandbox",), seeds=SEEDS, limit=asked.pictures, device="cpu"))[0]
    plan = next(cell.plan for cell in cells if cell.plan.spec.mitigation == NONE)
    seconds: dict[str, list[float]] = {"local": [], "ray": []}
    digests: set[str] = set()
    for _ in range(asked.rounds):
        for name in seconds:
            model = resolve(stage.row.target, stage.row.name)(stage.row, "cpu")
            executor: Executor = (
                RayExecutor(stage.row, "cpu") if name == "ray" else LocalExecutor(model, overlaps=False)
            )
            with tempfile.TemporaryDirectory() as folder:
                try:
                    start_up, drawing = timed(executor, plan, Path(folder))
                finally:
                    executor.close()
                digests.add(digest(Path(folder)))
            seconds[name].append(drawing)
            print(
                f"{name}: start-up and first batch {start_up:.1f} s, {len(plan.requests)} pictures {drawing:.1f} s",
                flush=True,
            )
    ratio = statistics.median(seconds["ray"]) / statistics.median(seconds["local"])
    print(f"ray / local = {ratio:.3f}; pictures {'are the same bytes' if len(digests) == 1 else 'DIFFER'}")


if __name__ == "__main__":
    main()
