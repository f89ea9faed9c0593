"""Vectors of pictures, kept in STUDY/embeddings/ by the pictures' sha256: nothing is embedded twice.

    STUDY/embeddings/<embedder>-<revision>/
      index.jsonl       one line per picture: its sha256, and its row (null: the embedder rejects it)
      vectors.f32       the rows, float32, each of length 1
      embedder.json     which embedder, and how long a row is

Rows are on the disk before the line that tells of them: whatever a crash leaves behind them is cut off.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import numpy as np
from PIL.Image import Image
from pydantic import Field, ValidationError

from copycat.errors import DataError, UserError
from copycat.imitation.score.embedders import Embedder, Vector
from copycat.imitation.score.scoring import Floats
from copycat.models.decode import UndecodableError
from copycat.paths import shown
from copycat.runs.folder import append_journal, read_journal, write_json
from copycat.schema import Record

EMBEDDINGS = "embeddings"
BATCH = 64
INDEX, VECTORS, ABOUT = "index.jsonl", "vectors.f32", "embedder.json"
NUMBER_BYTES = 4

Read = Callable[[], Image]
"""Decodes one picture, or raises UndecodableError."""


class EmbeddedPicture(Record):
    """One line of the index."""

    sha256: str
    row: int | None = Field(ge=0)


class EmbedderFile(Record):
    """embedder.json."""

    name: str
    revision: str
    dimensions: int = Field(ge=1)
    facts: dict[str, str]


class Embeddings:
    """The vectors of one embedder in one study; one process at a time adds to them. To be used as a context.

    Args:
        study: its folder.
        name: of the embedder, as the user typed it.
    """

    def __init__(self, study: Path, name: str, embedder: Embedder) -> None:
        self.name, self.embedder, self.revision = name, embedder, embedder.revision()
        self.folder = study / EMBEDDINGS / f"{name.partition(':')[0].replace('_', '-')}-{self.revision[:16]}"
        self.unread: dict[str, str] = {}
        self._rows: dict[str, int | None] = {}
        self._n_rows = self._dimensions = 0
        self._lock: IO[str] | None = None

    def __enter__(self) -> Self:
        """Lock the folder, and read what is there.

        Raises:
            UserError: another process adds to it.
            DataError: its files do not fit together.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock = (self.folder / ".lock").open("w", encoding="utf-8")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._lock.close()
            raise UserError(f"another process is embedding in {shown(self.folder)}\n  wait for it") from error
        self._read_index()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Let go of the folder."""
        if self._lock is not None:
            self._lock.close()

    def embed(self, pictures: Mapping[str, Read], advance: Callable[[int], None] = lambda _: None) -> None:
        """Embed the pictures that are not there yet, batch by batch; each batch is kept at once.

        Those that cannot be decoded are in `unread` with the reason, and are tried again the next time.

        Args:
            pictures: sha256 of the file -> what decodes it.

        Raises:
            UserError: the embedder gives vectors that cannot be used.
        """
        todo = [sha256 for sha256 in pictures if sha256 not in self._rows]
        advance(len(pictures) - len(todo))
        for start in range(0, len(todo), BATCH):
            batch = todo[start : start + BATCH]
            decoded: dict[str, Image] = {}
            for sha256 in batch:
                try:
                    decoded[sha256] = pictures[sha256]()
                except UndecodableError as error:
                    self.unread[sha256] = str(error)
            if decoded:
                vectors = self.embedder.embed(list(decoded.values()))
                self._keep(dict(zip(decoded, vectors, strict=True)))
            advance(len(batch))

    def row_of(self, sha256: str) -> int | None:
        """Give the row of a picture in `vectors`; None: it was rejected, or could not be read."""
        return self._rows.get(sha256)

    @property
    def vectors(self) -> Floats:
        """All rows, (N, D) float32, mapped into memory."""
        shape = (self._n_rows, self._dimensions)
        if not self._n_rows:
            return np.empty(shape, np.float32)
        return np.memmap(self.folder / VECTORS, np.float32, "r", shape=shape)

    def _read_index(self) -> None:
        again = f"  delete {shown(self.folder)}: everything is embedded again"
        self._rows = {line.sha256: line.row for line in read_journal(self.folder / INDEX, EmbeddedPicture)}
        about, path = self.folder / ABOUT, self.folder / VECTORS
        if about.is_file():
            try:
                self._dimensions = EmbedderFile.model_validate_json(about.read_bytes()).dimensions
            except ValidationError as error:
                raise DataError([f"{shown(about)}: {error.errors()[0]['msg']}"], again) from error
        there = sorted(row for row in self._rows.values() if row is not None)
        self._n_rows = len(there)
        size = self._n_rows * self._dimensions * NUMBER_BYTES
        on_disk = path.stat().st_size if path.exists() else 0
        if there != list(range(len(there))) or on_disk < size or (there and not self._dimensions):
            raise DataError([f"{shown(path)}: does not fit {INDEX}"], again)
        if on_disk > size:
            os.truncate(path, size)

    def _keep(self, found: Mapping[str, Vector | None]) -> None:
        lines, rows = [], []
        for sha256, vector in found.items():
            if vector is not None:
                rows.append(self._checked(sha256, vector))
            place = self._n_rows + len(rows) - 1 if vector is not None else None
            lines.append(EmbeddedPicture(sha256=sha256, row=place))
        if rows:
            with (self.folder / VECTORS).open("ab") as file:
                file.write(np.stack(rows).tobytes())
                file.flush()
                os.fsync(file.fileno())
        append_journal(self.folder / INDEX, lines)
        self._rows.update({line.sha256: line.row for line in lines})
        self._n_rows += len(rows)

    def _checked(self, sha256: str, vector: Vector) -> Vector:
        """Give the vector with length 1.

        Raises:
            UserError: it is zero, holds NaN or infinity, or has another length than those before it.
        """
        owner, picture = f"embedder '{self.name}'", f"the picture with sha256 {sha256[:16]}"
        length = float(np.linalg.norm(vector.astype(np.float64)))
        if not np.isfinite(length) or length == 0:
            what = "a vector of zeros" if length == 0 else "a vector with NaN or infinity"
            raise UserError(f"{owner} gave {what} for {picture}\n  needed: a vector, or None for what it rejects")
        if not self._dimensions:
            self._dimensions = len(vector)
            facts = self.embedder.facts()
            about = EmbedderFile(name=self.name, revision=self.revision, dimensions=len(vector), facts=facts)
            write_json(self.folder / ABOUT, about.model_dump(mode="json"))
        if len(vector) != self._dimensions:
            raise UserError(
                f"{owner} gave {len(vector)} numbers for {picture}, and {self._dimensions} for others before\n"
                "  needed: vectors of one length; if its weights changed, its revision must change too"
            )
        return (vector / length).astype(np.float32)
