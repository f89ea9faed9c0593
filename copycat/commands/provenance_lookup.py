"""`python -m copycat.provenance lookup`: "am I in it?", answered without showing anything of others."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from copycat.commands.dates import read_day

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from copycat.provenance.dataset import Dataset
    from copycat.provenance.lookup import LookupAnswer, Query

LOOKUP_EPILOG = """\
The answer holds ids, places, licences and versions of what was found, and nothing else of it: no text, no name, no
address, no picture. What would find strangers (a letter, "com", two words) is refused. Exit 0 answered, whether found
or not; 2 to be fixed by you.

\b
Examples:
  python -m copycat.provenance lookup my-dataset --name Zoravi
  python -m copycat.provenance lookup my-dataset --domain example.org --page answer.html
  python -m copycat.provenance lookup train.parquet --picture mine.jpg --json
"""

SHOWN_HITS = 20


def lookup(  # noqa: PLR0917 - one parameter per option
    dataset: Annotated[Path, typer.Argument(help="a folder, or a file: .parquet, .jsonl, .csv, .tar (WebDataset)")],
    name: Annotated[str | None, typer.Option(help="a name: author, title, text, source", show_default=False)] = None,
    domain: Annotated[str | None, typer.Option(help="a site and all below it: example.org", show_default=False)] = None,
    picture: Annotated[
        Path | None, typer.Option(metavar="FILE", help="a picture: the same file, or one that looks alike")
    ] = None,
    text: Annotated[str | None, typer.Option(help="words in a row, five at least", show_default=False)] = None,
    text_file: Annotated[Path | None, typer.Option(metavar="FILE", help="a text; runs of eight words of it")] = None,
    record_id: Annotated[str | None, typer.Option("--id", help="the id of a record", show_default=False)] = None,
    distance: Annotated[
        int | None, typer.Option(help="with --picture: bits of 64 that may differ; default: 6", show_default=False)
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(metavar="STANDARD=NAME", help="what the dataset calls a column; repeatable", show_default=False),
    ] = None,
    page: Annotated[Path | None, typer.Option(metavar="FILE.html", help="write the answer as a plain page")] = None,
    as_of: Annotated[
        datetime | None, typer.Option(help="the day on the receipt; default: today", parser=read_day, metavar="DAY")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object instead of a table")] = False,
) -> int:  # fmt: skip
    """Look up whether a name, a site, a picture or a text is in a dataset, and in which versions."""
    from copycat.commands.fairuse_shown import require_page
    from copycat.console import EXIT_DONE, print_json, running_count
    from copycat.provenance.lookup import look_up
    from copycat.provenance.lookup.page import build_page
    from copycat.runs.folder import write_bytes

    require_page("--page", page)
    given = {"name": name, "domain": domain, "picture": picture, "text": text, "text-file": text_file, "id": record_id}
    query = query_of({kind: str(value) for kind, value in given.items() if value is not None}, distance, 6)
    opened = opened_with(dataset, column or [])
    day = (as_of or datetime.now().astimezone()).date()
    with running_count("looking") as advance:
        answer = look_up(opened, query, day, advance=advance)
    if page is not None:
        write_bytes(page, build_page(answer).encode("utf-8", "replace"))
    if as_json:
        print_json(answer.model_dump(mode="json") | {"page": None if page is None else str(page)})
    else:
        _print(answer, page)
    return EXIT_DONE


def opened_with(dataset: Path, columns: Sequence[str]) -> Dataset:
    """Open a dataset with the columns that the user named, or that its provenance.yaml names.

    Raises:
        UserError: a column has the wrong form, or means nothing that is known.
    """
    from copycat.errors import UserError
    from copycat.provenance.check.settings import read_settings, require_standard
    from copycat.provenance.dataset import open_dataset

    named = {}
    for each in columns:
        standard, equals, name = each.partition("=")
        if not (standard and equals and name):
            raise UserError(f"--column '{each}' has the wrong form\n  needed: STANDARD=NAME, such as author=painter")
        named[standard] = name
    return open_dataset(dataset, require_standard(read_settings(dataset).columns | named))


def query_of(given: dict[str, str], distance: int | None, default: int) -> Query:
    """Make the one query that the options ask for; `default` is the distance of a picture where none is given.

    Raises:
        UserError: there is none, or more than one, it is too broad, or a distance is given for what is no picture.
    """
    from typing import cast

    from copycat.errors import UserError
    from copycat.fairuse.text import read_text
    from copycat.provenance.lookup import make_query
    from copycat.provenance.lookup.records import Kind

    if len(given) != 1:
        said = " and ".join(f"--{kind}" for kind in given) or "nothing"
        raise UserError(
            f"{said} is given\n  needed: one of --name, --domain, --picture, --text, --text-file, --id, once for each"
        )
    kind, value = next(iter(given.items()))
    if distance is not None and kind != "picture":
        raise UserError(f"--distance says nothing of --{kind}\n  needed: --distance with --picture, or without it")
    if kind == "text-file":
        kind, value = "text", read_text(Path(value))
    return make_query(cast("Kind", kind), value, default if distance is None else distance)


def _version_lines(answer: LookupAnswer) -> Iterator[str]:
    """Say how many each version holds, what of it cannot be told any more, and which models were trained on it."""
    from copycat.commands.fairuse_shown import one_line
    from copycat.provenance.lookup.page import counted_in

    def told(n: float | None, version: str, *, is_at_least: bool) -> str:
        figure = "no figure" if n is None else f"{'at least ' if is_at_least else ''}{n:,.0f}"
        return f"{figure} in version {one_line(version, 40)}"

    if answer.by_version:
        figures = (told(n, each, is_at_least=each in answer.unsearched) for each, n in answer.by_version.items())
        yield f"by version: {', '.join(figures)}"
    for version, n in answer.unsearched.items():
        records = "1 record" if n == 1 else f"{n:,} records"
        yield (
            f"  {records} of version {one_line(version, 40)} {'was' if n == 1 else 'were'} removed or changed since "
            f"and cannot be searched by {answer.query.kind}"
        )
    if counted := counted_in(answer):
        figures = (told(each.n, each.version, is_at_least=each.is_at_least) for each in counted)
        yield f"pictures whose captions named it, as counted around removals: {', '.join(figures)}"
    for model in answer.models:
        figure = f"{'at least ' if model.is_at_least else ''}{model.n_records:,} of them"
        if model.is_at_least and not model.n_records:
            figure = "how many of them it held is not known any more"
        yield f"model {one_line(model.model, 60)} was trained on version {one_line(model.version, 40)}: {figure}"


def _print(answer: LookupAnswer, page: Path | None) -> None:
    from rich.markup import escape
    from rich.table import Table

    from copycat.commands.fairuse_shown import one_line
    from copycat.console import out, say
    from copycat.paths import shown
    from copycat.provenance.lookup.licence import licence_text
    from copycat.provenance.lookup.page import state_of

    query = answer.query
    now = f"{answer.n_now:,} of {answer.n_records:,} records" if answer.n_now else "nothing found now"
    now += " in what could be read" if answer.n_unread else ""
    removed = answer.n_found - answer.n_now
    before = f", {removed:,} removed before" if removed else ""
    out.print(f"{query.kind} '{one_line(query.asked, 80)}' in {one_line(answer.dataset)}: {now}{before}", markup=False,
              soft_wrap=True)  # fmt: skip
    for line in _version_lines(answer):
        out.print(line, markup=False, soft_wrap=True)
    if answer.hits:
        table = Table(box=None, pad_edge=False)
        for heading in ("id", "place", "found by", "licence", "state"):
            table.add_column(heading, overflow="fold")
        for hit in answer.hits[:SHOWN_HITS]:
            cells = (hit.id, hit.place, hit.found_by, licence_text(hit.licence), state_of(hit))
            table.add_row(*(escape(one_line(cell, 120)) for cell in cells))
        out.print(table)
        if (more := answer.n_found - min(len(answer.hits), SHOWN_HITS)) > 0:
            out.print(f"and {more:,} more; --json lists up to 1,000", markup=False)
    if answer.n_now:
        out.print(f"removal: {answer.contact or 'the card names no contact'}", markup=False, soft_wrap=True)
    for line in answer.not_looked:
        say(f"note: {line}")
    if page is not None:
        out.print(shown(page), markup=False, soft_wrap=True)
