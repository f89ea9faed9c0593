"""Words for the figures of estimators and checks, so that nobody has to know their names. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import NamedTuple

from copycat.imitation.records import Analysis, Answer, Covariate, Point
from copycat.imitation.report.cards import Card
from copycat.imitation.threshold.headline import (
    count_text,
    dose_text,
    outside,
    score_text,
    score_with_unit,
    statistic_text,
)
from copycat.imitation.threshold.points import MIN_CONTROLS
from copycat.imitation.threshold.steps import is_least_chance

HOW_COUNTED = {
    "raw": "A training picture is counted for each caption that names the concept: equal pictures count each, and "
    "pictures that no caption names are missed.",
    "exact": "Counted are different pictures whose caption names the concept; pictures that no caption names are "
    "missed.",
    "near": "Counted are pictures whose caption names the concept, near duplicates once; pictures that no caption "
    "names are missed.",
}
"""What a count is a number of, by the count that is used."""

_DISCOUNTED = {
    "raw": "equal pictures are counted each",
    "exact": "exact duplicates are counted once",
    "near": "near duplicates are counted once",
}
_GIVEN = {
    "threshold": "the change is given as a bracket and not as one number",
    "gradual": "a smooth rise is given by the count at which half of it is reached, and not by a step",
}


class Figure(NamedTuple):
    """A figure as it is shown: a plain label, what it means, and its text."""

    label: str
    meaning: str
    text: str


_STATISTICS = {
    "f": (
        "clearness of the step (F)",
        "the spread of scores that one step explains, to the spread that it leaves for each concept; larger is "
        "clearer, and 'chance' says how clear is clear enough",
    ),
    "p": ("chance (p)", "the share of studies with shuffled counts that show a step as clear; below 0.05 it is a step"),
    "rise": ("height of the step", "mean score above it, less the mean score below"),
    "bic": (
        "misfit (BIC)",
        "how far the curve misses the scores, and a price for each of its parameters; only differences say "
        "something: the lower fits better, and 10 lower is decisive",
    ),
    "bic_smooth": (
        "misfit of a gentle rise (BIC)",
        "the same for the best smooth rise that has concepts on its slope; a steeper one is a step in disguise",
    ),
    "bic_line": ("misfit of a straight line (BIC)", "the same for a straight line in the logarithm of counts"),
    "penalty": (
        "price of a step",
        "by how much a step has to lower the sum of squared errors to be counted, in the unit of the score, squared",
    ),
    "noise": ("noise", "standard deviation of scores about their curve"),
    "steps": ("steps", "how many steps pay for themselves, up or down"),
    "band": ("top of the control band", "the upper bound of scores without imitation"),
    "lowest": ("lowest level", "the score of the curve that never falls at the smallest count"),
    "highest": ("highest level", "its score at the largest count"),
    "lower": ("level before", "the score that the curve comes from"),
    "upper": ("level after", "the score that the curve goes to, which may lie beyond the counts"),
    "slope": ("steepness", "of the smooth rise, per factor of ten in count + 1"),
    "ed10": ("10 % of the rise (ED10)", "the count at which a tenth of the rise is reached"),
    "ed90": ("90 % of the rise (ED90)", "the count at which nine tenths of the rise are reached"),
}
_DOSES = ("ed10", "ed90")
_IN_SCORES = ("rise", "noise", "band", "lowest", "highest", "lower", "upper")
_FIFTHS = ("first", "second", "third", "fourth", "last")


def figures_of(answer: Answer, analysis: Analysis) -> list[Figure]:
    """Give an estimator's own figures in the order of the words above; other names stand as they are, at the end."""
    order = {name: at for at, name in enumerate(_STATISTICS)}
    shown = []
    for name, value in sorted(answer.statistics.items(), key=lambda each: order.get(each[0], len(order))):
        label, meaning = _STATISTICS.get(name, (name, ""))
        if name in _DOSES:
            text = dose_text(name, answer, analysis.points)
        elif name in _IN_SCORES and value is not None:
            text = score_with_unit(value, analysis.metric)
            if name == "upper" and "ed90" in answer.statistics and outside(answer.statistics["ed90"], analysis.points):
                text += ", extrapolated"
        elif name == "p" and value is not None and is_least_chance(value, analysis.permutations):
            text = f"≤ {statistic_text(value)}"
        else:
            text = statistic_text(value)
        shown.append(Figure(label, meaning, text))
    return shown


def terms_of(analysis: Analysis) -> list[tuple[str, str]]:
    """Explain each figure that an estimator gives, once, in the order of the words above."""
    used = {name for answer in analysis.answers for name in answer.statistics}
    return [term for name, term in _STATISTICS.items() if name in used]


def differences_text(analysis: Analysis, counted_by: str) -> str:
    """Say how this study differs from the published method, by its controls, its verdict and the count that it uses."""
    said = [
        "references are never chosen by the pictures that are scored",
        "scores stand beside those of control arms" if analysis.band is not None else "",
        _DISCOUNTED.get(counted_by, ""),
        _GIVEN.get(analysis.verdict, ""),
    ]
    return "; ".join(filter(None, said))


def intervals_text(points: Sequence[Point]) -> str:
    """Say how the interval of a score is made, and that two prompts are few; "" where no score has one."""
    numbers = sorted({len(point.prompts) for point in points if point.score_low is not None})
    if not numbers:
        return ""
    of = f"its {numbers[0]} prompts" if len(numbers) == 1 else f"its prompts ({numbers[0]} to {numbers[-1]})"
    said = f"The interval of a score is Student\u2019s t over the means of {of}"
    if numbers[0] <= 2:
        said += "; over 2 prompts only it is 12.7 standard errors wide to each side, and little more than a hint"
    return said + "."


def why_no_band(cards: Sequence[Card], *, has_scores: bool) -> str:
    """Say why there is no control band, as far as the scores beside the analysis tell it."""
    n = sum(card.control is not None for card in cards)
    if n == 0 and has_scores:
        return "no control arm was scored"
    scored = f"a control arm was scored for {n} concept{'' if n == 1 else 's'}, and a band" if n else "a band"
    return f"{scored} needs the control arms of {MIN_CONTROLS} concepts"


def without_place(fact: str) -> str:
    """Give a fact that is a file or folder by its name alone: a page that is shown to others names no home folder."""
    path, mark, rest = fact.partition(" (sha256")
    return PurePath(path).name + mark + rest if path.startswith("/") else fact


def check_of(check: Covariate, metric: str) -> Figure:
    """Give a check with a plain name, and its figure in its own unit."""
    kind, _, rest = check.name.partition(":")
    number = check.name.removeprefix("without-bin-")
    if check.value is None:
        text = "none"
    elif check.name.startswith("without-bin-"):
        text = count_text(check.value)
    elif check.name.startswith("neighbours"):
        text = score_with_unit(check.value, metric)
    else:
        text = score_text(check.value, "z") if kind == "partial" else statistic_text(check.value)
    if check.name == "neighbours":
        label = "neighbours in count"
    elif kind == "partial" and rest:
        label = f"score against {rest}, counts held fixed"
    elif number != check.name and number.isdecimal() and 1 <= int(number) <= len(_FIFTHS):
        label = f"step without the {_FIFTHS[int(number) - 1]} fifth"
    else:
        label = check.name
    return Figure(label, check.meaning, text)
