"""`python -m copycat.provenance manifest`: where each record of a dataset comes from, in files that travel with it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from copycat.commands.dates import read_day

if TYPE_CHECKING:
    from copycat.provenance.dataset import Dataset
    from copycat.provenance.manifest.writing import Written

MANIFEST_EPILOG = """
Writes records.parquet (a row a record), manifest.json (versions and their Merkle roots) and croissant.json (Croissant
1.1) into the folder `provenance` of the dataset, or NAME.provenance beside a single file. A root is over ids and
contents: mirrors have the same one where both are the same. The same data again adds
nothing; other data become the next version, and what was removed or changed stays on record. Facts that nobody stated
are named, not made up: state them in the card, or with --fact.

\b
Examples:
  python -m copycat.provenance manifest my-dataset
  python -m copycat.provenance manifest my-dataset --version v4 --fact license=CC-BY-4.0
  python -m copycat.provenance manifest train.parquet --column id=key
  python -m copycat.provenance manifest my-dataset --prove cats/one.png > proof.json
  python -m copycat.provenance manifest my-dataset --proof proof.json

Exit 0 written or there already (or proved), 1 the proof does not hold, 2 to be fixed by you."""


def manifest(  # noqa: PLR0917 - one parameter per option
    dataset: Annotated[Path, typer.Argument(help="a folder, or a file: .parquet, .jsonl, .csv, .tar (WebDataset)")],
    version: Annotated[str | None, typer.Option(help="its name; default: the next whole number")] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="the sidecar's folder, where it may not lie with the data")
    ] = None,
    as_of: Annotated[
        datetime | None,
        typer.Option(help="the day of the version; default: today", parser=read_day, metavar="DAY"),
    ] = None,
    fact: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="a property of Croissant, such as license=CC0-1.0; repeatable"),
    ] = None,
    column: Annotated[
        list[str] | None, typer.Option(metavar="STANDARD=NAME", help="what the dataset calls a column; repeatable")
    ] = None,
    ids: Annotated[
        str | None,
        typer.Option(
            help="'column', or 'content': made from hashes; default: a column, else paths of pictures, else hashes"
        ),
    ] = None,
    lossy: Annotated[bool, typer.Option("--lossy", help="leave out what cannot be read, instead of refusing")] = False,
    phash: Annotated[
        bool, typer.Option("--phash", help="hash how pictures look, too, so that they can be looked up quickly")
    ] = False,
    prove: Annotated[
        str | None, typer.Option(metavar="ID", help="print a proof that this record is in the version; writes nothing")
    ] = None,
    proof: Annotated[
        Path | None, typer.Option(metavar="FILE", help="check a proof against the manifest; writes nothing")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> int:
    """Write down where each record comes from, and one hash over all of them, for each version."""
    from dataclasses import replace

    from copycat.commands.outputs import require_output
    from copycat.commands.provenance_lookup import opened_with
    from copycat.console import EXIT_DONE, print_json, running_count
    from copycat.provenance.manifest.writing import Order, write_manifest

    opened = opened_with(dataset, column or [])
    if out is not None:
        require_output("--out", out, is_folder=True)
        opened = replace(opened, sidecar=out)
    if prove is not None:
        return _prove(opened, prove, version)
    if proof is not None:
        return _check(opened, proof, as_json=as_json)
    order = Order(
        as_of=(as_of or datetime.now().astimezone()).date(),
        version=_named(version),
        ids=_ids(ids),
        facts=_facts(fact or ()),
        lossy=lossy,
        phash=phash,
    )
    with running_count("reading records") as tell:
        written = write_manifest(opened, order, tell)
    if as_json:
        print_json(_as_json(written, opened))
    else:
        _print(written, opened)
    return EXIT_DONE


# ---------------------------------------------------------------------------------------- private


def _named(version: str | None) -> str | None:
    from copycat.errors import UserError

    if version is not None and (not version.strip() or not version.isprintable() or "/" in version):
        raise UserError(f"--version {version!r} is no name of a version\n  needed: a short word, such as 4 or v4")
    return version


def _ids(ids: str | None) -> Any:
    from copycat.errors import UnknownNameError

    if ids not in (None, "column", "content"):
        raise UnknownNameError("--ids", ids, ("column", "content"))
    return ids


def _facts(facts: Any) -> dict[str, str]:
    from copycat.errors import UnknownNameError, UserError
    from copycat.provenance.manifest.stated import DATES, day_of, known_facts

    found: dict[str, str] = {}
    for fact in facts:
        name, equals, value = fact.partition("=")
        if not equals or not value.strip():
            raise UserError(f"--fact {fact}: says nothing\n  needed: NAME=VALUE, such as license=CC-BY-4.0")
        if name not in known_facts():
            raise UnknownNameError("fact", name, known_facts())
        if name in DATES and day_of(value) is None:
            raise UserError(f"--fact {fact}: is no day\n  needed: YYYY-MM-DD, such as {name}=2026-01-31")
        found[name] = value.strip()
    return found


def _print(written: Written, opened: Dataset) -> None:
    from copycat.commands.fairuse_shown import one_line
    from copycat.console import out, say
    from copycat.paths import shown
    from copycat.provenance.manifest.scanning import told
    from copycat.provenance.manifest.stated import REQUIRED

    last = written.manifest.last
    lines = []
    if written.is_new:
        lines.append(f"version {last.version}: {told(last.n_records)}")
        if len(written.manifest.versions) > 1:
            changes = f"{last.n_added:,} added, {last.n_removed:,} removed, {last.n_changed:,} changed"
            lines.append(f"against version {written.manifest.versions[-2].version}: {changes}")
    else:
        lines.append(f"version {last.version} already has this root; nothing is written")
    lines.append(f"root of records: {last.root}")
    lines.append(f"root of files: {last.files_root or 'unknown'}")
    required = [name for name in written.missing if name in REQUIRED]
    if required:
        lines.append(f"Croissant requires, and nobody stated: {', '.join(required)}")
    if recommended := [name for name in written.missing if name not in REQUIRED]:
        lines.append(f"Croissant recommends, and nobody stated: {', '.join(recommended)}")
    lines.append(shown(written.manifest.sidecar))
    for note in (*_of_card(opened), *_notes(written)):
        say(one_line(note))
    for line in lines:
        out.print(one_line(line), markup=False, soft_wrap=True)


def _of_card(opened: Dataset) -> list[str]:
    return [f"{fault.evidence.place} {fault.said}: what it states there is not used" for fault in opened.card.faults]


def _notes(written: Written) -> list[str]:
    notes = [
        f"{count:,} values of '{name}' are in no known form, and null in the sidecar"
        for name, count in sorted(written.unread.items())
    ]
    if written.manifest.file.ids == "path":
        notes.append("there is no column for ids: the path of each picture is its id")
    if written.n_made:
        notes.append(
            f"{written.n_made:,} records have no id and get one from their content; a mirror that has ids of its own "
            "has another root, since it is over ids and contents"
        )
    if written.n_empty:
        notes.append(f"{written.n_empty:,} records have no content that can be hashed: no picture, no text")
    if written.n_faults:
        notes.append(f"{written.n_faults:,} files or records could not be read, and are not part of the version")
    return notes


def _as_json(written: Written, opened: Dataset) -> dict[str, Any]:
    from copycat.paths import shown

    return {
        "sidecar": shown(written.manifest.sidecar),
        "is_new": written.is_new,
        **written.manifest.last.model_dump(mode="json"),
        "n_moved": written.n_moved,
        "ids": written.manifest.file.ids,
        "n_made_ids": written.n_made,
        "n_without_content": written.n_empty,
        "n_unreadable": written.n_faults,
        "unread": dict(written.unread),
        "missing": list(written.missing),
        "card_faults": _of_card(opened),
    }


def _prove(opened: Any, name: str, version: str | None) -> int:
    from copycat.console import EXIT_DONE, print_json
    from copycat.provenance.manifest.proving import prove_record
    from copycat.provenance.manifest.reading import open_manifest

    print_json(prove_record(open_manifest(opened), name, version).model_dump(mode="json"))
    return EXIT_DONE


def _check(opened: Any, path: Path, *, as_json: bool) -> int:
    from copycat.commands.fairuse_shown import one_line
    from copycat.console import EXIT_DONE, EXIT_NOT_VALID, out, print_json
    from copycat.provenance.manifest.proving import check_proof, read_proof, version_of
    from copycat.provenance.manifest.reading import open_manifest

    found, manifest = read_proof(path), open_manifest(opened)
    fault, version = check_proof(manifest, found), version_of(manifest, found)
    if as_json:
        name = found.version if version is None else version.version
        print_json({"id": found.id, "version": name, "holds": fault is None, "fault": fault})
    else:
        is_in = f"record {found.id} is in version {version.version}, root {version.root}" if version else ""
        said = is_in if fault is None else fault
        out.print(one_line(said), markup=False, soft_wrap=True)
    return EXIT_DONE if fault is None else EXIT_NOT_VALID
