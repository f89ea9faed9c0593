"""`python -m copycat.provenance check`: findings about a dataset, each with evidence and what to do."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from copycat.provenance.records import CheckReport

CHECK_EPILOG = """\
Exit 0 no error found, 1 errors found (with --strict: or warnings), 2 to be fixed by you.

\b
Examples:
  python -m copycat.provenance check my-dataset
  python -m copycat.provenance check train.parquet --for research --json
"""


def check(  # noqa: PLR0917 - one parameter per option
    dataset: Annotated[Path, typer.Argument(help="a folder, or a file: .parquet, .jsonl, .csv, .tar (WebDataset)")],
    purpose: Annotated[str, typer.Option("--for", help="what it is wanted for: see --list")] = "training",
    region: Annotated[str, typer.Option(help="where: a country's code, or EU")] = "US",
    rules: Annotated[str | None, typer.Option(help="only these, such as L1,S2", metavar="IDS")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="warnings fail too")] = False,
    as_of: Annotated[
        datetime | None, typer.Option(help="the day to check for; default: today", formats=["%Y-%m-%d"])
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object instead of a table")] = False,
) -> int:
    """Check a dataset's licences, signals, sources, removals and documentation."""
    from copycat.console import EXIT_DONE, EXIT_NOT_VALID, out, print_json
    from copycat.provenance.dataset import open_dataset
    from copycat.provenance.records import PURPOSES
    from copycat.provenance.rules import Context
    from copycat.provenance.rules.running import run_rules

    opened = open_dataset(dataset)
    day = (as_of or datetime.now().astimezone()).date()
    context = Context(opened, PURPOSES[purpose], region, day)
    report = run_rules(context, None if rules is None else rules.split(","))
    if as_json:
        print_json(report.model_dump(mode="json"))
    else:
        for line in _lines(report):
            out.print(line, markup=False, soft_wrap=True)
    fails = report.count("error") or (strict and report.count("warning"))
    return EXIT_NOT_VALID if fails else EXIT_DONE


def _lines(report: CheckReport) -> list[str]:
    lines = [f"{outcome.rule}  {outcome.status:14}  {outcome.said}" for outcome in report.outcomes]
    for finding in report.findings:
        lines += ["", f"{finding.severity} {finding.rule}: {finding.said}", f"  {finding.advice}"]
        lines += [f"  {evidence.place}  {evidence.value}" for evidence in finding.evidence]
    return lines
