"""A dataset's batches -> rows of the sidecar, sorted by id."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from copycat.provenance.manifest.content import Hasher, record_sha256
from copycat.provenance.manifest.facts import FACT_COLUMNS, Unread, fact_arrays
from copycat.provenance.manifest.ids import Ids, paths_of
from copycat.provenance.manifest.sorting import MADE, Sorter
from copycat.provenance.records import sidecar_schema

if TYPE_CHECKING:
    from copycat.provenance.dataset import Batch, Dataset, Fault

MADE_ID_LETTERS = 32
MAX_FAULTS = 5
LIGHT = ("id", "file", "row", "sha256", "text_sha256")
"""Columns of a scan without facts."""


class Scanner:
    """Takes the batches of one dataset in their order, and puts the rows of the sidecar into a sorter.

    A record without an id gets the first 32 digits of a hash of its content, so that every mirror gives it the same.

    Attributes:
        needs: the columns that batches must have.
        unread: column -> values in no known form. n_empty: records without content that could be hashed.
        n_made: records whose id was made from their content.
        faults: the first of what could not be read; n_faults: how many.
    """

    def __init__(
        self, dataset: Dataset, sorter: Sorter, ids: Ids = "column", *, facts: bool = True, phash: bool = False
    ) -> None:
        self.dataset, self.sorter, self.ids, self.facts, self.phash = dataset, sorter, ids, facts, phash
        self.hasher = Hasher(dataset)
        given = (*(("id",) if ids == "column" else ()), *(("image",) if phash or ids == "path" else ()))
        self.needs = tuple(dict.fromkeys((*given, *self.hasher.needs, *(FACT_COLUMNS if facts else ()))))
        self.unread: Unread = {}
        self.n_empty = self.n_faults = self.n_made = 0
        self.faults: list[Fault] = []

    def see(self, batch: Batch) -> None:
        """Take one batch."""
        if batch.size:
            self.sorter.add(self._table(batch))
        # A file that is a record is hashed as it is, whether its letters can be read or not.
        self.note([fault for fault in batch.faults if fault.evidence.file not in self.hasher.known])

    def note(self, faults: Sequence[Fault]) -> None:
        """Take note of what could not be read."""
        self.n_faults += len(faults)
        self.faults += faults[: max(0, MAX_FAULTS - len(self.faults))]

    def _table(self, batch: Batch) -> Any:
        import pyarrow as pa

        contents, texts = self.hasher.hashes(batch)
        self.n_empty += contents.count(None)
        given = self._given(batch)
        made = [not name for name in given]
        self.n_made += sum(made)
        ids = [name or self._made(batch, row, contents[row], texts[row]) for row, name in enumerate(given)]
        arrays = fact_arrays(batch, self.unread) if self.facts else {}
        if self.facts and self.phash and batch.column("image") is not None:
            arrays["phash"] = pa.array(_phashes(batch, arrays["phash"].to_pylist()), pa.string())
        is_file = not batch.file
        rows = range(batch.first, batch.first + batch.size) if batch.lines is None else batch.lines
        arrays |= {
            "id": text_array(ids),
            "file": text_array(batch.keys or []) if is_file else pa.repeat(batch.file, batch.size),
            "row": pa.nulls(batch.size, pa.int64()) if is_file else pa.array(rows, pa.int64()),
            "sha256": pa.array(contents, pa.string()),
            "text_sha256": pa.array(texts, pa.string()),
        }
        names = sidecar_schema().names if self.facts else LIGHT
        return pa.table({name: arrays[name] for name in names} | {MADE: pa.array(made, pa.bool_())})

    def _given(self, batch: Batch) -> list[str]:
        if self.ids == "content":
            return [""] * batch.size
        return batch.texts("id") if self.ids == "column" else paths_of(batch.values("image"))

    def _made(self, batch: Batch, row: int, content: str | None, text: str | None) -> str:
        """Make an id from the content; from the place for a record that has none."""
        if content is None:
            return batch.place_of(row)
        return (content if text is None else record_sha256(f"{content} {text}"))[:MADE_ID_LETTERS]


def _phashes(batch: Batch, known: Sequence[str | None]) -> list[str | None]:
    """Give the perceptual hashes of pictures, where they are not known; None for what has none."""
    from concurrent.futures import ThreadPoolExecutor

    from copycat.provenance.lookup.queries import hashes_of

    def one(value: Any, before: str | None) -> str | None:
        data = value.get("bytes") if isinstance(value, dict) else value
        if before is not None or not isinstance(data, bytes):
            return before
        return next(iter(hashes_of(data, mirrored=False) or ()), None)

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(one, batch.values("image"), known))


@contextmanager
def scanned(
    dataset: Dataset,
    ids: Ids = "column",
    tell: Callable[[int], None] = lambda records: None,
    folder: Path | None = None,
    *,
    facts: bool = True,
    phash: bool = False,
) -> Iterator[Scanner]:
    """Read a whole dataset; the scanner's sorter has its rows while the context is open.

    Args:
        tell: is told of how many more records have been read. folder: for temporary files.
        facts: with all columns of the sidecar; without, only those of LIGHT.
        phash: with the perceptual hash of each picture, which takes milliseconds each.
    """
    with Sorter(folder) as sorter:
        scanner = Scanner(dataset, sorter, ids, facts=facts, phash=phash)
        scanner.note(dataset.faults)
        for batch in dataset.content(scanner.needs):
            scanner.see(batch)
            tell(batch.size)
        yield scanner


def told(count: int) -> str:
    """Give a number of records in words."""
    return f"{count:,} record{'' if count == 1 else 's'}"


def text_array(values: Sequence[str]) -> Any:
    """Give texts as an array; letters that are no Unicode scalar become "?"."""
    import pyarrow as pa

    try:
        return pa.array(values, pa.string())
    except (pa.ArrowException, UnicodeEncodeError):
        return pa.array([value.encode("utf-8", "replace").decode() for value in values], pa.string())


def leaves(table: Any) -> list[bytes]:
    """Give the data of the Merkle tree's leaf of each row."""
    import pyarrow as pa
    import pyarrow.compute as pc

    parts = [pc.fill_null(table[name], "").cast(pa.binary()) for name in ("id", "sha256", "text_sha256")]
    joined: list[bytes] = pc.binary_join_element_wise(*parts, b"\0").to_pylist()
    return joined


def leaf_of(name: str, content: str | None, text: str | None) -> bytes:
    """Give the data of a record's leaf: its id, sha256 and text_sha256 with a NUL between them, "" for null."""
    return f"{name}\0{content or ''}\0{text or ''}".encode("utf-8", "replace")


def without(tables: Iterator[Any], ids: Set[str]) -> Iterator[Any]:
    """Yield tables without the rows of some ids."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for table in tables:
        yield table.filter(pc.invert(pc.is_in(table["id"], pa.array(sorted(ids), pa.string())))) if ids else table
