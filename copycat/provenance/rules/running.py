"""Run rules over a dataset: one pass over its facts, one over its content, whatever the number of rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from copycat.provenance.records import CheckReport, Finding, Outcome
from copycat.provenance.rules import RULES, RuleRow
from copycat.provenance.rules.rule import Context, Rule

Bad = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError, ArithmeticError)
"""What input that nobody thought of raises. It becomes a finding, with the rule's name, and the other rules go on."""


def run_rules(
    context: Context, names: Iterable[str] | None = None, tell: Callable[[int], None] = lambda rows: None
) -> CheckReport:
    """Check a dataset.

    Args:
        context: the dataset, and what it is wanted for.
        names: ids of rules; None: all.
        tell: is told of how many more records have been read, in each pass.

    Raises:
        UnknownNameError: a rule is not in the table.
    """
    rows = [RULES.get(name) for name in (RULES.names() if names is None else names)]
    rules: list[tuple[RuleRow, Rule]] = [(row, RULES.load(row.name)(context)) for row in rows]
    broken: dict[str, str] = {}
    n_records = 0
    for stream in ("facts", "content"):
        readers = [rule for _, rule in rules if rule.reads == stream]
        if not readers and not (stream == "content" and n_records == 0):
            continue
        n_records = _stream(context, stream, readers, broken, tell) or n_records
    outcomes = tuple(_outcome(row, rule, broken) for row, rule in rules)
    dataset = context.dataset
    return CheckReport(
        dataset=dataset.name,
        kind=dataset.kind,
        n_files=len(dataset.files),
        n_records=n_records,
        purpose=context.purpose,
        region=context.region,
        as_of=context.as_of,
        outcomes=outcomes,
    )


def _stream(
    context: Context, stream: str, readers: Sequence[Rule], broken: dict[str, str], tell: Callable[[int], None]
) -> int:
    needs = tuple(dict.fromkeys(name for rule in readers for name in rule.needs))
    dataset = context.dataset
    n_records = 0
    for batch in dataset.facts(needs) if stream == "facts" else dataset.content(needs):
        n_records += batch.size
        tell(batch.size)
        for rule in readers:
            if rule.id in broken:
                continue
            try:
                rule.see(batch)
            except Bad as error:
                broken[rule.id] = f"at {batch.file}:{batch.first} and after: {type(error).__name__}: {error}"
    return n_records


def _outcome(row: RuleRow, rule: Rule, broken: dict[str, str]) -> Outcome:
    findings: tuple[Finding, ...] = ()
    if row.name not in broken:
        try:
            findings = tuple(rule.finish())
            reason = None if findings else rule.not_applicable()
        except Bad as error:
            broken[row.name] = f"{type(error).__name__}: {error}"
    if row.name in broken:
        said = f"could not be checked ({broken[row.name][:200]})"
        advice = "look at the place; if it is sound, report this as a mistake of copycat"
        failed = Finding(rule=row.name, severity="error", said=said, advice=advice)
        return Outcome(rule=row.name, title=row.title, status="not-checked", said=said, findings=(failed,))
    if findings:
        return Outcome(rule=row.name, title=row.title, status="found", said=findings[0].said, findings=findings)
    if reason is not None:
        return Outcome(rule=row.name, title=row.title, status="not-applicable", said=reason)
    return Outcome(rule=row.name, title=row.title, status="passed", said=rule.passed())
