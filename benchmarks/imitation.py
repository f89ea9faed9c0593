"""How long it takes to score 400 concepts x 1,000 ready embeddings, and to find the threshold, on two cores.

    python benchmarks/imitation.py [score] [threshold] [--concepts 400] [--pictures 1000] [--dimensions 512] [--cores 2]
        [--keep FOLDER]

Makes vectors whose likeness to their concept's references rises with its count (counts log-uniform from 1 to 100,000,
half of the rise at 500 pictures), five prompts, ten references. Making them is not in the timing. Each stage is the
command that a user types, in a process of its own that sees `--cores` cores; both work on one study. Prints seconds and
the peak memory, mapped files included.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

PROMPTS, REFERENCES = 5, 10


def write(folder: Path, n_concepts: int, n_pictures: int, dimensions: int) -> None:
    """Write `pictures.npy`, `references.npy` and the tables beside them, and the counts of the study."""
    import numpy as np
    from numpy.lib.format import open_memmap

    rng = np.random.default_rng(1)
    ids = [f"concept-{n}" for n in range(n_concepts)]
    counts = np.exp(rng.uniform(0, np.log(100_000), n_concepts)).round().astype(int)
    centres = rng.normal(size=(n_concepts, dimensions)).astype(np.float32)
    spread = rng.normal(size=(n_concepts, REFERENCES, dimensions)).astype(np.float32)
    np.save(folder / "references.npy", (centres[:, None] + 0.7 * spread).reshape(-1, dimensions))
    shape = (n_concepts * n_pictures, dimensions)
    pictures = open_memmap(folder / "pictures.npy", mode="w+", dtype=np.float32, shape=shape)
    for n, centre in enumerate(centres):
        likeness = 0.1 + 0.5 * counts[n] / (counts[n] + 500)
        noise = rng.normal(size=(n_pictures, dimensions)).astype(np.float32)
        pictures[n * n_pictures : (n + 1) * n_pictures] = likeness * centre + (1 - likeness) * noise
    pictures.flush()
    prompts = [f"prompt-{n % PROMPTS}" for n in range(n_pictures)]
    _write_rows(folder / "references.csv", ("concept",), ((who,) for who in ids for _ in range(REFERENCES)))
    _write_rows(folder / "pictures.csv", ("concept", "prompt"), ((who, prompt) for who in ids for prompt in prompts))
    (folder / "study").mkdir(exist_ok=True)
    rows = ((who, int(count)) for who, count in zip(ids, counts, strict=True))
    _write_rows(folder / "study" / "counts.csv", ("concept", "count"), rows)


def score(folder: Path) -> list[str]:
    """Give what a user types to score the vectors."""
    given = ["--references", str(folder / "references.npy"), "--embeddings", str(folder / "pictures.npy")]
    return ["score", *given, "--out", str(folder / "study")]


def threshold(folder: Path) -> list[str]:
    """Give what a user types to find the threshold of what was scored."""
    return ["threshold", "--out", str(folder / "study")]


STAGES: dict[str, Callable[[Path], list[str]]] = {"score": score, "threshold": threshold}


def measure(arguments: list[str], cores: int) -> dict[str, float]:
    """Run one command of `copycat.imitation` on some of the cores; gives seconds, processor seconds and peak GiB."""
    chosen = sorted(os.sched_getaffinity(0))[:cores]
    code = f"""import json, resource, subprocess, sys
from copycat.commands.imitation import app
app({arguments!r}, standalone_mode=False)
usage = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({{"cpu": usage.ru_utime + usage.ru_stime, "peak_gib": usage.ru_maxrss / 2**20}}))
"""
    start = time.perf_counter()
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        env=os.environ | {"POLARS_MAX_THREADS": str(cores), "OMP_NUM_THREADS": str(cores)},
        preexec_fn=lambda: os.sched_setaffinity(0, chosen),
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found | {"seconds": time.perf_counter() - start}


def main() -> None:
    """Make the vectors, run the stages, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stages", nargs="*", metavar="score|threshold", help="default: both")
    parser.add_argument("--concepts", type=int, default=400)
    parser.add_argument("--pictures", type=int, default=1000, help="of each concept")
    parser.add_argument("--dimensions", type=int, default=512)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--keep", type=Path, help="a folder for vectors and study, made where it is not there")
    options = parser.parse_args()
    if unknown := set(options.stages) - set(STAGES):
        parser.error(f"no such stage: {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory(prefix="copycat-imitation-") as made:
        folder = options.keep or Path(made)
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "pictures.csv").is_file():
            write(folder, options.concepts, options.pictures, options.dimensions)
        size = f"{options.concepts} concepts x {options.pictures:,} pictures, {options.dimensions} numbers each"
        print(f"{size}, {options.cores} cores, load before: {os.getloadavg()[0]:.1f}")
        seconds = 0.0
        for name in options.stages or STAGES:
            took = measure(STAGES[name](folder), options.cores)
            seconds += took["seconds"]
            print(f"{name}: {took['seconds']:.1f} s, {took['cpu']:.1f} CPU s, peak {took['peak_gib']:.2f} GiB")
        print(f"together: {seconds:.1f} s")


def _write_rows(path: Path, names: tuple[str, ...], rows: object) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        writer.writerows(rows)  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
