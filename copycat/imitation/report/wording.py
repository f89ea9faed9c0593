"""Words for the figures of estimators and checks, so that nobody has to know their names. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from copycat.imitation.records import Answer, Covariate, Point
from copycat.imitation.threshold.headline import count_text, outside, score_text, score_with_unit, statistic_text

HOW_COUNTED = {
    "raw": "A training picture is counted for each caption that names the concept: equal pictures count each, and "
    "pictures that no caption names are missed.",
    "exact": "Counted are different pictures whose caption names the concept; pictures that no caption names are "
    "missed.",
    "near": "Counted are pictures whose caption names the concept, near duplicates once; pictures that no caption "
    "names are missed.",
}
"""What a count is a number of, by the count that is used."""


class Figure(NamedTuple):
    """A figure as it is shown: a plain label, what it means, and its text."""

    label: str
    meaning: str
    text: str


_STATISTICS = {
    "f": ("clearness of the step (F)", "what one step explains, to what it leaves; larger is clearer"),
    "p": ("chance (p)", "share of shuffled studies with a step as clear"),
    "rise": ("height of the step", "mean score above it, less the mean score below"),
    "bic": ("misfit (BIC)", "of step or smooth rise, with a price for each parameter; the lowest fits best"),
    "bic_smooth": ("misfit of a gentle rise (BIC)", "of the best smooth rise that is no step in disguise"),
    "penalty": ("price of a step", "what a step has to explain to be counted"),
    "noise": ("noise", "standard deviation of scores about their curve"),
    "steps": ("steps", "how many steps pay for themselves, up or down"),
    "band": ("top of the control band", "the upper bound of scores without imitation"),
    "lower": ("level before", "the score that the curve comes from"),
    "upper": ("level after", "the score that the curve goes to"),
    "slope": ("steepness", "of the smooth rise, per factor of ten in count + 1"),
    "ed10": ("10 % of the rise (ED10)", "the count at which a tenth of the rise is reached"),
    "ed90": ("90 % of the rise (ED90)", "the count at which nine tenths of the rise are reached"),
}
_DOSES = ("ed10", "ed90")
_IN_SCORES = ("rise", "noise", "band", "lower", "upper")
_FIFTHS = ("first", "second", "third", "fourth", "last")


def figures_of(answer: Answer, metric: str, points: Sequence[Point]) -> list[Figure]:
    """Give an estimator's own figures in the order of the words above; other names stand as they are, at the end."""
    order = {name: at for at, name in enumerate(_STATISTICS)}
    shown = []
    for name, value in sorted(answer.statistics.items(), key=lambda each: order.get(each[0], len(order))):
        label, meaning = _STATISTICS.get(name, (name, ""))
        if name in _DOSES:
            text = outside(value, points) or count_text(value or 0.0)
        elif name in _IN_SCORES and value is not None:
            text = score_with_unit(value, metric)
        else:
            text = statistic_text(value)
        shown.append(Figure(label, meaning, text))
    return shown


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
