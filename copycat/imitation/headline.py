"""What an analysis says, in plain words and rounded figures. Pure."""

from __future__ import annotations

import math
from typing import NamedTuple

from copycat.imitation.records import Analysis, Answer

Agreement = str
"""How an answer stands to the bracket: "agrees", "disagrees", or "" where there is nothing to compare."""

NAMES = {
    "supf": "sup-F",
    "sup-f": "sup-F",
    "sup_f": "sup-F",
    "pelt": "PELT",
    "published": "published",
    "isotonic": "isotonic",
    "logistic": "logistic",
}
MEANINGS = {
    "sup-F": "one step between two levels; p by shuffling the scores",
    "PELT": "as many steps as pay for themselves, with a penalty that follows the noise; the first is the answer",
    "published": "the setting of arXiv 2410.15002 (PELT, penalty 0.9, first step); it depends on the scale of the "
    "score, and is shown for comparison only",
    "isotonic": "the best curve that never falls; where it leaves the control band",
    "logistic": "a smooth dose-response; its answer is ED50, where half of the rise is reached",
}
METRICS = {
    "raw": "mean cosine to the references",
    "score": "score",
    "z": "standard deviations of impostors",
    "identified": "share identified, %",
    "matched": "share matched, %",
}
SHARES = ("identified", "matched")
MINUS = "\N{MINUS SIGN}"

COMPARED_ONLY = "published"
"""This estimator is never weighed against the others."""


class Headline(NamedTuple):
    """`title` is one line; `sure` says how sure it is, a sentence each."""

    title: str
    sure: tuple[str, ...]


def headline_of(analysis: Analysis) -> Headline:
    """Say the verdict with its bracket, how sure it is, and the smallest step that could have been found."""
    return Headline(_title(analysis), tuple(_how_sure(analysis)))


def _title(analysis: Analysis) -> str:
    bracket, ed50 = analysis.bracket, _answer(analysis, "logistic")
    if analysis.verdict == "threshold":
        if bracket is not None:
            return f"Imitation starts between {count_range(bracket.last_below, bracket.first_above)} training pictures"
        return "Imitation starts at a threshold"
    if analysis.verdict == "gradual":
        if ed50 is not None and ed50.count is not None:
            return f"Imitation grows gradually; half of it is reached at {count_text(ed50.count)} training pictures"
        return "Imitation grows gradually, without a threshold"
    return {
        "no_change": "No imitation threshold is found in these counts",
        "out_of_range": "The change lies at the edge of these counts, so its place is not known",
        "underpowered": "Too little data to say where imitation starts",
    }[analysis.verdict]


def _how_sure(analysis: Analysis) -> list[str]:
    said = []
    if analysis.bracket is not None:
        low, high = count_text(analysis.bracket.last_below), count_text(analysis.bracket.first_above)
        said.append(f"With 95 % confidence the change lies between these two counts: {low} and {high}.")
    ed50 = _answer(analysis, "logistic")
    if analysis.verdict == "gradual" and ed50 and ed50.count and ed50.low is not None and ed50.high is not None:
        said.append(
            f"Half of the rise is reached at {count_text(ed50.count)} training pictures, with 95 % confidence "
            f"between {count_text(ed50.low)} and {count_text(ed50.high)}."
        )
    for answer in analysis.answers:
        p = answer.statistics.get("p")
        if p is not None and answer.estimator != COMPARED_ONLY:
            said.append(
                f"If counts had nothing to do with scores, as clear a step as this would turn up in {p_text(p)} "
                f"of such studies ({name_of(answer.estimator)})."
            )
            break
    if analysis.smallest_step is not None:
        said.append(
            f"Smallest step that this data could have shown, in 80 of 100 such studies: "
            f"{score_text(analysis.smallest_step, analysis.metric)} ({METRICS[analysis.metric]}). "
            "What is smaller would mostly be missed."
        )
    return said


def _answer(analysis: Analysis, estimator: str) -> Answer | None:
    return next((answer for answer in analysis.answers if answer.estimator == estimator), None)


def name_of(estimator: str) -> str:
    """Give an estimator's name as it stands in tables and plots."""
    return NAMES.get(estimator, estimator)


def agreement_of(answer: Answer, analysis: Analysis) -> Agreement:
    """Say whether an answer, or its interval, reaches into the bracket; both ends count as inside."""
    bracket = analysis.bracket
    if answer.count is None or bracket is None:
        return ""
    low = answer.count if answer.low is None else min(answer.low, answer.count)
    high = answer.count if answer.high is None else max(answer.high, answer.count)
    return "agrees" if low <= bracket.first_above and high >= bracket.last_below else "disagrees"


def overall_agreement(analysis: Analysis) -> str:
    """Say in a sentence whether the estimators agree; "" where fewer than two have an answer."""
    answers = [a for a in analysis.answers if a.count is not None and a.estimator != COMPARED_ONLY]
    if len(answers) < 2:
        return ""
    least, most = (f(answers, key=lambda a: a.count or 0.0) for f in (min, max))
    span = f"from {count_text(least.count or 0.0)} ({name_of(least.estimator)}) to "
    span += f"{count_text(most.count or 0.0)} ({name_of(most.estimator)})"
    apart = [name_of(a.estimator) for a in answers if agreement_of(a, analysis) == "disagrees"]
    if apart:
        return f"The estimators disagree: {', '.join(apart)} outside of the bracket; answers go {span}."
    if analysis.bracket is None:
        return f"There is no bracket to hold the answers against; they go {span}."
    return f"The estimators agree: each reaches into the bracket; answers go {span}."


# ------------------------------------------------------------------------------------------- rounded figures


def count_text(count: float) -> str:
    """Give a number of training pictures: whole from 10 on, with one decimal below where it is no whole number."""
    if math.isinf(count):
        return "∞" if count > 0 else f"{MINUS}∞"
    if count >= 10 or count == round(count):
        return f"{round(count):,}"
    return f"{count:.1f}"


def count_range(low: float, high: float) -> str:
    """Give both ends of a range of counts, to be read after 'between'."""
    return f"{count_text(low)} and {count_text(high)}"


def score_text(score: float, metric: str) -> str:
    """Give a score in the unit of its metric: per cent for shares, two decimals for z, else three."""
    if metric in SHARES:
        return f"{100 * score + 0.0:.1f}"
    text = f"{score:.2f}" if metric == "z" or abs(score) >= 100 else f"{score:.3f}"
    return MINUS + text[1:] if text.startswith("-") and float(text) else text.removeprefix("-")


def p_text(p: float) -> str:
    """Give a p value in per cent, with as many decimals as say something."""
    return f"{100 * p:.2g} %" if p < 0.1 else f"{100 * p:.0f} %"


def statistic_text(value: float | None) -> str:
    """Give an estimator's own figure with four significant digits."""
    if value is None:
        return "none"
    if value and (abs(value) >= 1e5 or abs(value) < 1e-4):
        return f"{value:.2e}"
    text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return text.replace("-", MINUS)
