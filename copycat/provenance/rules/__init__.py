"""The table of rules: id -> what it asks, and the code that checks it, imported on first use."""

from __future__ import annotations

from dataclasses import dataclass

from copycat.provenance.rules.rule import Context, Found, Rule
from copycat.registry import Registry

__all__ = ["RULES", "Context", "Found", "Rule", "RuleRow"]


@dataclass(frozen=True)
class RuleRow:
    """A rule: its id, what it asks in one line, and its class, a `Rule`."""

    name: str
    title: str
    target: str


RULES: Registry[RuleRow] = Registry(
    "rule",
    (
        RuleRow("F1", "every file and every record can be read", "copycat.provenance.rules.reading:Readable"),
        RuleRow("F2", "ids are there and unique", "copycat.provenance.rules.reading:UniqueIds"),
        RuleRow("L1", "the dataset has a licence, in SPDX", "copycat.provenance.licences.rules:DatasetLicence"),
        RuleRow(
            "L2",
            "records' licences stand apart, and bind",
            "copycat.provenance.licences.rules_components:ComponentLicences",
        ),
        RuleRow("L3", "licences fit the purpose; credit can be given", "copycat.provenance.licences.rules:LicenceFits"),
        RuleRow("L4", "openness is what the facts carry", "copycat.provenance.licences.rules_terms:OpennessTier"),
        RuleRow("S1", "no rights holder says no to the use", "copycat.provenance.signals.rules:Resolved"),
        RuleRow("S2", "headers and signals can be read, in whatever form", "copycat.provenance.signals.rules:Tolerant"),
        RuleRow("S3", "signals agree, and the kept decision follows", "copycat.provenance.signals.rules:Precedence"),
        RuleRow("S4", "signals read again later say the same", "copycat.provenance.signals.rules:Drift"),
        RuleRow("S5", "what pictures say inside themselves", "copycat.provenance.signals.rules:Inside"),
        RuleRow("P1", "hashes lead from each record to its source", "copycat.provenance.manifest.rules:Reachable"),
        RuleRow("P2", "a version has one root on every mirror", "copycat.provenance.manifest.rules:SameRoot"),
        RuleRow("P3", "what was removed is gone, everywhere", "copycat.provenance.removal.rules:Removals"),
        RuleRow("P4", "every record can be looked up", "copycat.provenance.lookup.rules:Findable"),
        RuleRow("D1", "the card answers, and contradicts no record", "copycat.provenance.datasheet.rules:CardComplete"),
        RuleRow("D2", "synthetic records say so", "copycat.provenance.datasheet.synthetic:SyntheticDisclosed"),
        RuleRow("D3", "what of persons is in it", "copycat.provenance.datasheet.personal.rule:PersonalData"),
        RuleRow("D4", "filters hit groups alike", "copycat.provenance.datasheet.survival:FilterBias"),
        RuleRow(
            "D5", "errors of 'public domain' are stated", "copycat.provenance.licences.rules_public_domain:FalseFreedom"
        ),
        RuleRow("O1", "terms of use are clear, and can be kept", "copycat.provenance.licences.rules_terms:TermsOfUse"),
        RuleRow("R1", "legal summaries can be filled in", "copycat.provenance.datasheet.summaries.rule:SummaryReady"),
    ),
    hint="all of them: python -m copycat.provenance check --list",
)
