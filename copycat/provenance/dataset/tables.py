"""JSONL and CSV -> batches, and arrays from their rows."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from copycat.provenance.dataset.batches import BATCH_BYTES, BATCH_ROWS, Batch, Fault
from copycat.provenance.dataset.card import (
    MAX_DEPTH,
    is_deeper,
    may_hold_surrogates,
    unique_keys,
    without_surrogates,
)
from copycat.provenance.dataset.columns import NESTED_IN, find_columns
from copycat.provenance.records import Evidence

if TYPE_CHECKING:
    from copycat.provenance.dataset.files import DataFile
    from copycat.provenance.dataset.opening import Dataset

MAX_LINE_BYTES = 64 << 20
"""Of one record of a text file; a longer one is a fault, and reading goes on after it."""

_DECODER = json.JSONDecoder(object_pairs_hook=unique_keys)

UNREADABLE = (OSError, EOFError, zlib.error)


class Row(NamedTuple):
    """One line or row of a text file: its number, what it says or a Fault, and about how many bytes that is."""

    line: int
    said: Any
    size: int


def jsonl_batches(dataset: Dataset, file: DataFile, needs: Sequence[str]) -> Iterator[Batch]:
    """Yield the lines of a JSONL file, gzipped or not; a line that is no object is a fault."""
    yield from _rows_to_batches(dataset, file, needs, json_rows(file))


def csv_batches(dataset: Dataset, file: DataFile, needs: Sequence[str]) -> Iterator[Batch]:
    """Yield the rows of a CSV or TSV file with a header."""
    yield from _rows_to_batches(dataset, file, needs, csv_rows(file))


def arrays_of(rows: Sequence[Mapping[str, Any]], wanted: Mapping[str, str]) -> dict[str, Any]:
    """Give standard name -> pyarrow Array of the rows' values; values of mixed types become text (JSON)."""
    made = {}
    for standard, name in wanted.items():
        is_plain = "." not in name
        made[standard] = array_of([row.get(name) if is_plain else value_at(row, name) for row in rows])
    return made


def value_at(row: Mapping[str, Any], name: str) -> Any:
    """Give what stands under a name, or under "parent.child" in a mapping; None where nothing does."""
    if name in row or "." not in name:
        return row.get(name)
    parent, _, rest = name.partition(".")
    inner = row.get(parent)
    return value_at(inner, rest) if isinstance(inner, Mapping) else None


def array_of(values: Sequence[Any]) -> Any:
    """Give a pyarrow Array; values of mixed or strange types become text: JSON for lists and mappings."""
    import pyarrow as pa

    try:
        return pa.array(values, from_pandas=False)
    except (pa.ArrowException, ValueError, TypeError, OverflowError, RecursionError):
        pass
    is_missing = [value is None or value != value for value in values]  # noqa: PLR0124 - NaN is what is not itself
    texts = [None if missing else as_text(value) for value, missing in zip(values, is_missing, strict=True)]
    return pa.array(texts, pa.large_string())


def as_text(value: Any) -> str:
    """Give a value as text: itself, or JSON; letters that are no Unicode scalar are replaced."""
    text = value
    if not isinstance(value, str):
        try:
            text = json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
        except (ValueError, TypeError, RecursionError):
            text = "unreadable"
    return str(text).encode("utf-8", "replace").decode("utf-8")


def _rows_to_batches(dataset: Dataset, file: DataFile, needs: Sequence[str], rows: Iterator[Row]) -> Iterator[Batch]:
    taken: list[dict[str, Any]] = []
    lines: list[int] = []
    faults: list[Fault] = []
    size = 0

    def batch() -> Batch:
        named = wanted_columns(dataset, needs, taken)
        first = lines[0] if lines else 1
        arrays = arrays_of(taken, named)
        return Batch(file.name, first, len(taken), arrays, file.split, tuple(faults), lines=lines, named=named)

    for line, said, n_bytes in rows:
        size += n_bytes
        if isinstance(said, dict):
            taken.append(said)
            lines.append(line)
        else:
            is_fault = isinstance(said, Fault)
            faults.append(said if is_fault else Fault(_at(file, line), f"is no object but {_kind(said)}"))
        if len(taken) + len(faults) >= BATCH_ROWS or size >= BATCH_BYTES:
            yield batch()
            taken, lines, faults, size = [], [], [], 0
    if taken or faults:
        yield batch()


