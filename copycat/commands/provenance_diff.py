"""`python -m copycat.provenance diff`: which records two versions, or two datasets, do not share."""

from __future__ import annotations

from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from copycat.provenance.manifest.comparing import Change, Counts
    from copycat.provenance.manifest.sides import Side

DIFF_EPILOG = """
A dataset is read as it lies there, whether it has a manifest or not; a sidecar (the folder, or its manifest.json) says
what it says. One dataset alone is compared with the newest version of its manifest, or the one that --from names. A
record with the same content and facts under another id is renamed: roots are over ids and contents, so they differ.

\b
Examples:
  python -m copycat.provenance diff mirror-a mirror-b
  python -m copycat.provenance diff my-dataset --from 3 --to 4
  python -m copycat.provenance diff my-dataset --out changes.jsonl

Exit 0 the same records under the same ids (wherever they lie), 1 some differ or could not be compared, 2 to be fixed
by you."""

SHOWN = 20


def diff(  # noqa: PLR0917 - one parameter per option
    old: Annotated[Path, typer.Argument(help="a dataset, or a sidecar")],
    new: Annotated[Path | None, typer.Argument(help="another one", show_default=False)] = None,
    before: Annotated[str | None, typer.Option("--from", metavar="VERSION", help="of the one dataset")] = None,
    after: Annotated[str | None, typer.Option("--to", metavar="VERSION", help="default: as it lies there")] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE.jsonl", help="write every change, one a line", show_default=False)
    ] = None,
    show: Annotated[int, typer.Option(min=0, help="changes to print")] = SHOWN,
    as_json: Annotated[
        bool, typer.Option("--json", help="print one JSON object, with as many changes as --show")
    ] = False,
) -> int:
    """Name each record that was added, removed, changed, renamed or moved."""
    from contextlib import ExitStack

    from copycat.commands.outputs import require_output
    from copycat.console import EXIT_DONE, EXIT_NOT_VALID, running_count
    from copycat.errors import UserError
    from copycat.provenance.manifest.comparing import compare
    from copycat.provenance.manifest.sides import one_dataset, two_sides

    if new is not None and (before or after):
        raise UserError("--from and --to are for one dataset\n  name one dataset, or leave them out")
    require_output("--out", out)
    with ExitStack() as stack:
        with running_count("reading records") as tell:
            left, right = two_sides(old, new, stack, tell) if new else one_dataset(old, before, after, stack, tell)
        listed = _Listed(show, stack.enter_context(_opened(out)))
        counts = compare(left.tables, right.tables, listed.take)
        faults = [*left.faults, *right.faults]
    _tell((left, right), counts, listed, faults, out, as_json=as_json)
    return EXIT_DONE if counts.is_same and not faults else EXIT_NOT_VALID


# ---------------------------------------------------------------------------------------- private


class _Listed:
    """Keeps the first changes, and writes all of them; renamed and moved records are shown where there is room."""

    def __init__(self, most: int, stream: IO[bytes] | None) -> None:
        self.most, self.stream = most, stream
        self.kept: dict[str, list[Change]] = {"renamed": [], "moved": []}
        self.told: list[Change] = []

    @property
    def first(self) -> list[Change]:
        return [*self.told, *self.kept["renamed"], *self.kept["moved"]][: self.most]

    def take(self, change: Change) -> None:
        kept = self.kept.get(change.change, self.told)
        if len(kept) < self.most:
            kept.append(change)
        if self.stream is not None:
            self.stream.write(change.model_dump_json().encode("utf-8", "replace") + b"\n")


def _opened(path: Path | None) -> Any:
    """Open a file that gets its name when all is written; nothing without a path."""
    from contextlib import contextmanager, nullcontext

    if path is None:
        return nullcontext()

    @contextmanager
    def opened() -> Any:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f".{path.name}.new")
        try:
            with unfinished.open("wb") as stream:
                yield stream
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)

    return opened()


def _tell(
    sides: tuple[Side, Side], counts: Counts, listed: _Listed, faults: list[str], out: Path | None, *, as_json: bool
) -> None:
    from copycat.commands.fairuse_shown import one_line
    from copycat.console import out as console
    from copycat.console import print_json
    from copycat.paths import shown

    if as_json:
        facts = {"from": sides[0].name, "to": sides[1].name, **counts.model_dump(), "is_same": counts.is_same}
        changes = [change.model_dump(mode="json") for change in listed.first]
        print_json(facts | {"faults": faults, "changes": changes, "file": shown(out) if out else None})
        return
    lines = [f"{change.change:8} {_about(change)}" for change in listed.first]
    kinds = ("added", "removed", "changed", "renamed", "moved")
    told = sum(getattr(counts, kind) for kind in kinds)
    if told > len(listed.first):
        lines.append(f"and {told - len(listed.first):,} more{'' if out else ': --out FILE.jsonl'}")
    summary = ", ".join(f"{getattr(counts, kind):,} {kind}" for kind in kinds if getattr(counts, kind))
    lines.append(
        f"{counts.old:,} records in {sides[0].name}, {counts.new:,} in {sides[1].name}: {summary or 'the same'}"
    )
    if counts.renamed:
        lines.append(
            f"{counts.renamed:,} with the same content and facts under another id; ids are part of the root, so that "
            "the roots differ"
        )
    if not counts.is_whole:
        lines.append("so much differs that records with a new id are told as removed and added")
    lines += [f"not compared: {fault}" for fault in faults]
    if out is not None:
        lines.append(shown(out))
    for line in lines:
        console.print(one_line(line), markup=False, soft_wrap=True)


def _about(change: Change) -> str:
    name = change.id if change.new_id is None else f"{change.id} -> {change.new_id}"
    place = change.new_place or change.old_place
    if change.change in ("renamed", "moved") and change.old_place != change.new_place:
        place = f"{change.old_place} -> {change.new_place}"
    values = [f"{field}: {_value(change.old.get(field))} -> {_value(change.new.get(field))}" for field in change.fields]
    where = "" if place in (name, None) else f"  {place}"
    told = "; ".join(values)
    return f"{name}{where}" + (f"  ({told})" if told else "")


def _value(value: str | None) -> str:
    from copycat.commands.fairuse_shown import one_line

    return "nothing" if value is None else one_line(value, 80)
