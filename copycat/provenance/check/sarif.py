"""A report as SARIF 2.1.0, the form that code scanning takes.

Source: OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0 Plus Errata 01" (28 August 2023); and
what GitHub code scanning reads of it (rules with help, one location a result, partialFingerprints).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from copycat.provenance.check.fingerprints import fingerprints
from copycat.provenance.records import CheckReport, Evidence, Finding, Outcome
from copycat.provenance.rules import RULES

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
FINGERPRINT = "copycatFinding/v1"
LEVELS = {"error": "error", "warning": "warning", "note": "note"}
ROOT = "%SRCROOT%"


def build_sarif(report: CheckReport, prefix: str, card: str, version: str) -> dict[str, Any]:
    """Write a report as one SARIF log.

    Args:
        prefix: the dataset's folder relative to the repository ("" for the repository itself), so that a reader finds
            its files.
        card: the file that stands for the dataset as a whole, relative to its folder.
        version: of copycat.
    """
    ids = [outcome.rule for outcome in report.outcomes]
    names = dict(zip(map(id, report.findings), fingerprints(report.findings), strict=True))
    place = _Places(prefix, card)
    results = [_result(each, ids.index(each.rule), names[id(each)], place) for each in report.findings]
    driver = {
        "name": "copycat provenance",
        "semanticVersion": version,
        "version": version,
        "rules": [_rule(outcome) for outcome in report.outcomes],
    }
    run = {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"copycat-provenance/{quote(prefix or report.dataset)}/"},
        "columnKind": "unicodeCodePoints",
        "results": results,
        "properties": {
            "dataset": report.dataset,
            "purpose": report.purpose.name,
            "region": report.region,
            "asOf": report.as_of.isoformat(),
            "ruleVersion": report.rule_version,
            "records": report.n_records,
            # Not as results of the kind "pass": code scanning does not read kinds, and would show each as an alert.
            "outcomes": {outcome.rule: outcome.status for outcome in report.outcomes},
        },
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


class _Places:
    """Turns evidence into locations of SARIF."""

    def __init__(self, prefix: str, card: str) -> None:
        self.prefix, self.card = prefix.strip("/"), card

    def of(self, evidence: Evidence) -> dict[str, Any]:
        """Give where it is; evidence about the whole dataset lies at the head of its card."""
        path = "/".join(part for part in (self.prefix, evidence.file or self.card) if part)
        physical: dict[str, Any] = {"artifactLocation": {"uri": quote(path), "uriBaseId": ROOT}}
        # Rows of a binary table are no lines, but a reader that must show a line shows a near one.
        physical["region"] = {"startLine": evidence.line or 1}
        location: dict[str, Any] = {"physicalLocation": physical}
        if evidence.pointer:
            location["logicalLocations"] = [{"fullyQualifiedName": evidence.pointer, "kind": "member"}]
        if evidence.value:
            location["message"] = {"text": evidence.value}
        return location


def _result(finding: Finding, rule: int, fingerprint: str, place: _Places) -> dict[str, Any]:
    shown = finding.evidence or (Evidence(),)
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": rule,
        "kind": "fail",
        "level": LEVELS[finding.severity],
        "message": {"text": f"{_sentence(finding.said)} What to do: {_sentence(finding.advice)}"},
        "locations": [place.of(shown[0])],
        "partialFingerprints": {FINGERPRINT: fingerprint},
    }
    if len(shown) > 1:
        result["relatedLocations"] = [{"id": at} | place.of(each) for at, each in enumerate(shown[1:], 1)]
    if finding.n_records is not None and finding.n_records > 0:
        result["occurrenceCount"] = finding.n_records
    if finding.ignored:
        result["suppressions"] = [{"kind": "external", "justification": finding.ignored}]
    return result


def _rule(outcome: Outcome) -> dict[str, Any]:
    about = rule_text(outcome.rule)
    worst = next((each.severity for each in outcome.findings), "warning")
    return {
        "id": outcome.rule,
        "name": outcome.rule,
        "shortDescription": {"text": _sentence(outcome.title)},
        "fullDescription": {"text": about or _sentence(outcome.title)},
        "help": {"text": "\n\n".join(part for part in (_sentence(outcome.title), about) if part)},
        "defaultConfiguration": {"level": LEVELS[worst]},
        "properties": {"tags": ["provenance"]},
    }


def rule_text(name: str) -> str:
    """Give what a rule says of itself, in paragraphs; "" for one that is not in the table."""
    if name not in RULES.names():
        return ""
    return paragraphs(getattr(RULES.load(name), "__doc__", None) or "")


def paragraphs(docstring: str) -> str:
    """Give the paragraphs of a docstring, each in one line, without the rule's id before the first."""
    parts: Sequence[str] = [" ".join(part.split()) for part in docstring.split("\n\n")]
    text = "\n\n".join(part for part in parts if part)
    head, colon, rest = text.partition(": ")
    return f"{rest[:1].upper()}{rest[1:]}" if colon and head.isalnum() and len(head) <= 3 else text


def _sentence(text: str) -> str:
    plain = f"{text[:1].upper()}{text[1:]}"
    return plain if plain.endswith((".", "!", "?")) else f"{plain}."
