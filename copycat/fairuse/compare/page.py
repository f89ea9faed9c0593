"""A comparison as one page: nothing from elsewhere, readable without JavaScript, the same bytes each time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader

from copycat.fairuse.compare.figures import CANONICAL_MEANING, FIGURES, SPAN_MEANING, UNIT_MEANING, headline_of
from copycat.fairuse.compare.layout import lay_out
from copycat.fairuse.compare.marks import Mark, Place, marks_of
from copycat.fairuse.compare.withheld import WithheldComparison, WithheldPlace
from copycat.fairuse.metrics import Background
from copycat.fairuse.records import GridCell, TextComparison
from copycat.runs.pages import strict_environment

_TEMPLATES = PackageLoader("copycat")

STYLES = ("imitation/tokens.css", "imitation/page.css", "fairuse/compare.css")

MOST_ROWS, BEGINNING_LETTERS = 100, 80

MOST_TICKS = 400
"""Marks that the two strips show; of more, the longest."""


class Texts(NamedTuple):
    """Two texts and what they are called."""

    output_name: str
    output: str
    work_name: str
    work: str


def build_page(
    texts: Texts,
    comparison: TextComparison,
    background: Background | None = None,
    grid: Sequence[GridCell] = (),
) -> str:
    """Write the page of an output and a work whose text is there. Pure.

    Args:
        grid: of `metrics.recall_grid`, to be shown below the figures.
    """
    marks = marks_of(comparison, texts.output, background)
    return _render(
        "compare.html.j2",
        texts=texts,
        raw=comparison.raw,
        canonical=comparison.canonical,
        headline=headline_of(comparison.canonical),
        gain=comparison.evasion_gain,
        figures=[f for f in FIGURES if f.field != "discounted_runs" or background is not None],
        sides=lay_out(texts.output, texts.work, marks),
        marks=marks,
        rows=_rows(marks, texts),
        ticks=_ticks(marks, len(texts.output), len(texts.work)),
        about=(UNIT_MEANING, SPAN_MEANING, CANONICAL_MEANING),
        grid={(cell.max_gap, cell.min_span): cell.recall for cell in grid},
        gaps=sorted({cell.max_gap for cell in grid}),
        lengths=sorted({cell.min_span for cell in grid}),
    )


def build_withheld_page(output_name: str, output: str, found: WithheldComparison) -> str:
    """Write the page of an output and a withheld work: its places in the output, and no letter of the work. Pure."""
    marks = [_mark_of(number, place) for number, place in enumerate(found.places, start=1)]
    return _render(
        "compare_withheld.html.j2",
        output_name=output_name,
        found=found,
        marks=list(zip(marks, found.places, strict=True)),
        side_pieces=lay_out(output, "", marks).output,
        ticks=_ticks(marks, len(output), 1),
    )


def _mark_of(number: int, place: WithheldPlace) -> Mark:
    here = (place.output_start, place.output_end)
    return Mark(number, "span", here, (0, 0), place.letters, place.letters, (here,), ())


def _rows(marks: Sequence[Mark], texts: Texts) -> list[dict[str, Any]]:
    """List the longest marks, in the order of the output."""
    return [
        {
            "mark": mark,
            "kind": mark.kind_name,
            "output_at": _at(mark.output, texts.output),
            "work_at": _at(mark.reference, texts.work),
            "begins": _beginning(texts.output[slice(*mark.output)]),
        }
        for mark in sorted(sorted(marks, key=lambda mark: -mark.words)[:MOST_ROWS])
    ]


def _at(place: Place, text: str) -> str:
    first, last = (round(100 * letter / max(1, len(text))) for letter in place)
    return f"{first} %" if first == last else f"{first} to {last} %"


def _beginning(text: str) -> str:
    line = " ".join(text[: 4 * BEGINNING_LETTERS].split())
    return line if len(line) <= BEGINNING_LETTERS else line[:BEGINNING_LETTERS].rsplit(" ", 1)[0] + " …"


def _render(name: str, **values: Any) -> str:  # Any: jinja2 takes whatever a template asks for
    environment = _environment()
    return environment.get_template(f"fairuse/{name}").render(
        css="".join(_source(environment, file) for file in STYLES),
        script=_source(environment, "fairuse/compare.js"),
        **values,
    )


def _ticks(marks: Sequence[Mark], output: int, reference: int) -> list[tuple[Mark, float, float, float, float]]:
    """Say where marks lie along both texts, in per cent: start and width in each."""
    shown = sorted(sorted(marks, key=lambda mark: -mark.words)[:MOST_TICKS])
    return [
        (
            mark,
            100 * mark.output[0] / max(1, output),
            100 * (mark.output[1] - mark.output[0]) / max(1, output),
            100 * mark.reference[0] / max(1, reference),
            100 * (mark.reference[1] - mark.reference[0]) / max(1, reference),
        )
        for mark in shown
    ]


def _environment() -> Environment:
    environment = strict_environment(_TEMPLATES)
    environment.filters.update(percent=lambda share: f"{100 * share:.1f} %", count=lambda number: f"{number:,}")
    return environment


def _source(environment: Environment, name: str) -> str:
    """Give the text of a file beside the templates, as it is: braces in CSS are no jinja2."""
    return _TEMPLATES.get_source(environment, name)[0]
