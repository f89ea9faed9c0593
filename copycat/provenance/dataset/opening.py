"""A path -> Dataset: which kind it is, which of its files are data, where its card and its sidecar lie."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from copycat.errors import DataError
from copycat.provenance.dataset.batches import Batch, Fault
from copycat.provenance.dataset.card import CARD_NAMES, Card, read_card
from copycat.provenance.dataset.declared import Declared, declared_files
from copycat.provenance.dataset.files import SUFFIXES, DataFile, Kind, kind_of, leads_out, stem_of, walk
from copycat.provenance.dataset.folders import METADATA
from copycat.provenance.dataset.tables import one_line
from copycat.provenance.records import RECORDS_FILE, SIDECAR_FOLDER, Evidence, printable

CHECK_FILE = "provenance.yaml"
"""Settings of `check` that lie with the dataset."""

NOT_DATA = {*CARD_NAMES, *METADATA, CHECK_FILE, "LICENSE", "LICENCE", "LICENSE.md", "LICENSE.txt", "croissant.json",
            "dataset_infos.json", "manifest.json", "card.yaml", "attribution.txt", "CITATION.cff",
            "ORIGINALS.md"}  # fmt: skip
"""Files beside the data that speak of it. `metadata.*` is read with the folder of files that it describes."""


@dataclass(frozen=True)
class Dataset:
    """A dataset that lies in files.

    Attributes:
        root: the folder, or the single file.
        kind: that of its files; "folder" where each file is a record.
        files: with records, by name. card: what the dataset says of itself.
        sidecar: the folder of its manifest, whether it is there or not.
        columns: standard name -> column, as the user said.
        faults: files that cannot be looked at, and what the card names and is not there.
        metadata: of a folder of files, the files that speak of them. beside: files beside tables, read by nobody.
        hidden: names that begin with a dot, read by nobody. outside: files that are links out of the dataset's folder,
            which are read.
        is_declared: whether the card says which files hold the records.
    """

    root: Path
    kind: Kind
    files: tuple[DataFile, ...]
    card: Card
    sidecar: Path
    columns: Mapping[str, str] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    metadata: tuple[DataFile, ...] = ()
    beside: tuple[DataFile, ...] = ()
    is_declared: bool = False
    hidden: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The dataset's name as people say it: its folder or file."""
        return printable(self.root.resolve().name) or str(self.root)

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
        if self.kind == "folder":
            yield from _guarded(_reader("folder")(self, needs), "")
            return
        for file in self.files:
            for batch in _guarded(_reader(file.kind)(self, file, needs), file.name):
                yield replace(batch, config=file.config) if file.config else batch

    def facts(self, needs: Sequence[str]) -> Iterator[Batch]:
        """Yield what is known of each record: the sidecar's rows where there is a sidecar, else the dataset's own.

        A sidecar's row says where its record lies in the data, which is what findings point at.
        """
        path = self.records_file
        if path is None:
            yield from self.content(needs)
            return
        from copycat.provenance.dataset.parquet import parquet_batches

        name = path.relative_to(self.folder).as_posix()
        # The sidecar's columns have the standard names, whatever those of the dataset are called.
        own = replace(self, columns={})
        file = DataFile(path, name, path.stat().st_size, "parquet")
        for batch in _guarded(parquet_batches(own, file, (*needs, *PLACE)), name):
            yield _placed(batch, needs)


PLACE = ("file", "row")


def _placed(batch: Batch, needs: Sequence[str]) -> Batch:
    """Give a batch of a sidecar with the places of its records; columns that nobody asked for are left out."""
    files, rows = (batch.column(name) for name in PLACE)
    extra = set(PLACE) - set(needs)
    columns, named = (
        {name: value for name, value in each.items() if name not in extra} for each in (batch.columns, batch.named)
    )
    lies_in = None if files is None or rows is None else (files, rows)
    return replace(batch, columns=columns, named=named, lies_in=lies_in)


