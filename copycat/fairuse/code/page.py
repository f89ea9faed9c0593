"""The page of a comparison of code: spans side by side, each with licence and duty. One self-contained file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, PackageLoader

from copycat.fairuse.code.duties import DUTY_TEXTS
from copycat.fairuse.code.records import CodeHit, CodeOutput, CodeReport, CodeSpan
from copycat.runs.pages import strict_environment

MARGIN, MAX_LINES = 2, 120
"""Lines shown around a span, and at most of one span."""

_TEMPLATES = PackageLoader("copycat")


class Line(NamedTuple):
    """A line of code with its number; whether the span runs through it."""

    number: int
    text: str
    is_shared: bool


class Side(NamedTuple):
    """What is shown of one file; `left_out` lines of the span are not."""

    lines: Sequence[Line]
    left_out: int


class Pair(NamedTuple):
    """A span in both files."""

    span: CodeSpan
    output: Side
    file: Side


def build_page(report: CodeReport, texts: Mapping[str, str], corpus: Path, threshold: float) -> str:
    """Write the page. Reads the files of the corpus that are shown.

    Args:
        texts: the code of each output, by its name in the report.
        threshold: hits whose share lies below it are folded away.
    """
    environment = strict_environment(_TEMPLATES)
    environment.filters["share"] = lambda share: f"{100 * share:.1f}\N{NARROW NO-BREAK SPACE}%"
    environment.filters["number"] = lambda number: f"{number:,}"
    return environment.get_template("fairuse/code.html.j2").render(
        report=report,
        pairs=lambda output, hit: _pairs(output, hit, texts, corpus),
        threshold=threshold,
        duty_texts=DUTY_TEXTS,
        css="".join(_source(environment, name) for name in ("imitation/tokens.css", "imitation/page.css"))
        + _source(environment, "fairuse/code.css"),
    )


def _pairs(output: CodeOutput, hit: CodeHit, texts: Mapping[str, str], corpus: Path) -> list[Pair]:
    mine = texts[output.output].splitlines()
    try:
        theirs = (corpus / hit.file).read_text(encoding="utf-8-sig", errors="replace").splitlines()
    except OSError:
        theirs = []
    return [
        Pair(
            span,
            _side(mine, span.output_first_line, span.output_last_line),
            _side(theirs, span.file_first_line, span.file_last_line),
        )
        for span in sorted(hit.spans, key=lambda span: -span.tokens)
    ]


def _side(lines: Sequence[str], first: int, last: int) -> Side:
    shown_last = min(last, first + MAX_LINES - 1)
    numbers = range(max(1, first - MARGIN), min(len(lines), shown_last + MARGIN * (shown_last == last)) + 1)
    return Side([Line(n, lines[n - 1], first <= n <= last) for n in numbers], last - shown_last)


def _source(environment: Environment, name: str) -> str:
    """Give the text of a file beside the templates, as it is: braces in CSS are no jinja2."""
    return _TEMPLATES.get_source(environment, name)[0]
