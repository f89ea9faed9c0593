"""A path -> Dataset: which kind it is, which of its files are data, where its card and its sidecar lie."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from copycat.errors import DataError
from copycat.provenance.dataset.batches import Batch, Fault
from copycat.provenance.dataset.card import CARD_NAMES, Card, read_card
from copycat.provenance.records import RECORDS_FILE, SIDECAR_FOLDER, Evidence

Kind = Literal["folder", "parquet", "jsonl", "csv", "webdataset"]
"""How the records lie. A Hub-style dataset is one of these with a card."""

SUFFIXES: dict[str, Kind] = {
    ".parquet": "parquet",
    ".jsonl": "jsonl",
    ".jsonl.gz": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".tar": "webdataset",
}
NOT_DATA = {*CARD_NAMES, "LICENSE", "LICENCE", "LICENSE.md", "LICENSE.txt", "croissant.json", "dataset_infos.json",
            "manifest.json", "card.yaml", "metadata.jsonl", "metadata.csv", "attribution.txt", "CITATION.cff",
            "ORIGINALS.md"}  # fmt: skip
"""Files beside the data that speak of it. `metadata.*` is read with the folder of files that it describes."""

SPLITS = ("train", "validation", "valid", "val", "dev", "test")


@dataclass(frozen=True)
class DataFile:
    """One file with records: its path, its path relative to the dataset ("/"), bytes, kind, and split if named."""

    path: Path
    name: str
    size: int
    kind: Kind
    split: str = ""


@dataclass(frozen=True)
class Dataset:
    """A dataset that lies in files.

    Attributes:
        root: the folder, or the single file.
        kind: that of its files; "folder" where each file is a record.
        files: with records, by name. card: what the dataset says of itself.
        sidecar: the folder of its manifest, whether it is there or not.
        columns: standard name -> column, as the user said.
        faults: files that cannot be looked at, or are of no known kind beside tables.
    """

    root: Path
    kind: Kind
    files: tuple[DataFile, ...]
    card: Card
    sidecar: Path
    columns: Mapping[str, str] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()

    @property
    def name(self) -> str:
        """The dataset's name as people say it: its folder or file."""
        return self.root.resolve().name

    @property
    def folder(self) -> Path:
        """The folder that paths of files are relative to."""
        return self.root if self.root.is_dir() else self.root.parent

    @property
    def records_file(self) -> Path | None:
        """The sidecar's table of records; None where there is none."""
        path = self.sidecar / RECORDS_FILE
        return path if path.is_file() else None

    def content(self, needs: Sequence[str]) -> Iterator[Batch]:
        """Yield the dataset's own records with the standard columns `needs`, in a stable order.

        What cannot be read comes as `Batch.faults`; nothing is raised for it.
        """
        reader = _reader(self.kind)
        if self.kind == "folder":
            yield from reader(self, needs)
            return
        for file in self.files:
            yield from reader(self, file, needs)

    def facts(self, needs: Sequence[str]) -> Iterator[Batch]:
        """Yield what is known of each record: the sidecar's rows where there is a sidecar, else the dataset's own."""
        path = self.records_file
        if path is None:
            yield from self.content(needs)
            return
        from copycat.provenance.dataset.tables import parquet_batches

        name = path.relative_to(self.folder.resolve() if path.is_absolute() else self.folder).as_posix()
        yield from parquet_batches(self, DataFile(path, name, path.stat().st_size, "parquet"), needs)


def _reader(kind: Kind) -> Callable[..., Iterator[Batch]]:
    from copycat.provenance.dataset import archives, folders, tables

    readers: dict[str, Callable[..., Iterator[Batch]]] = {
        "parquet": tables.parquet_batches,
        "jsonl": tables.jsonl_batches,
        "csv": tables.csv_batches,
        "webdataset": archives.webdataset_batches,
        "folder": folders.folder_batches,
    }
    return readers[kind]


