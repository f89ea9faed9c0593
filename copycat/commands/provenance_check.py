"""`python -m copycat.provenance check`: findings about a dataset, each with evidence and what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from copycat.commands.dates import read_day

if TYPE_CHECKING:
    from datetime import date

    from copycat.provenance.check.settings import CheckSettings
    from copycat.provenance.dataset import Dataset
    from copycat.provenance.records import CheckReport
    from copycat.provenance.rules import Context

CHECK_EPILOG = """\
The dataset is read once, in pieces, and nothing is sent anywhere. Settings can lie with it in provenance.yaml (for,
output_licence, region, columns, sample, and findings to ignore with a reason and a last day); an option goes before
them.

Exit 0 no error found, 1 errors found (with --strict: or warnings), 2 to be fixed by you.

\b
Examples:
  python -m copycat.provenance check my-dataset
  python -m copycat.provenance check train.parquet --for research --column licence=cc_license
  python -m copycat.provenance check my-dataset --out report --strict
  python -m copycat.provenance check --list
  python -m copycat.provenance check --own --rules X1,X2
"""

HTML_NAME, SARIF_NAME, JSON_NAME = "check.html", "check.sarif", "check.json"


def check(  # noqa: PLR0917 - one parameter per option
    dataset: Annotated[
        Path | None,
        typer.Argument(help="a folder, or a file: .parquet, .jsonl, .csv, .tar (WebDataset)", show_default=False),
    ] = None,
    purpose: Annotated[
        str | None, typer.Option("--for", help="what it is wanted for; default: training; all: --list")
    ] = None,
    output_licence: Annotated[
        str | None, typer.Option(metavar="SPDX", help="under which licence what is made is passed on")
    ] = None,
    region: Annotated[
        str | None, typer.Option(help="where: a country's two letters, US-CA, or EU; default: US")
    ] = None,
    rules: Annotated[str | None, typer.Option(help="only these, such as L1,S2", metavar="IDS")] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(metavar="STANDARD=NAME", help="what the dataset calls a column; may be repeated"),
    ] = None,
    against: Annotated[
        Path | None, typer.Option(metavar="RECORDED", help="newer recorded answers, to compare signals with (S4)")
    ] = None,
    sample: Annotated[
        int | None, typer.Option(min=1, help="records that are read for personal data (D3); default: 4000")
    ] = None,
    seed: Annotated[int, typer.Option(help="of samples")] = 0,
    as_of: Annotated[
        datetime | None,
        typer.Option(help="the day to check for; default: today", parser=read_day, metavar="DAY"),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="warnings fail too")] = False,
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help=f"write {HTML_NAME}, {SARIF_NAME} and {JSON_NAME} there")
    ] = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="write the page here")] = None,
    sarif: Annotated[Path | None, typer.Option(metavar="FILE", help="write SARIF 2.1.0, for code scanning")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print the report as one JSON object")] = False,
    own: Annotated[bool, typer.Option("--own", help="check what copycat itself ships, by rules X1 to X5")] = False,
    list_rules: Annotated[bool, typer.Option("--list", help="print the rules and purposes, and stop")] = False,
) -> int:
    """Check a dataset's licences, signals, sources, removals and documentation."""
    from copycat.commands.provenance_check_shown import print_report, print_table
    from copycat.console import EXIT_DONE, EXIT_NOT_VALID, print_json
    from copycat.provenance.licences.output import require_passed_on

    if list_rules:
        print_table(as_json=as_json)
        return EXIT_DONE
    files = _files(out, html, sarif)
    day = (as_of or datetime.now().astimezone()).date()
    if own:
        unfit = {"--for": purpose, "--output-licence": output_licence, "--region": region, "--column": column}
        _require_own(dataset, {**unfit, "--against": against, "--sample": sample, "--seed": seed})
        report, prefix, card = _check_own(day, rules), "", "README.md"
    else:
        opened, settings = _open(dataset, column or [])
        given = {"purpose": purpose, "output_licence": output_licence, "region": region, "sample": sample}
        settings = settings.model_copy(update={name: value for name, value in given.items() if value is not None})
        context = _context(opened, settings, day, seed, against)
        if output_licence is not None:
            require_passed_on(context.purpose)
        report = _check(context, settings, rules)
        prefix, card = _place(opened)
    for kind, path in files:
        _write(kind, path, report, prefix, card)
    if as_json:
        print_json(report.model_dump(mode="json"))
    else:
        print_report(report, [path for _, path in files], strict=strict)
    fails = report.count("error") or (strict and report.count("warning"))
    return EXIT_NOT_VALID if fails else EXIT_DONE


