"""What pictures say inside themselves, for the records of a manifest, which holds no pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from copycat.provenance.dataset import Batch, Dataset
from copycat.provenance.dataset.unread import Unread
from copycat.provenance.records import Answer, SignalDecision, Use
from copycat.provenance.signals.counting import inside_of

Place = tuple[str, int | None]


@dataclass
class Inside:
    """What the pictures of a dataset say, by id and by place (file, row); `n_records` that its files hold.

    Many pictures say the same: each set of signals is held once.
    """

    n_records: int = 0
    by_id: dict[str, SignalDecision] = field(default_factory=dict)
    by_place: dict[Place, SignalDecision] = field(default_factory=dict)
    n_denied: int = 0

    def of(self, batch: Batch) -> dict[int, SignalDecision]:
        """Give row -> what its picture says, for rows of the manifest."""
        if not self.by_id:
            return {}
        files, rows = batch.texts("file"), batch.values("row")
        found: dict[int, SignalDecision] = {}
        for at, name in enumerate(batch.texts("id")):
            said = self.by_id.get(name) or self.by_place.get((files[at], rows[at]))
            if said is not None:
                found[at] = said
        return found


def read_inside(dataset: Dataset, use: Use, unread: Unread, tell: Callable[[int], None]) -> Inside:
    """Read all pictures of a dataset once; what cannot be read goes into `unread`."""
    found = Inside()
    held: dict[str, SignalDecision] = {}
    denied: Answer = "deny"
    for batch in dataset.content(("id", "image")):
        found.n_records += batch.size
        unread.take(batch.faults)
        for row, decision in inside_of(batch).items():
            said = held.setdefault(decision.model_dump_json(exclude={"signals": {"__all__": {"place"}}}), decision)
            found.by_id[batch.id_of(row)] = said
            found.by_place[_place(batch, row)] = said
            found.n_denied += said.answers[use] == denied
        tell(batch.size)
    return found


def _place(batch: Batch, row: int) -> Place:
    """Give where a record lies as the manifest writes it: a file that is a record has no row."""
    return (batch.file, batch.line_of(row)) if batch.file else (batch.place_of(row), None)
