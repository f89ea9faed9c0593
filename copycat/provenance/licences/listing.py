"""What lists of records that are written for people share: where they may lie, how they are written, cells as text."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from copycat.errors import UserError
from copycat.provenance.dataset import Dataset

LIST_NAME = "attribution.txt"
"""A list of credits that may lie among the records; it is not read as one."""

_COMPUTED = tuple("=+-@\uff1d\uff0b\uff0d\uff20")


def check_place(path: Path, dataset: Dataset, option: str) -> None:
    """Refuse to write among the records, where the list would be read as one of them, or over them.

    Raises:
        UserError: it is a file of the dataset, or lies in its folder and not in that of its manifest.
    """
    there, root = path.resolve(), dataset.root.resolve()
    if there == root or (dataset.root.is_dir() and root in there.parents):
        is_beside = dataset.sidecar.resolve() in there.parents or there == root / LIST_NAME
        if not is_beside:
            raise UserError(
                f"{option} {path} lies among the records of the dataset, and would be read as one\n"
                f"  needed: a place outside {dataset.root}, or {dataset.sidecar / path.name}"
            )


@contextmanager
def replacing(path: Path) -> Iterator[IO[str]]:
    """Open a text file under a temporary name that takes the place of `path` at the end; a half list is never left."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.new")
    try:
        with unfinished.open("w", encoding="utf-8", errors="replace", newline="") as file:
            yield file
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def csv_line(cells: Sequence[str]) -> str:
    """Give a line of CSV; a cell that a spreadsheet would compute begins with an apostrophe.

    Some compute after the wide forms of these signs, too.
    """
    line = io.StringIO()
    csv.writer(line).writerow([f"'{cell}" if cell[:1] in _COMPUTED else cell for cell in cells])
    return line.getvalue()


def one_line(text: str, letters: int = 500) -> str:
    """Give a text in one line, without control letters, at most so long."""
    text = text[: 2 * letters]
    if not text.isprintable():
        text = "".join(letter if letter.isprintable() else " " for letter in text)
    plain = " ".join(text.split())
    return plain if len(plain) <= letters else f"{plain[: letters - 1]}…"
