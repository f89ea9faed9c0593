"""Rows of text files, one after another: plain text, CSV and JSONL, gzipped or not, in bounded memory."""

from __future__ import annotations

import csv
import gzip
import json
import sys
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

from copycat.errors import DataError
from copycat.paths import shown

MAX_LINE_BYTES = 64 * 2**20
COMMA = "  needed: double quotes around a text with a comma, or a .txt file with a text in each line"
_MARK = b"\xef\xbb\xbf"
"""The byte order mark that some programs put before UTF-8."""


class Row(NamedTuple):
    """A text, whether it could not be decoded, and what stands in the other columns that were asked for."""

    text: str
    is_undecodable: bool = False
    others: tuple[str | None, ...] = ()


class _Line(NamedTuple):
    """A line with its end; `is_damaged` means that its bytes are no UTF-8, whatever characters it holds."""

    text: str
    is_damaged: bool


def form_of(path: Path) -> str:
    """Give the suffix that tells the form, without '.gz'."""
    return Path(path.stem).suffix.lower() if path.suffix.lower() == ".gz" else path.suffix.lower()


def opened(path: Path) -> IO[bytes]:
    """Open a file that may be gzipped."""
    return gzip.open(path, "rb") if path.suffix.lower() == ".gz" else path.open("rb")  # type: ignore[return-value]


def without_mark(head: bytes) -> bytes:
    """Take the byte order mark off the first line of a file."""
    return head.removeprefix(_MARK)


@contextmanager
def damaged_file_told(file: Path) -> Iterator[None]:
    """Tell which file it is that ends too early, is no gzip file, or cannot be opened."""
    try:
        yield
    except (EOFError, OSError, zlib.error) as error:
        raise DataError([f"{shown(file)}: cannot be read ({error})"], "  is the file in one piece?") from error


def read_rows(file: Path, column: str, max_bytes: int, others: Sequence[str] = ()) -> Iterator[Row]:
    """Give the rows of a text file.

    Args:
        column: of CSV and JSONL, the one that holds the texts.
        max_bytes: the longest line, or record of a CSV file, that is read.
        others: columns of CSV and JSONL that are given with each text, as text; None where a row has none.

    Raises:
        DataError: a line or record is longer; the file is damaged or ends within quotes.
    """
    with damaged_file_told(file), opened(file) as stream:
        lines = _lines(stream, file, max_bytes)
        form = form_of(file)
        if form == ".txt":
            yield from (Row(text.rstrip("\r\n"), is_damaged) for text, is_damaged in lines)
        elif form == ".csv":
            yield from _csv_rows(_Records(lines, file, max_bytes), column, others)
        else:
            yield from (_json_row(line, column, others) for line in lines)


def json_object(line: str) -> dict[str, Any] | None:
    """Read a line of JSON; None if it is no object."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _lines(stream: IO[bytes], file: Path, max_bytes: int) -> Iterator[_Line]:
    number = 0
    while line := stream.readline(max_bytes + 1):
        number += 1
        if len(line) > max_bytes:
            raise DataError(
                [f"{shown(file)}:{number}: the line is longer than {max_bytes:,} bytes"],
                "  needed: one document per line; is the file in one piece?",
            )
        if number == 1 and not (line := without_mark(line)):
            return
        try:
            yield _Line(line.decode("utf-8"), is_damaged=False)
        except UnicodeDecodeError:
            yield _Line(line.decode("utf-8", errors="replace"), is_damaged=True)


def _json_row(line: _Line, column: str, others: Sequence[str]) -> Row:
    found = json_object(line.text)
    text = found.get(column) if found is not None else None
    beside = tuple(_as_text((found or {}).get(other)) for other in others)
    if not isinstance(text, str):
        return Row("", is_undecodable=True, others=beside)
    if (whole := _without_halves(text)) != text:
        return Row(whole, is_undecodable=True, others=beside)
    return Row(text, line.is_damaged and "\ufffd" in text, beside)


def _as_text(value: object) -> str | None:
    return None if value is None else _without_halves(str(value))


def _without_halves(text: str) -> str:
    r"""Replace halves of surrogate pairs, which JSON may spell ("\ud83d") and no encoding can."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


class _Records:
    """The lines of a CSV file, watched: how long the record is, where it began, whether its bytes are UTF-8."""

    def __init__(self, lines: Iterator[_Line], file: Path, max_bytes: int) -> None:
        self.lines, self.file, self.max_bytes = lines, file, max_bytes
        self.number = 0
        self.begin()

    def begin(self) -> None:
        """Let the next line begin a record."""
        self.first, self.n_bytes, self.is_damaged = self.number + 1, 0, False

    def __iter__(self) -> Iterator[str]:
        for text, is_damaged in self.lines:
            self.number += 1
            self.n_bytes += len(text) if text.isascii() else len(text.encode())
            self.is_damaged |= is_damaged
            if self.n_bytes > self.max_bytes:
                raise self.fault(f"the record is longer than {self.max_bytes:,} bytes; is a quote left open?")
            yield text
        if self.n_bytes:
            raise self.fault("the file ends within quotes that are opened in this record")

    def fault(self, what: str, fix: str = "  needed: a closed quote for each open one") -> DataError:
        return DataError([f"{shown(self.file)}:{self.first}: {what}"], fix)


def _csv_rows(records: _Records, column: str, others: Sequence[str]) -> Iterator[Row]:
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))  # what a record may have is bounded by `records`
    reader = csv.reader(records)
    try:
        header = next(reader, None)
        if header is None:
            return
        place = header.index(column)
        places = [header.index(other) for other in others]
        records.begin()
        for row in reader:
            if row:
                if any(row[len(header) :]):
                    what = f"more cells than there are columns, from {row[len(header)]!r:.40} on"
                    raise records.fault(what, COMMA)
                text = row[place] if place < len(row) else ""
                beside = tuple(row[each] if each < len(row) else None for each in places)
                yield Row(text, records.is_damaged and "\ufffd" in text, beside)
            records.begin()
    except csv.Error as error:
        raise records.fault(str(error)) from error
