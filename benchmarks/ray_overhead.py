"""What --executor ray costs over drawing in this process, on the same cores; the project's bar is 1.3.

    python benchmarks/ray_overhead.py [--pictures 900] [--rounds 1] [--workers 1] [--batch-size N]

The pictures of `python -m copycat.eval --model sandbox --mitigation negprompt`: half of them without, half with a
negative prompt, through `runner.generate` with PNG files and journal. The local side draws with torch's threads on
all cores; on the Ray side as many workers as asked for share the same cores. Rounds alternate, so that a drifting
machine hits both. Start-up is told apart: of the cluster and of the model, up to the first batch of every worker.
Prints seconds of each, whether the pictures have the same bytes, and the ratio of the medians.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from copycat.runs import runner
from copycat.runs.executors import Executor, LocalExecutor
from copycat.runs.folder import RunFolder
from copycat.runs.machine import n_cores
from copycat.runs.ray_executor import RayExecutor
from copycat.staging import Cell, Job, Stage, plan_job


def start(executor: Executor, cells: Sequence[Cell], n_workers: int) -> float:
    """Bring it to where every worker has drawn a small batch. Unit: seconds."""
    begun = time.perf_counter()
    executor.prepare([request for cell in cells for request in cell.plan.requests], cells[0].plan.spec.sampling)
    plan = cells[0].plan
    is_ready = False
    while not is_ready:
        list(executor.run([(request,) for request in plan.requests[: 4 * n_workers]], plan.spec.sampling))
        hands = executor.hands if isinstance(executor, RayExecutor) else []
        is_ready = all(hand.report is not None for hand in hands)
    return time.perf_counter() - begun


def draw(executor: Executor, cells: Sequence[Cell], out: Path) -> tuple[float, dict[str, bytes]]:
    """Draw every run into new folders; gives seconds and the bytes of the pictures."""
    begun = time.perf_counter()
    for cell in cells:
        runner.generate(cell.plan, RunFolder(out / cell.folder.path.name), executor, lambda _: None)
    seconds = time.perf_counter() - begun
    return seconds, {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*.png")}


def build(stage: Stage, n_workers: int) -> dict[str, Executor]:
    """Build both sides; Ray's workers get this process's number of threads, so it is set for them."""
    torch.set_num_threads(max(1, n_cores() // n_workers))
    return {"local": LocalExecutor(stage.model, overlaps=False), "ray": RayExecutor(stage.row, "cpu")}


def main() -> None:
    """Run both sides in turn and print the ratio."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--pictures", type=int, default=900)
    options.add_argument("--rounds", type=int, default=1)
    options.add_argument("--workers", type=int, default=1, help="of Ray, on all cores together")
    options.add_argument("--batch-size", type=int, default=None, help="default: the row's")
    asked = options.parse_args()
    job = Job(models=("sandbox",), mitigations=("negprompt:name",), limit=asked.pictures // 2, device="cpu")
    stage, cells = plan_job(job.model_copy(update={"batch_size": asked.batch_size}))[0]
    sides = build(stage, asked.workers)
    try:
        startup = {"ray": start(sides["ray"], cells, asked.workers)}
        torch.set_num_threads(n_cores())
        startup["local"] = start(sides["local"], cells, 1)
        print(f"start-up: local {startup['local']:.1f} s, ray {startup['ray']:.1f} s", flush=True)
        seconds: dict[str, list[float]] = {"local": [], "ray": []}
        for number in range(asked.rounds):
            pictures = {}
            for side, executor in sides.items():
                with tempfile.TemporaryDirectory() as folder:
                    taken, pictures[side] = draw(executor, cells, Path(folder))
                seconds[side].append(taken)
            same = "the same bytes" if pictures["local"] == pictures["ray"] else "DIFFERENT BYTES"
            times = ", ".join(f"{side} {taken[-1]:.1f} s" for side, taken in seconds.items())
            print(f"round {number + 1}: {times}, {len(pictures['ray'])} pictures each, {same}", flush=True)
    finally:
        for executor in sides.values():
            executor.close()
    ratio = statistics.median(seconds["ray"]) / statistics.median(seconds["local"])
    print(
        f"{n_cores()} cores, {asked.workers} workers of {max(1, n_cores() // asked.workers)} threads, "
        f"batches of {cells[0].plan.spec.batch_size}: ray / local = {ratio:.3f} (bar 1.3)"
    )


if __name__ == "__main__":
    main()
