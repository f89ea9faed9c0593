"""Studies of imitation whose truth is known: drawn from a seed, or made by hand, for whoever needs an Analysis."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from copycat.imitation.records import (
    Analysis,
    Answer,
    Bracket,
    Concept,
    ConceptCount,
    ControlBand,
    Covariate,
    Point,
    Score,
    StudyFacts,
    VerdictName,
)
from copycat.imitation.tables import write_table
from copycat.imitation.threshold.bracket import place_concepts
from copycat.imitation.threshold.steps import make_curve
from copycat.runs.folder import write_json

STEP_AT = 104.0
FLOOR, CEILING, NOISE = 0.22, 0.52, 0.04
CONTROL = FLOOR + 0.01
"""The mean of the control arms that `write_study` writes."""
SYLLABLES = ("zor", "vel", "mi", "ka", "tun", "lo", "bri", "sha", "ne", "fu")


def invented_name(number: int) -> str:
    """Give an invented name, another for each number below 1,000."""
    return (SYLLABLES[number // 100 % 10] + SYLLABLES[number // 10 % 10] + SYLLABLES[number % 10]).capitalize()


def study_points(n: int = 50, *, seed: int = 0, step: bool = True, most: float = 2000.0) -> tuple[Point, ...]:
    """Draw concepts whose score rises at STEP_AT pictures, or not at all; some have no training pictures."""
    rng = np.random.default_rng(seed)
    n_zero = n // 15
    spread = np.geomspace(2, most, max(n - n_zero, 1)).round() if n > 1 else np.array([60.0])
    counts = np.concatenate([np.zeros(n_zero), spread])[:n]
    rise = (CEILING - FLOOR) / (1 + (STEP_AT / np.maximum(counts, 1e-9)) ** 2.6) if step else np.zeros(n)
    prompts = FLOOR + rise[:, None] + rng.normal(0, NOISE, n)[:, None] + rng.normal(0, 0.03, (n, 5))
    return tuple(
        Point(
            concept=f"{invented_name(i).lower()}-{i}",
            count=float(counts[i]),
            count_low=float(np.floor(counts[i] * 0.88)),
            count_high=float(np.ceil(counts[i] * 1.12)),
            score=float(prompts[i].mean()),
            score_low=float(prompts[i].mean() - 0.03),
            score_high=float(prompts[i].mean() + 0.03),
            prompts=tuple(map(float, prompts[i])),
            coverage=1.0 if i % 9 else 0.93,
        )
        for i in range(n)
    )


def make_analysis(verdict: VerdictName = "threshold", n: int = 50, *, seed: int = 0, has_band: bool = True) -> Analysis:
    """Make an analysis by hand, with the shape that each verdict has; its figures follow from the truth, not from data.

    Estimators of a study without a change have no answer. Only a step has a bracket, and places concepts by it.
    """
    has_change, has_step = verdict in ("threshold", "gradual"), verdict == "threshold"
    points = study_points(n, seed=seed, step=has_change)
    bracket = Bracket(last_below=62, first_above=171, method="bootstrap over concepts, prompts and counts")
    return Analysis(
        metric="raw",
        points=points,
        band=ControlBand(arms=("unnamed", "zero"), mean=CONTROL, low=CONTROL - 0.06, high=CONTROL + 0.06, n=n)
        if has_band and n > 1
        else None,
        answers=_answers(points, has_change=has_change),
        verdict=verdict,
        why=f"made by hand, as a study that ends in {verdict}",
        bracket=bracket if has_step else None,
        placed=place_concepts(make_curve(points), bracket if has_step else None),
        noise=NOISE,
        smallest_step=0.071,
        covariates=(
            Covariate(name="neighbours", value=0.041, n=n - 1, meaning="mean difference of neighbours"),
            Covariate(name="partial:caption_length", value=None, n=0, meaning="not estimable: all captions are alike"),
        ),
        left_out={"orphan": "no score: every picture was refused"},
        warnings=("only 18 concepts lie above the step, and 20 are needed",) if has_change else (),
        seed=seed,
    )


def _answers(points: tuple[Point, ...], *, has_change: bool) -> tuple[Answer, ...]:
    names = ("supf", "pelt", "isotonic", "logistic")
    if not has_change:
        none = [Answer(estimator=name, count=None, statistics={"p": 0.41}, reason="no change") for name in names]
        return (*none, Answer(estimator="published", count=None, reason="no change point at penalty 0.9"))
    highest = max(point.count for point in points)
    grid = [float(x) for x in np.geomspace(1, highest + 1, 60) - 1]
    smooth = tuple((x, FLOOR + (CEILING - FLOOR) / (1 + (135 / max(x, 1e-9)) ** 2.6)) for x in grid)
    stairs = ((0.0, FLOOR), (STEP_AT, FLOOR), (STEP_AT, CEILING), (highest, CEILING))
    figures = {"f": 212.7, "p": 0.001, "bic": -241.3}
    return (
        Answer(estimator="supf", count=STEP_AT, low=71, high=160, index=29, statistics=figures, curve=stairs),
        Answer(estimator="pelt", count=91, others=(640.0,), index=28, statistics={"penalty": 0.0187}),
        Answer(estimator="isotonic", count=80, low=48, high=131, statistics={"band": 0.28}),
        Answer(
            estimator="logistic", count=135, low=108, high=169,
            statistics={"ed10": 58.0, "ed90": 314.0, "slope": 2.6, "lower": FLOOR, "upper": CEILING}, curve=smooth,
        ),
        Answer(estimator="published", count=640, index=40, statistics={"penalty": 0.9}),
    )  # fmt: skip


def write_study(folder: Path, analysis: Analysis, *, is_whole: bool = True) -> Path:
    """Write analysis.json, and with `is_whole` the concepts, counts, scores and facts that fit it; gives the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "analysis.json", analysis.model_dump(mode="json"))
    if not is_whole:
        return folder
    concepts = [
        Concept(id=p.concept, name=p.concept.rsplit("-", 1)[0].capitalize(), stratum=("Lanterns", "Embers")[i % 2])
        for i, p in enumerate(analysis.points)
    ]
    counts = [
        ConceptCount(
            concept=p.concept, count=p.count, low=p.count_low, high=p.count_high,
            raw=round(p.count * 1.5), exact=round(p.count * 1.2), near=round(p.count),
        )
        for p in analysis.points
    ]  # fmt: skip
    scores = [
        Score(concept=p.concept, arm=arm, prompt=f"a picture {k}", raw=value, n=8, planned=8)
        for p in analysis.points
        for arm, values in (("named", p.prompts), ("unnamed", (FLOOR,)), ("zero", (FLOOR + 0.02,)))
        for k, value in enumerate(values)
    ]
    write_json(folder / "concepts.json", {"concepts": [concept.model_dump(mode="json") for concept in concepts]})
    write_table(folder / "counts.csv", counts, ConceptCount)
    write_table(folder / "scores.csv", scores, Score)
    facts = {"corpus": "captions.parquet", "captions": "9,411"}
    write_json(folder / "counts.json", StudyFacts(facts=facts).model_dump(mode="json"))
    write_json(
        folder / "scores.json",
        StudyFacts(facts={"embedder": "dino"}, warnings=("two scores are missing",)).model_dump(mode="json"),
    )
    return folder
