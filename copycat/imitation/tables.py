"""Tables of records as CSV, JSONL or Parquet: what the stages write, and what users bring."""

from __future__ import annotations

import csv
import io
import json
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from copycat.errors import MAX_LISTED, DataError, UserError
from copycat.paths import shown
from copycat.runs.folder import write_bytes
from copycat.schema import Record

R = TypeVar("R", bound=Record)

FORMS = (".csv", ".jsonl", ".parquet")


def write_table(path: Path, records: Sequence[R], kind: type[R]) -> None:
    """Write records as CSV, a column for each field; the same records give the same bytes. Nothing is an empty cell."""
    text = io.StringIO()
    names = list(kind.model_fields)
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    for record in records:
        row = record.model_dump(mode="json")
        writer.writerow({name: "" if row[name] is None else row[name] for name in names})
    write_bytes(path, text.getvalue().encode("utf-8"))


def read_table(path: Path, kind: type[R], key: Sequence[str]) -> list[R]:
    """Read records of one kind; columns that the kind does not know are passed over, empty cells are left out.

    Args:
        key: the fields that no two rows may share.

    Raises:
        UserError: there is no such file, or it has another form.
        DataError: rows that do not fit, all of them at once: line, field, value, rule.
    """
    if not path.is_file():
        raise UserError(
            f"there is no file {shown(path)}\n  needed: {', '.join(FORMS)} with the columns of {kind.__name__}"
        )
    faults: list[str] = []
    found: list[R] = []
    for line, row in read_rows(path):
        cells = {name: value for name, value in row.items() if name in kind.model_fields and not _is_nothing(value)}
        try:
            found.append(kind.model_validate(cells))
        except ValidationError as error:
            faults += [
                f"{shown(path)}:{line}: {'.'.join(map(str, each['loc']))}: {each['msg']} (got {each['input']!r:.60})"
                for each in error.errors()
            ]
    shared = Counter(tuple(getattr(record, name) for name in key) for record in found)
    faults += [f"{shown(path)}: {n} rows for {' + '.join(map(str, who))}" for who, n in shared.items() if n > 1]
    if faults:
        raise DataError(faults[:MAX_LISTED], f"  needed: one row for each {' + '.join(key)}, see docs/imitation.md")
    return found


def read_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Give the rows of a table of any kind, each with its line (of Parquet: its row, from 1)."""
    if path.suffix == ".csv":
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from enumerate(csv.DictReader(file), start=2)
    elif path.suffix == ".jsonl":
        for line, text in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if text.strip():
                yield line, _json_object(path, line, text)
    elif path.suffix == ".parquet":
        import polars as pl

        yield from enumerate(pl.read_parquet(path).iter_rows(named=True), start=1)
    else:
        raise UserError(f"{shown(path)} is no table\n  needed: {', '.join(FORMS)}")


def _json_object(path: Path, line: int, text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise DataError([f"{shown(path)}:{line}: no JSON ({error})"]) from error
    if not isinstance(found, dict):
        raise DataError([f"{shown(path)}:{line}: no JSON object"])
    return found


def _is_nothing(value: object) -> bool:
    """Whether a cell says nothing: empty, null, or a NaN that a table program wrote for it."""
    return value is None or value == "" or (isinstance(value, float) and math.isnan(value)) or value in ("nan", "NaN")
