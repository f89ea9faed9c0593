"""What an analysis says, in plain words and rounded figures. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from copycat.imitation.records import Analysis, Answer, Point
from copycat.imitation.threshold.estimators import row_of
from copycat.imitation.threshold.steps import MIN_SEGMENT, is_least_chance

Agreement = str
"""How an answer stands to the bracket: "agrees", "disagrees", or "" where there is nothing to compare."""

SHARES = ("identified", "matched")
MINUS, DASH = "\N{MINUS SIGN}", "\N{EN DASH}"

BARE_MENTION, POSITIVE = 2, 6
"""Differences of BIC below which one shape is hardly better than another, and not strongly so."""
BRACKET_OF = "a bracket is given for a step only"
NOT_KNOWN = "not known"


class Metric(NamedTuple):
    """One metric: on an axis, after a figure in brackets, and in 'each sign is a concept: its count, and ...'."""

    axis: str
    unit: str
    asks: str


METRIC_WORDS = {
    "raw": Metric(
        "mean cosine to the references",
        "mean cosine to the references",
        "how alike its generations are to its references (mean cosine)",
    ),
    "z": Metric(
        "likeness, in standard deviations of impostors",
        "standard deviations of impostors",
        "how alike its generations are to its references, in standard deviations of impostors (the same "
        "generations against the references of others)",
    ),
    "identified": Metric(
        "share identified, %",
        "percentage points of the share identified",
        "what share of its generations is nearer to its references than to those of any other",
    ),
    "matched": Metric(
        "share matched, %",
        "percentage points of the share matched",
        "what share of its generations is more alike to its references than the match threshold asks",
    ),
    "score": Metric("score", "in the unit of the scores given", "its score, as the file of scores gives it"),
}


class Tile(NamedTuple):
    """One figure under the headline: what it is, the figure, and its unit and meaning."""

    term: str
    figure: str
    meaning: str
    is_bracket: bool = False


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
            return f"Imitation grows gradually; half of it is reached at {pictures_text(ed50.count)}"
        return "Imitation grows gradually, without a threshold"
    if analysis.verdict == "underpowered" and analysis.smallest_step is None:
        return _too_little(analysis.points)
    return {
        "no_change": "No imitation threshold is found in these counts",
        "out_of_range": "The change lies at the edge of these counts, so its place is not known",
        "underpowered": "Too little data to say where imitation starts",
    }[analysis.verdict]


def _too_little(points: Sequence[Point]) -> str:
    n = len(points)
    if n == 0:
        return "No concept has a count and a score"
    if n == 1:
        return "One concept has no curve"
    if n < 2 * MIN_SEGMENT:
        return f"{n} concepts; at least {2 * MIN_SEGMENT} are needed"
    if len({point.count for point in points}) == 1:
        return "All concepts have the same count, so nothing can be said of counts"
    return "So many concepts share a count that no step can be placed"


def _how_sure(analysis: Analysis) -> list[str]:
    said = []
    if analysis.bracket is not None:
        low, high = count_text(analysis.bracket.last_below), count_text(analysis.bracket.first_above)
        said.append(f"With 95 % confidence the change lies between these two counts: {low} and {high}.")
    said += _how_alike(analysis)
    if analysis.verdict == "gradual":
        said += _how_gradual(analysis)
    for answer in analysis.answers:
        p = answer.statistics.get("p")
        if p is not None and not row_of(answer.estimator).is_comparison:
            share = ("fewer than " if is_least_chance(p, analysis.permutations) else "") + p_text(p)
            said.append(
                f"If counts had nothing to do with scores, as clear a step as this would turn up in {share} "
                f"of such studies ({name_of(answer.estimator)})."
            )
            break
    if analysis.smallest_step is not None:
        said.append(
            f"Smallest step that this data could have shown, in 80 of 100 such studies: "
            f"{score_text(analysis.smallest_step, analysis.metric)} ({METRIC_WORDS[analysis.metric].unit}). "
            "What is smaller would mostly be missed."
        )
    return said


def _how_alike(analysis: Analysis) -> list[str]:
    """Say that a step and a smooth rise fit about alike, by the grades of Kass & Raftery 1995, JASA 90:773."""
    step, smooth = _answer(analysis, "supf"), _answer(analysis, "logistic")
    if step is None or smooth is None or analysis.verdict not in {"threshold", "gradual"}:
        return []
    of_step = step.statistics.get("bic")
    of_smooth = [bic for name in ("bic_smooth", "bic_line") if (bic := smooth.statistics.get(name)) is not None]
    if of_step is None or not of_smooth:
        return []
    gap = abs(min(of_smooth) - of_step)
    if gap < BARE_MENTION:
        return [
            f"But the two fit almost alike: BIC differs by {gap:.1f}, and under {BARE_MENTION} is worth "
            "no more than a bare mention (Kass & Raftery 1995). These scores cannot tell which it is."
        ]
    if gap < POSITIVE:
        better, other = ("a step", "a smooth rise") if analysis.verdict == "threshold" else ("a smooth rise", "a step")
        return [
            f"That {better} fits better than {other} is likely, and not certain: BIC differs by {gap:.1f} "
            f"({BARE_MENTION} to {POSITIVE} is positive evidence, not strong; Kass & Raftery 1995)."
        ]
    return []


def _how_gradual(analysis: Analysis) -> list[str]:
    """Say where half of a smooth rise lies, and where it begins and ends; nothing is named that was not observed."""
    found, said = _answer(analysis, "logistic"), []
    if found is None:
        return []
    if found.count is not None and found.low is not None and found.high is not None:
        said.append(
            f"Half of the rise is reached at {pictures_text(found.count)}, with 95 % confidence "
            f"between {count_range(found.low, found.high)}.{_at_the_end(found.low, found.high, analysis)}"
        )
    if found.count is None and found.reason:
        said.append(f"{found.reason[0].upper()}{found.reason[1:]}.")
    if "ed10" in found.statistics and "ed90" in found.statistics:
        ends = [found.statistics[name] for name in ("ed10", "ed90")]
        said.append(_where_it_rises(ends[0], ends[1], analysis.points))
    return said


def _where_it_rises(ed10: float | None, ed90: float | None, points: Sequence[Point]) -> str:
    before, after = outside(ed10, points), outside(ed90, points)
    if not before and not after:
        return f"The rise goes from 10 % to 90 % between {count_range(ed10 or 0.0, ed90 or 0.0)} training pictures."
    if not before:
        return f"90 % of the rise lies {after}: the curve still rises there, so its beginning is {NOT_KNOWN}."
    last = f"lies {after}" if after else f"is reached at {pictures_text(ed90 or 0.0)}"
    return f"10 % of the rise lies {before}; 90 % {last}."


def dose_text(name: str, answer: Answer, points: Sequence[Point]) -> str:
    """Give ED10 or ED90; ED10 is a share of a rise, and not known where the end of that rise was not seen."""
    value, ed90 = answer.statistics.get(name), answer.statistics.get("ed90")
    beyond = outside(value, points)
    if name == "ed10" and not beyond and outside(ed90, points):
        return NOT_KNOWN
    return beyond or count_text(value or 0.0)


def _at_the_end(low: float, high: float, analysis: Analysis) -> str:
    """Say that an interval ends where the counts do, for nothing is known beyond them."""
    seen = [point.count for point in analysis.points]
    if not seen:
        return ""
    few = [] if low > min(seen) + 1e-6 * (1 + min(seen)) else ["smallest"]
    ends = few if high < max(seen) * (1 - 1e-6) else [*few, "largest"]
    return f" It ends at the {' and the '.join(ends)} count, and may go on beyond." if ends else ""


def tile_of(analysis: Analysis) -> Tile:
    """Give what stands first under the headline: the bracket of a step, or the middle of a smooth rise."""
    bracket, ed50 = analysis.bracket, _answer(analysis, "logistic")
    if bracket is not None:
        ends = f"{count_text(bracket.last_below)} {DASH} {count_text(bracket.first_above)}"
        what = "training pictures: from the last count below the change to the first above it"
        return Tile("bracket, 95 %", ends, what, is_bracket=True)
    if analysis.verdict == "threshold":
        return Tile("bracket, 95 %", "none", "no change could be bounded")
    if analysis.verdict != "gradual":
        return Tile("bracket, 95 %", "none", BRACKET_OF)
    if ed50 is None or ed50.count is None:
        return Tile("half of the rise (ED50)", "not known", f"no place within these counts; {BRACKET_OF}")
    has_interval = ed50.low is not None and ed50.high is not None
    interval = f"95 % between {count_range(ed50.low or 0.0, ed50.high or 0.0)}; " if has_interval else ""
    return Tile("half of the rise (ED50)", count_text(ed50.count), f"training pictures, {interval}{BRACKET_OF}")


def _answer(analysis: Analysis, estimator: str) -> Answer | None:
    return next((answer for answer in analysis.answers if answer.estimator == estimator), None)


def outside(count: float | None, points: Sequence[Point]) -> str:
    """Say that a count lies outside of those that were observed; "" where it does not. None is beyond every count."""
    seen = [point.count for point in points]
    if count is None:
        return f"above the largest count, {count_text(max(seen))}" if seen else "beyond every count"
    if seen and count < min(seen):
        return f"below the smallest count, {count_text(min(seen))}"
    if seen and count > max(seen):
        return f"above the largest count, {count_text(max(seen))}"
    return ""


def name_of(estimator: str) -> str:
    """Give an estimator's name as it stands in tables and plots."""
    return row_of(estimator).title


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
    answers = [a for a in analysis.answers if a.count is not None and not row_of(a.estimator).is_comparison]
    if len(answers) < 2:
        return ""
    least, most = (f(answers, key=lambda a: a.count or 0.0) for f in (min, max))
    ends = [f"{count_text(answer.count or 0.0)} ({name_of(answer.estimator)})" for answer in (least, most)]
    span = (
        f"go from {ends[0]} to {ends[1]}" if least.count != most.count else f"are all {count_text(least.count or 0.0)}"
    )
    apart = [name_of(a.estimator) for a in answers if agreement_of(a, analysis) == "disagrees"]
    if apart:
        return f"The estimators disagree: {', '.join(apart)} outside of the bracket; answers {span}."
    if analysis.bracket is None:
        why = "No change could be bounded" if analysis.verdict == "threshold" else "A bracket is given for a step only"
        return f"{why}, so the answers are held against none; they {span}."
    return f"The estimators agree: each reaches into the bracket; answers {span}."


