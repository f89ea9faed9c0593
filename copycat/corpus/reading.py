"""Files -> batches of texts, with bounded memory: so many rows at once, and no line longer than so many bytes."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple, cast

from copycat.errors import DataError, UserError
from copycat.paths import shown
from copycat.schema import Record

if TYPE_CHECKING:
    import polars as pl

BATCH_ROWS = 131_072
MAX_LINE_BYTES = 64 * 2**20
TEXT_COLUMNS = ("caption", "text", "TEXT", "Caption", "prompt", "content")
"""Where texts are looked for unless a column is named, the first that is there."""

SUFFIXES = (".parquet", ".jsonl", ".csv", ".txt")


class CorpusFacts(Record):
    """What was read. `sha256` is of the files' own sha256 in their order; `rows` counts the empty ones, too.

    `undecodable` counts rows with bytes that are no UTF-8 (they are read with replacement characters) and lines
    that are no JSON object with the column.
    """

    id: str
    revision: str | None
    files: int
    rows: int
    empty: int
    undecodable: int
    text_column: str
    sha256: str


class Corpus(Record):
    """Files of one form, in their order, and the column that holds the texts (empty for plain text)."""

    id: str
    revision: str | None = None
    files: tuple[Path, ...]
    text_column: str
    max_line_bytes: int = MAX_LINE_BYTES


class Batch(NamedTuple):
    """Texts, a polars Series of strings without nulls, and how many rows of the batch could not be decoded."""

    texts: pl.Series
    undecodable: int = 0


def open_corpus(
    paths: Sequence[Path], *, text_column: str | None = None, id: str | None = None, revision: str | None = None
) -> Corpus:
    """Find the files of a corpus and its text column; reads a header, no rows.

    Args:
        paths: files, or folders of which every file of a known form is taken, in alphabetical order.
        text_column: None means the first of `TEXT_COLUMNS` that is there.
        id: what the corpus is called in results; the name of the first path otherwise.

    Raises:
        UserError: a path is not there, or is of no known form.
        DataError: there is no file, or no such column; the text lists those that exist.
    """
    files = tuple(file for path in paths for file in _files_of(path))
    if not files:
        raise DataError([f"{', '.join(shown(path) for path in paths)}: no file ends in {', '.join(SUFFIXES)} (or .gz)"])
    columns = _columns_of(files[0])
    column = _chosen(text_column, columns, files[0])
    return Corpus(id=id or paths[0].name, revision=revision, files=files, text_column=column)


def read_batches(corpus: Corpus, file: Path) -> Iterator[Batch]:
    """Give the texts of one file in batches.

    Raises:
        DataError: a line is longer than allowed, or the file is damaged.
    """
    if _form_of(file) == ".parquet":
        yield from _read_parquet(file, corpus.text_column)
    else:
        yield from _in_batches(_read_rows(corpus, file))


def files_sha256(corpus: Corpus) -> str:
    """Hash the bytes of all files, in their order."""
    whole = hashlib.sha256()
    for file in corpus.files:
        with file.open("rb") as stream:
            whole.update(hashlib.file_digest(stream, "sha256").digest())
    return whole.hexdigest()


def _files_of(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(file for file in path.rglob("*") if file.is_file() and _form_of(file) in SUFFIXES)
    if not path.is_file():
        raise UserError(f"{shown(path)}: there is no such file or folder\n  needed: files that end in {SUFFIXES}")
    if _form_of(path) not in SUFFIXES:
        raise UserError(f"{shown(path)}: unknown form\n  needed: a file that ends in {', '.join(SUFFIXES)} (or .gz)")
    return [path]


def _form_of(path: Path) -> str:
    return Path(path.stem).suffix.lower() if path.suffix.lower() == ".gz" else path.suffix.lower()


def _opened(path: Path) -> IO[bytes]:
    return gzip.open(path, "rb") if path.suffix.lower() == ".gz" else path.open("rb")  # type: ignore[return-value]


def _columns_of(path: Path) -> list[str]:
    form = _form_of(path)
    if form == ".parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            return list(pq.read_schema(path).names)
        except (pa.ArrowInvalid, OSError) as error:
            raise DataError([f"{shown(path)}: is no Parquet file ({str(error).splitlines()[0]})"]) from error
    if form == ".txt":
        return [""]
    with _opened(path) as stream:
        head = stream.readline(MAX_LINE_BYTES).decode("utf-8", errors="replace")
    if form == ".csv":
        return next(iter(csv.reader([head])), [])
    row = _json_object(head)
    return list(row) if row is not None else []


def _chosen(asked: str | None, columns: Sequence[str], file: Path) -> str:
    if list(columns) == [""]:
        return ""
    wanted = TEXT_COLUMNS if asked is None else (asked,)
    found = next((column for column in wanted if column in columns), None)
    if found is None:
        there = ", ".join(columns) or "none"
        what = "no text column" if asked is None else f"no column '{asked}'"
        raise DataError([f"{shown(file)}: {what}; it has: {there}"], "  name the column that holds the texts")
    return found


def _read_parquet(file: Path, column: str) -> Iterator[Batch]:
    import polars as pl
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        for part in pq.ParquetFile(file).iter_batches(batch_size=BATCH_ROWS, columns=[column]):
            yield _decoded(cast("pl.Series", pl.from_arrow(part.column(0))))
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError([f"{shown(file)}: cannot be read ({str(error).splitlines()[0]})"]) from error


def _decoded(column: pl.Series) -> Batch:
    """Make texts of what a column holds: nothing is an empty text, bytes are decoded."""
    import polars as pl

    if column.dtype == pl.String:
        return Batch(column.fill_null(""))
    if column.dtype != pl.Binary:
        return Batch(column.cast(pl.String).fill_null(""))
    texts = [(value or b"").decode("utf-8", errors="replace") for value in column]
    return Batch(pl.Series(texts, dtype=pl.String), sum("\ufffd" in text for text in texts))


def _read_rows(corpus: Corpus, file: Path) -> Iterator[tuple[str, bool]]:
    """Give each row's text and whether it could not be decoded."""
    form = _form_of(file)
    with _opened(file) as stream:
        lines = _lines(stream, file, corpus.max_line_bytes)
        if form == ".txt":
            yield from ((line.rstrip("\r\n"), "\ufffd" in line) for line in lines)
        elif form == ".csv":
            csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
            for row in csv.DictReader(lines):
                text = row.get(corpus.text_column) or ""
                yield text, "\ufffd" in text
        else:
            for line in lines:
                found = _json_object(line)
                text = found.get(corpus.text_column) if found is not None else None
                yield (text, "\ufffd" in text) if isinstance(text, str) else ("", True)


def _lines(stream: IO[bytes], file: Path, max_bytes: int) -> Iterator[str]:
    number = 0
    while line := stream.readline(max_bytes + 1):
        number += 1
        if len(line) > max_bytes:
            raise DataError(
                [f"{shown(file)}:{number}: the line is longer than {max_bytes:,} bytes"],
                "  needed: one document per line; is the file in one piece?",
            )
        yield line.decode("utf-8", errors="replace")


def _json_object(line: str) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _in_batches(rows: Iterator[tuple[str, bool]]) -> Iterator[Batch]:
    import polars as pl

    while part := list(islice(rows, BATCH_ROWS)):
        texts, damaged = zip(*part, strict=True)
        yield Batch(pl.Series(texts, dtype=pl.String), sum(damaged))
