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
    ),
    hint="all of them: python -m copycat.provenance check --list",
)
