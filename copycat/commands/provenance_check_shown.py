"""How `check` looks in a terminal: one line a rule, then each finding with its places and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from copycat.provenance.records import CheckReport, Finding, Outcome

QUIET_WORDS = {"passed": "ok", "not-applicable": "-", "not-checked": "not checked"}
"""The mark of a rule that found nothing; one that found something shows its gravest severity."""


def print_table(*, as_json: bool) -> None:
    """Print the table of rules and the purposes."""
    from rich.markup import escape
    from rich.table import Table

    from copycat.console import out, print_json
    from copycat.provenance.records import PURPOSES
    from copycat.provenance.rules import RULES

    rows = [(row.name, row.title, tuple(RULES.load(row.name).severities)) for row in RULES.rows()]
    if as_json:
        rules = [{"id": name, "title": title, "severities": list(severities)} for name, title, severities in rows]
        purposes = [purpose.model_dump(mode="json") for purpose in PURPOSES.values()]
        print_json({"rules": rules, "purposes": purposes})
        return
    table = Table(title="rules (--rules)", title_justify="left", box=None, pad_edge=False)
    table.add_column("id", no_wrap=True)
    table.add_column("asks whether", overflow="fold")
    table.add_column("findings are", no_wrap=True)
    for name, title, severities in rows:
        table.add_row(name, escape(title), ", ".join(severities))
    out.print(table)
    out.print()
    table = Table(title="purposes (--for)", title_justify="left", box=None, pad_edge=False)
    table.add_column("name", no_wrap=True)
    table.add_column("what is done with the records", overflow="fold")
    for purpose in PURPOSES.values():
        table.add_row(purpose.name, escape(purpose.about))
    out.print(table)


def print_report(report: CheckReport, written: Sequence[Path], *, strict: bool) -> None:
    """Print what was found, and where the forms of it lie."""
    from copycat.console import out
    from copycat.paths import shown
    from copycat.provenance.check.fingerprints import fingerprints

    files = f"{report.n_files:,} file{'s' * (report.n_files != 1)}"
    records = f"{report.n_records:,} record{'s' * (report.n_records != 1)}"
    _say(f"{report.dataset}: {records} in {files} ({report.kind})", "bold")
    purpose = report.purpose
    _say(f"for {purpose.name} ({purpose.about}) in {report.region}, on {report.as_of.isoformat()}")
    if columns := _columns(report):
        _say(columns)
    out.print()
    _print_rules(report.outcomes)
    for finding, name in zip(report.findings, fingerprints(report.findings), strict=True):
        out.print()
        _print_finding(finding, name)
    for note in report.notes:
        out.print()
        _say(f"note: {note}")
    out.print()
    _say(_summary(report, strict=strict), "bold")
    for path in written:
        _say(shown(path))


def _columns(report: CheckReport) -> str:
    """Say what was read as what, so that a column that was missed is noticed; "" where nothing was looked for."""
    from copycat.provenance.rules import RULES

    if report.columns:
        other = [f"{standard} (from {name})" if standard != name else name for standard, name in report.columns.items()]
        return f"columns: {', '.join(other)}"
    if report.n_records and len(report.outcomes) == len(RULES.names()):
        return "columns: none of those that rules look at; name them with --column STANDARD=NAME"
    return ""


def _print_rules(outcomes: Sequence[Outcome]) -> None:
    from rich.markup import escape
    from rich.table import Table

    from copycat.commands.fairuse_shown import one_line
    from copycat.console import out

    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column("rule", no_wrap=True)
    table.add_column("outcome", no_wrap=True)
    table.add_column("seen", overflow="fold")
    for outcome in outcomes:
        mark, style = _mark(outcome)
        seen = one_line(f"{outcome.title}: {outcome.said}" if outcome.status != "found" else outcome.said)
        table.add_row(outcome.rule, f"[{style}]{mark}[/]" if style else mark, escape(seen))
    out.print(table)


def _mark(outcome: Outcome) -> tuple[str, str]:
    """Give the word before a rule, and its style."""
    counting = [finding.severity for finding in outcome.findings if not finding.ignored]
    for severity, style in (("error", "bold red"), ("warning", "yellow"), ("note", "")):
        if severity in counting:
            return severity, style
    return ("ignored", "dim") if outcome.findings else (QUIET_WORDS[outcome.status], "dim")


def _print_finding(finding: Finding, name: str) -> None:
    from copycat.commands.fairuse_shown import one_line

    styles = {"error": "bold red", "warning": "yellow", "note": ""}
    head = f"{finding.severity} {finding.rule} ({name}): {one_line(finding.said)}"
    _say(head, "dim" if finding.ignored else styles[finding.severity])
    if finding.ignored:
        _say(f"  ignored: {one_line(finding.ignored)}")
    _say(f"  to do: {one_line(finding.advice)}")
    for evidence in finding.evidence:
        value = f"  {one_line(evidence.value)}" if evidence.value else ""
        _say(f"    {one_line(evidence.place)}{value}")
    if (finding.n_records or 0) > len(finding.evidence) > 0:
        _say(f"    ... of {finding.n_records:,}")


def _summary(report: CheckReport, *, strict: bool) -> str:
    counts = [(report.count("error"), "error"), (report.count("warning"), "warning"), (report.count("note"), "note")]
    said = ", ".join(f"{count} {word}{'s' * (count != 1)}" for count, word in counts)
    ignored = sum(bool(finding.ignored) for finding in report.findings)
    hidden = f"; {ignored} ignored" if ignored else ""
    return f"{said}{hidden}{' (--strict: warnings fail too)' if strict else ''}"


def _say(text: str, style: str = "") -> None:
    from copycat.console import out

    out.print(text, markup=False, soft_wrap=True, style=style or None)
