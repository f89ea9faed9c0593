"""The end of a study: report.json and report.html, one self-contained page, of whatever its folder holds.

Only analysis.json is needed. The page holds no script or style from elsewhere, reads well without JavaScript, and
the same folder gives the same bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader

from copycat.imitation.records import PAGE_FILE, REPORT_FILE, Analysis, Answer, Bracket, Covariate, Point
from copycat.imitation.report import plot
from copycat.imitation.report.cards import Card, build_cards, summarise_counts
from copycat.imitation.report.pictures import CardPicture
from copycat.imitation.report.reading import Study
from copycat.imitation.report.wording import (
    HOW_COUNTED,
    check_of,
    differences_text,
    figures_of,
    intervals_text,
    terms_of,
    why_no_band,
    without_place,
)
from copycat.imitation.threshold import headline
from copycat.imitation.threshold.estimators import row_of
from copycat.runs.folder import write_bytes, write_json
from copycat.runs.pages import strict_environment
from copycat.schema import SCHEMA_VERSION, Record

_TEMPLATES = PackageLoader("copycat")
_FOLDER = "imitation/"

MAX_OPEN, FIRST_OPEN = 24, 12
"""More cards than the first number, and all but the second, spread over them, are folded away."""

VERDICTS = {
    "threshold": "scores change by a step that chance does not explain",
    "gradual": "scores grow, but no step fits better than a smooth rise",
    "no_change": "scores do not grow with counts by more than chance",
    "out_of_range": "the change lies among the first or last few concepts",
    "underpowered": "a change that matters could have been missed",
}
COUNT_MEANINGS = {
    "raw": "captions that name the concept",
    "exact": "without exact duplicates",
    "near": "without near duplicates",
    "count": "what the curve is drawn over",
}


class ReportedAnswer(Record):
    """An answer without its curve; `agreement` with the bracket is "agrees", "disagrees", or "" without a bracket."""

    estimator: str
    count: float | None
    low: float | None
    high: float | None
    agreement: str
    reason: str


class Report(Record):
    """report.json: what the page says, for programs. Curves and points are in analysis.json.

    `counted` says what a count is a number of; "" where nothing tells it. `files` names the tables that were read.
    """

    schema_version: int = SCHEMA_VERSION
    headline: str
    verdict: str
    why: str
    counted: str
    sure: tuple[str, ...]
    bracket: Bracket | None
    smallest_step: float | None
    metric: str
    answers: tuple[ReportedAnswer, ...]
    agreement: str
    cards: tuple[Card, ...]
    covariates: tuple[Covariate, ...]
    left_out: dict[str, str]
    warnings: tuple[str, ...]
    files: dict[str, str]
    facts: dict[str, str]


def build_report(study: Study) -> Report:
    """Say what a study says. Pure."""
    analysis, said = study.analysis, headline.headline_of(study.analysis)
    cards = build_cards(analysis, study.tables)
    return Report(
        headline=said.title,
        verdict=analysis.verdict,
        why=analysis.why,
        counted=_how_counted(study, cards),
        sure=said.sure,
        bracket=analysis.bracket,
        smallest_step=analysis.smallest_step,
        metric=analysis.metric,
        answers=tuple(_reported(answer, analysis) for answer in analysis.answers),
        agreement=headline.overall_agreement(analysis),
        cards=cards,
        covariates=analysis.covariates,
        left_out=analysis.left_out,
        warnings=study.warnings,
        files=analysis.files,
        facts={name: without_place(fact) for name, fact in study.facts.items()},
    )


def _counted_by(study: Study, cards: Sequence[Card]) -> str:
    """Name the count that is used, as the count stage tells it, else by what counts are equal to.

    "" where nothing tells it, or where the analysis does not follow from the counts beside it.
    """
    if study.changed:
        return ""
    is_raw = bool(cards) and all(card.raw == card.count for card in cards)
    return study.facts.get("counts.count", "raw" if is_raw else "")


def _how_counted(study: Study, cards: Sequence[Card]) -> str:
    """Say what a training picture is counted by."""
    said = HOW_COUNTED.get(_counted_by(study, cards), "")
    if not said:
        return ""
    if "counts.verified" in study.facts:
        said += " Counts are corrected by a sample of pictures that was looked at."
    return said + (" They are scaled to another corpus." if "counts.scaled_to" in study.facts else "")


def _reported(answer: Answer, analysis: Analysis) -> ReportedAnswer:
    return ReportedAnswer(
        estimator=answer.estimator,
        count=answer.count,
        low=answer.low,
        high=answer.high,
        agreement=headline.agreement_of(answer, analysis),
        reason=answer.reason,
    )


def write_report(folder: Path, study: Study, pictures: Mapping[str, Sequence[CardPicture]] | None = None) -> Report:
    """Write report.json and report.html, with `pictures` by concept, into the folder of a study."""
    report = build_report(study)
    write_json(folder / REPORT_FILE, report.model_dump(mode="json"))
    write_bytes(folder / PAGE_FILE, build_page(study, report, pictures or {}).encode("utf-8"))
    return report


def build_page(study: Study, report: Report, pictures: Mapping[str, Sequence[CardPicture]]) -> str:
    """Write the page as text. Pure."""
    analysis = study.analysis
    environment = _environment(analysis)
    names = {concept.id: concept.name for concept in study.tables.concepts}
    is_open = _open_places(len(report.cards))
    return environment.get_template(_FOLDER + "page.html.j2").render(
        analysis=analysis,
        report=report,
        cards=report.cards,
        open_cards=[card for place, card in enumerate(report.cards) if place in is_open],
        folded_cards=[card for place, card in enumerate(report.cards) if place not in is_open],
        pictures=pictures,
        has_pictures=any(pictures.values()),
        why_no_band=why_no_band(report.cards, has_scores=bool(study.tables.scores)),
        score_intervals=intervals_text(analysis.points),
        terms=terms_of(analysis),
        differences=differences_text(analysis, _counted_by(study, report.cards)),
        counts=summarise_counts(report.cards),
        answers=[_answer_row(answer, analysis) for answer in analysis.answers],
        left_out=[(names.get(concept, concept), reason) for concept, reason in analysis.left_out.items()],
        warnings=report.warnings,
        sides=Counter(above=0, below=0, uncertain=0) + Counter(placed.side for placed in analysis.placed),
        broad=plot.draw(analysis, names),
        narrow=plot.draw(analysis, names, plot.NARROW),
        metric=headline.METRIC_WORDS[analysis.metric],
        tile=headline.tile_of(analysis),
        checks=[(check_of(check, analysis.metric), check.n) for check in analysis.covariates],
        has_intervals=any(map(_has_interval, analysis.points)),
        verdicts=VERDICTS,
        is_sandbox="sandbox" in report.facts.values(),
        count_meanings=COUNT_MEANINGS,
        css="".join(_source(environment, name) for name in ("tokens.css", "plot.css", "page.css")),
        script=_source(environment, "page.js"),
    )


def _open_places(n: int) -> set[int]:
    """Give which of n cards are open: all, or of many some from the first to the last."""
    return set(range(n)) if n <= MAX_OPEN else {round(k * (n - 1) / (FIRST_OPEN - 1)) for k in range(FIRST_OPEN)}


def _has_interval(point: Point) -> bool:
    ends = ((point.count_low, point.count_high), (point.score_low, point.score_high))
    return any(low is not None and high is not None and low < high for low, high in ends)


def build_plot(study: Study) -> str:
    """Give the curve alone, as an SVG file of its own that follows the reader's light or dark theme. Pure."""
    environment = _environment(study.analysis)
    names = {concept.id: concept.name for concept in study.tables.concepts}
    text = environment.get_template(_FOLDER + "plot_alone.svg.j2").render(
        plot=plot.draw(study.analysis, names),
        y_name=headline.METRIC_WORDS[study.analysis.metric].axis,
        title=headline.headline_of(study.analysis).title,
        css="".join(_source(environment, name) for name in ("tokens.css", "plot.css")),
    )
    return text.strip() + "\n"


def _answer_row(answer: Answer, analysis: Analysis) -> dict[str, Any]:
    row = row_of(answer.estimator)
    return {
        "answer": answer,
        "name": row.title,
        "tone": row.tone,
        "meaning": row.meaning,
        "is_comparison": row.is_comparison,
        "agreement": headline.agreement_of(answer, analysis),
        "figures": figures_of(answer, analysis),
    }


def _environment(analysis: Analysis) -> Environment:
    environment = strict_environment(_TEMPLATES)
    scale = plot.score_scale(analysis, 0.0, 100.0)
    environment.filters.update(
        px=lambda value: f"{value:.1f}",
        count=headline.count_text,
        score=partial(headline.score_text, metric=analysis.metric),
        statistic=headline.statistic_text,
        along=scale.place,
    )
    return environment


def _source(environment: Environment, name: str) -> str:
    """Give the text of a file beside the templates, as it is: braces in CSS are no jinja2."""
    return _TEMPLATES.get_source(environment, _FOLDER + name)[0]
