"""`python -m copycat.provenance usable`: which records may be used for a purpose, by licence and signals together."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from copycat.provenance.dataset import Dataset
    from copycat.provenance.usable import Lists, UsableReport

USABLE_EPILOG = """\
A record is usable if its licence fits, the dataset's own licence fits, and no signal denies the use. Unknown is never
yes: where no licence is known, or nothing is recorded of what the rights holder says, the answer is unknown (for
search, policy reads a silent rights holder as a permission). For records that are your own, say so in a column
'decision': allow. Records that were removed are not counted. The ids are those that remove --ids takes; make the
manifest first where records have no ids of their own.
Facts about licences and signals, and no legal advice. In the CSV, a cell that a spreadsheet would compute begins
with an apostrophe.
Exit 0 all records are usable, 1 some are not or are not known to be, 2 to be fixed by you.

\b
Examples:
  python -m copycat.provenance usable my-dataset --for training --out usable.csv
  python -m copycat.provenance usable my-dataset --for research --against recorded.jsonl
  python -m copycat.provenance usable my-dataset --for training --ids not-usable.txt --unknown-too
  python -m copycat.provenance remove my-dataset --ids not-usable.txt --reason "not for training" --rewrite
"""

SHOWN = 20
UNKNOWN = (
    "unknown is never yes: name the licences, and record what servers answer (see signals --help), then --against FILE"
)


def usable(  # noqa: PLR0917 - one parameter per option
    dataset: Annotated[Path, typer.Argument(help="a folder or a file")],
    purpose: Annotated[
        str, typer.Option("--for", help="research, training, sharing, adapting or search")
    ] = "training",
    output_licence: Annotated[
        str | None, typer.Option(metavar="SPDX", help="under which changes are to be passed on", show_default=False)
    ] = None,
    against: Annotated[
        Path | None, typer.Option(metavar="RECORDED", help="newer answers of servers: they count in place of older")
    ] = None,
    table: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE.csv", help="write all records: id, place, licence, signal, usable, why"),
    ] = None,
    ids: Annotated[
        Path | None, typer.Option(metavar="FILE", help="write the ids of records that are not usable, a line each")
    ] = None,
    unknown_too: Annotated[
        bool, typer.Option("--unknown-too", help="with --ids: those of which it is unknown as well")
    ] = False,
    column: Annotated[
        list[str] | None,
        typer.Option(metavar="STANDARD=NAME", help="what the dataset calls a column; repeatable", show_default=False),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object instead of tables")] = False,
) -> int:  # fmt: skip
    """Tell which records may be used for a purpose: yes, no or unknown for each, by licence and signals together."""
    from copycat.commands.provenance_lookup import opened_with
    from copycat.console import EXIT_DONE, EXIT_NOT_VALID, print_json, running_count
    from copycat.errors import UserError
    from copycat.provenance.signals.drift import Later
    from copycat.provenance.signals.files import read_recorded
    from copycat.provenance.usable import Lists, find_usable

    if unknown_too and ids is None:
        raise UserError("--unknown-too belongs to --ids\n  needed: --ids FILE, or without it")
    wanted = _purpose(purpose, output_licence)
    opened = opened_with(dataset, column or [])
    lists = Lists(table, ids, unknown_too)
    _require(lists, opened)
    later = None if against is None else Later(read_recorded(against))
    with running_count("reading records") as tell:
        found = find_usable(opened, wanted, later, lists, tell)
    if as_json:
        files = {"table": _text(table), "ids": _text(ids)}
        print_json(found.model_dump(mode="json") | {"files": files, "unknown_too": unknown_too})
    else:
        _print(found, lists)
    _tell_unread(found)
    return EXIT_DONE if found.is_all and found.n_records else EXIT_NOT_VALID


def _purpose(name: str, output: str | None):  # type: ignore[no-untyped-def]  # a Purpose; pydantic is imported when used
    from copycat.errors import UnknownNameError
    from copycat.provenance.licences.output import with_output
    from copycat.provenance.records import PURPOSES

    if name not in PURPOSES:
        raise UnknownNameError("purpose", name, PURPOSES, f"one of: {', '.join(PURPOSES)}")
    return with_output(PURPOSES[name], output)


def _require(lists: Lists, dataset: Dataset) -> None:
    """Refuse lists that cannot be written, or would be read as records, before any record is read."""
    from copycat.commands.outputs import require_output
    from copycat.errors import UserError
    from copycat.provenance.licences.listing import check_place

    given = {option: path for option, path in (("--out", lists.table), ("--ids", lists.ids)) if path is not None}
    for option, path in given.items():
        check_place(path, dataset, option)
        require_output(option, path)
    if lists.table is not None and lists.table.suffix.lower() != ".csv":
        raise UserError(f"--out {lists.table} is no table\n  needed: a name that ends in .csv")
    if len({path.resolve() for path in given.values()}) < len(given):
        raise UserError("--out and --ids name the same file\n  needed: two names")


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


def _print(found: UsableReport, lists: Lists) -> None:
    from copycat.console import out
    from copycat.paths import shown

    purpose = found.purpose
    output = f", to go on as {purpose.output_licence}" if purpose.output_licence else ""
    counts = ", ".join(f"{number:,} {word}" for word, number in _counts(found))
    said = f"{found.dataset} for {purpose.name} ({purpose.about}){output}"
    out.print(f"{_plain(said)}\n{found.n_records:,} records, usable: {counts}", markup=False, soft_wrap=True)
    if found.reasons:
        out.print(_table(found))
    if found.n_reasons > SHOWN:
        out.print(f"and {found.n_reasons - SHOWN:,} more reasons; each record's: --out FILE.csv", markup=False)
    if found.counts["unknown"]:
        out.print(UNKNOWN, markup=False, soft_wrap=True)
    if lists.table is not None:
        out.print(f"all records: {shown(lists.table)}", markup=False, soft_wrap=True)
    if lists.ids is not None:
        what = "not usable, or not known to be" if lists.has_unknown else "not usable"
        out.print(f"{found.n_ids:,} ids of records {what}: {shown(lists.ids)}", markup=False, soft_wrap=True)
        if not lists.has_unknown and found.counts["unknown"]:
            left = f"{found.counts['unknown']:,} of which it is unknown are not in that list; with them: --unknown-too"
            out.print(left, markup=False, soft_wrap=True)
        if found.n_unlisted:
            told = f"{found.n_unlisted:,} ids hold a line break, and are in no list of lines: see --out FILE.csv"
            out.print(told, markup=False, soft_wrap=True)


def _counts(found: UsableReport) -> Sequence[tuple[str, int]]:
    return [(word, found.counts[word]) for word in ("yes", "no", "unknown")]


def _table(found: UsableReport):  # type: ignore[no-untyped-def]  # a rich table; rich is imported when it is drawn
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column("usable", no_wrap=True)
    table.add_column("records", justify="right", no_wrap=True)
    table.add_column("why", overflow="fold")
    table.add_column("such as", overflow="fold")
    order = ("yes", "no", "unknown")
    for one in sorted(found.reasons[:SHOWN], key=lambda each: order.index(each.usable)):
        why = one.why or "the licence fits, and no signal denies it"
        such_as = ", ".join(one.ids) + (", ..." if one.n_records > len(one.ids) else "")
        table.add_row(one.usable, f"{one.n_records:,}", escape(_plain(why)), escape(_plain(such_as, 60)))
    return table


def _tell_unread(found: UsableReport) -> None:
    """Tell on stderr what is in no list."""
    from copycat.console import say

    if found.unread:
        say(f"note: {_plain(found.unread)}")
    for note in found.notes:
        say(f"note: {_plain(note)}")


def _plain(text: str, letters: int = 400) -> str:
    from copycat.commands.fairuse_shown import one_line

    return one_line(text, letters)
