"""report.html: one run, alone or beside its baseline, as one self-contained page.

The page holds no script or style from elsewhere, reads well without JavaScript, and blurs every
picture until somebody asks for it. The same input gives the same bytes.
"""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader
from markupsafe import Markup, escape

from copycat.runs.folder import judgements_file
from copycat.runs.pages import Ended, count_rows, flat, strict_environment
from copycat.runs.report_erased import build_erased_figures
from copycat.runs.report_records import Entry, PictureLoader, ReportInput, RunView
from copycat.runs.report_view import build_entries, build_figures
from copycat.schema import BENIGN, MIN_COVERAGE

__all__ = ["PictureLoader", "ReportInput", "RunView", "build_report", "write_report"]

_CSS, _SCRIPTS, _PAGE = "report.css", ("report_grid.js", "report.js"), "report.html.j2"
_TEMPLATES = PackageLoader("copycat")


def build_report(
    report: ReportInput, load_picture: PictureLoader, load_baseline_picture: PictureLoader | None = None
) -> str:
    """Write the page as text. Pure, given the loaders; each picture is loaded and embedded once.

    Args:
        report: What to show.
        load_picture: Gives the bytes of a picture of the run.
        load_baseline_picture: The same for the baseline; `load_picture` if left out.

    Raises:
        DataError: a sample names a character that is not in the set.
    """
    environment = _environment()
    entries = build_entries(report, load_picture, load_baseline_picture or load_picture)
    return environment.get_template(_PAGE).render(_page_values(environment, report, entries))


def write_report(
    path: Path,
    report: ReportInput,
    load_picture: PictureLoader,
    load_baseline_picture: PictureLoader | None = None,
) -> None:
    """Build the page and put it at `path`; a reader sees the old page or the new one, never half of one."""
    page = build_report(report, load_picture, load_baseline_picture)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        unfinished.write_text(page, encoding="utf-8", newline="\n")
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


@cache
def _environment() -> Environment:
    environment = strict_environment(_TEMPLATES)
    environment.filters["broken"] = _broken
    return environment


def _broken(text: str) -> Markup:
    """Let the name of a long mitigation break after its terms and parts."""
    return Markup(re.sub(r"([,+])", r"\1<wbr>", str(escape(text))))  # noqa: S704  # escaped


def _page_values(environment: Environment, report: ReportInput, entries: tuple[Entry, ...]) -> dict[str, Any]:
    """Any: jinja2 takes whatever a template asks for, and StrictUndefined refuses what it lacks."""
    figures = (*build_erased_figures(report), *build_figures(report))
    return {
        "report": report,
        "spec": report.spec,
        "result": report.run.result,
        "baseline": report.baseline.result if report.baseline else None,
        "figures": figures,
        "pooled": {group.metric: group.rows[-1] for group in figures},
        "methods": sorted(_methods(report)),
        "counts": count_rows(_ended(report.run), _ended(report.baseline) if report.baseline else None),
        "entries": entries,
        "anchors": list(dict.fromkeys(strip.anchor for entry in entries for strip in entry.strips)),
        "settings": list(flat(report.spec.model_dump(mode="json"))),
        "environment": list(flat(report.environment)),
        "judgements_file": judgements_file(report.spec),
        "n_seeds": len({sample.repeat for sample in report.run.samples}),
        "min_coverage": MIN_COVERAGE,
        "is_benign": BENIGN in report.spec.anchors,
        "is_video": report.spec.sampling.is_video,
        "css": _source(environment, _CSS),
        "script": "".join(_source(environment, name) for name in _SCRIPTS),
    }


def _source(environment: Environment, name: str) -> str:
    """Give the text of a file beside the template, as it is: braces in CSS are no jinja2."""
    return _TEMPLATES.get_source(environment, name)[0]


def _methods(report: ReportInput) -> set[str]:
    estimates = [*report.run.result.estimates, *report.differences]
    if report.baseline is not None:
        estimates.extend(report.baseline.result.estimates)
    return {estimate.method for estimate in estimates if estimate.value is not None}


def _ended(run: RunView) -> Ended:
    return Ended(run.result.counts, run.samples)
