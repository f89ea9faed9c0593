"""The page of a card: the score in its parts, what the records say, whom filters hit, what laws ask for."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader

from copycat.provenance.datasheet.fields import card_fields
from copycat.provenance.datasheet.report import CardReport, best_next
from copycat.runs.pages import strict_environment

MOST_ROWS = 200
"""Rows of filters that a page shows: flagged ones first, then those that keep least."""

_TEMPLATES = PackageLoader("copycat")


def build_page(report: CardReport) -> str:
    """Write the page: one self-contained file."""
    environment = strict_environment(_TEMPLATES)
    environment.filters["percent"] = lambda share: f"{100 * share:.1f}\N{NARROW NO-BREAK SPACE}%"
    environment.filters["number"] = lambda number: f"{number:,}"
    rows = sorted(report.filters, key=lambda row: (not row.is_flagged, row.share))
    return environment.get_template("provenance/card.html.j2").render(
        report=report,
        best_next=best_next(report),
        sections=card_fields().sections,
        filters=rows[:MOST_ROWS],
        n_filters=len(rows),
        css="".join(
            _source(environment, name) for name in ("imitation/tokens.css", "imitation/page.css", "provenance/card.css")
        ),
    )


def _source(environment: Environment, name: str) -> str:
    """Give the text of a file beside the templates, as it is: braces in CSS are no jinja2."""
    return _TEMPLATES.get_source(environment, name)[0]