def open_dataset(path: Path, columns: Mapping[str, str] | None = None) -> Dataset:
    """Look at what lies at `path`, a folder or a file; reads the card, no record.

    Args:
        path: a folder, or one file of a known kind.
        columns: standard name -> column, where the usual names do not tell.

    Raises:
        DataError: nothing is there, or it is a file of no known kind.
    """
    if path.is_file():
        kind = _kind_of(path.name)
        if kind is None:
            raise DataError([f"{path}: is no dataset"], f"  needed: a folder, or a file {', '.join(SUFFIXES)}")
        file = DataFile(path, path.name, path.stat().st_size, kind)
        sidecar = path.with_name(f"{_stem(path.name)}.{SIDECAR_FOLDER}")
        return Dataset(path, kind, (file,), Card(), sidecar, columns or {})
    if not path.is_dir():
        raise DataError([f"{path}: is not there"], "  needed: the folder or file of a dataset on this machine")
    faults: list[Fault] = []
    files = sorted(_walk(path, faults), key=lambda file: file.name)
    kinds = {file.kind for file in files} - {"folder"}
    tables = [file for file in files if file.kind != "folder" and (file.kind == _main_kind(kinds))]
    chosen: Kind = tables[0].kind if tables else "folder"
    taken = tables or files
    faults += [
        Fault(Evidence(file=file.name), f"is {file.kind}, and the dataset's records are read from {chosen}")
        for file in files
        if tables and file.kind not in ("folder", chosen)
    ]
    return Dataset(path, chosen, tuple(taken), read_card(path), path / SIDECAR_FOLDER, columns or {}, tuple(faults))


def _main_kind(kinds: set[Kind]) -> Kind | None:
    order: tuple[Kind, ...] = ("parquet", "webdataset", "jsonl", "csv")
    return next((kind for kind in order if kind in kinds), None)


def _walk(root: Path, faults: list[Fault]) -> Iterator[DataFile]:
    """Yield the files with records; links to folders are not followed, so that a circle of them is harmless."""

    def note(error: OSError) -> None:
        where = Path(error.filename or root)
        name = where.relative_to(root).as_posix() if where.is_relative_to(root) else str(where)
        faults.append(Fault(Evidence(file=name), f"cannot be read: {error.strerror}"))

    for folder, folders, names in os.walk(root, onerror=note):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and not _is_sidecar(name))
        for name in sorted(names):
            path = Path(folder) / name
            relative = path.relative_to(root).as_posix()
            if name.startswith(".") or name in NOT_DATA:
                continue
            if path.is_symlink() and not path.exists():
                faults.append(Fault(Evidence(file=relative), "is a link to nothing"))
                continue
            try:
                size = path.stat().st_size
            except OSError as error:
                faults.append(Fault(Evidence(file=relative), f"cannot be read: {error.strerror}"))
                continue
            if not path.is_file():
                faults.append(Fault(Evidence(file=relative), "is no regular file"))
                continue
            yield DataFile(path, relative, size, _kind_of(name) or "folder", _split_of(relative))


def _is_sidecar(name: str) -> bool:
    return name == SIDECAR_FOLDER or name.endswith(f".{SIDECAR_FOLDER}")


def _kind_of(name: str) -> Kind | None:
    low = name.lower()
    return next((kind for suffix, kind in SUFFIXES.items() if low.endswith(suffix)), None)


def _stem(name: str) -> str:
    suffix = next((suffix for suffix in SUFFIXES if name.lower().endswith(suffix)), "")
    return name[: len(name) - len(suffix)]


def _split_of(name: str) -> str:
    """Tell the split as the Hub does: from a folder's name, or the words of the file's name."""
    import re

    words = re.split(r"[^a-z]+", name.lower())
    found = next((split for split in SPLITS if split in words), "")
    return {"valid": "validation", "val": "validation", "dev": "validation"}.get(found, found)
