"""Tables that other people made: CSV, TSV, JSONL, JSON or Parquet, in whatever encoding, each row with its place.

What cannot be read as a row is a fault with file and line; nothing is left out in silence.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from copycat.errors import DataError, UserError
from copycat.paths import shown

MAX_TABLE_BYTES = 200_000_000
MAX_PARQUET_ROWS = 1_000_000
"""A packed table of a few kilobytes can stand for any number of rows."""

MAX_RECORD_LINES = 200
"""So many lines may stand between an opening quote and its end; a quote that is open longer was never closed."""

DELIMITERS = {".csv": ",;\t", ".tsv": "\t", ".tab": "\t"}
SUFFIXES = (".csv", ".tsv", ".tab", ".jsonl", ".ndjson", ".json", ".parquet")


class TableRow(NamedTuple):
    """One row: `where` it stands ("targets.csv:12"), and what stands in it, by column."""

    where: str
    cells: dict[str, Any]


class ForeignTable(NamedTuple):
    """A table as it was found. `faults` are the lines that are no rows, and what is odd about the file."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[TableRow, ...]
    faults: tuple[str, ...] = ()
    n_unread: int = 0


def read_foreign_table(path: Path, encoding: str | None = None) -> ForeignTable:
    """Read a table by the ending of its name.

    Args:
        encoding: of a text file; None tries UTF-8 with or without its mark, UTF-16 with it, then cp1252 and latin-1.

    Raises:
        UserError: no such file, another ending, too large, or not in this encoding.
        DataError: the file is no table.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise UserError(f"{shown(path)}: cannot tell what kind of table this is\n  needed: {', '.join(SUFFIXES)}")
    if not path.is_file():
        raise UserError(f"{shown(path)}: there is no such file")
    if (size := path.stat().st_size) > MAX_TABLE_BYTES:
        raise UserError(f"{shown(path)}: {size:,} bytes, at most {MAX_TABLE_BYTES:,} are read\n  split the file")
    name = path.name if Path(shown(path)).is_absolute() else shown(path)  # faults are kept: no path of this machine
    if suffix == ".parquet":
        return _read_parquet(path, name)
    return parse_foreign_table(name, path.read_bytes(), suffix, encoding)


def parse_foreign_table(name: str, content: bytes, suffix: str, encoding: str | None = None) -> ForeignTable:
    """Parse the bytes of a text table; `name` is what faults call it."""
    text, used = decode(content, name, encoding)
    faults = [] if encoding or used in ("utf-8", "utf-16") else [f"{name}: is not UTF-8; read as {used}"]
    if suffix in DELIMITERS:
        return _parse_separated(name, text, DELIMITERS[suffix], faults)
    if suffix == ".json":
        return _parse_json(name, text, faults)
    return _parse_json_lines(name, text, faults)


def decode(content: bytes, name: str, encoding: str | None = None) -> tuple[str, str]:
    """Give the text without a byte order mark, and the encoding that it was read in.

    Raises:
        UserError: an encoding was named that does not exist, or that the bytes are not in.
    """
    if encoding is not None:
        try:
            return content.decode(encoding).removeprefix("\ufeff"), encoding
        except (UnicodeDecodeError, LookupError) as error:
            raise UserError(
                f"{name}: cannot be read as '{encoding}' ({error})\n  leave out --encoding to have it found"
            ) from error
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", errors="replace"), "utf-16"
    try:
        return content.decode("utf-8-sig"), "utf-8"
    except UnicodeDecodeError:
        pass
    try:
        return content.decode("cp1252"), "cp1252"
    except UnicodeDecodeError:
        return content.decode("latin-1"), "latin-1"


def unscrambled(text: str) -> str:
    """Give the text back that was UTF-8, was read as cp1252 and written again ("PokÃ©mon"); others as they are."""
    if text.isascii():
        return text
    try:
        return b"".join(_byte_of(letter) for letter in text).decode("utf-8")
    except UnicodeError:
        return text


def _byte_of(letter: str) -> bytes:
    try:
        return letter.encode("cp1252")
    except UnicodeEncodeError:
        return letter.encode("latin-1")


# ------------------------------------------------------------------------------------- CSV and TSV


def _parse_separated(name: str, text: str, delimiters: str, faults: list[str]) -> ForeignTable:
    lines = list(io.StringIO(text, newline=""))
    if not lines:
        raise DataError([f"{name}: is empty"])
    delimiter = max(delimiters, key=lines[0].count)
    records = _records(lines, delimiter)
    columns = [cell.strip() for cell in next(records)[1]]
    if twice := sorted({column for column in columns if column and columns.count(column) > 1}):
        raise DataError([f"{name}:1: column '{column}' is there twice" for column in twice])
    rows: list[TableRow] = []
    n_unread = 0
    for number, cells, said in records:
        where = f"{name}:{number}"
        if not any(cell.strip() for cell in cells) and not said:
            continue  # a blank line
        if len(cells) == len(columns):
            rows.append(TableRow(where, dict(zip(columns, cells, strict=True))))
            faults += [f"{where}: {said}"] if said else []
        else:
            n_unread += 1
            counted = f"has {len(cells)} cells, and the header has {len(columns)}: not taken up"
            faults.append(f"{where}: {said}; {counted}" if said else f"{where}: {counted}")
    return ForeignTable(name, tuple(columns), tuple(rows), tuple(faults), n_unread)


def _records(lines: Sequence[str], delimiter: str) -> Iterator[tuple[int, list[str], str]]:
    """Give the line number, the cells, and what is wrong of each record.

    A quote that does not end swallows no rows: its line is then read as if quotes meant nothing.
    """
    at = 0
    while at < len(lines):
        cells, used, said = _record_at(lines, at, delimiter)
        yield at + 1, cells, said
        at += used


def _record_at(lines: Sequence[str], at: int, delimiter: str) -> tuple[list[str], int, str]:
    for used in range(1, min(MAX_RECORD_LINES, len(lines) - at) + 1):
        try:
            found = list(csv.reader(lines[at : at + used], delimiter=delimiter, strict=True))
            return (found[0] if found else []), used, ""
        except csv.Error as error:
            if "unexpected end of data" not in str(error):
                break
    try:
        cells = next(csv.reader([lines[at]], delimiter=delimiter, quoting=csv.QUOTE_NONE), [])
    except csv.Error as error:
        return [], 1, f"cannot be read ({error})"
    return [cell.strip().strip('"') for cell in cells], 1, "a quote is not closed, or stands in the wrong place"


# ----------------------------------------------------------------------------------- JSON and Parquet


def _parse_json_lines(name: str, text: str, faults: list[str]) -> ForeignTable:
    entries: list[tuple[str, Any]] = []
    n_unread = 0
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            entries.append((f"{name}:{number}", _loaded(line)))
        except (ValueError, RecursionError) as error:
            n_unread += 1
            faults.append(f"{name}:{number}: is no JSON ({error}): not taken up")
    return _of_entries(name, entries, faults, n_unread)


def _loaded(text: str) -> Any:
    """Parse JSON whose texts can be written again: half of a surrogate pair cannot, and is a ValueError."""
    found = json.loads(text)
    if "\\u" in text:
        json.dumps(found, ensure_ascii=False).encode()
    return found


def _parse_json(name: str, text: str, faults: list[str]) -> ForeignTable:
    """Read a list of objects, or one object from names to texts or lists of them."""
    try:
        content = _loaded(text)
    except (ValueError, RecursionError) as error:
        raise DataError([f"{name}: is no JSON ({error})"]) from error
    if isinstance(content, dict):
        content = [{"target": key, "text": value} for key, value in content.items()]
    if not isinstance(content, list):
        raise DataError([f"{name}: must be a list of objects, or an object from names to texts"])
    return _of_entries(name, [(f"{name}[{n}]", entry) for n, entry in enumerate(content)], faults, 0)


def _of_entries(name: str, entries: Sequence[tuple[str, Any]], faults: list[str], n_unread: int) -> ForeignTable:
    rows = [TableRow(where, entry) for where, entry in entries if isinstance(entry, dict)]
    if not rows:
        raise DataError([f'{name}: holds no object of columns, such as {{"target": ..., "text": ...}}', *faults])
    wrong = [f"{where}: is no object of columns: not taken up" for where, entry in entries if type(entry) is not dict]
    columns = tuple(dict.fromkeys(column for row in rows for column in row.cells))
    return ForeignTable(name, columns, tuple(rows), (*faults, *wrong), n_unread + len(wrong))


def _read_parquet(path: Path, name: str) -> ForeignTable:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            columns = tuple(file.schema_arrow.names)
            if file.metadata.num_rows > MAX_PARQUET_ROWS:
                said = f"{file.metadata.num_rows:,} rows, at most {MAX_PARQUET_ROWS:,} are read"
                raise DataError([f"{name}: {said}"], "  split the file")
            kept = [field.name for field in file.schema_arrow if _holds_texts(field.type)]
            found = file.read(columns=kept).to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise DataError([f"{name}: is no Parquet file ({type(error).__name__})"]) from error
    return ForeignTable(name, columns, tuple(TableRow(f"{name}: row {n}", row) for n, row in enumerate(found, start=1)))


def _holds_texts(kind: Any) -> bool:
    """Whether a column may hold names or texts: pictures, say, are not read at all."""
    from pyarrow import types

    is_list = types.is_list(kind) or types.is_large_list(kind)
    inner = kind.value_type if is_list else kind
    return bool(types.is_string(inner) or types.is_large_string(inner) or types.is_dictionary(inner))
