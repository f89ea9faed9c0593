"""Compare the estimate that each single world would give with the dose-response that only retraining shows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Literal

import numpy as np
from scipy import optimize, stats  # type: ignore[import-untyped]

from copycat.imitation.counterfactual.logistic import Fit, Numbers, fit_clusters, fit_points, fit_series
from copycat.imitation.counterfactual.scoring import Dose
from copycat.imitation.records import Bracket, Point
from copycat.imitation.threshold.analysis import analyse
from copycat.schema import Record

Metric = Literal["detected", "attributes", "similarity"]
METRICS: tuple[Metric, ...] = ("detected", "attributes", "similarity")
"""The share that is the character to the oracle, the share of right attributes, the cosine to the references."""


class Observed(Record):
    """What one permuted world would say, taken alone, as a study of a real model is.

    `verdict`, `why` and `bracket` are those of the threshold stage, told nothing but this world's doses and scores.
    `covers` is whether the interval of its ED50 holds the ED50 over all permuted worlds. `luck` is the rank correlation
    of a character's dose in this world with what it scores above its dose in the other worlds: confounding by chance.
    """

    world: str
    seed: int
    fit: Fit
    rank_correlation: float | None
    covers: bool | None
    luck: float | None
    verdict: str
    why: str
    bracket: Bracket | None


class Spread(Record):
    """Where the variance of the scores over permuted worlds comes from: first the dose, then the character, the rest.

    `dose`, `character` and `rest` are shares that add up to one; each dose has a level of its own, so that no form of
    curve is assumed. `p_character` is that of the F test of no character effect. `same_dose` is the mean standard
    deviation between characters of one dose, over the doses above the ED50; `same_character` that of one character of
    one dose between worlds of the series, in which only the probe's dose differs.
    """

    dose: float
    character: float
    rest: float
    p_character: float
    same_dose: float | None
    same_character: float | None


class MetricFindings(Record):
    """All findings for one way of scoring.

    `truth_pooled` is fitted to all characters of all permuted worlds, `truth_series` to the `probe` in the worlds of
    its series (null with fewer than four). Rank correlations over permuted worlds: of the score with the dose, and
    with the number of captions that name the character. `others_and_probe` is that of the mean score of all other
    characters with the probe's dose, over the series: below zero, more pictures of one cost the others.
    """

    metric: Metric
    truth_pooled: Fit
    truth_series: Fit | None
    probe: str | None
    observed: tuple[Observed, ...]
    spread: Spread | None
    correlation_dose: float | None
    correlation_named: float | None
    others_and_probe: float | None


class Findings(Record):
    """The whole comparison. `seconds` is the training time of all worlds together, in the processes that ran them."""

    worlds: int
    permuted: int
    series: int
    pictures: int
    seconds: float
    seeds: tuple[int, ...]
    metrics: tuple[MetricFindings, ...]


def analyse_doses(doses: Sequence[Dose], seed: int = 0) -> Findings:
    """Analyse the lines of all finished worlds.

    Raises:
        ValueError: no permuted world is among them.
    """
    permuted = [dose for dose in doses if dose.kind == "permuted"]
    if not permuted:
        raise ValueError("needed: at least one finished permuted world")
    worlds = {dose.world: dose for dose in doses}
    return Findings(
        worlds=len(worlds),
        permuted=len({dose.world for dose in permuted}),
        series=sum(dose.kind == "series" for dose in worlds.values()),
        pictures=sum(dose.n for dose in doses),
        seconds=round(sum(dose.seconds for dose in worlds.values()), 1),
        seeds=tuple(sorted({dose.seed for dose in doses})),
        metrics=tuple(_findings(metric, doses, permuted, seed) for metric in METRICS),
    )


def score_of(dose: Dose, metric: Metric) -> float:
    """Give a score of one line; of `detected`, the share of the pictures."""
    return dose.detected / dose.n if metric == "detected" else float(getattr(dose, metric))


def series_of(doses: Sequence[Dose]) -> list[Dose]:
    """List the probe's lines of the series, by dose; the first permuted world is its end."""
    inside = [dose for dose in doses if dose.kind == "series" and dose.character == dose.probe]
    if not inside:
        return []
    probe, seed = inside[0].probe, inside[0].seed
    ends = [dose for dose in doses if dose.kind == "permuted" and dose.seed == seed and dose.character == probe]
    return sorted(inside + ends, key=lambda dose: dose.dose)


def _findings(metric: Metric, doses: Sequence[Dose], permuted: Sequence[Dose], seed: int) -> MetricFindings:
    pooled = fit_clusters(_doses(permuted), _scores(permuted, metric), [d.character for d in permuted], seed)
    series = series_of(doses)
    by_world: dict[str, list[Dose]] = defaultdict(list)
    for dose in permuted:
        by_world[dose.world].append(dose)
    return MetricFindings(
        metric=metric,
        truth_pooled=pooled,
        truth_series=fit_series(_doses(series), _scores(series, metric), seed) if len(series) >= 4 else None,
        probe=series[0].character if series else None,
        observed=tuple(_observed(lines, permuted, metric, pooled, seed) for lines in by_world.values()),
        spread=_spread(doses, permuted, metric, pooled) if len(by_world) > 1 else None,
        correlation_dose=_rank(_doses(permuted), _scores(permuted, metric)),
        correlation_named=_rank(np.array([float(d.named) for d in permuted]), _scores(permuted, metric)),
        others_and_probe=_others_and_probe(doses, metric),
    )


