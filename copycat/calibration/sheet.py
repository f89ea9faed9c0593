"""Make RUN/labels/: labels.csv to fill in, and label.html to do it in a browser. What people wrote is never lost."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from copycat.calibration.drawing import draw_pictures
from copycat.calibration.labels import COLUMNS, Table, changed_pictures, read_table
from copycat.calibration.opened import OpenedRun
from copycat.calibration.page import LabelPage, build_page
from copycat.errors import DataError
from copycat.paths import shown
from copycat.runs.folder import write_bytes
from copycat.schema import Sample

FOLDER, PAGE = "labels", "label.html"

Row = dict[str, str]


class Sheet(NamedTuple):
    """What was made: the files to fill in, the page, how many pictures, and how many lines are filled in."""

    tables: tuple[Path, ...]
    page: Path
    n_pictures: int
    n_filled: int


def make_sheet(run: OpenedRun, n: int, seed: int, raters: Sequence[str] = ()) -> Sheet:
    """Write the files to label in; a file that is there keeps every line that somebody has filled in.

    Args:
        n: pictures to label.
        seed: which of them.
        raters: people who label; each gets a file, labels-NAME.csv. Nobody named: one file, labels.csv.

    Raises:
        DataError: a file that is there cannot be read, or was filled in for pictures that have changed.
    """
    pictures = draw_pictures(run.samples, n, seed)
    folder = run.folder.path / FOLDER
    n_filled = 0
    tables = []
    for rater in raters or ("",):
        path = folder / (f"labels-{_file_part(rater)}.csv" if rater else "labels.csv")
        n_filled += _write_table(path, [_row(run, sample, rater) for sample in pictures], run)
        tables.append(path)
    page = folder / PAGE
    write_bytes(page, build_page(LabelPage(run, tuple(pictures), seed)).encode())
    return Sheet(tuple(tables), page, len(pictures), n_filled)


def _write_table(path: Path, fresh: Sequence[Row], run: OpenedRun) -> int:
    """Write a table to fill in, with what is filled in already; gives how many lines are."""
    there = read_table(path) if path.exists() else Table(",", COLUMNS, ())
    if faults := changed_pictures(path, there, run):
        raise DataError(faults, f"  or move {shown(path)} away, and start again")
    columns = tuple(dict.fromkeys([*COLUMNS, *there.columns]))
    filled = [row for _, row in there.rows if any((row.get(name) or "").strip() for name in ("label", "anyone"))]
    done = {row["key"].strip() for row in filled}
    by_key: dict[str, list[Row]] = {row["key"]: [row] for row in fresh if row["key"] not in done}
    for row in filled:  # in its place if it is drawn again, else behind the others
        by_key.setdefault(row["key"].strip(), []).append(row)
    order = dict.fromkeys([*(row["key"] for row in fresh), *by_key])
    rows = [row for key in order for row in by_key[key]]
    content = _text(rows, columns, there.separator).encode("utf-8-sig")
    if not path.exists() or path.read_bytes() != content:
        write_bytes(path, content)
    return len(filled)


def _text(rows: Sequence[Row], columns: Sequence[str], separator: str) -> str:
    """Write CSV; the byte-order mark that goes before it tells spreadsheets that it is UTF-8."""
    written = io.StringIO(newline="")
    writer = csv.DictWriter(written, columns, restval="", extrasaction="ignore", delimiter=separator)
    writer.writeheader()
    writer.writerows(rows)
    return written.getvalue()


def _row(run: OpenedRun, sample: Sample, rater: str) -> Row:
    name = next(c.name for c in run.characters.characters if c.id == sample.character)
    return {
        "key": sample.key,
        "image": f"../{sample.image}",
        "character": name,
        "label": "",
        "rater": rater,
        "anyone": "",
        "sha256": sample.sha256 or "",
    }


def _file_part(rater: str) -> str:
    return "".join(c if c.isalnum() or c in "-." else "-" for c in rater)
