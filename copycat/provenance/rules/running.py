"""Run rules over a dataset: it is read once, whatever the number of rules; twice where it has a manifest of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from copycat.errors import CopycatError
from copycat.provenance.dataset import Batch
from copycat.provenance.dataset.ahead import read_ahead
from copycat.provenance.records import SEVERITIES, CheckReport, Finding, Outcome
from copycat.provenance.rules import RULES, RuleRow
from copycat.provenance.rules.rule import Context, Rule, shortened

T = TypeVar("T")


def run_rules(
    context: Context,
    names: Iterable[str] | None = None,
    tell: Callable[[int], None] = lambda rows: None,
    seconds: dict[str, float] | None = None,
) -> CheckReport:
    """Check a dataset.

    Args:
        context: the dataset, and what it is wanted for.
        names: ids of rules; None: all.
        tell: is told of how many more records have been read, in each pass.
        seconds: is filled with the seconds that each rule took, for whoever measures.

    Raises:
        UnknownNameError: a rule is not in the table.
    """
    rows = [RULES.get(name) for name in (RULES.names() if names is None else dict.fromkeys(names))]
    check = _Check(context, [(row, RULES.load(row.name)(context)) for row in rows], {} if seconds is None else seconds)
    n_records = 0
    for batches, readers in check.passes():
        n_records = check.stream(batches, readers, tell)
    outcomes = tuple(check.outcome(row, rule) for row, rule in check.rules)
    dataset = context.dataset
    return CheckReport(
        dataset=dataset.name,
        kind=dataset.kind,
        n_files=len(dataset.files),
        n_records=n_records,
        purpose=context.purpose,
        region=context.region,
        as_of=context.as_of,
        columns=check.columns,
        outcomes=outcomes,
    )


@dataclass
class _Check:
    """One check while it runs. `broken` says of a rule why it was given up."""

    context: Context
    rules: Sequence[tuple[RuleRow, Rule]]
    seconds: dict[str, float]
    broken: dict[str, str] = field(default_factory=dict)
    columns: dict[str, str] = field(default_factory=dict)

    def passes(self) -> Iterator[tuple[Iterator[Batch], Sequence[Rule]]]:
        """Give what is read and by whom; the content last. Without a sidecar, facts and content are the same rows."""
        dataset = self.context.dataset
        facts = [rule for _, rule in self.rules if rule.reads == "facts"]
        content = [rule for _, rule in self.rules if rule.reads == "content"]
        if dataset.records_file is None:
            content = [rule for _, rule in self.rules if rule.reads != "nothing"]
        elif facts:
            yield dataset.facts(_needs(facts)), facts
        yield dataset.content((*_needs(content), *dataset.columns)), content

    def stream(self, batches: Iterator[Batch], readers: Sequence[Rule], tell: Callable[[int], None]) -> int:
        """Show each batch to each rule; gives how many records there were."""
        n_records = 0
        for batch in read_ahead(batches):
            n_records += batch.size
            tell(batch.size)
            if batch.faults:
                for _, rule in self.rules:
                    self._ask(rule, rule.note_faults, batch.faults)
            for standard, column in batch.named.items():
                self.columns.setdefault(standard, column)
            for rule in readers:
                self._ask(rule, rule.see, batch)
        return n_records

    def outcome(self, row: RuleRow, rule: Rule) -> Outcome:
        """Ask a rule what it found."""
        found = self._ask(rule, lambda: tuple(rule.finish())) or ()
        reason = None if found else self._ask(rule, rule.not_applicable)
        passed = None if found or reason else self._ask(rule, rule.passed)
        if rule.id in self.broken:
            said = f"could not be checked ({self.broken[rule.id][:300]})"
            advice = "look at the place; if what stands there is sound, report this as a mistake of copycat"
            failed = Finding(rule=row.name, severity="error", said=said, advice=advice)
            return Outcome(rule=row.name, title=row.title, status="not-checked", said=said, findings=(failed,))
        if found:
            return Outcome(rule=row.name, title=row.title, status="found", said=_summary(found), findings=found)
        if reason is not None:
            return Outcome(rule=row.name, title=row.title, status="not-applicable", said=reason)
        return Outcome(rule=row.name, title=row.title, status="passed", said=passed or "nothing found")

    def _ask(self, rule: Rule, do: Callable[..., T], *shown: Any) -> T | None:  # Any: a batch, faults, or nothing
        """Let a rule work. What it raises becomes its finding, with its place, and the other rules go on."""
        if rule.id in self.broken:
            return None
        start = time.perf_counter()
        try:
            return do(*shown)
        except Exception as error:  # noqa: BLE001 - input that nobody thought of may raise anything, in pyarrow too
            kind = "" if isinstance(error, CopycatError) else f"{type(error).__name__}: "
            where = f"at {_place(shown[0])}: " if shown and isinstance(shown[0], Batch) else ""
            self.broken[rule.id] = f"{where}{kind}{shortened(error)}"
            return None
        finally:
            self.seconds[rule.id] = self.seconds.get(rule.id, 0.0) + time.perf_counter() - start


def _needs(rules: Sequence[Rule]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for rule in rules for name in rule.needs))


def _place(batch: Batch) -> str:
    return batch.place_of(0) if batch.size else batch.file or "the dataset"


def _summary(findings: Sequence[Finding]) -> str:
    """Say the gravest finding, and how many more there are."""
    gravest = min(findings, key=lambda finding: SEVERITIES.index(finding.severity))
    more = len(findings) - 1
    return f"{gravest.said}{f'; and {more} more' if more else ''}"
