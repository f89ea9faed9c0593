"""Write the next version of a dataset's manifest, or find that it is there already."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from copycat.errors import DataError, UserError, first_faults
from copycat.paths import shown
from copycat.provenance.manifest.aligning import Stream
from copycat.provenance.manifest.croissant import describe
from copycat.provenance.manifest.files import FileHash, dataset_files, tree_root
from copycat.provenance.manifest.ids import Ids, chosen_ids
from copycat.provenance.manifest.merging import Merger
from copycat.provenance.manifest.publishing import publish, unfinished, writing
from copycat.provenance.manifest.reading import (
    Manifest,
    has_manifest,
    open_manifest,
    require_nothing_lost,
    require_own_root,
)
from copycat.provenance.manifest.records import MAX_LISTED_FILES, ManifestFile, Version
from copycat.provenance.manifest.scanning import Scanner, scanned, told, without
from copycat.provenance.records import (
    CROISSANT_FILE,
    HISTORY_FILE,
    MANIFEST_FILE,
    RECORDS_FILE,
    RULE_VERSION,
    SIDECAR_FOLDER,
    sidecar_schema,
)
from copycat.runs.folder import json_bytes

if TYPE_CHECKING:
    from copycat.provenance.dataset import Dataset

GROUP_ROWS = 65_536


@dataclass(frozen=True)
class Order:
    """What the next version is to be.

    Attributes:
        as_of: its date. version: its name; None: the next whole number.
        ids: where ids come from; None: as before, or a column where there is one, or the paths of the pictures.
        facts: property of Croissant -> value, such as "license"; goes before the card.
        tombstones: id -> why it is removed; these records are not part of the version, even if they lie in the files.
        lossy: go on without what cannot be read.
        phash: compute the perceptual hash of each picture, by which it can be looked up without being read again.
    """

    as_of: date
    version: str | None = None
    ids: Ids | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    tombstones: Mapping[str, str] = field(default_factory=dict)
    lossy: bool = False
    phash: bool = False


@dataclass(frozen=True)
class Written:
    """What came of it.

    Attributes:
        manifest: as it is now. is_new: a version was added.
        n_moved: records with the same content in another file.
        unread: column -> values in no known form, null in the sidecar. n_empty: records without content.
        n_made: records whose id was made from their content. n_faults: of what could not be read.
        missing: properties of Croissant that nobody stated.
    """

    manifest: Manifest
    is_new: bool
    n_moved: int = 0
    unread: Mapping[str, int] = field(default_factory=dict)
    n_empty: int = 0
    n_made: int = 0
    n_faults: int = 0
    missing: tuple[str, ...] = ()


def write_manifest(dataset: Dataset, order: Order, tell: Callable[[int], None] = lambda records: None) -> Written:
    """Add the dataset's present state to its manifest, as a version; the same state again adds nothing.

    Nothing is half-written: see `publishing`. Memory does not grow with the number of records.

    Args:
        tell: is told of how many more records have been read.

    Raises:
        DataError: records cannot be read, ids are there twice, or a removed record is there again.
        UserError: the version has been given another content; somebody else is writing.
    """
    with writing(dataset.sidecar), ExitStack() as stack:
        before = _before(dataset)
        if before is not None and not dataset.columns:
            dataset = replace(dataset, columns=before.file.columns)
        ids = _ids(order, before, dataset)
        scanner = stack.enter_context(scanned(dataset, ids, tell, dataset.sidecar, phash=order.phash))
        _require_readable(scanner, order)
        name = order.version or _next_name(before)
        merger = Merger(name, order.tombstones)
        _write_tables(dataset, scanner, merger, before, order)
        _require_sound(scanner, merger)
        files = dataset_files(dataset, scanner.hasher.known)
        version = Version(
            version=name,
            date=order.as_of,
            root=merger.tree.root(),
            files_root=tree_root(files),
            n_records=merger.tree.size,
            n_added=merger.n_added,
            n_removed=merger.n_removed,
            n_changed=merger.n_changed,
            rule_version=RULE_VERSION,
        )
        seen = {name: getattr(scanner, name) for name in ("unread", "n_empty", "n_made", "n_faults")}
        if before is not None and _is_there(before, version, merger, order):
            return Written(before, is_new=False, **seen)  # type: ignore[arg-type]
        file = _manifest_file(dataset, ids, before, version, files)
        missing = _write_papers(dataset, file, order)
        names = [RECORDS_FILE, HISTORY_FILE, CROISSANT_FILE, MANIFEST_FILE]
        publish(dataset.sidecar, [one for one in names if unfinished(dataset.sidecar, one).exists()])
        return Written(open_manifest(dataset), True, merger.n_moved, missing=missing, **seen)  # type: ignore[arg-type]


def _before(dataset: Dataset) -> Manifest | None:
    """Give the manifest so far, which must be whole: the next version is made from it."""
    if not has_manifest(dataset):
        require_nothing_lost(dataset.sidecar)
        return None
    found = open_manifest(dataset)
    require_own_root(found)
    return found


def _ids(order: Order, before: Manifest | None, dataset: Dataset) -> Ids:
    if before is None:
        return order.ids or chosen_ids(dataset)
    if order.ids not in (None, before.file.ids):
        raise UserError(
            f"--ids {order.ids}: so far ids come from {before.file.ids}, and no record would be found again\n"
            "  leave it out"
        )
    return before.file.ids


def _next_name(before: Manifest | None) -> str:
    """Give the next whole number: one more than the largest so far."""
    numbers = [int(one.version) for one in before.versions if one.version.isdecimal()] if before else []
    return str(max(numbers, default=len(before.versions) if before else 0) + 1)


def _require_readable(scanner: Scanner, order: Order) -> None:
    if scanner.n_faults and not order.lossy:
        listed = [f"{fault.evidence.place}: {fault.said}" for fault in scanner.faults]
        more = scanner.n_faults - len(listed)
        raise DataError(
            [*listed, *([f"and {more} more"] if more > 0 else [])],
            "  mend them, or leave what cannot be read out of the version: --lossy",
        )
    if not scanner.sorter.n_records:
        raise DataError(
            [f"{shown(scanner.dataset.root)}: holds no record"], "  name the folder or file with the records"
        )


def _write_tables(dataset: Dataset, scanner: Scanner, merger: Merger, before: Manifest | None, order: Order) -> None:
    """Write the next records.parquet, and history.parquet if there is one."""
    old = before.all_rows() if before else ()
    new = without(scanner.sorter.tables(), set(order.tombstones))
    past = Stream(before.history_rows() if before else ())
    with _Table(dataset, RECORDS_FILE) as records, _Table(dataset, HISTORY_FILE) as history:
        for merged in merger.merge(old, new):
            if not merged.records.num_rows:
                continue
            records.write(merged.records)
            parts = [past.take_all(merged.records["id"][-1].as_py()), merged.history]
            history.write_sorted([part for part in parts if part is not None and part.num_rows])
        records.write(None)


class _Table:
    """A Parquet file of the sidecar that is begun when the first rows come."""

    def __init__(self, dataset: Dataset, name: str) -> None:
        self.path, self.schema = unfinished(dataset.sidecar, name), sidecar_schema()
        self.writer: Any = None

    def __enter__(self) -> _Table:
        return self

    def __exit__(self, *error: object) -> None:
        if self.writer is not None:
            self.writer.close()

    def write_sorted(self, parts: list[Any]) -> None:
        """Write parts of the same range of ids, by id; nothing where there is none."""
        import pyarrow as pa

        if parts:
            self.write(pa.concat_tables(parts).sort_by([("id", "ascending")]))

    def write(self, table: Any) -> None:
        """Write rows; None writes a file without rows, if it has not been begun."""
        import pyarrow.parquet as pq

        if self.writer is None:
            self.writer = pq.ParquetWriter(self.path, self.schema, compression="zstd")
        if table is not None:
            self.writer.write_table(table.select(self.schema.names).cast(self.schema), row_group_size=GROUP_ROWS)


def _require_sound(scanner: Scanner, merger: Merger) -> None:
    if scanner.sorter.n_repeated:
        named = ", ".join(scanner.sorter.repeated)
        raise DataError(
            [f"{told(scanner.sorter.n_repeated)} with an id that another record has: {named}"],
            "  give each record an id of its own, or have ids made from the content: --ids content",
        )
    if merger.n_returned:
        faults = [f"{name}: was removed, and a record with this id is in the data again" for name in merger.returned]
        raise DataError(
            first_faults(faults) if merger.n_returned <= len(faults) else [*faults, f"{merger.n_returned} in all"],
            "  take the records out of the data: python -m copycat.provenance remove DATASET --id ID --rewrite\n"
            "  or, if they are new ones, give them an id of their own: ids are never used again",
        )


def _is_there(before: Manifest, version: Version, merger: Merger, order: Order) -> bool:
    """Whether the last version is this one.

    Raises:
        UserError: the version was named, and it is another one.
    """
    last = before.last
    is_same = merger.is_same and (last.root, last.files_root) == (version.root, version.files_root)
    if order.version is None or order.version == last.version:
        if is_same or order.version is None:
            return is_same
    elif order.version not in {one.version for one in before.versions}:
        return False
    named = before.version(order.version)
    differs = (
        "records are the same, files are not" if named.root == version.root else f"the data has root {version.root}"
    )
    raise UserError(
        f"version {named.version} is there with root {named.root}, and {differs}\n"
        f"  give this state a name of its own: --version {_next_name(before)}\n"
        f"  see what differs: python -m copycat.provenance diff {shown(_dataset_of(before))} --from {named.version}"
    )


def _dataset_of(manifest: Manifest) -> Path:
    """Give the dataset that a sidecar lies in, as far as its place tells."""
    return manifest.sidecar.parent if manifest.sidecar.name == SIDECAR_FOLDER else manifest.sidecar


def _manifest_file(
    dataset: Dataset, ids: Ids, before: Manifest | None, version: Version, files: list[FileHash]
) -> ManifestFile:
    return ManifestFile(
        dataset=dataset.name,
        kind=dataset.kind,
        ids=ids,
        columns=dict(dataset.columns),
        versions=(*(before.versions if before else ()), version),
        files=tuple(files) if len(files) <= MAX_LISTED_FILES else (),
    )


def _write_papers(dataset: Dataset, file: ManifestFile, order: Order) -> tuple[str, ...]:
    """Write the next croissant.json and manifest.json; gives what Croissant asks for and nobody stated."""
    jsonld, missing = describe(dataset, file, order.facts)
    unfinished(dataset.sidecar, CROISSANT_FILE).write_bytes(json_bytes(jsonld))
    unfinished(dataset.sidecar, MANIFEST_FILE).write_bytes(json_bytes(file.model_dump(mode="json")))
    return missing
