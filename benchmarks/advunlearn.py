"""What a step of AdvUnlearn costs on the sandbox with a bank of rollouts, and without one, where each is drawn anew.

    python benchmarks/advunlearn.py [--attack-steps 30] [--rollout-steps 50] [--steps 2] [--concept meklun]
                                    [--whole] [--seeds 0,1,2] [--set KEY=VALUE]

Both do the same steps of the same algorithm; the defaults are those of the paper (30 attack steps, 50 steps of DDIM).
Seconds are processor seconds of one thread, so that other processes do not count. `ratio` leaves the filling of the
bank out, `ratio_of_run` spreads it over a whole run of `--planned` steps.

`--whole` runs the sandbox's settings to the end both ways, on each of `--concept meklun,padilko`, and has the judge
look: DETECT by name with a Wilson interval. `--set` changes settings of both.
"""

from __future__ import annotations

import argparse
import itertools
import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from copycat.catalog import read_character_set
from copycat.erasure.advunlearn import AdvUnlearn
from copycat.erasure.concepts import parse_concepts
from copycat.erasure.training import Order, load_live, settle
from copycat.judges.families import build_judge, resolve_judge
from copycat.live import LivePipeline
from copycat.metrics.intervals import wilson
from copycat.models.resolve import resolve_model

CHARACTERS = read_character_set("sandbox")
ROW = resolve_model("sandbox")
PICTURES = 30


@contextmanager
def silent(_title: str, _total: int) -> Iterator[Any]:
    """Count nothing."""
    yield lambda _count: None


def eraser_of(concept: str, seed: int, **typed: object) -> tuple[LivePipeline, AdvUnlearn]:
    """Build AdvUnlearn on a model of its own."""
    order = Order(
        row=ROW,
        method="advunlearn",
        concepts=parse_concepts(concept, None, CHARACTERS),
        typed={key: str(value) for key, value in typed.items()},
        seed=seed,
    )
    live = load_live(order)
    return live, AdvUnlearn(live, order.concepts, settle(order).settings, seed)


def seconds_of(eraser: AdvUnlearn, steps: int) -> tuple[float, float]:
    """Give the processor seconds of the preparation, and of a step, the first one left out."""
    with tempfile.TemporaryDirectory() as folder:
        begun = time.process_time()
        eraser.prepare(Path(folder), silent)
        prepared = time.process_time() - begun
    eraser.step(0)
    begun = time.process_time()
    for number in range(1, steps + 1):
        eraser.step(number)
    return prepared, (time.process_time() - begun) / steps


def compare(options: argparse.Namespace) -> dict[str, Any]:
    """Time a few steps each way at the same settings."""
    same = {"warm_up": 0, "attack_steps": options.attack_steps, "rollout_steps": options.rollout_steps}
    bank = {"bank": options.bank, "bank_retain": options.bank_retain, "per_rollout": options.per_rollout}
    prepared, banked = seconds_of(eraser_of(options.concept, 0, **same, **bank)[1], 3 * options.steps)
    _, fresh = seconds_of(eraser_of(options.concept, 0, **same, bank=0)[1], options.steps)
    of_run = banked + prepared / options.planned
    return {
        **same,
        **bank,
        "planned": options.planned,
        "seconds_a_step_without": round(fresh, 2),
        "seconds_a_step_with": round(banked, 3),
        "seconds_of_bank": round(prepared, 1),
        "ratio": round(fresh / banked, 1),
        "ratio_of_run": round(fresh / of_run, 1),
    }


def whole_run(concept_id: str, seed: int, **typed: object) -> dict[str, Any]:
    """Erase with the sandbox's settings, and look."""
    live, eraser = eraser_of(concept_id, seed, **typed)
    begun = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        eraser.prepare(Path(folder), silent)
        losses = [eraser.step(number) for number in range(eraser.n_steps)]
    seconds = time.process_time() - begun
    concept = next(c for c in CHARACTERS.characters if c.id == concept_id)
    drawn = live.pipeline(
        prompt=[concept.name] * PICTURES,
        generator=[torch.Generator("cpu").manual_seed(number) for number in range(PICTURES)],
        num_inference_steps=ROW.sampling.steps,
        guidance_scale=ROW.sampling.guidance,
    ).images
    verdicts = build_judge(resolve_judge("sandbox"), "cpu").judge(drawn, [concept_id] * PICTURES, CHARACTERS)
    hits = sum(verdict.shows(concept_id) for verdict in verdicts)
    low, high, _ = wilson(hits, PICTURES)
    last = {name: round(value, 5) for name, value in losses[-1].items()}
    shown = {"detect": hits / PICTURES, "low": round(low, 3), "high": round(high, 3), "n": PICTURES}
    return {"concept": concept_id, "seed": seed, **typed, "seconds": round(seconds, 1), **shown, "last_losses": last}


def main() -> None:
    """Print a line of JSON for each comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--concept", default="meklun", help="the id of a character of the sandbox")
    for name, value in {
        "attack-steps": 30,
        "rollout-steps": 50,
        "steps": 2,
        "planned": 1000,
        "bank": 512,
        "bank-retain": 256,
        "per-rollout": 8,
    }.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--whole", action="store_true")
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--set", action="append", default=[], help="KEY=VALUE, with --whole")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.whole:
        typed = dict(pair.split("=", 1) for pair in options.set)
        for concept, seed in itertools.product(options.concept.split(","), map(int, options.seeds.split(","))):
            for bank in ({}, {"bank": 0}):
                print(json.dumps(whole_run(concept, seed, **typed, **bank)), flush=True)
    else:
        print(json.dumps(compare(options)), flush=True)


if __name__ == "__main__":
    main()
