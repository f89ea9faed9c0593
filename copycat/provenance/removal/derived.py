"""Datasets that were made from one that records are removed from: whether they can be read, and what they hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from copycat.errors import DataError, UserError, first_faults
from copycat.provenance.dataset import Dataset, open_dataset
from copycat.provenance.removal.finding import Places, Targets, find_records
from copycat.provenance.removal.records import Holding, LogLine, Options, Removal


class There(NamedTuple):
    """What a derived dataset holds of the removed records, the places that cannot be read, and what is to be said."""

    holding: list[Holding]
    n_unread: int = 0
    notes: tuple[str, ...] = ()

    def left(self, why: str = "", files: Collection[str] | None = None) -> There:
        """Give it as one that was left as it is, or whose `files` were."""
        holding = [
            each.model_copy(update={"is_rewritten": False}) if files is None or each.file in files else each
            for each in self.holding
        ]
        name = self.holding[0].dataset if self.holding else ""
        return There(holding, self.n_unread, (*self.notes, *([f"{name}: {why}"] if why else [])))


def opened_derived(dataset: Dataset, options: Options) -> list[Dataset]:
    """Open the derived datasets and read the beginning of each file, before anything is removed.

    Raises:
        UserError: one is the dataset itself. DataError: one cannot be read, or holds no record.
    """
    opened = [open_dataset(path) for path in options.derived]
    for each in opened:
        if each.root.resolve() == dataset.root.resolve():
            raise UserError(f"--derived {each.root} is the dataset itself\n  needed: a dataset made from it")
    faults = [fault for each in opened for fault in _faults(each)]
    if faults and not options.lossy:
        raise DataError(
            first_faults(faults),
            "  nothing was removed: whether it holds removed records cannot be seen; mend it, leave it out, or go on "
            "without what cannot be read: --lossy",
        )
    return opened


def _faults(dataset: Dataset) -> Iterator[str]:
    """Say what cannot be read, as far as the first records of each file tell."""
    faults, n_records = list(dataset.faults), 0
    parts = [dataset] if dataset.kind == "folder" else [replace(dataset, files=(file,)) for file in dataset.files]
    for part in parts:
        for batch in part.content(("id",)):
            n_records += batch.size
            faults += batch.faults
            break
    for fault in faults:
        yield f"--derived {dataset.name}: {fault.evidence.place}: {fault.said}"
    if not (n_records or faults):
        yield f"--derived {dataset.name}: holds no record"


def derived_targets(lines: Sequence[LogLine], options: Options) -> Targets:
    """Give what is looked for in derived datasets: everything that was ever removed, by id and by content."""
    return Targets(
        ids=frozenset(line.id for line in lines) if options.derived_by == "id" else frozenset(),
        hashes=frozenset(line.sha256 for line in lines if line.sha256 and line.content == "whole"),
    )


def would_remove(dataset: Dataset, targets: Targets, options: Options, tell: Callable[[int], None]) -> There:
    """Say what a removal would find in a derived dataset."""
    found = find_records(dataset, targets, tell)
    return There(holding_of(dataset, found, options), *unread_of(dataset, found))


def unread_of(dataset: Dataset, found: Places) -> tuple[int, tuple[str, ...]]:
    """Give how many places of a derived dataset could not be read, and what to say of them."""
    n = len(found.faults)
    if not n:
        return 0, ()
    places = "1 place" if n == 1 else f"{n:,} places"
    said = f"{dataset.name}: {places} cannot be read, such as {found.faults[0].evidence.place}"
    return n, (f"{said}: whether it holds removed records is not known; mend it and type the same command again",)


def with_derived(done: Removal, there: Sequence[There]) -> Removal:
    """Add what came of the derived datasets."""
    holding = (*done.holding, *(each for one in there for each in one.holding))
    return done.model_copy(
        update={
            "holding": holding,
            "n_left": sum(each.by_id + each.by_content for each in holding if not each.is_rewritten),
            "n_unread": sum(one.n_unread for one in there),
            "notes": (*done.notes, *(note for one in there for note in one.notes)),
        }
    )


def holding_of(dataset: Dataset, found: Places, options: Options) -> list[Holding]:
    """Give the files with records that were found, by name."""
    by_id, by_content = Counter[str](), Counter[str]()
    for place in found.places:
        (by_id if place.is_by_id else by_content)[place.file] += 1
    return [
        Holding(
            dataset=dataset.name,
            file=file,
            by_id=by_id[file],
            by_content=by_content[file],
            is_rewritten=options.rewrite and not options.dry_run,
            is_record=dataset.kind == "folder",
        )
        for file in sorted({*by_id, *by_content})
    ]
