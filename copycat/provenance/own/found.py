"""What the rules on our own things share: where to look, and how a finding is made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import NamedTuple

from copycat.provenance.records import Evidence, Finding, Severity
from copycat.provenance.rules.rule import MAX_EVIDENCE, shortened


class Result(NamedTuple):
    """What a rule found; `said` is what was seen where nothing was, or why there is nothing to look at."""

    findings: tuple[Finding, ...]
    said: str
    is_applicable: bool = True


@dataclass
class Own:
    """What is looked at, the rule at work, and how much was seen so far."""

    root: Path
    package: Path
    as_of: date
    rule: str = "X1"
    n_files: int = 0
    n_records: int = 0

    def finding(
        self, said: str, advice: str, *evidence: Evidence, severity: Severity = "error", n: int | None = None
    ) -> Finding:
        """Make a finding of the rule at work."""
        shown = evidence[:MAX_EVIDENCE]
        return Finding(rule=self.rule, severity=severity, said=said, advice=advice, evidence=shown, n_records=n)

    def shown(self, path: Path) -> str:
        """Give a path below the root or the package as a finding shows it."""
        for base, prefix in ((self.root, ""), (self.package, f"{self.package.name}/")):
            if path.is_relative_to(base):
                return f"{prefix}{path.relative_to(base).as_posix()}"
        return path.name

    def at(self, path: Path, pointer: str = "", value: object = "", line: int | None = None) -> Evidence:
        """Give the place of a finding."""
        return Evidence(file=self.shown(path), pointer=pointer, value=shortened(value), line=line)


def licence_fault(licence: object) -> str:
    """Say what is wrong with a licence, "" for nothing: it must be an SPDX expression that is known."""
    from copycat.provenance.licences import parse_licence

    if not licence:
        return "no licence is stated"
    parsed = parse_licence(licence)
    if parsed.fault:
        return f"the licence {parsed.fault}"
    return "the licence is not known" if parsed.expression is None else ""


def why(error: Exception) -> str:
    """Say in a line why a file cannot be read, without the path that a finding names anyway."""
    said = error.strerror if isinstance(error, OSError) else None
    return " ".join((said or str(error)).split())[:200]


def date_fault(value: object, as_of: date) -> str:
    """Say what is wrong with a date, "" for nothing."""
    try:
        day = date.fromisoformat(str(value))
    except ValueError:
        return f"'{shortened(value)}' is no date such as 2026-01-31"
    return f"{day} is after {as_of}" if day > as_of else ""
