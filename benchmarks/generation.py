"""How much faster copycat makes pictures than a plain reference-style loop, on the same model and device.

    python benchmarks/generation.py [--pictures 60] [--steps N] [--side PX] [--batch-size 8]

The reference draws one prompt at a time, encodes prompt and negative prompt with every picture, keeps the text
encoders in memory, and writes each PNG before it draws the next picture; for SDXL and PixArt it runs in float32, as the
code released with CopyCat does. Ours is `runner.generate` with the row's settings: batches, each text encoded
once, half precision where the row says so, PNG and journal written while the next batch is drawn.

On a CPU both sides draw with the sandbox: the reference with the very settings of ours, and once more in the
released way, with 50 steps of the scheduler in the pipeline's own folder (ours takes 10 of a better one, which gives
the same figures: docs/decisions/0011). On a GPU they draw with the SDXL and the PixArt-alpha architecture at full
size and random weights: speed does not depend on what the weights are. There it also prints the UNet's share of the
matrix-multiply rate that the device reaches in bf16 (--steps and --side make a short trial of it).
Prints pictures per second of both sides and their ratio.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import full_size

from copycat.mitigations import NONE
from copycat.models import ModelRow
from copycat.registry import resolve
from copycat.runs import runner
from copycat.runs.executors import LocalExecutor, overlaps
from copycat.runs.folder import RunFolder
from copycat.runs.runner import Plan
from copycat.schema import ImageRequest, Sampling
from copycat.staging import Job, plan_job

REFERENCE_DTYPE = "float32"
WARM_UP = 2
RELEASED_WAY = {"steps": 50, "scheduler": "DDIMScheduler"}
"""Of the code released with CopyCat: 50 steps of the scheduler that the pipeline comes with."""


class Speeds(NamedTuple):
    """Pictures per second of either side."""

    reference: float
    ours: float


def reference_loop(pipeline: Any, requests: tuple[ImageRequest, ...], sampling: Sampling, out: Path) -> float:
    """Draw one prompt at a time, as the released code does. Unit: pictures per second."""
    import torch

    start = time.perf_counter()
    for request in requests:
        image = pipeline(
            prompt=request.prompt_sent,
            negative_prompt=request.negative_prompt,
            generator=torch.Generator("cpu").manual_seed(request.seed),
            num_inference_steps=sampling.steps,
            guidance_scale=sampling.guidance,
            width=sampling.width_px,
            height=sampling.height_px,
        ).images[0]
        image.save(out / f"{request.key}.png")
    return len(requests) / (time.perf_counter() - start)


def our_loop(row: ModelRow, plan: Plan, device: str, out: Path) -> float:
    """Draw with the project's own runner, loading and text encoding included. Unit: pictures per second."""
    model = resolve(row.target, row.name)(row, device)
    executor = LocalExecutor(model, overlaps=overlaps(row, device))
    warm = Plan(spec=plan.spec, requests=plan.requests[: plan.spec.batch_size])
    executor.prepare(plan.requests, plan.spec.sampling)
    runner.generate(warm, RunFolder(out / "warm"), executor, lambda _: None)
    start = time.perf_counter()
    runner.generate(plan, RunFolder(out / "run"), executor, lambda _: None)
    return len(plan.requests) / (time.perf_counter() - start)


def time_reference(row: ModelRow, plan: Plan, device: str, sampling: Sampling, n_pictures: int) -> float:
    """Time the reference on the first requests of a plan. Unit: pictures per second."""
    from copycat.models.hub import Source
    from copycat.models.loading import load_pipeline

    pipeline = load_pipeline(Source(row.source, row.name), row, sampling, device)
    with tempfile.TemporaryDirectory() as folder:
        reference_loop(pipeline, plan.requests[:WARM_UP], sampling, Path(folder))
        return reference_loop(pipeline, plan.requests[:n_pictures], sampling, Path(folder))


def compare(row: ModelRow, plan: Plan, device: str, reference_sampling: Sampling, n_reference: int) -> Speeds:
    """Time both sides on one model, one after the other."""
    from copycat.models.batch_memory import free_memory

    reference = time_reference(row, plan, device, reference_sampling, n_reference)
    free_memory()
    with tempfile.TemporaryDirectory() as folder:
        ours = our_loop(row, plan, device, Path(folder))
    free_memory()
    return Speeds(reference, ours)


def report(name: str, speeds: Speeds, plan: Plan, n_reference: int) -> None:
    """Print one line per side and the ratio."""
    sampling = plan.spec.sampling
    print(
        f"{name}: {sampling.width_px}x{sampling.height_px}, {sampling.steps} steps, guidance {sampling.guidance:g}\n"
        f"  reference, one at a time ({n_reference} pictures): {speeds.reference:.3f} pictures/s\n"
        f"  copycat, {sampling.dtype}, batches of {plan.spec.batch_size} ({len(plan.requests)} pictures): "
        f"{speeds.ours:.3f} pictures/s\n"
        f"  ratio: {speeds.ours / speeds.reference:.2f}",
        flush=True,
    )


def on_cpu(asked: argparse.Namespace) -> None:
    """Time the sandbox."""
    stage, cells = plan_job(Job(models=("sandbox",), limit=asked.pictures, batch_size=asked.batch_size, device="cpu"))[
        0
    ]
    plan = next(cell.plan for cell in cells if cell.plan.spec.mitigation == NONE)
    n_reference = min(len(plan.requests), asked.reference_pictures)
    speeds = compare(stage.row, plan, "cpu", plan.spec.sampling, n_reference)
    report("sandbox, CPU", speeds, plan, n_reference)
    released = plan.spec.sampling.model_copy(update=RELEASED_WAY)
    speed = time_reference(stage.row, plan, "cpu", released, max(1, n_reference // 3))
    print(
        f"  reference, released way ({released.steps} steps, {released.scheduler}): {speed:.3f} pictures/s\n"
        f"  ratio: {speeds.ours / speed:.2f}",
        flush=True,
    )


def on_gpu(asked: argparse.Namespace) -> None:
    """Time SDXL and PixArt-alpha at full size with random weights, and the UNet against the device's own rate."""
    with tempfile.TemporaryDirectory() as folder:
        for name, build in full_size.BUILDERS.items():
            row = full_size.row_of(name, build(Path(folder) / name))
            stage_plan = full_size.plan_of(row, asked)
            reference = stage_plan.spec.sampling.model_copy(update={"dtype": REFERENCE_DTYPE})
            speeds = compare(row, stage_plan, "cuda", reference, asked.reference_pictures)
            report(f"{name} architecture, random weights", speeds, stage_plan, asked.reference_pictures)
    full_size.print_share(asked.batch_size or 8)


def main() -> None:
    """Time both sides and print the ratio."""
    import torch

    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--pictures", type=int, default=300, help="drawn by copycat")
    options.add_argument("--reference-pictures", type=int, default=20, help="drawn one at a time")
    options.add_argument("--steps", type=int, default=None, help="on a GPU; default: the row's")
    options.add_argument("--side", type=int, default=None, help="pixels, on a GPU; default: the row's")
    options.add_argument("--batch-size", type=int, default=None, help="default: the row's")
    options.add_argument("--device", choices=("cpu", "cuda"), default="cuda" if torch.cuda.is_available() else "cpu")
    asked = options.parse_args()
    (on_gpu if asked.device == "cuda" else on_cpu)(asked)


if __name__ == "__main__":
    main()