# ------------------------------------------------------------------------------------------- rounded figures


def count_text(count: float) -> str:
    """Give a number of training pictures: whole from 10 on, with one decimal below where that is not 0."""
    if math.isinf(count):
        return "∞" if count > 0 else f"{MINUS}∞"
    return f"{round(count):,}" if count >= 10 else f"{count:.1f}".removesuffix(".0")


def count_range(low: float, high: float) -> str:
    """Give both ends of a range of counts, to be read after 'between'."""
    return f"{count_text(low)} and {count_text(high)}"


def pictures_text(count: float) -> str:
    """Give a number of training pictures with its noun."""
    text = count_text(count)
    return f"{text} training picture{'' if text == '1' else 's'}"


def concepts_text(n: int) -> str:
    """Give a number of concepts with its noun."""
    return f"{n:,} concept{'' if n == 1 else 's'}"


def score_text(score: float, metric: str) -> str:
    """Give a score in the unit of its metric: per cent for shares, two decimals for z, else three."""
    if metric in SHARES:
        text = f"{100 * score:.1f}"
    else:
        text = f"{score:.2f}" if metric == "z" or abs(score) >= 100 else f"{score:.3f}"
    return MINUS + text[1:] if text.startswith("-") and float(text) else text.removeprefix("-")


def score_with_unit(score: float, metric: str) -> str:
    """Give a score as `score_text` does, with the sign of per cent where it is one."""
    return score_text(score, metric) + (" %" if metric in SHARES else "")


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
