"""`python -m copycat.provenance remove`: take records out of a dataset and of everything derived from it."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from copycat.commands.dates import read_day

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from copycat.provenance.dataset import Dataset
    from copycat.provenance.removal import Exposure, Removal
    from copycat.provenance.removal.exposure import Counting
    from copycat.provenance.removal.records import By

REMOVE_EPILOG = """\
A removed record leaves a tombstone: its id, its versions, the reason and its hashes, so that it is known again if it
comes back; the log removals.jsonl has a line for each. Without --rewrite the data files stay as they are, and those
that still hold a record are named. A removal that was killed is finished by the same command. Exit 0 done, 1 done and
files still hold removed records, 2 to be fixed by you.

\b
Examples:
  python -m copycat.provenance remove my-dataset --id 000017 --reason "asked for by the author" --rewrite
  python -m copycat.provenance remove my-dataset --domain example.org --reason "opt-out of the site" --dry-run
  python -m copycat.provenance remove my-dataset --ids list.txt --reason "takedown 12" --rewrite --derived my-crops
  python -m copycat.provenance remove my-dataset --name Zoravi --reason "opt-out" --characters sandbox --model m1=3
"""

SHOWN = 20


def remove(  # noqa: PLR0917 - one parameter per option
    dataset: Annotated[Path, typer.Argument(help="a folder or file with a manifest")],
    reason: Annotated[str, typer.Option(help="why; it is kept, so name nobody", show_default=False)],
    record_id: Annotated[
        list[str] | None, typer.Option("--id", help="the id of a record; repeatable", show_default=False)
    ] = None,
    ids: Annotated[Path | None, typer.Option(metavar="FILE", help="ids, one in a line")] = None,
    name: Annotated[str | None, typer.Option(help="all records that lookup --name finds", show_default=False)] = None,
    domain: Annotated[str | None, typer.Option(help="all that lookup --domain finds", show_default=False)] = None,
    picture: Annotated[Path | None, typer.Option(metavar="FILE", help="all that lookup --picture finds")] = None,
    text: Annotated[str | None, typer.Option(help="all that lookup --text finds", show_default=False)] = None,
    distance: Annotated[
        int | None, typer.Option(help="with --picture: bits of 64 that may differ; default: 0", show_default=False)
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(metavar="STANDARD=NAME", help="what the dataset calls a column; repeatable", show_default=False),
    ] = None,
    rewrite: Annotated[bool, typer.Option("--rewrite", help="write the data files without them")] = False,
    derived: Annotated[
        list[Path] | None, typer.Option(metavar="DATASET", help="made from this one; repeatable", show_default=False)
    ] = None,
    derived_by: Annotated[
        str, typer.Option(metavar="id|content", help="how records are known there: by id and content, or content alone")
    ] = "id",
    forget_hash: Annotated[bool, typer.Option("--forget-hash", help="keep no hash of what was removed")] = False,
    characters: Annotated[
        str | None, typer.Option(metavar="SET|FILE", help="count the pictures of these before and after")
    ] = None,
    concepts: Annotated[Path | None, typer.Option(metavar="FILE", help="the same, for concepts of a table")] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VERSION", help="was trained on this version; repeatable, kept", show_default=False),
    ] = None,
    study: Annotated[
        Path | None, typer.Option(metavar="STUDY", help="a study of copycat.imitation: gets the new counts")
    ] = None,
    lossy: Annotated[bool, typer.Option("--lossy", help="go on without what cannot be read")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="tell what would happen, and change nothing")] = False,
    as_of: Annotated[
        datetime | None, typer.Option(help="the day in the log; default: today", parser=read_day, metavar="DAY")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object instead of a table")] = False,
) -> int:
    """Remove records: tombstones, data files, derived datasets, and what it changes for counts and models."""
    from copycat.commands.provenance_lookup import opened_with
    from copycat.console import EXIT_DONE, EXIT_NOT_VALID, print_json, running_count, say
    from copycat.provenance.removal import Options
    from copycat.provenance.removal import remove as remove_records

    _require_nameless(reason, {"name": name, "domain": domain})
    opened = opened_with(dataset, column or [])
    day = (as_of or datetime.now().astimezone()).date()
    given = {"name": name, "domain": domain, "picture": picture, "text": text}
    asked = {kind: str(value) for kind, value in given.items() if value is not None}
    options = Options(
        by=_by(asked), rewrite=rewrite, forget_hash=forget_hash, derived=tuple(derived or ()),
        derived_by=_derived_by(derived_by), dry_run=dry_run, lossy=lossy,
    )  # fmt: skip
    counting = _counting(characters, concepts, study, model or [])
    with running_count("reading") as advance:
        named, n_alike = _ids(opened, [*(record_id or []), *_listed(ids)], asked, distance)
        if not named:
            say(f"note: --{next(iter(asked))} finds no record that is in it now")
        done = remove_records(opened, named, reason, day, options, counting=counting, tell=advance)
        alike = tuple(_alike_notes(n_alike, options.derived, picture, pictures=bool(done.n_pictures)))
        done = done.model_copy(update={"notes": (*done.notes, *alike)})
    if as_json:
        print_json(done.model_dump(mode="json"))
    else:
        _print(done, rewrite=rewrite)
    return EXIT_NOT_VALID if done.n_left or (done.n_unread and not lossy) else EXIT_DONE


def _require_nameless(reason: str, asked: dict[str, str | None]) -> None:
    """Look that the reason, which is kept for ever, does not say whose records are removed.

    Raises:
        UserError: it holds the name or the domain that is asked for.
    """
    from copycat.errors import UserError
    from copycat.names import words

    told = f" {' '.join(words(reason))} "
    for kind, value in asked.items():
        if value and (sought := " ".join(words(value))) and f" {sought} " in told:
            raise UserError(
                f"--reason holds what --{kind} asks for, and it is kept in the log and the table\n"
                "  needed: why, naming nobody, such as 'opt-out, ticket 12'"
            )


def _by(asked: dict[str, str]) -> By:
    from typing import cast

    return cast("By", next(iter(asked), "id"))


def _derived_by(value: str) -> Literal["id", "content"]:
    from copycat.errors import UnknownNameError

    if value == "id":
        return "id"
    if value == "content":
        return "content"
    raise UnknownNameError("way to know records", value, ("id", "content"), "--derived-by id or --derived-by content")


def _listed(path: Path | None) -> list[str]:
    from copycat.fairuse.text import read_text

    return [] if path is None else [line.strip() for line in read_text(path).splitlines() if line.strip()]


def _ids(dataset: Dataset, named: list[str], asked: dict[str, str], distance: int | None) -> tuple[list[str], int]:
    """Give the ids that are named, or that a look-up finds; and how many pictures look alike that are not among them.

    A picture is asked for as a look-up would, and what differs in more than the bits allowed is only counted.

    Raises:
        UserError: nothing is named, or both.
    """
    from copycat.commands.provenance_lookup import query_of
    from copycat.errors import UserError
    from copycat.provenance.lookup import look_up
    from copycat.provenance.lookup.matching import bits_of
    from copycat.provenance.lookup.queries import DEFAULT_DISTANCE

    if bool(named) == bool(asked):
        said = "both ids and a look-up are given" if named else "nothing to remove is named"
        raise UserError(f"{said}\n  needed: --id or --ids, or one of --name, --domain, --picture, --text")
    if named and distance is not None:
        raise UserError("--distance says nothing of ids\n  needed: --distance with --picture, or without it")
    if named:
        return list(dict.fromkeys(named)), 0
    answer = look_up(dataset, query_of(asked, distance, DEFAULT_DISTANCE), date(1, 1, 1), max_hits=None)
    found = {hit.id: bits_of(hit.found_by) for hit in answer.hits if hit.version_removed is None}
    named = [name for name, bits in found.items() if bits <= (distance or 0)]
    return named, len(found) - len(named)


def _alike_notes(n_alike: int, derived: Sequence[Path], picture: Path | None, *, pictures: bool) -> Iterator[str]:
    """Say which pictures that look alike stay: here, and in derived datasets."""
    from copycat.errors import UserError
    from copycat.provenance.dataset import open_dataset
    from copycat.provenance.lookup import look_up, make_query

    if n_alike:
        them = "1 picture looks alike and stays" if n_alike == 1 else f"{n_alike:,} pictures look alike and stay"
        yield f"{them}: lookup --picture lists what --distance 6 would take out"
    if picture is None:
        if derived and pictures:
            yield (
                "derived datasets are searched by id and by the same content: a picture that was made smaller or saved "
                "anew is found there by lookup --picture"
            )
        return
    for path in derived:
        try:
            n = look_up(open_dataset(path), make_query("picture", str(picture)), date(1, 1, 1), max_hits=0).n_now
        except UserError:  # what cannot be read there has been told
            continue
        if n:
            which = "1 picture looks" if n == 1 else f"{n:,} pictures look"
            yield f"{path}: {which} alike and {'stays' if n == 1 else 'stay'} there: see lookup {path} --picture"


def _counting(characters: str | None, concepts: Path | None, study: Path | None, models: list[str]) -> Counting:
    """Read what is to be counted.

    Raises:
        UserError: both --characters and --concepts are given, or a model has no version.
    """
    from copycat.errors import UserError
    from copycat.imitation.concepts import load_concepts, read_concepts
    from copycat.provenance.lookup.records import ModelUse
    from copycat.provenance.removal.exposure import Counting

    if characters is not None and concepts is not None:
        raise UserError("--characters and --concepts are both given\n  needed: one of them")
    uses = []
    for model in models:
        name, equals, version = model.rpartition("=")
        if not (name and equals and version):
            raise UserError(f"--model '{model}' names no version\n  needed: NAME=VERSION, such as my-model=3")
        uses.append(ModelUse(model=name, version=version))
    given = characters if characters is not None else concepts
    found = load_concepts(given) if given is not None else ()
    if study is not None:
        found = read_concepts(study, given)
    return Counting(found, uses, study)


def _print(done: Removal, *, rewrite: bool) -> None:
    from copycat.commands.fairuse_shown import one_line
    from copycat.console import out, say

    def tell(text: str) -> None:
        out.print(text, markup=False, soft_wrap=True)

    would = "would be " if done.is_dry_run else ""
    after = "the next version" if done.is_dry_run else f"version {one_line(done.version)}"
    if done.ids:
        tell(f"{one_line(done.dataset)}: {len(done.ids):,} of version {one_line(done.from_version)} {would}removed, "
             f"not in {after}")  # fmt: skip
    else:
        is_anew = done.version != done.from_version and not done.n_resumed
        same = f"; version {one_line(done.version)} holds the same records, in other files" if is_anew else ""
        tell(f"{one_line(done.dataset)}: nothing new to remove{same}")
    if done.n_same_content:
        tell(f"of these, {done.n_same_content:,} were not named and hold the same as one that was")
    if done.already:
        tell(f"{len(done.already):,} had been removed before")
    if done.n_resumed:
        tell(f"{done.n_resumed:,} had been begun before and are finished now")
    _print_files(done)
    if done.beside:
        tell(f"{', '.join(one_line(each) for each in done.beside[:SHOWN])}: what it said of them was taken out")
    for line in (*_model_lines(done), *_exposure_lines(done.exposure)):
        tell(line)
    if done.n_left:
        how = "" if rewrite else ": the same command with --rewrite takes them out"
        said = "1 record still lies" if done.n_left == 1 else f"{done.n_left:,} records still lie"
        say(f"{said} in files{how}")
    for note in done.notes:
        say(f"note: {one_line(note)}")
    if done.n_short:
        say(f"note: {done.n_short:,} hold a text of fewer than eight words: copies of it elsewhere are not looked for")


def _print_files(done: Removal) -> None:
    from rich.markup import escape
    from rich.table import Table

    from copycat.commands.fairuse_shown import one_line
    from copycat.console import out

    if not done.holding:
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("dataset", "file", "by id", "by content", "state"):
        table.add_column(heading, overflow="fold", justify="right" if heading.startswith("by") else "left")
    for each in done.holding[:SHOWN]:
        taken_out = "deleted" if each.is_record else "rewritten"
        state = taken_out if each.is_rewritten else "holds them" if not done.is_dry_run else "holds them now"
        cells = (each.dataset, each.file, f"{each.by_id:,}", f"{each.by_content:,}", state)
        table.add_row(*(escape(one_line(cell, 100)) for cell in cells))
    out.print(table)
    if (more := len(done.holding) - SHOWN) > 0:
        out.print(f"and {more:,} more files; --json lists all", markup=False)


def _model_lines(done: Removal) -> Iterator[str]:
    """Say which models were trained on the records that were asked for."""
    from copycat.commands.fairuse_shown import one_line

    asked = len(done.ids) + len(done.already) + done.n_resumed
    for use in done.models if asked else ():
        held = f"{use.n_records:,} of these {asked:,}" if use.n_records else "none of these"
        yield f"model {one_line(use.model)} was trained on version {one_line(use.version)}, which held {held}"


def _exposure_lines(exposures: Sequence[Exposure]) -> Iterator[str]:
    """Say the counts of concepts that differ between versions, a line each, and of all others in one line."""
    changed = [each for each in exposures if len(set(each.counts.values())) > 1]
    yield from map(_exposure_line, changed)
    same = [each for each in exposures if each not in changed]
    if not same:
        return
    concepts = f"{len(same):,} {'other ' if changed else ''}concept{'' if len(same) == 1 else 's'}"
    n_some = sum(any(each.counts.values()) for each in same)
    figures = f"{n_some:,} with pictures, {len(same) - n_some:,} with none"
    yield f"{concepts}: as many as before ({figures}); --json lists all"


def _exposure_line(exposure: Exposure) -> str:
    """Say it in a line: "Zoravi: 412 pictures in version 3, 0 in version 4; model m was trained on version 3"."""
    from copycat.commands.fairuse_shown import one_line

    said = []
    for at, (version, count) in enumerate(exposure.counts.items()):
        figure = "no figure" if count is None else f"{count:,.0f}"
        unit = "" if at or count is None else " picture" if count == 1 else " pictures"
        said.append(f"{figure}{unit} in {'the next version' if version == 'next' else f'version {one_line(version)}'}")
    models = [
        f"; model {one_line(use.model)} was trained on version {one_line(use.version)}"
        + (f": at least {use.n_records:,} picture{'' if use.n_records == 1 else 's'}" if use.is_at_least else "")
        for use in exposure.models
    ]
    return f"{one_line(exposure.name)}: {', '.join(said)}{''.join(models)}"