def _open(dataset: Path | None, columns: Sequence[str]) -> tuple[Dataset, CheckSettings]:
    """Open the dataset with the columns that the user named, or that lie in its settings."""
    from copycat.errors import UserError
    from copycat.provenance.check.settings import read_settings, require_standard
    from copycat.provenance.dataset import open_dataset

    if dataset is None:
        raise UserError("no dataset is named\n  needed: a folder or file, or --own, or --list")
    named = {}
    for each in columns:
        standard, equals, name = each.partition("=")
        if not (standard and equals and name):
            raise UserError(
                f"--column '{each}' has the wrong form\n  needed: STANDARD=NAME, such as licence=cc_license"
            )
        named[standard] = name
    settings = read_settings(dataset)
    return open_dataset(dataset, require_standard(settings.columns | named)), settings


def _context(opened: Dataset, settings: CheckSettings, day: date, seed: int, against: Path | None) -> Context:
    import re

    from copycat.errors import UserError
    from copycat.provenance.check.settings import REGION, find_purpose
    from copycat.provenance.licences.output import with_output
    from copycat.provenance.rules import Context

    wanted = with_output(find_purpose(settings.purpose or "training"), settings.output_licence)
    where = (settings.region or "US").upper()
    if not re.match(REGION, where):
        raise UserError(
            f"--region '{settings.region}' is no region\n  needed: a country's two letters (ISO 3166), US-CA, or EU"
        )
    options = {}
    if settings.sample is not None:
        options["personal-sample"] = str(settings.sample)
    if against is not None:
        options["signals-against"] = str(against)
    return Context(opened, wanted, where, day, seed, options)


def _check(context: Context, settings: CheckSettings, rules: str | None) -> CheckReport:
    from copycat.console import nothing_to_resume, running_count
    from copycat.provenance.check.ignoring import ignore
    from copycat.provenance.rules.running import run_rules

    names = _rules(rules)
    nothing_to_resume()
    with running_count("records read") as tell:
        report = run_rules(context, names, tell)
    return ignore(report, settings.ignore)


def _rules(rules: str | None) -> list[str] | None:
    """Give the ids that --rules names; None: all."""
    from copycat.errors import UserError

    names = None if rules is None else [name.strip().upper() for name in rules.split(",") if name.strip()]
    if names == []:
        raise UserError("--rules names no rule\n  needed: ids, such as L1,S2\n  all of them: --list")
    return names


def _require_own(dataset: Path | None, options: Mapping[str, object]) -> None:
    """Refuse beside --own what says nothing of what copycat ships."""
    from copycat.errors import UserError

    if dataset is not None:
        raise UserError(f"--own checks what copycat ships, not '{dataset}'\n  leave out one of the two")
    if given := [name for name, value in options.items() if value]:
        raise UserError(f"--own checks what copycat ships, to which {given[0]} does not apply\n  leave it out")


def _check_own(day: date, rules: str | None) -> CheckReport:
    from copycat.paths import data_folder
    from copycat.provenance.own import run_own

    return run_own(data_folder("characters").parent, day, rules=_rules(rules))


def _place(opened: Dataset) -> tuple[str, str]:
    """Give the dataset's folder relative to here, and the file that stands for the dataset as a whole."""
    from copycat.paths import within

    folder = within(Path.cwd(), opened.folder)
    card = opened.card.file or (opened.files[0].name if opened.files else "README.md")
    return "" if folder == "." else folder, card


def _files(out: Path | None, html: Path | None, sarif: Path | None) -> list[tuple[str, Path]]:
    """Give what is to be written, kind and path; refuse what cannot be before anything is read."""
    from copycat.commands.fairuse_shown import require_page
    from copycat.commands.outputs import require_output

    require_output("--out", out, is_folder=True)
    require_page("--html", html)
    require_output("--sarif", sarif)
    wanted = [("html", html), ("sarif", sarif)]
    if out is not None:
        wanted += [("html", out / HTML_NAME), ("sarif", out / SARIF_NAME), ("json", out / JSON_NAME)]
    return [(kind, path) for kind, path in wanted if path is not None]


def _write(kind: str, path: Path, report: CheckReport, prefix: str, card: str) -> None:
    from copycat import __version__
    from copycat.provenance.check.page import build_page
    from copycat.provenance.check.sarif import build_sarif
    from copycat.runs.folder import json_bytes, write_bytes

    if kind == "html":
        content = build_page(report, __version__).encode("utf-8")
    elif kind == "sarif":
        content = json_bytes(build_sarif(report, prefix, card, __version__))
    else:
        content = json_bytes(report.model_dump(mode="json"))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, content)
