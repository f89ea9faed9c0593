"""Tables of records as CSV, JSONL or Parquet: what the stages write, and what users bring."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from copycat.errors import DataError, UserError, first_faults
from copycat.imitation.records import ConceptCount, Score
from copycat.paths import shown
from copycat.runs.folder import write_bytes
from copycat.schema import Record

R = TypeVar("R", bound=Record)

Row = tuple[int, dict[str, Any]]
"""The line on which a row begins, and its cells by column."""
Rows = Sequence[Row]

FORMS = (".csv", ".jsonl", ".parquet")
MAKERS = ((ConceptCount, "count"), (Score, "score"))
"""Which command makes a table of a kind."""


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


def read_table(
    path: Path,
    kind: type[R],
    key: Sequence[str],
    id_of: Callable[[str], str] | None = None,
    *,
    needs: Sequence[str] = (),
    any_of: Sequence[str] = (),
) -> list[R]:
    """Read records of one kind; columns that the kind does not know are passed over, empty cells are left out.

    Args:
        key: the fields that no two rows may share.
        id_of: makes an id of what stands in the column concept; see `whose.Naming`.
        needs, any_of: columns that have to be there, all or one of them, although their cells may be empty. A row
            without a figure in them, or with NaN, says so in its `reason`, where it has none.

    Raises:
        UserError: there is no such file, it has another form, or a column is missing.
        DataError: rows that do not fit, all of them at once: line, field, value, rule.
    """
    needed = [name for name, field in kind.model_fields.items() if field.is_required() or name in needs]
    needed += [" or ".join(any_of)] if any_of else []
    if not path.is_file():
        raise UserError(f"there is no file {shown(path)}\n{_what_is_needed(kind, needed)}")
    rows = read_all(path, "  needed: UTF-8 text, or Parquet")
    if fault := _column_fault(path, rows, needed):
        raise UserError(f"{fault}\n{_what_is_needed(kind, needed)}")
    found, faults = _checked_rows(path, _with_reasons(path, rows, kind, (*needs, *any_of)), kind, id_of)
    there = {name for _, row in rows for name in row}
    faults += _twice(path, found, [name for name in key if name in there])
    if faults:
        raise DataError(first_faults(faults), f"  needed: one row for each {' and '.join(key)}, see docs/imitation.md")
    return [record for _, record in found]


def without_figures(path: Path, rows: Sequence[Score | ConceptCount]) -> list[str]:
    """Tell the rows of a table that have no figure, or one that is no number, as `read_table` found them."""
    return [f"{row.concept}: {row.reason}" for row in rows if f"({shown(path)}:" in row.reason]


def _with_reasons(path: Path, rows: Rows, kind: type[Record], figures: Sequence[str]) -> Iterator[Row]:
    """Say in rows without a figure that they have none, and where."""
    for line, row in rows:
        here = [name for name in figures if name in row]
        wrong = [name for name in here if _is_nan(row[name])]
        if wrong or (here and all(_is_nothing(row[name]) for name in here)):
            what = f"its {wrong[0]} is not a number" if wrong else f"its {here[0]} is empty"
            if "reason" in kind.model_fields and _is_nothing(row.get("reason")):
                yield line, row | {"reason": f"{what} ({shown(path)}:{line})"}
                continue
        yield line, row


def _checked_rows(
    path: Path, rows: Iterable[Row], kind: type[R], id_of: Callable[[str], str] | None
) -> tuple[list[tuple[int, R]], list[str]]:
    """Make records of the rows that fit, and say what is wrong with the others."""
    found: list[tuple[int, R]] = []
    faults: list[str] = []
    for line, row in rows:
        if more := cells_beyond(row):
            faults.append(f"{shown(path)}:{line}: {more}")
            continue
        cells = {name: value for name, value in row.items() if name in kind.model_fields and not _is_nothing(value)}
        if id_of is not None and isinstance(who := cells.get("concept"), str):
            cells["concept"] = id_of(who)
        try:
            found.append((line, kind.model_validate(cells)))
        except ValidationError as error:
            faults += [f"{shown(path)}:{line}: {_worded(each)}" for each in error.errors()]
    return found, faults


def _twice(path: Path, found: Sequence[tuple[int, Record]], key: Sequence[str]) -> Iterator[str]:
    """Tell rows that share the key, of which the file has these columns."""
    lines: dict[str, list[int]] = {}
    for line, record in found:
        cells = ((name, getattr(record, name)) for name in key)
        lines.setdefault(", ".join(f"{name} {value}" for name, value in cells if value != ""), []).append(line)
    for who, where in lines.items():
        if len(where) > 1:
            yield f"{shown(path)}:{where[1]}: {who} has {len(where)} rows, the first on line {where[0]}"


def read_all(path: Path, fix: str) -> list[Row]:
    """Give all rows of a table as `read_rows`; one that cannot be read is told with what is needed.

    Raises:
        UserError: the file has another form.
        DataError: it is damaged, or a line is no JSON object.
    """
    import polars as pl

    try:
        return list(read_rows(path))
    except (UnicodeDecodeError, csv.Error, OSError, pl.exceptions.PolarsError) as error:
        raise DataError([f"{shown(path)}: cannot be read ({str(error).splitlines()[0]})"], fix) from error


def _column_fault(path: Path, rows: Rows, needed: Sequence[str]) -> str:
    """Say which columns a table lacks, and which it has; "" where all are there."""
    there = list(dict.fromkeys(name for _, row in rows for name in row if name))
    if not rows:
        there = _header(path)
        if not there:
            return f"{shown(path)} is empty"
    missing = [name for name in needed if not {*name.split(" or ")} & {*there}]
    if not missing:
        return ""
    fault = f"{shown(path)} has no {_columns(missing)}; it has: {', '.join(there)[:200]}"
    hint = other_separator(there)
    return f"{fault}\n  {hint}" if hint else fault


def other_separator(columns: Sequence[str]) -> str:
    """Say that a CSV file of these columns is separated by something else than commas; "" where it is not."""
    marks = {";": "semicolons", "\t": "tabs"}
    other = next((name for mark, name in marks.items() if len(columns) == 1 and mark in columns[0]), "")
    return f"its cells are separated by {other}, and have to be by commas" if other else ""


def cells_beyond(row: Mapping[Any, Any]) -> str:
    """Say that a row of CSV has more cells than there are columns, as an unquoted comma makes; "" where it has not."""
    beyond: list[str] = row.get(None) or []  # where csv puts them
    if not any(beyond):
        return ""
    return (
        f"has {len(beyond)} {'cells' if len(beyond) > 1 else 'cell'} more than there are columns, from "
        f"{beyond[0]!r:.40} on; a text with a comma stands in double quotes, and a number has none"
    )


def _header(path: Path) -> list[str]:
    """Give the columns of a CSV or Parquet file without rows."""
    if path.suffix == ".csv":
        with path.open(encoding="utf-8-sig", newline="") as file:
            return [name.strip() for name in csv.DictReader(file).fieldnames or ()]
    if path.suffix == ".parquet":
        import polars as pl

        return list(pl.read_parquet_schema(path))
    return []


def _columns(names: Sequence[str]) -> str:
    return f"column{'s' if len(names) > 1 else ''} {' and '.join(names)}"


def _what_is_needed(kind: type[Record], needed: Sequence[str]) -> str:
    makers = [command for made, command in MAKERS if issubclass(kind, made)]
    made = "".join(f"; `python -m copycat.imitation {command}` makes one" for command in makers)
    return f"  needed: {', '.join(FORMS)} with {_columns(needed)}{made}"


def _worded(error: Any) -> str:
    """Say what is wrong with a row, in a line: field, rule, value; a fault of the whole row has no field."""
    where = ".".join(map(str, error["loc"]))
    told = str(error["msg"]).removeprefix("Value error, ")
    return f"{where}: {told} (got {error['input']!r:.60})" if where else told


def read_rows(path: Path) -> Iterator[Row]:
    """Give the rows of a table of any kind, each with the line on which it begins (of Parquet: its row, from 1)."""
    if path.suffix == ".csv":
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            reader.fieldnames = [name.strip() for name in reader.fieldnames or ()]
            for row in reader:
                within = sum(cell.count("\n") for cell in row.values() if isinstance(cell, str))
                yield reader.line_num - within, row
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
    return value is None or value == "" or _is_nan(value)


def _is_nan(value: object) -> bool:
    return (isinstance(value, float) and math.isnan(value)) or (isinstance(value, str) and value.lower() == "nan")
