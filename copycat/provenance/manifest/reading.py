"""A sidecar -> Manifest: its versions, and the records of any of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from copycat.errors import DataError, UnknownNameError
from copycat.paths import shown
from copycat.provenance.manifest.aligning import align
from copycat.provenance.manifest.publishing import standing
from copycat.provenance.manifest.records import ManifestFile, Version
from copycat.provenance.records import HISTORY_FILE, MANIFEST_FILE, RECORDS_FILE, sidecar_schema

if TYPE_CHECKING:
    from copycat.provenance.dataset import Dataset

AGAIN = "  restore it, or move the folder away and type: python -m copycat.provenance manifest DATASET"
ROWS_AT_ONCE = 65_536


@dataclass(frozen=True)
class Manifest:
    """What the sidecar of a dataset keeps.

    Attributes:
        sidecar: its folder. file: manifest.json.
    """

    sidecar: Path
    file: ManifestFile

    @property
    def versions(self) -> tuple[Version, ...]:
        """The versions, the oldest first."""
        return self.file.versions

    @property
    def last(self) -> Version:
        """The newest version."""
        return self.file.versions[-1]

    @property
    def root(self) -> str:
        """The Merkle root over the records of the newest version, in hex."""
        return self.last.root

    def version(self, name: str | None = None) -> Version:
        """Give a version by its name; None is the newest.

        Raises:
            UnknownNameError: there is no such version.
        """
        if name is None:
            return self.last
        found = next((version for version in self.versions if version.version == name), None)
        if found is None:
            raise UnknownNameError("version", name, [version.version for version in self.versions])
        return found

    def rows(self, version: str | None = None, columns: Sequence[str] | None = None) -> Iterator[Any]:
        """Yield pyarrow Tables with the records of a version, by id; None is the newest.

        Args:
            columns: of `records.sidecar_schema`; None: all.

        Raises:
            UnknownNameError: there is no such version.
            DataError: a table cannot be read.
        """
        import pyarrow as pa

        at = self._numbers[self.version(version).version]
        wanted = list(columns or sidecar_schema().names)
        current, history = self._valid(RECORDS_FILE, at, wanted), self._valid(HISTORY_FILE, at, wanted)
        for pair in align(current, history):
            tables = [table.select(wanted) for table in (pair.old, pair.new) if table.num_rows]
            if len(tables) == 1:
                yield tables[0]
            elif tables:
                yield pa.concat_tables(tables).sort_by([("id", "ascending")])

    def all_rows(self, columns: Sequence[str] | None = None) -> Iterator[Any]:
        """Yield pyarrow Tables with the last known row of every record that ever was in it, by id."""
        yield from self._read(RECORDS_FILE, list(columns or sidecar_schema().names))

    def history_rows(self) -> Iterator[Any]:
        """Yield pyarrow Tables with what rows were before they changed, by id and then version."""
        yield from self._read(HISTORY_FILE, sidecar_schema().names)

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {version.version: number for number, version in enumerate(self.versions)}

    def _valid(self, name: str, at: int, wanted: Sequence[str]) -> Iterator[Any]:
        """Yield the rows of a file that hold for version number `at`."""
        import pyarrow as pa
        import pyarrow.compute as pc

        names, numbers = pa.array(list(self._numbers)), pa.array(list(self._numbers.values()), pa.int64())
        later = len(self._numbers)

        def number(column: Any, missing: int) -> Any:
            """Give the number of each version; one that is not in the manifest is still to come."""
            found = numbers.take(pc.index_in(pc.cast(column, pa.string()), value_set=names).combine_chunks())
            return pc.if_else(pc.is_valid(column), pc.fill_null(found, later), missing)

        marks = ("version_added", "version_changed", "version_removed")
        for table in self._read(name, list(dict.fromkeys(("id", *wanted, *marks)))):
            since = pc.coalesce(table["version_changed"], table["version_added"])
            is_in = pc.and_(
                pc.less_equal(number(since, 0), at), pc.greater(number(table["version_removed"], later + 1), at)
            )
            yield table.filter(is_in)

    def _read(self, name: str, columns: Sequence[str]) -> Iterator[Any]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        path = standing(self.sidecar, name)
        if name == HISTORY_FILE and not path.is_file():
            return
        schema = sidecar_schema()
        try:
            with pq.ParquetFile(path) as table:
                there = set(table.schema_arrow.names)
                for batch in table.iter_batches(ROWS_AT_ONCE, columns=[one for one in columns if one in there]):
                    yield _completed(pa.Table.from_batches([batch]), columns, schema)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise DataError([f"{shown(path)}: cannot be read: {error}"], AGAIN) from error


def _completed(table: Any, columns: Sequence[str], schema: Any) -> Any:
    """Give the columns in order, null where the file lacks one, in the types of the schema."""
    import pyarrow as pa

    arrays = [
        table[name].cast(schema.field(name).type)
        if name in table.column_names
        else pa.nulls(table.num_rows, schema.field(name).type)
        for name in columns
    ]
    return pa.table(dict(zip(columns, arrays, strict=True)))


def has_manifest(dataset: Dataset) -> bool:
    """Whether a dataset has a manifest."""
    return standing(dataset.sidecar, MANIFEST_FILE).is_file()


def open_manifest(dataset: Dataset) -> Manifest:
    """Open the manifest of a dataset.

    Raises:
        DataError: there is none, or it cannot be read.
    """
    return open_sidecar(dataset.sidecar)


def open_sidecar(folder: Path) -> Manifest:
    """Open the manifest in a sidecar's folder.

    Raises:
        DataError: there is none, or it cannot be read.
    """
    path = standing(folder, MANIFEST_FILE)
    if not path.is_file():
        raise DataError(
            [f"{shown(folder / MANIFEST_FILE)}: is not there"],
            "  make it: python -m copycat.provenance manifest DATASET",
        )
    try:
        return Manifest(folder, ManifestFile.model_validate_json(path.read_bytes()))
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(str(part) for part in fault["loc"])
        raise DataError([f"{shown(path)}: {where}: {fault['msg']}"], AGAIN) from error
    except OSError as error:
        raise DataError([f"{shown(path)}: cannot be read: {error.strerror}"], AGAIN) from error
