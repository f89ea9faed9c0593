"""Erasure against retention on the sandbox: what a method's settings cost, step by step.

    python benchmarks/erasure.py [--method esd] [--concepts meklun,brimzy,padilko,zintock] [--at 50,100,150]
                                 [--set lr=3e-4,1e-3] [--set variant=x,strict] [--preset corrected]

Each combination of settings is tried on each concept. At the steps of `--at` the edited model draws the concept and
others by name, and the sandbox's judge looks: `erased` is DETECT on the concept, `kept` DETECT on the others over
that of the original model. The concepts are those that settings were tuned on, and the others leave out those that
figures are reported on. Rates of so few pictures are rough: 10 of the concept, 2 of each other. Seconds are of
one core.
"""

from __future__ import annotations

import argparse
import itertools
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import torch

from copycat.catalog import read_character_set
from copycat.erasure import ERASERS
from copycat.erasure.concepts import other_names, parse_concepts
from copycat.erasure.training import Order, load_live, settle
from copycat.judges.families import build_judge, resolve_judge
from copycat.live import LivePipeline
from copycat.models.resolve import resolve_model

REPORTED = ("jolvex", "ishtolu", "mazqui", "sniddle", "juntaro", "tharvel", "belthaz", "kipsera")
CHARACTERS = read_character_set("sandbox")
ROW = resolve_model("sandbox")
BATCH = 50


class Asked(NamedTuple):
    """Pictures to draw: an id, a name, a seed."""

    who: str
    name: str
    seed: int


def asked_for(ids: Sequence[str], seeds: int) -> list[Asked]:
    """List so many pictures of each of these characters."""
    return [Asked(c.id, c.name, 1000 + n) for c in CHARACTERS.characters if c.id in ids for n in range(seeds)]


def detected(live: LivePipeline, judge: Any, asked: Sequence[Asked]) -> dict[str, float]:
    """Draw by name, and give DETECT of each character."""
    hits: dict[str, list[bool]] = {}
    for start in range(0, len(asked), BATCH):
        rows = asked[start : start + BATCH]
        drawn = live.pipeline(
            prompt=[row.name for row in rows],
            generator=[torch.Generator("cpu").manual_seed(row.seed) for row in rows],
            num_inference_steps=ROW.sampling.steps,
            guidance_scale=ROW.sampling.guidance,
        ).images
        for row, verdict in zip(rows, judge.judge(drawn, [row.who for row in rows], CHARACTERS), strict=True):
            hits.setdefault(row.who, []).append(verdict.detected == row.who)
    return {who: sum(found) / len(found) for who, found in hits.items()}


@contextmanager
def counted(title: str, total: int) -> Iterator[Any]:
    """Tell what is prepared, and count nothing."""
    print(f"  {title}: {total}", flush=True)
    yield lambda count: None


def try_one(live: LivePipeline, judge: Any, order: Order, at: Sequence[int], base: dict[str, float]) -> None:
    """Train, look at the steps of `at`, and take the edits off again."""
    chosen = settle(order)
    eraser = ERASERS.load(order.method)(live, order.concepts, chosen.settings, order.seed)
    back = {name: p.detach().clone() for name, p in eraser.edited().items()}
    concept = next(c.id for c in CHARACTERS.characters if c.name == order.concepts[0].name)
    others = [who for who in base if who != concept]
    seconds, start = 0.0, time.process_time()
    try:
        with tempfile.TemporaryDirectory() as folder:
            eraser.prepare(Path(folder), counted)
            for number in range(min(eraser.n_steps, max(at))):
                losses = eraser.step(number)
                if number + 1 in at or number + 1 == eraser.n_steps:
                    seconds += time.process_time() - start
                    now = detected(live, judge, asked_for([concept], 10) + asked_for(others, 2))
                    kept = sum(now[who] for who in others) / sum(base[who] for who in others)
                    line = {
                        **order.typed, "concept": concept, "steps": number + 1, "erased": round(now[concept], 2),
                        "kept": round(kept, 3), "cpu_seconds": round(seconds, 1), "losses": losses,
                    }  # fmt: skip
                    print(json.dumps(line), flush=True)
                    start = time.process_time()
    finally:
        for name, parameter in eraser.edited().items():
            parameter.data.copy_(back[name])
            parameter.requires_grad_(False)


def main() -> None:
    """Try all combinations and print a line of JSON for each look."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--method", default="esd")
    parser.add_argument("--concepts", default="meklun,brimzy,padilko,zintock")
    parser.add_argument("--preset", default="corrected")
    parser.add_argument("--at", default="50,100,150")
    parser.add_argument("--set", action="append", default=[], help="KEY=VALUE[,VALUE...]; '+' joins several into one")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    keys = [pair.partition("=")[0] for pair in options.set]
    values = [pair.partition("=")[2].split(",") for pair in options.set]
    judge = build_judge(resolve_judge("sandbox"), "cpu")
    live = load_live(Order(row=ROW, method=options.method, concepts=()))
    drawn = detected(live, judge, asked_for([c.id for c in CHARACTERS.characters if c.id not in REPORTED], 2))
    base = {who: rate for who, rate in drawn.items() if rate > 0}
    print(f"original: {len(base)} of {len(drawn)} others are drawn by name at all", flush=True)
    for combination in itertools.product(*values):
        typed = {key: value.replace("+", ",") for key, value in zip(keys, combination, strict=True)}
        for name in options.concepts.split(","):
            concepts = parse_concepts(name, None, CHARACTERS)
            order = Order(
                row=ROW, method=options.method, concepts=concepts, preset=options.preset, typed=typed,
                others=other_names(concepts, CHARACTERS), seed=options.seed,
            )  # fmt: skip
            try_one(live, judge, order, [int(step) for step in options.at.split(",")], base)


if __name__ == "__main__":
    main()