def wanted_columns(dataset: Dataset, needs: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Give standard name -> key, for those of `needs` that any of the rows has; "parent.child" in a mapping."""
    there = dict.fromkeys(name for names in dict.fromkeys(map(tuple, rows)) for name in names)
    given = {name.partition(".")[0] for name in dataset.columns.values()}
    for name in [name for name in there if name in given or name.casefold() in NESTED_IN]:
        for row in rows:
            there.update(dict.fromkeys(_names_below(row.get(name), name)))
    found = find_columns(there, dataset.columns)
    return {standard: found[standard] for standard in needs if standard in found}


def _names_below(value: Any, prefix: str, level: int = 0) -> Iterator[str]:
    if not isinstance(value, Mapping) or level > 3:
        return
    for key, inner in value.items():
        name = f"{prefix}.{key}"
        yield name
        yield from _names_below(inner, name, level + 1)


def _open(file: DataFile) -> IO[bytes]:
    if file.name.lower().endswith((".gz", ".tgz")):
        return gzip.open(file.path, "rb")  # type: ignore[return-value]  # a GzipFile reads as any stream of bytes
    return file.path.open("rb")


def json_rows(file: DataFile) -> Iterator[Row]:
    """Yield what each line says, or a Fault."""
    line = 0
    try:
        with _open(file) as stream:
            while raw := stream.readline(MAX_LINE_BYTES):
                line += 1
                if len(raw) == MAX_LINE_BYTES and not raw.endswith(b"\n"):
                    while (rest := stream.readline(MAX_LINE_BYTES)) and not rest.endswith(b"\n"):
                        pass
                    yield Row(line, Fault(_at(file, line), f"is longer than {MAX_LINE_BYTES} bytes"), 0)
                elif raw.strip():
                    yield Row(line, _json_row(file, line, raw), len(raw))
    except UNREADABLE as error:
        yield Row(line + 1, Fault(_at(file, line + 1), f"cannot be read on: {one_line(error)}", loses_rest=True), 0)


def _json_row(file: DataFile, line: int, raw: bytes) -> Any:
    try:
        text = raw.decode("utf-8-sig" if line == 1 else "utf-8")
        said = _DECODER.decode(text)
        if raw.count(b"[") + raw.count(b"{") > MAX_DEPTH and isinstance(said, dict):
            # pyarrow goes as deep as its stack, and further.
            said = {name: as_text(value) if is_deeper(value, MAX_DEPTH) else value for name, value in said.items()}
        return without_surrogates(said) if may_hold_surrogates(raw) else said
    except UnicodeDecodeError as error:
        return Fault(_at(file, line), f"is not UTF-8 from byte {error.start + 1} on")
    except (ValueError, RecursionError) as error:
        return Fault(_at(file, line), f"is not JSON: {one_line(error)}")


def csv_rows(file: DataFile) -> Iterator[Row]:
    """Yield the rows as mappings; bytes that are not UTF-8 are replaced and told of, the row stays."""
    line = 1
    csv.field_size_limit(MAX_LINE_BYTES)
    try:
        with io.TextIOWrapper(_open(file), "utf-8-sig", errors="replace", newline="") as stream:
            reader = csv.reader(stream, delimiter="\t" if ".tsv" in file.name.lower() else ",")
            header = next(reader, [])
            for name in _repeated(header):
                yield Row(1, Fault(_at(file, 1), f"has two columns '{name}'; the first one is read"), 0)
            for cells in reader:
                line = reader.line_num
                if not cells:
                    continue
                if len(cells) != len(header):
                    more = "more" if len(cells) > len(header) else "fewer"
                    yield Row(line, Fault(_at(file, line), f"has {more} cells than the header"), 0)
                    continue
                size = sum(map(len, cells))
                pairs = zip(header[::-1], cells[::-1], strict=True)  # of two columns with one name the first stays
                yield Row(line, {name: cell or None for name, cell in pairs}, size)
                if any("\ufffd" in cell for cell in cells):
                    yield Row(line, Fault(_at(file, line), "holds bytes that are not UTF-8, or letters lost before"), 0)
    except (csv.Error, *UNREADABLE) as error:
        yield Row(line + 1, Fault(_at(file, line + 1), f"cannot be read on: {one_line(error)}", loses_rest=True), 0)


def _repeated(names: Iterable[str]) -> list[str]:
    seen: set[str] = set()
    return list(dict.fromkeys(name for name in names if name in seen or seen.add(name)))  # type: ignore[func-returns-value]


def one_line(error: object) -> str:
    """Give the text of an error in one line, cut off where a library tells a story."""
    return " ".join(str(error).split())[:200] or type(error).__name__


def _at(file: DataFile, line: int) -> Evidence:
    return Evidence(file=file.name, line=line)


def _kind(value: Any) -> str:
    return {"list": "a list", "str": "text", "NoneType": "null", "bool": "true or false"}.get(
        type(value).__name__, "a number"
    )
