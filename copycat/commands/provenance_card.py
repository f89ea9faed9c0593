"""`python -m copycat.provenance card`: how complete the card of a dataset is, and drafts of what is missing."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from copycat.commands.dates import read_day

if TYPE_CHECKING:
    from copycat.provenance.dataset import Card
    from copycat.provenance.datasheet.report import CardReport

CARD_EPILOG = """
A field counts 0, 0.5 or 1, by the facts in it; text that says nothing counts nothing. Exit 0 done, 1 the card
contradicts the records or cannot be read whole, 2 to be fixed by you. Keys of the card's front matter: pretty_name,
license, homepage, creator, date_published, version, language, contact; --draft writes what each holds. Summaries of
training content are drafts, and no legal advice.

\b
Examples:
  python -m copycat.provenance card my-dataset --page card.html
  python -m copycat.provenance card my-dataset --draft --out README.md
  python -m copycat.provenance card my-dataset --summary eu --out summary.md
"""


def card(  # noqa: PLR0917 - one parameter per option
    dataset: Annotated[Path, typer.Argument(help="a folder, or a file: .parquet, .jsonl, .csv, .tar (WebDataset)")],
    draft: Annotated[
        bool, typer.Option("--draft", help="write a card with what can be counted, and marked blanks")
    ] = False,
    summary: Annotated[
        str | None, typer.Option(help="draft a summary of training content: eu or ab2013", metavar="LAW")
    ] = None,
    to: Annotated[
        Path | None, typer.Option("--out", metavar="FILE.md", help="where the draft goes; default: shown")
    ] = None,
    page: Annotated[Path | None, typer.Option(metavar="PAGE.html", help="write the page")] = None,
    as_of: Annotated[
        datetime | None, typer.Option(help="today; default: by the clock", parser=read_day, metavar="DAY")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object instead of a table")] = False,
) -> int:
    """Say how complete a dataset's card is, field by field, and what to write."""
    from copycat.commands.fairuse_shown import require_page
    from copycat.console import EXIT_DONE, EXIT_NOT_VALID, out, print_json, running_count
    from copycat.provenance.dataset import open_dataset
    from copycat.provenance.datasheet.report import card_report

    require_page("--page", page)
    _require_sense(draft, summary, to)
    opened = open_dataset(dataset)
    day = (as_of or datetime.now().astimezone()).date()
    with running_count("reading records") as done:
        report = card_report(opened, day, done)
    _print_faults(report)
    if page is not None:
        _write_page(page, report)
    if draft or summary is not None:
        text = _draft_text(report, summary, opened.card)
        if to is None:
            out.print(text, markup=False, soft_wrap=True, highlight=False, end="")
            return EXIT_DONE
        _write_new(to, text)
        out.print(str(to), markup=False, soft_wrap=True, highlight=False)
        return EXIT_DONE
    if as_json:
        score = report.score
        print_json({"share": score.share, "points": score.points} | report.model_dump(mode="json"))
    else:
        _print(report, dataset, page)
    return EXIT_NOT_VALID if report.score.contradictions or report.card_faults else EXIT_DONE


def _require_sense(draft: bool, summary: str | None, to: Path | None) -> None:
    from copycat.commands.outputs import require_output
    from copycat.errors import UserError
    from copycat.provenance.datasheet.summaries.template import summary as summary_named

    if summary is not None:
        summary_named(summary)
    if draft and summary is not None:
        raise UserError("--draft and --summary are two texts\n  needed: one of them; run the command twice")
    if to is not None and not draft and summary is None:
        raise UserError(f"--out {to}: there is nothing to write\n  needed: --draft for a card, or --summary eu|ab2013")
    require_output("--out", to)


def _draft_text(report: CardReport, summary: str | None, card: Card) -> str:
    from copycat.provenance.datasheet.draft import card_draft
    from copycat.provenance.datasheet.summaries.draft import summary_draft

    if summary is None:
        return card_draft(report, card)
    ready = next(one for one in report.summaries if one.summary.name == summary)
    return summary_draft(ready, report.dataset, report.facts, report.as_of.isoformat())


