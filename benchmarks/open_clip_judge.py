"""How many pictures the sandbox's open_clip judge judges in a second, on a CPU.

    python benchmarks/open_clip_judge.py [--pictures 640] [--rounds 5] [--threads 2]

Pictures of 64 px in batches of 64, weights and texts loaded before the clock starts. Prints pictures per second
of each round, their median against the bar of 200, and the share of the time that preprocessing takes.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import time
from collections.abc import Callable

from PIL.Image import Image

from copycat.console import POLITE_THREADS
from copycat.judges import JUDGES, SANDBOX
from copycat.judges.asking import JUDGE_BATCH
from copycat.judges.open_clip_encoder import stack_pixels
from copycat.judges.open_clip_judge import OpenClipJudge
from copycat.sandbox.export import build_character_set
from copycat.sandbox.renderer import render
from copycat.sandbox.world import inhabitants

BAR_PER_S = 200


def seconds(work: Callable[[list[Image]], object], pictures: list[Image]) -> float:
    """Do the work batch by batch; returns seconds."""
    start = time.perf_counter()
    for first in range(0, len(pictures), JUDGE_BATCH):
        work(pictures[first : first + JUDGE_BATCH])
    return time.perf_counter() - start


def main() -> None:
    """Judge the same pictures several times."""
    for name, value in POLITE_THREADS.items():  # as the command line does
        os.environ.setdefault(name, value)
    import torch

    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--pictures", type=int, default=640)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--threads", type=int, default=2)
    asked = options.parse_args()
    torch.set_num_threads(asked.threads)
    people, characters = inhabitants(), build_character_set()
    pictures = [render(people[i % len(people)].appearance, random.Random(i)) for i in range(asked.pictures)]
    anybody = characters.characters[0].id
    judge = OpenClipJudge(JUDGES.get(SANDBOX), "cpu")
    judge.judge(pictures[:JUDGE_BATCH], [anybody] * len(pictures[:JUDGE_BATCH]), characters)
    preprocess = judge.encoder.preprocess

    rates, shares = [], []
    for number in range(asked.rounds):
        whole = seconds(lambda batch: judge.judge(batch, [anybody] * len(batch), characters), pictures)
        prepared = seconds(lambda batch: stack_pixels(preprocess, batch), pictures)
        rates.append(len(pictures) / whole)
        shares.append(prepared / whole)
        print(f"round {number + 1}: {rates[-1]:.0f} pictures/s, preprocessing {shares[-1]:.0%} of the time")
    median = statistics.median(rates)
    print(f"median {median:.0f} pictures/s with {asked.threads} threads: {median / BAR_PER_S:.1f} times the bar")


if __name__ == "__main__":
    main()
