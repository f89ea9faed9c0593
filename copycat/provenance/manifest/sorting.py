"""Records by id, however many there are: sorted pieces on disk, read back in ranges of ids.

"By id" is by the bytes of its UTF-8 form, everywhere in the wing.
"""

from __future__ import annotations

import tempfile
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

PIECE_ROWS, PIECE_BYTES = 200_000, 128 << 20
"""What is sorted at once, and about what is given at once."""

SORTING = ".sort-"
"""How the names of temporary folders begin."""

MADE = "_made"
"""Column of the tables that are sorted: whether the id was made from the content, because there was none."""

MAX_REPEATED = 10


class Sorter:
    """Takes tables in any order and gives them back sorted; holds PIECE_BYTES or PIECE_ROWS of them in memory.

    Tables have a column `id` (string, no null), `file`, `row` and MADE. An id that was made and comes again has "-2",
    "-3", ... behind it, in the order of files and rows. `repeated` are ids that were given to several records (the
    first is kept), `n_repeated` how many records that loses; both are known when all is read.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._within = folder
        self._open = ExitStack()
        self._folder: Path | None = None
        self._waiting: list[Any] = []
        self._n_rows = self._n_bytes = 0
        self._pieces: list[Path] = []
        self.n_records = self.n_repeated = 0
        self.repeated: list[str] = []

    def __enter__(self) -> Sorter:
        return self

    def __exit__(self, *error: object) -> None:
        self._open.close()

    def add(self, table: Any) -> None:
        """Take some records."""
        self._waiting.append(table)
        self._n_rows += table.num_rows
        self._n_bytes += table.nbytes
        self.n_records += table.num_rows
        if self._n_rows >= PIECE_ROWS or self._n_bytes >= PIECE_BYTES:
            self._spill()

    def tables(self) -> Iterator[Any]:
        """Yield tables without MADE; ids rise strictly, over the tables too. May be asked for again."""
        self.repeated, self.n_repeated = [], 0
        if not self._pieces:
            pieces = [self._sorted_waiting()] if self._waiting else []
        else:
            if self._waiting:
                self._spill()
            pieces = [self._read(path) for path in self._pieces]
        for part in _ranges(pieces):
            yield self._resolved(part)

    def _sorted_waiting(self) -> Any:
        import pyarrow as pa

        return pa.concat_tables(self._waiting).sort_by([("id", "ascending")]).combine_chunks()

    def _spill(self) -> None:
        import pyarrow as pa

        if self._folder is None:
            self._folder = Path(self._open.enter_context(tempfile.TemporaryDirectory(dir=self._within, prefix=SORTING)))
        table = self._sorted_waiting()
        path = self._folder / f"{len(self._pieces)}.arrow"
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
        self._pieces.append(path)
        self._waiting, self._n_rows, self._n_bytes = [], 0, 0

    def _read(self, path: Path) -> Any:
        import pyarrow as pa

        source = self._open.enter_context(pa.memory_map(str(path)))
        return pa.ipc.open_file(source).read_all()

    def _resolved(self, part: Any) -> Any:
        """Make the ids of one range unique."""
        import pyarrow.compute as pc

        if pc.count_distinct(part["id"]).as_py() == part.num_rows:
            return part.sort_by([("id", "ascending")]).drop_columns([MADE])
        part = part.sort_by([("id", "ascending"), ("file", "ascending"), ("row", "ascending")])
        ids, made, kept = part["id"].to_pylist(), part[MADE].to_pylist(), []
        before, count = None, 0
        for at, name in enumerate(ids):
            count = count + 1 if name == before else 1
            before = name
            if count == 1 or made[at]:
                kept.append(at)
                ids[at] = name if count == 1 else f"{name}-{count}"
                continue
            self.n_repeated += 1
            if name not in self.repeated and len(self.repeated) < MAX_REPEATED:
                self.repeated.append(name)
        return _with_ids(part, ids, kept)


def _with_ids(part: Any, ids: list[str], kept: list[int]) -> Any:
    import pyarrow as pa

    part = part.set_column(part.schema.get_field_index("id"), "id", pa.array(ids, pa.string()))
    return part.take(kept).sort_by([("id", "ascending")]).drop_columns([MADE])


def _ranges(pieces: Sequence[Any]) -> Iterator[Any]:
    """Yield the rows of sorted tables in ranges of ids; all rows of an id are in one of them."""
    import pyarrow as pa

    if not pieces:
        return
    if len(pieces) == 1 and pieces[0].num_rows <= PIECE_ROWS:
        yield pieces[0]
        return
    starts = [0] * len(pieces)
    for cut in (*_cuts(pieces), None):
        ends = [piece.num_rows if cut is None else _position(piece["id"], cut) for piece in pieces]
        parts = [piece.slice(start, end - start) for piece, start, end in zip(pieces, starts, ends, strict=True)]
        starts = ends
        together = pa.concat_tables([part for part in parts if part.num_rows] or parts[:1])
        if together.num_rows:
            yield together.combine_chunks()


def _cuts(pieces: Sequence[Any]) -> list[str]:
    """Give ids between which there are about as many rows as in a piece."""
    per_piece = 64
    samples = sorted(
        piece["id"][at].as_py()
        for piece in pieces
        for at in range(0, piece.num_rows, max(1, piece.num_rows // per_piece))
    )
    total = sum(piece.num_rows for piece in pieces)
    most = max(1, min(PIECE_ROWS, max(piece.num_rows for piece in pieces)))
    step = max(1, len(samples) * most // total)
    return sorted(set(samples[step::step]))


class Ids(Sequence[str]):
    """A column of texts as a sequence, for bisection by their bytes; str sorts by code point, which is the same."""

    def __init__(self, column: Any) -> None:
        self.column = column

    def __len__(self) -> int:
        return len(self.column)

    def __getitem__(self, at: Any) -> Any:
        return self.column[at].as_py()


def _position(column: Any, cut: str) -> int:
    return bisect_left(Ids(column), cut)