def _observed(lines: Sequence[Dose], permuted: Sequence[Dose], metric: Metric, truth: Fit, seed: int) -> Observed:
    fit = fit_points(_doses(lines), _scores(lines, metric), seed)
    covers = None
    if truth.ed50 is not None and fit.low is not None and fit.high is not None:
        covers = fit.low <= truth.ed50 <= fit.high
    others = [dose for dose in permuted if dose.world != lines[0].world]
    above = _above_dose(others, metric) if others else {}
    luck = _rank(_doses(lines), np.array([above[d.character] for d in lines])) if above else None
    points = [Point(concept=d.character, count=d.dose, score=score_of(d, metric)) for d in lines]
    stage = analyse(points, seed=seed)
    return Observed(
        world=lines[0].world,
        seed=lines[0].seed,
        fit=fit,
        rank_correlation=_rank(_doses(lines), _scores(lines, metric)),
        covers=covers,
        luck=luck,
        verdict=stage.verdict,
        why=stage.why,
        bracket=stage.bracket,
    )


def _above_dose(lines: Sequence[Dose], metric: Metric) -> dict[str, float]:
    """How much each character scores above the isotonic curve of the dose, on average."""
    doses, scores = _doses(lines), _scores(lines, metric)
    levels = sorted(set(doses))
    means = np.array([scores[doses == level].mean() for level in levels])
    weights = np.array([float((doses == level).sum()) for level in levels])
    heights = dict(zip(levels, optimize.isotonic_regression(means, weights=weights).x, strict=True))
    found: dict[str, list[float]] = defaultdict(list)
    for line, score in zip(lines, scores, strict=True):
        found[line.character].append(float(score) - float(heights[float(line.dose)]))
    return {who: sum(values) / len(values) for who, values in found.items()}


def _spread(doses: Sequence[Dose], permuted: Sequence[Dose], metric: Metric, truth: Fit) -> Spread | None:
    scores = _scores(permuted, metric)
    total = float(((scores - scores.mean()) ** 2).sum())
    if total <= 0:
        return None
    by_dose = _levels([str(d.dose) for d in permuted])
    both, both_df = _residual(np.hstack([by_dose, _levels([d.character for d in permuted])]), scores)
    dose_only, dose_df = _residual(by_dose, scores)
    f = ((dose_only - both) / max(1, dose_df - both_df)) / (both / max(1, both_df)) if both > 0 else np.inf
    return Spread(
        dose=1 - dose_only / total,
        character=max(0.0, dose_only - both) / total,
        rest=both / total,
        p_character=float(stats.f.sf(max(0.0, f), dose_df - both_df, both_df)),
        same_dose=_mean_sd([(d.dose, d) for d in permuted if truth.ed50 is not None and d.dose > truth.ed50], metric),
        same_character=_mean_sd(
            [
                ((d.character, d.dose), d)
                for d in doses
                if d.kind == "series" and d.character != d.probe and truth.ed50 is not None and d.dose > truth.ed50
            ],
            metric,
        ),
    )


def _others_and_probe(doses: Sequence[Dose], metric: Metric) -> float | None:
    """Rank correlation of the mean score of all other characters with the probe's dose: interference."""
    by_world: dict[int, list[float]] = defaultdict(list)
    dose_of = {d.world: d.dose for d in doses if d.kind == "series" and d.character == d.probe}
    for dose in doses:
        if dose.world in dose_of and dose.character != dose.probe:
            by_world[dose_of[dose.world]].append(score_of(dose, metric))
    if len(by_world) < 4:
        return None
    levels = sorted(by_world)
    return _rank(np.array(levels, dtype=float), np.array([float(np.mean(by_world[level])) for level in levels]))


def _mean_sd(pairs: Sequence[tuple[object, Dose]], metric: Metric) -> float | None:
    groups: dict[object, list[float]] = defaultdict(list)
    for key, dose in pairs:
        groups[key].append(score_of(dose, metric))
    several = [float(np.var(values, ddof=1)) for values in groups.values() if len(values) > 1]
    return float(np.sqrt(np.mean(several))) if several else None


def _levels(labels: Sequence[str]) -> Numbers:
    names = sorted(set(labels))
    return np.array([[float(label == name) for name in names] for label in labels])


def _residual(design: Numbers, scores: Numbers) -> tuple[float, int]:
    solution, _, rank, _ = np.linalg.lstsq(design, scores, rcond=None)
    return float(((scores - design @ solution) ** 2).sum()), len(scores) - int(rank)


def _rank(first: Numbers, second: Numbers) -> float | None:
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return None
    return float(stats.spearmanr(first, second).statistic)


def _doses(lines: Sequence[Dose]) -> Numbers:
    return np.array([float(line.dose) for line in lines])


def _scores(lines: Sequence[Dose], metric: Metric) -> Numbers:
    return np.array([score_of(line, metric) for line in lines])
