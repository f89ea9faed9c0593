"""How often the 95 % intervals hold the truth, in simulations: `python benchmarks/coverage.py [--quick]`.

Characters have propensities from a beta distribution with the stated correlation between pictures of one character;
verdicts and labels are drawn from them. The bar is 93 to 98 % in every cell; cells outside are printed, with the worst
of each interval. The intervals are those of the package, called as it calls them, one run at a time.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from copycat.metrics.corrected import UncorrectableError, corrected_difference, prediction_powered, rogan_gladen
from copycat.metrics.intervals import mean_interval, paired_difference, rate_interval
from copycat.schema import CalibrationCell

N_CHARACTERS = 50
CORRELATIONS = (0.0, 0.2, 0.5, 0.8)
RATES = (0.0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 0.8, 0.95, 0.98, 1.0)
CORRECTED_RATES = (0.02, 0.1, 0.3, 0.5, 0.7, 0.9)
CHANGES = ((0.9, 0.6), (0.5, 0.4), (0.5, 0.25), (0.5, 0.6), (0.3, 0.1), (0.3, 0.02), (0.2, 0.3), (0.1, 0.05))
SENSITIVITY, SPECIFICITY, N_LABELS = 0.8, 0.9, 300
LOW, HIGH = 0.93, 0.98

Flags = NDArray[np.bool_]
Generator = np.random.Generator


class Cell(NamedTuple):
    """One place of the grid: what was simulated, how often it was covered, and how far the estimate was off."""

    interval: str
    setting: str
    coverage: float
    bias: float


def propensities(rate: float, correlation: float, dice: Generator) -> NDArray[np.float64]:
    """(characters,) probabilities with this mean and correlation."""
    if correlation == 0 or rate in (0, 1):
        return np.full(N_CHARACTERS, rate)
    scale = (1 - correlation) / correlation
    return dice.beta(rate * scale, (1 - rate) * scale, N_CHARACTERS)


def pictures(chances: NDArray[np.float64], repeats: int, dice: Generator) -> Flags:
    """(characters, repeats) of what is shown."""
    return np.asarray(dice.random((N_CHARACTERS, repeats)) < chances[:, None])


def judged(shown: Flags, dice: Generator) -> Flags:
    """Draw what a judge with the stated errors says of it."""
    chance = np.where(shown, SENSITIVITY, 1 - SPECIFICITY)
    return np.asarray(dice.random(shown.shape) < chance)


def names(repeats: int) -> list[str]:
    """Name the character of each picture."""
    return [f"c{i:02}" for i in range(N_CHARACTERS) for _ in range(repeats)]


def flat(flags: Flags) -> list[Any]:
    """Give rows one after the other."""
    return list(flags.ravel().tolist())


def calibration(rate: float, correlation: float, dice: Generator) -> list[CalibrationCell]:
    """Labels of other pictures, judged by the same judge."""
    shown = pictures(propensities(min(0.7, max(0.3, rate)), correlation, dice), N_LABELS // N_CHARACTERS, dice)
    said = judged(shown, dice)
    return [
        CalibrationCell(
            character=f"c{i:02}",
            tp=int((shown[i] & said[i]).sum()),
            fn=int((shown[i] & ~said[i]).sum()),
            fp=int((~shown[i] & said[i]).sum()),
            tn=int((~shown[i] & ~said[i]).sum()),
        )
        for i in range(N_CHARACTERS)
    ]


def simulate(
    interval: str, setting: str, truth: float, draw: Callable[[Generator], tuple[float, float, float]], n_runs: int
) -> Cell:
    """Draw many runs; each gives an estimate and its bounds."""
    covered, total, done = 0, 0.0, 0
    for seed in range(n_runs):
        try:
            value, low, high = draw(np.random.default_rng((seed, len(setting))))
        except UncorrectableError:
            continue
        covered += low - 1e-9 <= truth <= high + 1e-9
        total, done = total + value, done + 1
    return Cell(interval, setting, covered / done, total / done - truth)


def rates(n_runs: int, repeats: int) -> Iterator[Cell]:
    """Cover rates."""
    for correlation in CORRELATIONS:
        for rate in RATES:

            def draw(dice: Generator, r: float = rate, c: float = correlation) -> tuple[float, float, float]:
                shown = flat(pictures(propensities(r, c, dice), repeats, dice))
                found = rate_interval(shown, names(repeats))
                return float(np.mean(shown)), found.low, found.high

            yield simulate(f"rate, {repeats} pictures", f"rate {rate}, correlation {correlation}", rate, draw, n_runs)


def means(n_runs: int) -> Iterator[Cell]:
    """Cover means of probabilities."""
    for correlation in CORRELATIONS[1:]:
        for mean in (0.05, 0.1, 0.5, 0.8, 0.95):

            def draw(dice: Generator, m: float = mean, c: float = correlation) -> tuple[float, float, float]:
                chances = np.clip(propensities(m, c, dice), 1e-6, 1 - 1e-6)[:, None]
                values = flat(dice.beta(3 * chances, 3 * (1 - chances), (N_CHARACTERS, 3)).clip(0, 1))
                found = mean_interval(values, names(3))
                return float(np.mean(values)), found.low, found.high

            yield simulate("mean probability", f"mean {mean}, correlation {correlation}", mean, draw, n_runs)


def changed(before: float, after: float, correlation: float, dice: Generator) -> tuple[Flags, Flags]:
    """(characters, 3) before and after a mitigation that acts on characters unlike."""
    base = pictures(propensities(before, correlation, dice), 3, dice)
    survival = min(1.0, after / before)
    kept = pictures(propensities(survival, correlation, dice), 3, dice)
    new = pictures(propensities(max(0.0, (after - before * survival) / (1 - before)), correlation, dice), 3, dice)
    return base, np.asarray(np.where(base, kept, new))


def differences(n_runs: int) -> Iterator[Cell]:
    """Cover paired differences."""
    for correlation in CORRELATIONS:
        for before, after in CHANGES:

            def draw(
                dice: Generator, b: float = before, a: float = after, c: float = correlation
            ) -> tuple[float, float, float]:
                base, treated = changed(b, a, c, dice)
                found = paired_difference(flat(treated.astype(float)), flat(base.astype(float)), names(3))
                return found.mean, found.interval.low, found.interval.high

            setting = f"{before} to {after}, correlation {correlation}"
            yield simulate("paired difference", setting, after - before, draw, n_runs)


def corrections(n_runs: int) -> Iterator[Cell]:
    """Cover corrected rates, by both methods in turn."""
    for correlation in CORRELATIONS:
        for rate in CORRECTED_RATES:

            def rogan(dice: Generator, r: float = rate, c: float = correlation) -> tuple[float, float, float]:
                said = flat(judged(pictures(propensities(r, c, dice), 3, dice), dice))
                return rogan_gladen(said, names(3), calibration(r, c, dice))[:3]

            def powered(dice: Generator, r: float = rate, c: float = correlation) -> tuple[float, float, float]:
                shown = pictures(propensities(r, c, dice), 9, dice)
                said, truth = flat(judged(shown, dice)), flat(shown)
                chosen = dice.choice(len(said), N_LABELS // 2, replace=False)
                return prediction_powered(said, names(9), [(int(i), truth[i]) for i in chosen])[:3]

            setting = f"rate {rate}, correlation {correlation}"
            yield simulate("corrected rate (Rogan-Gladen)", setting, rate, rogan, n_runs)
            yield simulate("corrected rate (prediction-powered)", setting, rate, powered, n_runs)


def corrected_differences(n_runs: int) -> Iterator[Cell]:
    """Cover corrected differences."""
    for correlation in CORRELATIONS:
        for before, after in CHANGES:

            def draw(
                dice: Generator, b: float = before, a: float = after, c: float = correlation
            ) -> tuple[float, float, float]:
                base, treated = changed(b, a, c, dice)
                said = flat(judged(treated, dice)), flat(judged(base, dice))
                return corrected_difference(*said, names(3), calibration(b, c, dice))[:3]

            setting = f"{before} to {after}, correlation {correlation}"
            yield simulate("corrected difference", setting, after - before, draw, n_runs)


def print_interval(cells: list[Cell]) -> None:
    """Print how one interval did."""
    ordered = sorted(cells, key=lambda cell: cell.coverage)
    inside = [cell for cell in cells if LOW <= cell.coverage <= HIGH]
    low, high = ordered[0], ordered[-1]
    print(f"{low.interval}: {len(inside)} of {len(cells)} cells within {LOW:.0%} to {HIGH:.0%}", flush=True)
    print(f"  least {low.coverage:.1%} ({low.setting}), most {high.coverage:.1%} ({high.setting})")
    print(f"  largest bias {max(cells, key=lambda cell: abs(cell.bias)).bias:+.4f}")
    for cell in ordered:
        if cell not in inside:
            print(f"    outside: {cell.coverage:.1%} ({cell.setting})", flush=True)


def main() -> None:
    """Simulate all of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="400 runs a cell instead of 2,000")
    n_runs = 400 if parser.parse_args().quick else 2000
    start = time.perf_counter()
    for cells in (
        *(rates(n_runs, repeats) for repeats in (1, 3, 9)),
        means(n_runs),
        differences(n_runs),
        corrected_differences(n_runs),
    ):
        print_interval(list(cells))
    both = list(corrections(n_runs))
    print_interval(both[::2])
    print_interval(both[1::2])
    print(f"{n_runs} runs a cell, {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
