"""A dataset beside its manifest, as P1 and P2 see it."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar, Literal

from copycat.errors import DataError
from copycat.provenance.dataset import Batch
from copycat.provenance.manifest.comparing import Change, Counts, compare
from copycat.provenance.manifest.merkle import Merkle
from copycat.provenance.manifest.reading import Manifest, has_manifest, open_manifest
from copycat.provenance.manifest.scanning import LIGHT, Scanner, leaves
from copycat.provenance.manifest.sorting import Sorter
from copycat.provenance.records import HISTORY_FILE, MANIFEST_FILE, RECORDS_FILE, Evidence, Finding, Severity
from copycat.provenance.rules.rule import MAX_EVIDENCE, Context, Rule, shortened

NEEDS = ("id", "image", "text", "sha256", "url", "transforms", "synthetic")
RESTORE_COPY = (
    "restore this file and those beside it from a copy; do not make it again: what it knows of removals and versions "
    "before would be lost"
)
NAME_OR_RESTORE = "name the columns in provenance.yaml, or restore the sidecar from where the version was published"

DECIDING = ("id", "image", "text")
"""Columns that ids and hashes depend on."""


class Compared:
    """The dataset beside its manifest: read once for both rules, compared when the first of them asks."""

    def __init__(self, context: Context) -> None:
        self.manifest: Manifest = open_manifest(context.dataset)
        self.sorter = Sorter()
        self.scanner = Scanner(context.dataset, self.sorter, self.manifest.file.ids, facts=False)
        self.changes: dict[str, list[Change]] = {}
        self._counts: Counts | None = None
        self.root = ""
        self._owner: Rule | None = None

    def see(self, batch: Batch, rule: Rule) -> None:
        """Take a batch, from the first rule that shows one."""
        self._owner = self._owner or rule
        if rule is self._owner:
            self.scanner.see(batch)

    def counts(self) -> Counts:
        """Compare; `changes` has the first few of each kind then, and `root` is that of the sidecar's own rows.

        Raises:
            DataError: the sidecar cannot be read.
        """
        if self._counts is None:
            tree = Merkle()
            with self.sorter:
                self._counts = compare(self._rows(tree), self.sorter.tables(), self._keep)
            self.root = tree.root()
        return self._counts

    def _rows(self, tree: Merkle) -> Iterator[Any]:
        for table in self.manifest.rows(columns=LIGHT):
            tree.extend(leaves(table))
            yield table

    def _keep(self, change: Change) -> None:
        kept = self.changes.setdefault(change.change, [])
        if len(kept) < MAX_EVIDENCE:
            kept.append(change)


_COMPARED: dict[int, Compared] = {}


class ManifestRule(Rule):
    """What P1 and P2 share: the dataset beside its manifest.

    `compared` is None without a manifest, and with one that cannot be compared: then `fault` says why.
    """

    reads: ClassVar[Literal["nothing", "facts", "content"]] = "content"
    needs = NEEDS
    severities: ClassVar[tuple[Severity, ...]] = ("error", "warning")

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.compared: Compared | None = None
        self.file = MANIFEST_FILE
        self.fault, self.advice = "", RESTORE_COPY
        if not has_manifest(context.dataset):
            return
        try:
            if id(context) not in _COMPARED:
                _COMPARED[id(context)] = Compared(context)
                weakref.finalize(context, _COMPARED.pop, id(context), None)
            found = _COMPARED[id(context)]
        except DataError as error:
            self._give_up(error)
            return
        stated, named = found.manifest.file.columns, context.dataset.columns
        if other := [name for name in DECIDING if stated.get(name) != named.get(name)]:
            asked = " ".join(f"--column {name}={stated[name]}" for name in other if name in stated)
            self.fault = f"the manifest was made {f'with {asked}' if asked else 'without --column'}; check it so, too"
            self.advice = NAME_OR_RESTORE
            return
        self.compared = found

    def unreadable(self) -> Iterable[Finding]:
        """Tell of a manifest that cannot be compared; where its rows cannot be read, `compared` is None from here."""
        if self.compared is not None:
            try:
                self.compared.counts()
            except DataError as error:
                self._give_up(error)
                self.compared = None
        if self.fault:
            evidence = Evidence(file=f"{self.context.dataset.sidecar.name}/{self.file}")
            yield self.finding("error", shortened(self.fault), self.advice, evidence)

    def _give_up(self, error: DataError) -> None:
        """Take note of why the sidecar cannot be read, by the file's name: the finding has its place."""
        said = error.faults[0]
        self.file = next((name for name in (RECORDS_FILE, HISTORY_FILE) if name in said.partition(": ")[0]), self.file)
        self.fault = f"the manifest cannot be read: {self.file}: {said.partition(': ')[2]}"


def evidence_of(changes: Iterable[Change]) -> list[Evidence]:
    """Point at records."""
    found = []
    for change in changes:
        file, _, line = (change.new_place or change.old_place or "").rpartition(":")
        is_row = bool(file) and line.isdecimal() and int(line) > 0
        hashes = " -> ".join(value[:12] for value in (change.old.get("sha256"), change.new.get("sha256")) if value)
        place = file if is_row else (change.new_place or change.old_place or "")
        found.append(
            Evidence(
                file=place,
                line=int(line) if is_row else None,
                pointer="" if change.id == place else shortened(change.id),
                value=hashes,
            )
        )
    return found