def _guarded(batches: Iterator[Batch], name: str) -> Iterator[Batch]:
    """Yield the batches; what a reader did not foresee is a fault of the file, and the next file is read."""
    try:
        yield from batches
    except Exception as error:  # noqa: BLE001 - a damaged file may make a library raise anything
        said = f"cannot be read on: {type(error).__name__}: {one_line(error)}"
        yield Batch(name, 1, 0, {}, "", (Fault(Evidence(file=name), said, loses_rest=True),))


def _reader(kind: Kind) -> Callable[..., Iterator[Batch]]:
    from copycat.provenance.dataset import archives, folders, parquet, tables

    readers: dict[str, Callable[..., Iterator[Batch]]] = {
        "parquet": parquet.parquet_batches,
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
        kind = kind_of(path.name)
        if kind is None:
            raise DataError([f"{path}: is no dataset"], f"  needed: a folder, or a file {', '.join(SUFFIXES)}")
        file = DataFile(path, printable(path.name), path.stat().st_size, kind)
        sidecar = path.with_name(f"{stem_of(path.name)}.{SIDECAR_FOLDER}")
        return Dataset(path, kind, (file,), Card(), sidecar, columns or {}, tuple(_empty_files([file])))
    if not path.is_dir():
        said = "is no regular file" if path.exists() else "is not there"
        raise DataError([f"{path}: {said}"], "  needed: the folder or file of a dataset on this machine")
    return _open_folder(path, columns or {})


def _open_folder(root: Path, columns: Mapping[str, str]) -> Dataset:
    faults: list[Fault] = []
    hidden: list[str] = []
    found = sorted(walk(root, faults, hidden), key=lambda file: file.name)
    card = read_card(root)
    declared = declared_files(card, [file.name for file in found], faults)
    metadata = tuple(file for file in found if file.path.name in METADATA and file.name not in declared)
    files = [file for file in found if file.path.name not in NOT_DATA or file.name in declared]
    kinds = {file.kind for file in files if file.name in declared} or {file.kind for file in files}
    kind: Kind = "webdataset" if _are_shards(files) else next((kind for kind in TABLES if kind in kinds), "folder")
    taken = [_as_declared(file, declared) for file in files if _is_read(file, kind, declared)]
    beside = [file for file in files if not _is_read(file, kind, declared)]
    faults += _empty_files([file for file in taken if file.kind != "folder"])
    return Dataset(
        root,
        kind,
        tuple(taken),
        card,
        root / SIDECAR_FOLDER,
        columns,
        tuple(faults),
        metadata if kind == "folder" else (),
        tuple(beside),
        bool(declared),
        tuple(hidden),
        tuple(file.name for file in found if leads_out(file.path, root)),
    )


TABLES: tuple[Kind, ...] = ("parquet", "webdataset", "jsonl", "csv")
"""Where several kinds lie in one folder and the card does not say, the first of these is read."""


def _are_shards(files: Sequence[DataFile]) -> bool:
    """Whether each Parquet file is the log of an archive of its name, as img2dataset writes it: failed ones too."""
    shards = {stem_of(file.name) for file in files if file.kind == "webdataset"}
    return bool(shards) and all(stem_of(file.name) in shards for file in files if file.kind == "parquet")


def _is_read(file: DataFile, kind: Kind, declared: Mapping[str, Declared]) -> bool:
    """Whether records are read from it; a table in a folder of files is one of the files."""
    return kind in (file.kind, "folder") or (file.name in declared and file.kind != "folder")


def _as_declared(file: DataFile, declared: Mapping[str, Declared]) -> DataFile:
    said = declared.get(file.name)
    return file if said is None else replace(file, split=said.split or file.split, config=said.config)


def _empty_files(files: Sequence[DataFile]) -> list[Fault]:
    """Text of no bytes is read as no record, and that must not go unsaid; readers of other kinds say it themselves."""
    empty = [file.name for file in files if not file.size and file.kind in ("jsonl", "csv")]
    return [Fault(Evidence(file=name), "is empty") for name in empty]
