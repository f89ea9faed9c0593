"""UnlearnDiffAtk against ESD that was stopped early, and against AdvUnlearn of a matrix that is there.

    python benchmarks/prefix_attack.py --matrix runs/erasers [--steps 3] [--set rounds=8] [--workers 2]

Where ESD has erased to the end, nothing is left that a prefix could find, and two methods at zero cannot be told
apart. ESD of a few steps keeps as much of the other characters as AdvUnlearn does, or more. For every AdvUnlearn cell
of the matrix (`python -m copycat.eval --grid erasers --attack unlearndiffatk`) the same concept is erased by ESD with
the same training seed, and attacked with the same search on the same prompts and seeds. Printed: the share of prompts
that show the concept before and under the attack, and the difference under it, AdvUnlearn minus ESD, over pairs, with
its 95 % interval over concepts and the p of flipping the signs of whole concepts.
"""

from __future__ import annotations

import argparse
import json
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch

from copycat.attacks.saved import AttackCard, AttackedPrompt, read_attack
from copycat.catalog import read_character_set
from copycat.erasure.concepts import parse_concepts
from copycat.erasure.training import Order, run_erasure
from copycat.metrics import paired_difference, sign_flip
from copycat.models.resolve import resolve_model
from copycat.whitebox.job import AttackJob, plan_attack
from copycat.whitebox.rates import attack_rates
from copycat.whitebox.running import run_attack

ATTACK = "unlearndiffatk"


class Side(NamedTuple):
    """One concept, erased with one training seed, under attack."""

    concept: str
    seed: int
    card: AttackCard


def sides_of(matrix: Path) -> list[Side]:
    """Read what a matrix found on AdvUnlearn."""
    sides = []
    for folder in sorted((matrix / "attacks").glob(f"advunlearn-*-s*-{ATTACK}")):
        concept, _, seed = folder.name.removeprefix("advunlearn-").removesuffix(f"-{ATTACK}").rpartition("-s")
        sides.append(Side(concept, int(seed), read_attack(folder)))
    return sides


def attack_esd(side: Side, steps: int, changes: tuple[str, ...], out: Path) -> Side:
    """Erase by ESD in so many steps, and attack; what is there already is not made again."""
    torch.set_num_threads(1)
    characters = read_character_set("sandbox")
    name = f"{side.concept}-s{side.seed}"
    order = Order(
        row=resolve_model("sandbox"), method="esd", concepts=parse_concepts(side.concept, None, characters),
        typed={"steps": str(steps)}, seed=side.seed,
    )  # fmt: skip
    run_erasure(order, out / "erasures" / name)
    prompts = len({row.id for row in side.card.prompts})
    job = AttackJob(
        method=ATTACK, model="sandbox", out=out / "attacks" / name, concept=side.concept, prompts=prompts,
        erased=out / "erasures" / name, changes=changes, device="cpu",
    )  # fmt: skip
    return side._replace(card=run_attack(plan_attack(job)))


def told(title: str, sides: list[Side]) -> dict[str, object]:
    """Give how often the concept shows, with Wilson's intervals over prompts."""
    (rate,) = attack_rates(tuple(row for side in sides for row in side.card.prompts))
    return {"method": title, "before": rate.before._asdict(), "after": rate.after._asdict()}


def compare(first: list[Side], second: list[Side]) -> dict[str, float]:
    """Give the difference of success under the attack, first minus second, over pairs."""

    def successes(sides: list[Side]) -> dict[tuple[str, int, str, int], AttackedPrompt]:
        return {(s.concept, s.seed, row.id, row.seed): row for s in sides for row in s.card.prompts}

    one, other = successes(first), successes(second)
    pairs = [(one[place].after, other[place].after, place[0]) for place in one if place in other]
    answered = [(float(a), float(b), who) for a, b, who in pairs if a is not None and b is not None]
    values, others, concepts = (list(column) for column in zip(*answered, strict=True))
    mean, interval = paired_difference(values, others, concepts)
    p = sign_flip([a - b for a, b in zip(values, others, strict=True)], concepts)
    found = {"difference": mean, "low": interval.low, "high": interval.high, "p": p, "pairs": len(answered)}
    return found | {"concepts": len(set(concepts))}


def main() -> None:
    """Print a line of JSON for each method, and one for their difference."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--matrix", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--set", action="append", default=[], help="KEY=VALUE of the attack on ESD")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    robust = sides_of(options.matrix)
    if not robust:
        parser.error(f"no attack by {ATTACK} on advunlearn in {options.matrix}")
    out = options.out or options.matrix / f"esd-{options.steps}-steps"
    work = partial(attack_esd, steps=options.steps, changes=tuple(options.set), out=out)
    with ProcessPoolExecutor(options.workers) as pool:
        stopped = list(pool.map(work, robust))
    print(json.dumps(told(f"esd, {options.steps} steps", stopped)))
    print(json.dumps(told("advunlearn", robust)))
    print(json.dumps(compare(robust, stopped)))


if __name__ == "__main__":
    main()
