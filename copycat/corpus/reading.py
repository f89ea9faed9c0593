"""What a corpus is: its files, and the column of each that holds the texts."""

from __future__ import annotations

import csv
import glob
import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any

from copycat.corpus.lines import MAX_LINE_BYTES, damaged_file_told, form_of, json_object, opened, without_mark
from copycat.errors import DataError, UserError
from copycat.paths import shown
from copycat.schema import Record

TEXT_COLUMNS = ("caption", "text", "TEXT", "Caption", "prompt", "content")
"""Where texts are looked for unless a column is named, the first that every file has."""

SUFFIXES = (".parquet", ".jsonl", ".csv", ".txt")


class CorpusFacts(Record):
    """What was read. `rows` counts the empty ones, too.

    `undecodable` counts rows with bytes that are no UTF-8 (they are read with replacement characters) and lines
    that are no JSON object with the column. `duplicates` counts rows that were left out because an earlier one folds
    to the same text. `sha256` is of the files' own sha256 in sorted order: the names of the files do not matter.
    """

    id: str
    revision: str | None
    files: int
    rows: int
    empty: int
    undecodable: int
    duplicates: int = 0
    text_column: str
    sha256: str


class Corpus(Record):
    """Files in the order of their paths, and the column that holds the texts (empty where all are plain text).

    `other_columns` are read with the texts and come beside them; every file has them.
    """

    id: str
    revision: str | None = None
    files: tuple[Path, ...]
    text_column: str
    max_line_bytes: int = MAX_LINE_BYTES
    other_columns: tuple[str, ...] = ()


def open_corpus(
    paths: Sequence[Path], *, text_column: str | None = None, id: str | None = None, revision: str | None = None
) -> Corpus:
    """Find the files of a corpus and its text column; reads headers, no rows.

    Args:
        paths: files, folders, of which every file of a known form is taken, or globs ("data/*.parquet"). A file
            that is given twice counts once.
        text_column: None means the first of `TEXT_COLUMNS` that every file has. Plain text needs none.
        id: what the corpus is called in results; the name of the first path otherwise.

    Raises:
        UserError: a path is not there, or is of no known form.
        DataError: there is no file, or one has no such column or none of texts; the error lists those that exist.
    """
    found = {file.resolve(): file for path in reversed(paths) for file in _files_of(path)}
    if not found:
        raise DataError([f"{', '.join(shown(path) for path in paths)}: no file ends in {', '.join(SUFFIXES)} (or .gz)"])
    files = tuple(found[place] for place in sorted(found))
    columns = {file: there for file in files if (there := _columns_of(file)) is not None}
    column = _chosen(text_column, columns)
    for file in columns:
        _refuse_other_types(file, column)
    return Corpus(id=id or paths[0].name, revision=revision, files=files, text_column=column)


def shared_columns(corpus: Corpus) -> tuple[str, ...]:
    """Give the columns that every file of a corpus has, in the order of its first file; of plain text none."""
    columns = [_columns_of(file) for file in corpus.files]
    if not columns or None in columns:
        return ()
    first, *rest = [there for there in columns if there is not None]
    return tuple(name for name in first if all(name in there for there in rest))


def files_sha256(corpus: Corpus, is_stopped: Callable[[], bool] = lambda: False) -> str:
    """Hash the bytes of all files; neither their names nor their order matter.

    Raises:
        CancelledError: `is_stopped` said so before the next file.
        DataError: a file cannot be read.
    """
    each = []
    for file in corpus.files:
        if is_stopped():
            raise CancelledError
        with damaged_file_told(file), file.open("rb") as stream:
            each.append(hashlib.file_digest(stream, "sha256").digest())
    return hashlib.sha256(b"".join(sorted(each))).hexdigest()


def _files_of(path: Path) -> list[Path]:
    if path.is_dir():
        return [file for file in path.rglob("*") if file.is_file() and form_of(file) in SUFFIXES]
    if path.is_file():
        if form_of(path) not in SUFFIXES:
            needed = f"a file that ends in {', '.join(SUFFIXES)} (or .gz)"
            raise UserError(f"{shown(path)}: unknown form\n  needed: {needed}")
        return [path]
    matches = [Path(match) for match in glob.glob(str(path), recursive=True)]  # noqa: PTH207 - Path.glob refuses /data/*.csv
    if not matches:
        raise UserError(
            f"{shown(path)}: there is no such file or folder\n"
            f"  needed: files that end in {', '.join(SUFFIXES)} (or .gz), a folder of them, or a glob"
        )
    return [file for match in matches if match.is_dir() or form_of(match) in SUFFIXES for file in _files_of(match)]


def _columns_of(file: Path) -> list[str] | None:
    """List the columns of a file; None where it has none by its form, or has no rows to tell by."""
    form = form_of(file)
    if form == ".parquet":
        return list(_parquet_schema(file).names)
    if form == ".txt":
        return None
    with damaged_file_told(file), opened(file) as stream:
        head = without_mark(stream.readline(MAX_LINE_BYTES)).decode("utf-8", errors="replace")
    if not head:
        return None
    if form == ".csv":
        return next(csv.reader([head]), [])
    return list(json_object(head) or {})


def _chosen(asked: str | None, columns: dict[Path, list[str]]) -> str:
    if not columns:
        return ""
    wanted = TEXT_COLUMNS if asked is None else (asked,)
    for column in wanted:
        if all(column in there for there in columns.values()):
            return column
    without = next((file for file, there in columns.items() if not set(wanted) & set(there)), None)
    if without is not None:
        what = "no text column" if asked is None else f"no column '{asked}'"
    else:
        first = next(column for column in wanted if any(column in there for there in columns.values()))
        without = next(file for file, there in columns.items() if first not in there)
        what = f"no column '{first}', which other files have"
    listed = ", ".join(columns[without]) or "none"
    fault = f"{shown(without)}: {what}; it has: {listed}"
    raise DataError([fault], "  name the column that holds the texts: --text-column NAME")


def _parquet_schema(file: Path) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.read_schema(file)
    except (pa.ArrowException, OSError) as error:
        raise DataError([f"{shown(file)}: is no Parquet file ({str(error).splitlines()[0]})"]) from error


def _refuse_other_types(file: Path, column: str) -> None:
    import pyarrow as pa

    if form_of(file) != ".parquet":
        return
    there = _parquet_schema(file).field(column).type
    of = there.value_type if pa.types.is_dictionary(there) else there
    is_text = pa.types.is_string(of) or pa.types.is_large_string(of) or pa.types.is_string_view(of)
    is_bytes = pa.types.is_binary(of) or pa.types.is_large_binary(of) or pa.types.is_binary_view(of)
    if not (is_text or is_bytes or pa.types.is_null(of)):
        raise DataError([f"{shown(file)}: column '{column}' holds {there}, not texts"], "  name another column")
