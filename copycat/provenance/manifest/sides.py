"""What `diff` compares: a dataset as it lies there, or a version that a sidecar keeps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Set
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from copycat.errors import DataError
from copycat.paths import shown
from copycat.provenance.dataset import Dataset, open_dataset
from copycat.provenance.manifest.ids import Ids, chosen_ids
from copycat.provenance.manifest.publishing import standing
from copycat.provenance.manifest.reading import Manifest, has_manifest, open_manifest, open_sidecar
from copycat.provenance.manifest.scanning import Scanner, scanned, told
from copycat.provenance.records import MANIFEST_FILE


@dataclass
class Side:
    """One of the two that are compared.

    Attributes:
        name: for people. tables: rows of the sidecar, by id.
        scanner: of a dataset that was read; it knows what could not be.
    """

    name: str
    tables: Iterable[Any]
    scanner: Scanner | None = None

    @property
    def faults(self) -> list[str]:
        """What of it could not be compared, in sentences."""
        if self.scanner is None:
            return []
        lines = []
        if self.scanner.n_faults:
            first = self.scanner.faults[0] if self.scanner.faults else None
            where = f", the first at {first.evidence.place}: {first.said}" if first else ""
            lines.append(f"{self.name}: {self.scanner.n_faults:,} unreadable (files or records){where}")
        if self.scanner.sorter.n_repeated:
            named = ", ".join(self.scanner.sorter.repeated[:3])
            lines.append(f"{self.name}: {told(self.scanner.sorter.n_repeated)} with the id of another one ({named})")
        return lines


def manifest_at(path: Path) -> Manifest | None:
    """Give the manifest if the path is one: manifest.json, or the folder that holds it; None for a dataset."""
    if path.is_file() and path.name == MANIFEST_FILE:
        return open_sidecar(path.parent)
    return open_sidecar(path) if path.is_dir() and standing(path, MANIFEST_FILE).is_file() else None


def two_sides(
    old: Path, new: Path, stack: ExitStack, tell: Callable[[int], None] = lambda records: None
) -> tuple[Side, Side]:
    """Open two datasets or sidecars; a dataset is read, even if it has a sidecar.

    Ids come from where its own manifest says; from the contents where every manifest says so.

    Raises:
        DataError: one is neither.
    """
    held = [(path, manifest_at(path)) for path in (old, new)]
    opened = [(path, found, None if found else opened_as_before(path)) for path, found in held]
    stated = {manifest.file.ids for _, found, dataset in opened if (manifest := found or _own(dataset))}
    sides = []
    for path, found, dataset in opened:
        if found is not None:
            sides.append(version_side(found))
        elif dataset is not None:
            sides.append(content_side(dataset, _ids(dataset, stated), stack, tell, shown(path)))
    return sides[0], sides[1]


def one_dataset(
    path: Path,
    before: str | None,
    after: str | None,
    stack: ExitStack,
    tell: Callable[[int], None] = lambda records: None,
) -> tuple[Side, Side]:
    """Give two versions of one dataset; `after` None: as it lies there, `before` None: the newest version.

    Raises:
        DataError: it has no manifest.
        UnknownNameError: there is no such version.
    """
    manifest = manifest_at(path)
    dataset = None if manifest else opened_as_before(path)
    if dataset is not None:
        manifest = open_manifest(dataset)
    if manifest is None or (dataset is None and after is None):
        raise DataError([f"{shown(path)}: is a sidecar, without records"], "  name two versions: --from A --to B")
    old = version_side(manifest, before)
    if after is not None or dataset is None:
        return old, version_side(manifest, after)
    return old, content_side(dataset, manifest.file.ids, stack, tell, shown(path))


def version_side(manifest: Manifest, version: str | None = None) -> Side:
    """Give a version that a sidecar keeps."""
    found = manifest.version(version)
    return Side(f"{manifest.file.dataset}, version {found.version}", manifest.rows(found.version))


def content_side(
    dataset: Dataset, ids: Ids, stack: ExitStack, tell: Callable[[int], None] = lambda records: None, name: str = ""
) -> Side:
    """Read a dataset as it lies there; its rows are there until the stack is closed."""
    scanner = stack.enter_context(scanned(dataset, ids, tell))
    return Side(name or dataset.name, scanner.sorter.tables(), scanner)


def opened_as_before(path: Path) -> Dataset:
    """Open a dataset with the columns that its provenance.yaml names, or its manifest was made with."""
    from copycat.provenance.check.settings import read_settings

    dataset = open_dataset(path, read_settings(path).columns)
    manifest = _own(dataset)
    return dataset if dataset.columns or manifest is None else replace(dataset, columns=manifest.file.columns)


def _own(dataset: Dataset | None) -> Manifest | None:
    return open_manifest(dataset) if dataset is not None and has_manifest(dataset) else None


def _ids(dataset: Dataset, stated: Set[Ids]) -> Ids:
    """Tell where ids of a dataset come from, beside another; `stated` are those of the manifests of both."""
    if stated == {"content"}:
        return "content"
    own = _own(dataset)
    return chosen_ids(dataset) if own is None or own.file.ids == "content" else own.file.ids
