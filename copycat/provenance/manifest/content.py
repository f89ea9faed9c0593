"""The hash of a record's content, the same on every mirror; the root of a version is over ids and contents.

`record_sha256`, and the column `sha256` of records.parquet, is the sha256, in hex, of the first of these that there is:

1. where each file is a record: the bytes of the file;
2. the bytes of its picture, as they are encoded (PNG, JPEG, ...); a picture given by a path that lies in the dataset
   is that file's bytes;
3. the UTF-8 bytes of its text, as it is, nothing stripped or normalised; a text that is not text is encoded as in 4;
4. the canonical encoding of its row: JSON without white space, keys sorted by code point, in UTF-8, without nulls
   (so that a missing value, a null and NaN, which pandas writes for either, are the same); whole numbers without a
   point, as in RFC 8785; times in ISO 8601, those with a zone in UTC; bytes as "sha256:" and their hash; infinities as
   text; letters that are no Unicode scalar as "?". An index that pandas numbered is no part of the row.

A picture may have a text beside it: `text_sha256` is the hash of that. Neither depends on the order of records, on
batches, row groups, compression or column order, nor, as far as types are the same, on the form of the file.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from copycat.paths import file_sha256
from copycat.provenance.dataset.batches import LARGEST_WHOLE
from copycat.provenance.dataset.folders import TEXT_SUFFIXES
from copycat.provenance.manifest.rows import WholeRows

if TYPE_CHECKING:
    from copycat.provenance.dataset import Batch, Dataset

Hashes = tuple[list[str | None], list[str | None]]


def sha256_hex(data: bytes) -> str:
    """Give the sha256 of bytes, in hex."""
    return hashlib.sha256(data).hexdigest()


def record_sha256(value: object) -> str:
    """Give the hash of one record's content: bytes, a text, or a row as a mapping from columns to values."""
    if isinstance(value, bytes | bytearray | memoryview):
        return sha256_hex(bytes(value))
    if isinstance(value, str):
        return sha256_hex(value.encode("utf-8", "replace"))
    return sha256_hex(canonical(value))


def canonical(value: object) -> bytes:
    """Give the canonical encoding of a row or value: see the head of this file."""
    plain = json.dumps(_plain(value), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return plain.encode("utf-8", "replace")


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        items = {str(key): _plain(item) for key, item in value.items()}
        return {key: item for key, item in items.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, bool | int | str) else _plain_scalar(value)


def _plain_scalar(value: Any) -> Any:
    if isinstance(value, float) and math.isnan(value):
        return None
    if isinstance(value, float) and math.isfinite(value):
        return int(value) if value.is_integer() and abs(value) <= LARGEST_WHOLE else value
    if isinstance(value, bytes | bytearray | memoryview):
        return f"sha256:{sha256_hex(bytes(value))}"
    if isinstance(value, datetime) and value.tzinfo is not None:
        return _in_utc(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return str(value)


def _in_utc(value: datetime) -> str:
    try:
        return value.astimezone(UTC).isoformat()
    except (OverflowError, ValueError):
        return value.isoformat()  # the first or last day that there is


def sha256_if_readable(path: Path) -> str | None:
    """Give the sha256 of a file; None where it cannot be read."""
    try:
        return file_sha256(path)
    except OSError:
        return None


class Hasher:
    """Gives the hashes of batches of one dataset, which must come in their order.

    `needs` are the columns that its batches must have. Reads, beside them, the files that are records, and the whole
    rows of records that have neither picture nor text. `known` has the hashes of files that were read.
    """

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset
        self.root = dataset.folder.resolve()
        self.rows = WholeRows(dataset)
        self.known: dict[str, str] = {}
        self._last: tuple[Batch | None, Hashes] = (None, ([], []))
        self.needs: tuple[str, ...] = ("text",) if dataset.kind == "folder" else ("image", "text")

    def hashes(self, batch: Batch) -> Hashes:
        """Give, for each record of a batch, the hash of its content and that of a text beside it.

        The first is None for a record that cannot be read, such as a picture that the dataset names and does not hold.
        The same batch may be asked for twice.
        """
        if self._last[0] is not batch:
            self._last = (batch, self._hashes(batch))
        return self._last[1]

    def _hashes(self, batch: Batch) -> Hashes:
        texts = list(_text_hashes(batch))
        if self.dataset.kind == "folder":
            return self._files(batch, texts)
        pictures = [None] * batch.size if batch.column("image") is None else [*self._pictures(batch)]
        contents = [text if content is None else content for content, text in zip(pictures, texts, strict=True)]
        beside = [None if content is None else text for content, text in zip(pictures, texts, strict=True)]
        named = None in contents and [_names_picture(value) for value in batch.values("image")]
        bare = [row for row, content in enumerate(contents) if content is None and named and not named[row]]
        for row, cells in zip(bare, self.rows.of(batch, bare), strict=True):
            contents[row] = None if cells is None else record_sha256(cells)
        return contents, beside

    def _files(self, batch: Batch, texts: list[str | None]) -> Hashes:
        from concurrent.futures import ThreadPoolExecutor

        names = list(batch.keys or ())
        contents: list[str | None] = [None] * len(names)
        if batch.column("image") is not None:
            contents = list(self._pictures(batch))
        left = [row for row, content in enumerate(contents) if content is None]
        with ThreadPoolExecutor(2) as pool:
            read = pool.map(sha256_if_readable, [self.dataset.folder / names[row] for row in left])
            for row, content in zip(left, read, strict=True):
                contents[row] = content
        self.known |= {name: content for name, content in zip(names, contents, strict=True) if content is not None}
        return contents, [
            None if Path(name).suffix.lower() in TEXT_SUFFIXES else text
            for name, text in zip(names, texts, strict=True)
        ]

    def _pictures(self, batch: Batch) -> Iterator[str | None]:
        for value in batch.values("image"):
            path = value.get("path") if isinstance(value, Mapping) else value
            data = value.get("bytes") if isinstance(value, Mapping) else value
            if isinstance(data, bytes):
                yield sha256_hex(data)
            else:
                yield self._file_within(path) if isinstance(path, str) else None

    def _file_within(self, name: str) -> str | None:
        """Hash a picture that a table names, if it lies in the dataset: a table must not name others' files."""
        try:
            path = (self.root / name).resolve()
            is_ours = len(name) < 4096 and path.is_relative_to(self.root) and path.is_file()
        except (OSError, ValueError, RuntimeError):
            return None
        return sha256_if_readable(path) if is_ours else None


def _names_picture(value: Any) -> bool:
    return any(part is not None for part in value.values()) if isinstance(value, Mapping) else value is not None


def _text_hashes(batch: Batch) -> Iterator[str | None]:
    for value in batch.values("text"):
        if value is None:
            yield None
        elif isinstance(value, str):
            yield hashlib.sha256(value.encode("utf-8", "replace")).hexdigest()
        else:
            yield record_sha256(value)
