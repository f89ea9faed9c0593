"""False thresholds on null data, coverage of the bracket, and sharp steps that are called gradual.

    python benchmarks/imitation_statistics.py

Null data: scores are noise, counts log-uniform from 1 to 100,000. True step: at 300 pictures, noise .08, rise .3.
The bracket is said to cover where the step lies between its ends, whatever the verdict; both are printed.
"""

from __future__ import annotations

import argparse
import math
import time

import numpy as np

from copycat.imitation.records import Point
from copycat.imitation.threshold.analysis import analyse
from copycat.imitation.threshold.bracket import draw_studies, find_bracket
from copycat.imitation.threshold.estimators.supf import ALPHA
from copycat.imitation.threshold.steps import best_steps, make_curve, permuted_f

SIZES = (50, 100, 200, 400)
STEP, NOISE, RISE = 300.0, 0.08, 0.3
FEW = 10


def make_study(rng: np.random.Generator, n: int, rise: float) -> list[Point]:
    """Give a study of n concepts whose scores rise by `rise` at `STEP` pictures."""
    x = np.round(10 ** rng.uniform(0, 5, n))
    y = rise * (x >= STEP) + rng.normal(0, NOISE, n)
    return [Point(concept=f"c{number:04}", count=a, score=b) for number, (a, b) in enumerate(zip(x, y, strict=True))]


def print_verdicts(runs: int, permutations: int, rise: float) -> None:
    """Print the share of each verdict: `threshold` is false on null data, and `gradual` where there is a sharp step."""
    bar = 0.05 + 2 * math.sqrt(0.05 * 0.95 / runs)
    what = f"true step of {rise:.1f} at {STEP:.0f}" if rise else f"null data (threshold: at most {bar:.3f})"
    print(f"verdicts on {what}, {runs:,} studies per N, {permutations} permutations")
    for n in SIZES:
        rng, started = np.random.default_rng(n), time.perf_counter()
        found = [_verdict(make_study(rng, n, rise), permutations, seed) for seed in range(runs)]
        shares = {name: found.count(name) / runs for name in sorted(set(found))}
        told = ", ".join(f"{name} {share:.3f}" for name, share in shares.items())
        print(f"  N = {n:3}: {told}  ({time.perf_counter() - started:.0f} s)", flush=True)


def _verdict(points: list[Point], permutations: int, seed: int) -> str:
    """Give the verdict; where no rise passes the permutation test there is no threshold, and nothing else is asked.

    No verdict hangs on the bootstrap, so there are few draws.
    """
    curve = make_curve(points)
    found = best_steps(curve.x[None, :], curve.y[None, :])
    null = permuted_f(curve.x, curve.y, permutations, seed)
    p = (1 + int((null >= found.f[0] * (1 - 1e-9)).sum())) / (permutations + 1)
    if p >= ALPHA or found.rise[0] < 0:
        return "no rise"
    return analyse(points, permutations=permutations, bootstraps=FEW, seed=seed).verdict


def print_coverage(runs: int, bootstraps: int, rise: float) -> None:
    """Print how often the bracket holds the true step, and its median ends."""
    print(f"true step of {rise:.1f} at {STEP:.0f}, {runs:,} studies per N, {bootstraps} bootstraps: at least 0.93")
    for n in SIZES:
        rng, started = np.random.default_rng([n, 1]), time.perf_counter()
        ends = []
        for seed in range(runs):
            curve = make_curve(make_study(rng, n, rise))
            bracket = find_bracket(curve, draw_studies(curve, bootstraps, seed))
            if bracket is not None:
                ends.append((bracket.last_below, bracket.first_above))
        low, high = np.array(ends).T
        covered = ((low < STEP) & (high >= STEP)).sum() / runs
        told = f"{covered:.3f}, median [{np.median(low):.0f}, {np.median(high):.0f}]"
        print(f"  N = {n:3}: {told}  ({time.perf_counter() - started:.0f} s)", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--null-runs", type=int, default=1000)
    parser.add_argument("--coverage-runs", type=int, default=500)
    parser.add_argument("--step-runs", type=int, default=100)
    parser.add_argument("--permutations", type=int, default=199)
    parser.add_argument("--bootstraps", type=int, default=300)
    given = parser.parse_args()
    print_coverage(given.coverage_runs, given.bootstraps, RISE)
    print_coverage(given.coverage_runs, given.bootstraps, RISE / 3)
    print_verdicts(given.step_runs, given.permutations, RISE)
    print_verdicts(given.step_runs, given.permutations, RISE / 3)
    print_verdicts(given.null_runs, given.permutations, 0.0)