def _write_new(path: Path, text: str) -> None:
    """Write a draft; what a person may have written there meanwhile is never replaced."""
    from copycat.errors import UserError
    from copycat.runs.folder import write_bytes

    content = text.encode("utf-8", "replace")
    if path.exists() and path.read_bytes() != content:
        raise UserError(f"--out {path}: is there already, and says something else\n  needed: another name, or move it")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, content)


def _write_page(page: Path, report: CardReport) -> None:
    from copycat.provenance.datasheet.page import build_page
    from copycat.runs.folder import write_bytes

    page.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(page, build_page(report).encode("utf-8", "replace"))


def _print_faults(report: CardReport) -> None:
    """Say before all else, and beside any draft, what of the card could not be read and why."""
    from copycat.commands.fairuse_shown import one_line
    from copycat.console import err

    for line in report.card_faults:
        err.print(f"the card could not be read whole: {one_line(line, 200)}; what was not read counts nothing",
                  markup=False, highlight=False, soft_wrap=True)  # fmt: skip


def _print_next(report: CardReport, dataset: Path) -> None:
    """Print what to do first, before the long table: contradictions, and the fields that are best written next."""
    from rich.markup import escape
    from rich.table import Table

    from copycat.commands.fairuse_shown import one_line
    from copycat.console import out
    from copycat.paths import shown
    from copycat.provenance.datasheet.report import best_next

    for wrong in report.score.contradictions:
        out.print(
            f"the card says '{one_line(wrong.claim, 80)}'; the records: {one_line(wrong.fact, 120)}", markup=False
        )
    fields = best_next(report)
    if not fields:
        return
    out.print("\nbest written next:")
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for field in fields:
        table.add_row(escape(f"  {field.title}"), escape(field.write))
    out.print(table)
    begun = f"python -m copycat.provenance card {shown(dataset)} --draft --out CARD.md"
    out.print("a draft with what the records tell:", markup=False)
    out.print(f"  {begun}\n", markup=False, highlight=False, soft_wrap=True)


def _print(report: CardReport, dataset: Path, page: Path | None) -> None:
    from rich.markup import escape
    from rich.table import Table

    from copycat.commands.fairuse_shown import one_line
    from copycat.console import out
    from copycat.paths import shown
    from copycat.provenance.datasheet.fields import card_fields

    score = report.score
    title = f"{one_line(report.dataset)}: {score.points:g} of {len(score.fields)} fields ({100 * score.share:.0f} %)"
    out.print(f"[bold]{escape(title)}[/bold]")
    _print_next(report, dataset)
    table = Table(box=None, pad_edge=False)
    table.add_column("part", no_wrap=True)
    table.add_column("points", justify="right", no_wrap=True)
    table.add_column("what to write", overflow="fold")
    for name, heading in card_fields().sections.items():
        points, most = score.section(name)
        table.add_row(escape(heading), f"{points:g} of {most}", "", style="bold")
        for field in [field for field in score.fields if field.section == name and field.points < 1]:
            why = f" (now: {one_line(field.reason, 160)})" if field.places else ""
            table.add_row(escape(f"  {field.title}"), f"{field.points:g}", escape(f"{field.write}{why}"))
    out.print(table)
    if score.unread:
        out.print(f"headings of no field: {', '.join(one_line(name, 40) for name in score.unread[:10])}", markup=False)
    for ready in report.summaries:
        n = len(ready.fields) - ready.count("provider")
        out.print(f"{ready.summary.title}: {ready.count('ready')} of {n} fields ready", markup=False)
    for row in [row for row in report.filters if row.is_flagged][:10]:
        kept = f"{100 * row.share:.1f} % of {row.dimension} '{one_line(row.group, 40)}'"
        out.print(f"filter '{one_line(row.filter, 40)}' keeps {kept}, {100 * row.overall:.1f} % of all", markup=False)
    for line in report.unread[:5]:
        out.print(f"not read: {one_line(line, 160)}", markup=False)
    if page is not None:
        out.print(shown(page), markup=False, soft_wrap=True)
