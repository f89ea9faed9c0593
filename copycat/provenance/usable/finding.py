"""All records of a dataset -> the list of which may be used, and how many there are of each kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Literal, NamedTuple

from copycat.provenance.dataset import Batch, Dataset
from copycat.provenance.dataset.present import in_dataset
from copycat.provenance.dataset.unread import Unread
from copycat.provenance.licences.components import of_records
from copycat.provenance.licences.listing import csv_line, replacing
from copycat.provenance.licences.own import states_licences
from copycat.provenance.records import Purpose, Said, printable
from copycat.provenance.signals.counting import inside_of
from copycat.provenance.signals.drift import Later
from copycat.provenance.usable.inside import Inside, read_inside
from copycat.provenance.usable.judging import NEEDS, Judge, Judged
from copycat.schema import Record

Word = Literal["yes", "no", "unknown"]
WORDS: dict[bool | None, Word] = {True: "yes", False: "no", None: "unknown"}
HEAD = ("id", "place", "licence", "fits", "signal", "usable", "why")
MAX_REASONS = 10_000
"""Different reasons that are counted apart, so that memory stays bounded."""

MAX_TOLD = 200
MAX_IDS = 3
OTHER = "other reasons"


class Lists(NamedTuple):
    """What is written: the table of all records (CSV), and the ids of those that are not usable, a line each.

    `has_unknown`: the ids of those of which it is unknown stand there, too.
    """

    table: Path | None = None
    ids: Path | None = None
    has_unknown: bool = False


class Reason(Record):
    """Records that are usable, are not, or of which it is unknown, for one reason ("" for usable); the first ids."""

    usable: Word
    why: Said
    n_records: int
    ids: tuple[Said, ...]


class UsableReport(Record):
    """How many records may be used for a purpose, and why others may not.

    Attributes:
        n_records: in the dataset, without those that were removed. counts: usable -> records.
        reasons: the most frequent first, MAX_TOLD at most; n_reasons: how many there are.
        n_ids: that were written; n_unlisted: not written, since an id with a line break is no line of a list.
        unread: what of the dataset could not be read, or not as it stands; "" where all was.
        notes: what else a reader must know.
    """

    dataset: Said
    purpose: Purpose
    n_records: int
    counts: dict[Word, int]
    reasons: tuple[Reason, ...]
    n_reasons: int
    n_ids: int = 0
    n_unlisted: int = 0
    unread: Said = ""
    notes: tuple[str, ...] = ()

    @property
    def is_all(self) -> bool:
        """Whether every record is known to be usable, and none could hide where something could not be read."""
        return self.counts["yes"] == self.n_records and not self.unread and not self.notes


class _Tally:
    def __init__(self, lists: Lists, table: IO[str] | None, ids: IO[str] | None) -> None:
        self.lists, self.table, self.ids = lists, table, ids
        self.counts: dict[Word, int] = {"yes": 0, "no": 0, "unknown": 0}
        self.reasons: Counter[tuple[Word, str]] = Counter()
        self.first: dict[tuple[Word, str], list[str]] = {}
        self.n_ids = self.n_unlisted = 0

    def add(self, batch: Batch, judged: list[Judged]) -> None:
        names = [name or batch.place_of(row) for row, name in enumerate(batch.texts("id"))]
        if self.table is not None:
            self.table.writelines(_lines(batch, names, judged))
        for name, one in zip(names, judged, strict=True):
            word = WORDS[one.usable]
            self.counts[word] += 1
            key = word, one.because
            if key not in self.first:
                key = key if len(self.first) < MAX_REASONS else (word, OTHER)
                self.first.setdefault(key, [])
            self.reasons[key] += 1
            if len(self.first[key]) < MAX_IDS:
                self.first[key].append(name)
            if self.ids is not None and (word == "no" or (word == "unknown" and self.lists.has_unknown)):
                self._list(name)

    def _list(self, name: str) -> None:
        if len(name.splitlines()) != 1 or self.ids is None:
            self.n_unlisted += 1
            return
        self.n_ids += 1
        self.ids.write(f"{name}\n")


def _lines(batch: Batch, names: list[str], judged: list[Judged]) -> Iterator[str]:
    """Yield a line of CSV for each record; what is the same for many is written once."""
    ends: dict[int, str] = {}
    for row, one in enumerate(judged):
        end = ends.get(id(one))
        if end is None:
            cells = (one.licence, WORDS[one.fits], one.signal, WORDS[one.usable], one.why)
            end = ends[id(one)] = csv_line([printable(cell) for cell in cells])
        begin = csv_line([printable(names[row]), printable(batch.place_of(row))]).rstrip("\r\n")
        yield f"{begin},{end}"


def find_usable(
    dataset: Dataset,
    purpose: Purpose,
    later: Later | None = None,
    lists: Lists | None = None,
    tell: Callable[[int], None] = lambda rows: None,
) -> UsableReport:
    """Say of each record whether it may be used for a purpose, as far as its licence and its signals tell.

    The dataset is read once, once more for its pictures where it has a manifest, and memory holds a batch. The lists
    are written in one step each: a half list is never taken for a whole one.

    Args:
        later: newer answers of servers. tell: is told of how many more records have been read.

    Raises:
        DataError: not one record could be read.
    """
    lists = lists or Lists()
    has_manifest = dataset.records_file is not None
    unread = Unread(dataset)
    inside = read_inside(dataset, purpose.use, unread, tell) if has_manifest else Inside()
    judge = Judge(dataset, purpose, states_licences(dataset), later)
    with ExitStack() as stack:
        table, ids = (None if path is None else stack.enter_context(replacing(path)) for path in lists[:2])
        tally = _Tally(lists, table, ids)
        if table is not None:
            table.write(csv_line(HEAD))
        n_read = n_denied = 0
        for whole in dataset.facts((*NEEDS, "file", "row") if has_manifest else (*NEEDS, "image")):
            n_read += whole.size
            unread.take(whole.faults)
            batch = in_dataset(whole)
            if batch.size:
                said = inside.of(batch) if has_manifest else inside_of(batch)
                n_denied += sum(one.answers[purpose.use] == "deny" for one in said.values())
                tally.add(batch, judge.judge(batch, said))
            tell(whole.size)
        if not n_read:
            raise unread.error("no record was judged")
    notes = list(_notes(sum(tally.counts.values()), n_denied, inside)) if has_manifest else []
    return _report(dataset, purpose, tally, unread.told(), notes)


def _notes(n_records: int, n_denied: int, inside: Inside) -> Iterator[str]:
    if n_records != inside.n_records:
        yield (
            f"the manifest has {of_records(n_records)} and the files hold {inside.n_records:,}: the list is that of "
            "the manifest, and check --rules P2,P3 tells what differs"
        )
    if n_denied < inside.n_denied:
        n_lost = inside.n_denied - n_denied
        yield f"{n_lost:,} pictures say no inside themselves and belong to no record of the manifest"


def _report(dataset: Dataset, purpose: Purpose, tally: _Tally, unread: str, notes: list[str]) -> UsableReport:
    reasons = [Reason(usable=word, why=why, n_records=number, ids=tuple(tally.first[word, why]))
               for (word, why), number in tally.reasons.most_common(MAX_TOLD)]  # fmt: skip
    return UsableReport(
        dataset=dataset.name,
        purpose=purpose,
        n_records=sum(tally.counts.values()),
        counts=tally.counts,
        reasons=tuple(reasons),
        n_reasons=len(tally.reasons),
        n_ids=tally.n_ids,
        n_unlisted=tally.n_unlisted,
        unread=unread,
        notes=tuple(notes),
    )
