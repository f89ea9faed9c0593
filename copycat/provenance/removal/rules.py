"""P3: what was removed is gone everywhere, its id is not used again, and the log says why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar, Literal

from copycat.errors import DataError
from copycat.provenance.dataset import Batch
from copycat.provenance.manifest import has_manifest, open_manifest
from copycat.provenance.manifest.content import Hasher
from copycat.provenance.records import RECORDS_FILE, REMOVALS_FILE, SIDECAR_FOLDER, Evidence, Finding
from copycat.provenance.removal.finding import is_short
from copycat.provenance.removal.log import LogFault, read_log
from copycat.provenance.removal.records import LogLine
from copycat.provenance.removal.scrubbing import KEPT
from copycat.provenance.rules.rule import MAX_EVIDENCE, Context, Found, Rule

RESTORE = "restore it from a copy; do not make it again: what it knows of removals would be lost"
AGAIN = "type the same 'python -m copycat.provenance remove' again; it finishes what was begun"
GO_ON = "take them out: python -m copycat.provenance remove DATASET --id ID --reason '...' --rewrite"


class Removals(Rule):
    """P3: removed records are in no file and no split, their ids and contents have not come back, the log is whole."""

    id = "P3"
    severities = ("error",)
    reads: ClassVar[Literal["nothing", "facts", "content"]] = "content"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.fault: str | None = None
        self.lines: list[LogLine] = []
        self.log_faults: list[LogFault] = []
        self.table = _Table()
        self.in_files, self.came_back = Found(), Found()
        self.hasher: Hasher | None = None
        self.lines, self.log_faults = read_log(context.dataset.sidecar)
        try:
            if has_manifest(context.dataset):
                self.table = _read_table(context, {line.id for line in self.lines})
        except DataError as error:
            self.fault = " ".join(str(error).split())[:300]
        self.ids = {line.id for line in self.lines} | self.table.tombstones.keys()
        short = {line.sha256 for line in self.lines if line.content != "whole"}
        hashes = {line.sha256 for line in self.lines} | set(self.table.tombstones.values())
        self.hashes = {each for each in hashes - short if each}
        if self.ids:
            self.hasher = Hasher(context.dataset)
            self.needs = ("id", *self.hasher.needs)  # type: ignore[misc]  # nothing is read where nothing was removed

    def see(self, batch: Batch) -> None:
        """Take note of one batch."""
        if self.hasher is None or not batch.size:
            return
        contents = self.hasher.hashes(batch)[0] if self.hashes else [None] * batch.size
        ids = batch.texts("id")
        by_id = [row for row, name in enumerate(ids) if name in self.ids]
        self.in_files.add(batch, by_id, "id", [ids[row] for row in by_id])
        taken = set(by_id)
        again = [
            row
            for row, content in enumerate(contents)
            if content in self.hashes and row not in taken and not is_short(batch, row, self.hasher)
        ]
        self.came_back.add(batch, again, "content", [contents[row] for row in again])

    def finish(self) -> Iterable[Finding]:
        """Give what was found."""
        if self.fault is not None:
            yield self.finding("error", f"the manifest cannot be read: {self.fault}", RESTORE, self._at(RECORDS_FILE))
        yield from self._of_log()
        yield from self._of_table()
        if self.in_files:
            n = self.in_files.n_records
            said = f"{_told(n, 'removed record')} still in the files, or their ids are used again"
            yield self.finding("error", said, GO_ON, *self.in_files.evidence, n_records=self.in_files.n_records)
        if self.came_back:
            n = self.came_back.n_records
            said = f"{_told(n, 'record')} there under another id with the content of a removed one"
            yield self.finding("error", said, GO_ON, *self.came_back.evidence, n_records=self.came_back.n_records)

    def _of_log(self) -> Iterator[Finding]:
        if self.log_faults:
            places = [self._at(REMOVALS_FILE, fault.line, value=fault.said) for fault in self.log_faults]
            yield self.finding(
                "error",
                f"{_told(len(self.log_faults), 'line')} not as written, in the log of removals",
                "restore the log from a copy: it is appended to, and never changed",
                *places,
            )
        unmarked = [number for number, line in enumerate(self.lines, 1) if line.id not in self.table.tombstones]
        if unmarked and self.fault is None:
            places = [self._at(REMOVALS_FILE, number, value=self.lines[number - 1].id) for number in unmarked]
            said = f"{_told(len(unmarked), 'removal')} in the log, and the manifest has no tombstone for them"
            yield self.finding("error", said, AGAIN, *places[:MAX_EVIDENCE], n_records=len(unmarked))

    def _of_table(self) -> Iterator[Finding]:
        logged = {line.id for line in self.lines}
        unlogged = [name for name in self.table.tombstones if name not in logged]
        groups = (
            (unlogged, "tombstones have no line in the log of removals", "restore the log from a copy"),
            (self.table.readable, "tombstones still hold something of the record", AGAIN),
            (self.table.used_again, "ids of removed records are given to records again", "give those new ids"),
            (
                [name for name, content in self.table.live.items() if content in self.hashes],
                "records of the manifest hold the content of a removed record under another id",
                GO_ON,
            ),
        )
        for names, said, advice in groups:
            if names:
                places = [self._at(RECORDS_FILE, pointer="id", value=name) for name in names[:MAX_EVIDENCE]]
                yield self.finding("error", f"{len(names)} {said}", advice, *places, n_records=len(names))

    def _at(self, name: str, line: int | None = None, pointer: str = "", value: str = "") -> Evidence:
        dataset = self.context.dataset
        folder = SIDECAR_FOLDER if dataset.root.is_dir() else dataset.sidecar.name
        return Evidence(file=f"{folder}/{name}", line=line, pointer=pointer, value=value[:160])

    def not_applicable(self) -> str | None:
        """Say why there is nothing to check."""
        return None if self.ids else "no record has been removed"

    def passed(self) -> str:
        """Say what was seen."""
        return f"{_told(len(self.ids), 'removed record')} in no file; the log and the manifest agree"


class _Table:
    """What the manifest's table says: tombstones (id -> hash), and what is wrong with them.

    `live` are records of the newest version whose hash some tombstone has.
    """

    def __init__(self) -> None:
        self.tombstones: dict[str, str | None] = {}
        self.readable: list[str] = []
        self.used_again: list[str] = []
        self.live: dict[str, str] = {}


def _read_table(context: Context, logged: set[str]) -> _Table:
    """Read the manifest's table twice: tombstones, then live records that look like one."""
    import pyarrow as pa
    import pyarrow.compute as pc

    manifest = open_manifest(context.dataset)
    found = _Table()
    for table in manifest.all_rows():
        is_tombstone = pc.is_valid(table["tombstone_reason"])
        if pc.any(is_tombstone).as_py():
            _take(table.filter(is_tombstone), found)
    ids = pa.array(sorted(logged | found.tombstones.keys()), pa.string())
    hashes = pa.array(sorted({each for each in found.tombstones.values() if each}), pa.string())
    for table in manifest.all_rows(("id", "sha256", "version_removed")) if len(ids) else ():
        live = table.filter(pc.is_null(table["version_removed"]))
        again = live.filter(pc.is_in(live["id"], ids))["id"].to_pylist()
        found.used_again += [name for name in again if name in found.tombstones]
        for row in live.filter(pc.is_in(live["sha256"], hashes)).to_pylist():
            if row["id"] not in found.tombstones:
                found.live[row["id"]] = row["sha256"]
    return found


def _take(tombstones: Any, found: _Table) -> None:
    held = [name for name in tombstones.column_names if name not in KEPT]
    for row in tombstones.to_pylist():
        found.tombstones[row["id"]] = row["sha256"]
        if any(row[name] is not None for name in held):
            found.readable.append(row["id"])


def _told(n: int, what: str) -> str:
    return f"1 {what} is" if n == 1 else f"{n:,} {what}s are"
