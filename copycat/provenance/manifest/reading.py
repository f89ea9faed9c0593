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
from copycat.provenance.manifest.merkle import Merkle
from copycat.provenance.manifest.publishing import standing
from copycat.provenance.manifest.records import MANIFEST_SCHEMA, ManifestFile, Version
from copycat.provenance.manifest.scanning import LIGHT, leaves
from copycat.provenance.records import HISTORY_FILE, MANIFEST_FILE, RECORDS_FILE, sidecar_schema

if TYPE_CHECKING:
    from copycat.provenance.dataset import Dataset

AGAIN = "  restore it from a copy; a manifest that is made again knows nothing of removals and versions before"
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
                last = ""
                for batch in table.iter_batches(ROWS_AT_ONCE, columns=[one for one in columns if one in there]):
                    rows = _completed(pa.Table.from_batches([batch]), columns, schema)
                    if "id" in columns and rows.num_rows:
                        last = _last_id(rows["id"], last, may_repeat=name == HISTORY_FILE)
                    yield rows
        except (pa.ArrowException, OSError, ValueError) as error:
            raise DataError([f"{shown(path)}: cannot be read: {error}"], AGAIN) from error


def _last_id(ids: Any, before: str, *, may_repeat: bool) -> str:
    """Give the last of some ids, which must rise: what reads a table by id would else wait for one for ever.

    Raises:
        ValueError: they do not rise, or one is missing.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    ids = pa.concat_arrays([pa.array([before], ids.type), *ids.chunks])
    rise = pc.less_equal if may_repeat else pc.less
    if ids.null_count or not pc.all(rise(ids[:-1], ids[1:])).as_py():
        raise ValueError("its ids do not rise from row to row, so that it was not written here")
    last: str = ids[-1].as_py()
    return last


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


def require_nothing_lost(folder: Path) -> None:
    """Look whether a sidecar without manifest.json is one that never had any.

    Raises:
        DataError: it holds records of versions, which a new manifest would overwrite.
    """
    for name in (RECORDS_FILE, HISTORY_FILE):
        if standing(folder, name).exists():
            raise DataError([f"{shown(folder)}: has {name} and no {MANIFEST_FILE}"], AGAIN)


def require_own_root(manifest: Manifest) -> None:
    """Look whether records.parquet gives the root that manifest.json states for the newest version.

    Raises:
        DataError: it does not; a version made from it would forget records, and give their ids again.
    """
    tree = Merkle()
    for table in manifest.rows(columns=LIGHT):
        tree.extend(leaves(table))
    if tree.root() != manifest.root:
        path = shown(manifest.sidecar / RECORDS_FILE)
        said = f"{path}: gives another root than {MANIFEST_FILE} states for version {manifest.last.version}"
        raise DataError([said], AGAIN)


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
        file = ManifestFile.model_validate_json(path.read_bytes())
    except ValidationError as error:
        fault = error.errors()[0]
        where = "".join(f"{part}: " for part in [".".join(str(part) for part in fault["loc"])] if part)
        raise DataError([f"{shown(path)}: {where}{fault['msg']}"], AGAIN) from error
    except OSError as error:
        raise DataError([f"{shown(path)}: cannot be read: {error.strerror}"], AGAIN) from error
    if file.schema_version > MANIFEST_SCHEMA:
        said = f"is of form {file.schema_version}, and this copycat knows forms up to {MANIFEST_SCHEMA}"
        raise DataError([f"{shown(path)}: {said}"], "  use the copycat that wrote it, or a newer one")
    names = [version.version for version in file.versions]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError([f"{shown(path)}: has version {twice} twice"], AGAIN)
    return Manifest(folder, file)
