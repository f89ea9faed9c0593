"""`python -m copycat.provenance signals`: what rights holders say in machine-readable forms, for each use."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from copycat.provenance.records import SignalDecision, Use
    from copycat.provenance.signals.counting import DatasetSignals
    from copycat.provenance.signals.drift import Later
    from copycat.provenance.signals.recorded import Recorded

SIGNALS_EPILOG = """\
Recorded answers are JSON, one object for each address: {"url": ..., "status": 200, "headers": {...}, "robots": TEXT,
"tdmrep": [...], "licences": [TEXT]}, each part only if it was asked for; or a list of them, or a line each (JSONL).
What a standard leaves open or reads as a permission, and is plainly meant as a refusal, is a refusal: see --list.
Exit 0 all asked uses are allowed, 1 one is denied or unknown, 2 to be fixed by you.

\b
Examples:
  python -m copycat.provenance signals robots.txt --url https://example.org/art/cat.jpg
  python -m copycat.provenance signals picture.jpg --use generative-training,mining
  python -m copycat.provenance signals my-dataset --against recorded.jsonl
  python -m copycat.provenance signals my-dataset --ids denied.txt
  python -m copycat.provenance signals https://example.org/art/ --live --record recorded.json
"""

MAX_LISTED = 20
MAX_SHOWN = 5
"""Addresses of a recorded file whose tables are printed."""


def signals(  # noqa: PLR0917 - one parameter per option
    what: Annotated[
        str | None,
        typer.Argument(
            metavar="WHAT", help="a dataset, a picture, a robots.txt, recorded answers, or an address with --live"
        ),
    ] = None,
    use: Annotated[
        str, typer.Option(metavar="USES", help="asked for, such as training,search: decides the exit code")
    ] = "generative-training",
    url: Annotated[str, typer.Option(help="which address a robots.txt or a folder of answers is about")] = "",
    against: Annotated[
        Path | None, typer.Option(metavar="RECORDED", help="newer answers: tell for which records they differ")
    ] = None,
    ids: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="write the ids of all records denied for an asked use, a line each"),
    ] = None,
    live: Annotated[bool, typer.Option("--live", help="WHAT is an address: fetch it, and what its site says")] = False,
    record: Annotated[Path | None, typer.Option(metavar="FILE.json", help="with --live: keep the answers")] = None,
    listing: Annotated[bool, typer.Option("--list", help="list the forms that are read, with their standards")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object instead of tables")] = False,
) -> int:
    """Tell whether rights holders allow or deny a use, or nothing is known: robots.txt, headers, licences, pictures."""
    from copycat.commands.outputs import require_output
    from copycat.console import EXIT_DONE, out, print_json, say
    from copycat.errors import UserError

    if listing:
        _list_sources(as_json)
        return EXIT_DONE
    require_output("--ids", ids)
    require_output("--record", record)
    uses = _uses(use)
    if what is None:
        raise UserError("nothing to look at\n  needed: WHAT, see: python -m copycat.provenance signals --help")
    if url and "://" not in url:
        raise UserError(f"--url '{url}' is no address\n  needed: one such as https://example.org/art/cat.jpg")
    if live or what.startswith(("http://", "https://")):
        _refuse({"--against": against, "--ids": ids, "--url": url}, "an address")
        return _tell([_fetched(what, live, record)], uses, as_json)
    if record is not None:
        raise UserError("--record keeps what --live fetches\n  add --live, or leave --record out")
    found = _recorded(Path(what), url)
    if found is not None:
        _refuse({"--against": against, "--ids": ids}, f"'{what}', which is no dataset")
        return _tell(found, uses, as_json)
    _refuse({"--url": url}, "a dataset, whose records have addresses of their own")
    counted = _counted(Path(what), uses, _later(against), ids)
    if counted.unread:
        say(f"note: {counted.unread}")
    if counted.n_broken:
        said = "1 picture" if counted.n_broken == 1 else f"{counted.n_broken:,} pictures"
        say(f"note: {said} cannot be read, and may say no inside; check names them (F1)")
    if as_json:
        print_json({**counted.model_dump(mode="json"), "asked": list(uses), "policy": _policy()})
    else:
        _print_dataset(counted, uses, against)
        if ids is not None:
            out.print(f"ids of records denied: {ids}", markup=False, soft_wrap=True)
    is_allowed = all(counted.counts[name]["allow"] == counted.n_records > 0 for name in uses)
    return _exit(is_allowed and not (counted.n_inside or counted.n_broken or counted.unread))


def _refuse(options: dict[str, Any], what: str) -> None:
    from copycat.errors import UserError

    given = next((name for name, value in options.items() if value), None)
    if given is not None:
        raise UserError(f"{given} does nothing for {what}\n  leave it out")


def _uses(text: str) -> tuple[Use, ...]:
    from copycat.errors import UnknownNameError
    from copycat.provenance.records import USES

    names = [name.strip() for name in text.split(",") if name.strip()]
    wrong = next((name for name in names if name not in USES), None)
    if wrong is not None or not names:
        raise UnknownNameError("use", wrong or "", USES)
    return tuple(known for known in USES if known in names)


def _fetched(address: str, live: bool, record: Path | None) -> Recorded:
    from copycat.errors import UserError
    from copycat.provenance.signals.files import object_of
    from copycat.provenance.signals.live import Fetcher
    from copycat.runs.folder import write_json

    if not live:
        raise UserError(f"'{address}' is an address, and nothing is fetched unasked\n  to fetch it: add --live")
    if record is not None and record.exists():
        raise UserError(f"'{record}' is there already, and what was recorded is not rewritten\n  needed: a new name")
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    found = Fetcher(now).fetch_site(address)
    if record is not None:
        record.parent.mkdir(parents=True, exist_ok=True)
        write_json(record, object_of(found))
    return found


def _recorded(path: Path, url: str) -> list[Recorded] | None:
    """Give recorded answers, or those of a picture or book; None for a dataset."""
    from copycat.console import say
    from copycat.errors import DataError
    from copycat.paths import shown
    from copycat.provenance.dataset.archives import PICTURES
    from copycat.provenance.dataset.files import SUFFIXES
    from copycat.provenance.dataset.pictures import picture_fault
    from copycat.provenance.signals.files import MAX_FILE_BYTES, is_recorded, read_recorded
    from copycat.provenance.signals.recorded import Recorded, Response

    if not path.exists():
        raise DataError(
            [f"{path}: is not there"], "  needed: a file or folder on this machine, or an address with --live"
        )
    if is_recorded(path):
        return read_recorded(path, url)
    if path.is_dir() or path.name.casefold().endswith(tuple(SUFFIXES)):
        return None
    if path.stat().st_size > MAX_FILE_BYTES:
        raise DataError([f"{path}: has more than {MAX_FILE_BYTES} bytes"], "  needed: a picture, a page or a book")
    page = Response(url=url, body=path.read_bytes(), place=path.name)
    if path.suffix.casefold().lstrip(".") in PICTURES and (fault := picture_fault(page.body)):
        say(f"note: {shown(path)} {fault}: what it says inside itself may be lost")
    return [Recorded(url=url, page=page)]


def _later(against: Path | None) -> Later | None:
    from copycat.provenance.signals.drift import Later
    from copycat.provenance.signals.files import read_recorded

    return None if against is None else Later(read_recorded(against))


def _counted(path: Path, uses: Sequence[Use], later: Later | None, ids: Path | None) -> DatasetSignals:
    from copycat.console import running_count
    from copycat.provenance.dataset import open_dataset
    from copycat.provenance.signals.counting import count_signals
    from copycat.runs.folder import write_bytes

    dataset = open_dataset(path)
    denied: dict[str, None] = {}
    with running_count("reading records") as tell:
        counted = count_signals(dataset, uses, later, tell, denied.setdefault if ids is not None else lambda name: None)
    if ids is not None:
        ids.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(ids, "".join(f"{name}\n" for name in denied).encode("utf-8", "replace"))
    return counted


def _tell(found: list[Recorded], uses: Sequence[Use], as_json: bool) -> int:
    from copycat.console import out, print_json
    from copycat.provenance.signals import resolve

    decisions = [resolve(one) for one in found]
    if as_json:
        addresses = [
            {"url": one.url, **decision.model_dump(mode="json")} for one, decision in zip(found, decisions, strict=True)
        ]
        print_json({"asked": list(uses), "policy": _policy(), "addresses": addresses})
    else:
        for one, decision in list(zip(found, decisions, strict=True))[:MAX_SHOWN]:
            _print_decision(one, decision, uses)
        if len(found) > MAX_SHOWN:
            more = len(found) - MAX_SHOWN
            out.print(f"and {more} more addresses; all of them: --json", markup=False)
    return _exit(bool(found) and all(decision.answers[use] == "allow" for decision in decisions for use in uses))


def _exit(is_allowed: bool) -> int:
    from copycat.console import EXIT_DONE, EXIT_NOT_VALID

    return EXIT_DONE if is_allowed else EXIT_NOT_VALID


def _policy() -> dict[str, str]:
    from copycat.provenance.records import USES
    from copycat.provenance.signals import policy_answer

    return {use: policy_answer("unknown", use) for use in USES}


def _table(title: str, *headings: str) -> Any:  # Any: rich is imported when used
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def _print_decision(recorded: Recorded, decision: SignalDecision, uses: Sequence[Use]) -> None:
    from rich.markup import escape

    from copycat.commands.fairuse_shown import one_line
    from copycat.console import out
    from copycat.provenance.records import USES
    from copycat.provenance.signals import policy_answer

    own = recorded.page.place if recorded.page is not None else ""
    place = recorded.url or own or next((signal.place for signal in decision.signals), "what was given")
    if recorded.robots is not None or recorded.tdmrep is not None:
        place += "" if recorded.url else ", for the path /; for another: --url ADDRESS"
    table = _table(escape(one_line(place, 100)), "use", "answer", "done", "because")
    for use in USES:
        answer = decision.answers[use]
        why = [signal for signal in decision.signals if signal.answers.get(use) == answer]
        said = "; ".join(dict.fromkeys(f"{signal.source} ({one_line(signal.place, 60)})" for signal in why))
        asked = "*" if use in uses else ""
        table.add_row(f"{use}{asked}", answer, policy_answer(answer, use), escape(said or "nothing was said"))
    out.print(table)
    out.print("* asked for; done: what policy makes of the answer", style="italic dim")
    for signal in decision.signals:
        line = "  ".join(part for part in (signal.source, signal.place, signal.raw, signal.note) if part)
        out.print(f"  {one_line(line, 220)}", markup=False, soft_wrap=True)
    out.print()


def _print_dataset(counted: DatasetSignals, uses: Sequence[Use], against: Path | None) -> None:
    from rich.markup import escape

    from copycat.commands.fairuse_shown import one_line
    from copycat.console import out
    from copycat.provenance.records import USES
    from copycat.provenance.signals import policy_answer

    title = f"{escape(one_line(counted.dataset, 80))}: {counted.n_records:,} record{'s' * (counted.n_records != 1)}"
    table = _table(title, "use", "allow", "deny", "unknown", "unknown is done as")
    for use in USES:
        counts = counted.counts[use]
        asked = "*" if use in uses else ""
        numbers = [f"{counts[answer]:,}" for answer in ("allow", "deny", "unknown")]
        table.add_row(f"{use}{asked}", *numbers, policy_answer("unknown", use))
    out.print(table)
    out.print("* asked for", style="italic dim")
    if counted.n_faulty:
        out.print(f"records whose headers or signals cannot be read: {counted.n_faulty:,}", markup=False)
    if counted.n_inside:
        out.print(f"pictures that say no inside themselves, beside the sidecar: {counted.n_inside:,}", markup=False)
    for item in counted.denied:
        said = f"deny {item.use}: {item.id} ({item.evidence.place}) {'; '.join(item.because)}"
        out.print(f"  {one_line(said, 220)}", markup=False, soft_wrap=True)
    if counted.n_denied + counted.n_inside > len(counted.denied) >= MAX_LISTED:
        number = counted.n_denied + counted.n_inside
        out.print(f"  ... of {number:,} records; the ids of all of them: --ids FILE", markup=False)
    if against is not None or counted.n_changed:
        said = (
            f"{counted.n_compared:,} compared, {counted.n_changed:,} changed, {counted.n_stricter:,} of them denied now"
        )
        out.print(f"then and now: {said}; nothing recorded was rewritten", markup=False, soft_wrap=True)
        _print_drift(counted)


def _print_drift(counted: DatasetSignals) -> None:
    from rich.markup import escape

    from copycat.commands.fairuse_shown import one_line
    from copycat.console import out

    for is_stricter, title in ((True, "denied now"), (False, "changed, and not to a refusal")):
        groups = [group for group in counted.drift_groups if group.is_stricter == is_stricter]
        if not groups:
            continue
        table = _table(title, "site", "records", "then and now", "such as")
        for group in groups[:MAX_LISTED]:
            alike: dict[tuple[str, str], list[str]] = {}
            for use, change in group.changes.items():
                alike.setdefault(change, []).append(use)
            said = "; ".join(f"{', '.join(names)}: {then} then, {now} now" for (then, now), names in alike.items())
            more = ", ..." if group.n_records > len(group.ids) else ""
            such_as = escape(one_line(", ".join(group.ids) + more, 60))
            table.add_row(escape(one_line(group.site or "no address", 60)), f"{group.n_records:,}", said, such_as)
        out.print(table)
        if len(groups) > MAX_LISTED:
            out.print(f"  and {len(groups) - MAX_LISTED} more groups; the first 200: --json", markup=False)


def _list_sources(as_json: bool) -> None:
    from copycat.console import out, print_json
    from copycat.provenance.signals.sources import SOURCES

    rows = [row for row in SOURCES.rows() if row.standard]
    if as_json:
        print_json(
            [{"name": row.name, "about": row.about, "standard": row.standard, "beyond": row.beyond} for row in rows]
        )
        return
    table = _table("forms that are read", "name", "where", "standard")
    for row in rows:
        table.add_row(row.name, row.about, row.standard)
    out.print(table)
    out.print("\nread as a refusal, which the standard does not do or leaves open:", markup=False)
    for beyond in dict.fromkeys(row.beyond for row in rows if row.beyond):
        names = ", ".join(row.name for row in rows if row.beyond == beyond)
        out.print(f"  {names}: {beyond}", markup=False, soft_wrap=True)
