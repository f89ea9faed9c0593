"""Findings that somebody decided to ignore for a while: they stay in the report, marked, and do not count."""

from __future__ import annotations

from collections.abc import Sequence

from copycat.provenance.check.fingerprints import fingerprints
from copycat.provenance.check.settings import Ignored
from copycat.provenance.dataset.opening import CHECK_FILE
from copycat.provenance.records import CheckReport
from copycat.provenance.rules import RULES


def ignore(report: CheckReport, entries: Sequence[Ignored]) -> CheckReport:
    """Mark the findings that entries are about, on the report's day; tell of entries that have ended or hit nothing."""
    if not entries:
        return report
    current = [entry for entry in entries if entry.until >= report.as_of]
    used: set[int] = set()
    names = dict(zip(map(id, report.findings), fingerprints(report.findings), strict=True))
    outcomes = []
    for outcome in report.outcomes:
        findings = []
        for finding in outcome.findings:
            at = next((at for at, one in enumerate(current) if _hits(one, finding.rule, names[id(finding)])), None)
            if at is not None:
                used.add(at)
                said = f"{current[at].reason} (until {current[at].until.isoformat()})"
                findings.append(finding.model_copy(update={"ignored": said}))
            else:
                findings.append(finding)
        outcomes.append(outcome.model_copy(update={"findings": tuple(findings)}))
    ended = [f"{CHECK_FILE}: {one.name} was to be ignored until {one.until.isoformat()}, and counts again"
             for one in entries if one.until < report.as_of]  # fmt: skip
    ran = {outcome.rule for outcome in report.outcomes}
    idle = [f"{CHECK_FILE}: nothing was found that {one.name} is about; the entry can go"
            for at, one in enumerate(current) if at not in used and _asked(one) <= ran]  # fmt: skip
    return report.model_copy(update={"outcomes": tuple(outcomes), "notes": (*report.notes, *ended, *idle)})


def _asked(entry: Ignored) -> set[str]:
    """Give the rules that must have been asked before anybody knows that an entry is about nothing."""
    return {entry.rule} if entry.rule else {*RULES.names()}


def _hits(entry: Ignored, rule: str, fingerprint: str) -> bool:
    return entry.rule in (None, rule) and entry.finding in (None, fingerprint)
