"""A report as one self-contained page: what was found, where, and what to do; then every rule, and how to read it."""

from __future__ import annotations

import re
from typing import NamedTuple

from jinja2 import Environment, PackageLoader

from copycat.provenance.check.fingerprints import fingerprints
from copycat.provenance.check.sarif import rule_text
from copycat.provenance.records import SEVERITIES, CheckReport, Finding, Severity
from copycat.runs.pages import strict_environment

_TEMPLATES = PackageLoader("copycat")
STYLES = ("imitation/tokens.css", "imitation/page.css", "provenance/check.css")

MEANINGS: dict[Severity, str] = {
    "error": "contradicts itself, is broken, is denied, or is asked for by law: the check does not pass with one",
    "warning": "not documented, or not clear: a person has to look at it",
    "note": "good to know; nothing has to be done",
}

OUTCOMES = {
    "found": "found",
    "passed": "nothing found",
    "not-applicable": "nothing to check",
    "not-checked": "not checked",
}


_UNSEEN = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
"""Letters that steer, turn or hide text, as a name of a file may hold; a page spells them out."""


class Shown(NamedTuple):
    """A finding with its name, and the title of its rule."""

    finding: Finding
    name: str
    title: str


def build_page(report: CheckReport, version: str) -> str:
    """Write the page."""
    environment = strict_environment(_TEMPLATES)
    environment.filters["number"] = lambda number: f"{number:,}"
    environment.filters["sentence"] = lambda text: text if text.endswith((".", "!", "?")) else f"{text}."
    titles = {outcome.rule: outcome.title for outcome in report.outcomes}
    named = fingerprints(report.findings)
    shown = [Shown(one, name, titles[one.rule]) for one, name in zip(report.findings, named, strict=True)]
    page = environment.get_template("provenance/check.html.j2").render(
        report=report,
        version=version,
        counting=[one for one in shown if not one.finding.ignored],
        ignored=[one for one in shown if one.finding.ignored],
        severities=[(severity, report.count(severity), MEANINGS[severity]) for severity in SEVERITIES],
        n_passed=sum(outcome.status == "passed" for outcome in report.outcomes),
        n_idle=sum(outcome.status == "not-applicable" for outcome in report.outcomes),
        words=OUTCOMES,
        first_names={outcome.rule: _first(outcome.rule, shown) for outcome in report.outcomes},
        worst={outcome.rule: _worst(outcome.findings) for outcome in report.outcomes},
        about={outcome.rule: rule_text(outcome.rule).split("\n\n") for outcome in report.outcomes},
        css="".join(_source(environment, name) for name in STYLES),
    )
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", page)


def _first(rule: str, shown: list[Shown]) -> str:
    """Name the finding that a rule's mark leads to: the gravest that counts, else an ignored one; "" for none."""
    of_rule = sorted((one for one in shown if one.finding.rule == rule), key=lambda one: bool(one.finding.ignored))
    return of_rule[0].name if of_rule else ""


def _worst(findings: tuple[Finding, ...]) -> str:
    """Name what the rule's mark shows: the gravest severity that counts, or that all are ignored."""
    counting = [finding.severity for finding in findings if not finding.ignored]
    return min(counting, key=SEVERITIES.index) if counting else "ignored" if findings else ""


def _source(environment: Environment, name: str) -> str:
    """Give the text of a file beside the templates, as it is: braces in CSS are no jinja2."""
    return _TEMPLATES.get_source(environment, name)[0]
