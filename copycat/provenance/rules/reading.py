"""F1 and F2: what the other rules stand on. Files and records can be read; ids are there and unique."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Literal

from copycat.provenance.dataset import Batch, Fault
from copycat.provenance.records import Finding
from copycat.provenance.rules.rule import MAX_EVIDENCE, Context, Found, Rule


class Readable(Rule):
    """F1: every file and every record can be read, and there is at least one record."""

    id = "F1"
    reads: ClassVar[Literal["nothing", "facts", "content"]] = "content"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.n_records = 0
        self.faults: list[Fault] = []
        self.n_faults = self.n_cut = 0

    def see(self, batch: Batch) -> None:
        """Take note of one batch."""
        self.n_records += batch.size
        self._note(batch.faults)

    def _note(self, faults: Iterable[Fault]) -> None:
        for fault in faults:
            self.n_faults += 1
            self.n_cut += fault.loses_rest
            if len(self.faults) < MAX_EVIDENCE:
                self.faults.append(fault)

    def finish(self) -> Iterable[Finding]:
        """Give what was found."""
        dataset = self.context.dataset
        self._note((*dataset.faults, *dataset.card.faults))
        if self.n_faults:
            evidence = [fault.evidence.model_copy(update={"value": fault.said[:200]}) for fault in self.faults]
            cut = f"; {self.n_cut} files end early" if self.n_cut else ""
            yield self.finding(
                "error",
                f"{self.n_faults} files or records cannot be read{cut}",
                "mend or take out what is listed; what cannot be read was not checked by any rule",
                *evidence,
                n_records=self.n_faults,
            )
        if not self.n_records:
            yield self.finding("error", "there is no record", "name the folder or file that holds the records")

    def passed(self) -> str:
        """Say what was seen."""
        return f"{self.n_records} records in {len(self.context.dataset.files)} files"


class UniqueIds(Rule):
    """F2: records have an id each, by which they can be asked for and removed, and no two have the same."""

    id = "F2"
    reads: ClassVar[Literal["nothing", "facts", "content"]] = "facts"
    needs = ("id",)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.seen: set[int] = set()
        self.missing, self.repeated = Found(), Found()
        self.n_records = 0

    def see(self, batch: Batch) -> None:
        """Take note of one batch."""
        self.n_records += batch.size
        if batch.column("id") is None:
            self.missing.add(batch, range(batch.size), "id")
            return
        ids = batch.texts("id")
        self.missing.add(batch, [row for row, name in enumerate(ids) if not name], "id")
        again = []
        for row, name in enumerate(ids):
            key = hash(name)
            if name and key in self.seen:
                again.append(row)
            self.seen.add(key)
        self.repeated.add(batch, again, "id", [ids[row] for row in again])

    def finish(self) -> Iterable[Finding]:
        """Give what was found."""
        if self.repeated:
            yield self.finding(
                "error",
                f"{self.repeated.n_records} records have an id that another record has",
                "give each record an id of its own; a removal would hit the wrong one",
                *self.repeated.evidence,
                n_records=self.repeated.n_records,
            )
        if self.missing:
            yield self.finding(
                "warning",
                f"{self.missing.n_records} records have no id, and are named by their place",
                "add a column 'id', or run 'python -m copycat.provenance manifest', which makes them",
                *self.missing.evidence,
                n_records=self.missing.n_records,
            )

    def passed(self) -> str:
        """Say what was seen."""
        return f"{self.n_records} ids, all different"
