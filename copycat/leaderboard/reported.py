"""Figures that papers published, as they printed them: cited, in their own unit, never mixed with measured ones."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from copycat.errors import DataError
from copycat.leaderboard.layout import REPORTED
from copycat.leaderboard.listings import read_listing
from copycat.leaderboard.records import Line, WebAddress, Words
from copycat.schema import Record, Slug

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[float, Field(ge=0)]


class ReportedRow(Record):
    """One figure of a table; a spread is null where none was printed, or none that can be right."""

    model: Line
    prompt: Line
    mitigation: Line
    detect: Count
    detect_std: Count | None = None
    cons: Share | None = None
    cons_std: Share | None = None


class ReportedTable(Record):
    """One table of a paper, in its own words. `note` says what a reader must know of it."""

    table: Line
    title: Line
    note: Words = ""
    rows: tuple[ReportedRow, ...] = Field(min_length=1)


class ReportedWork(Record):
    """A file of leaderboard/reported/: one paper.

    `detect_means` and `cons_means` say what the two figures are there; `detect` of a row is a count of `n_characters`,
    its mean over `n_runs`. `judge` and `protocol` are the paper's own.
    """

    id: Slug
    authors: Line
    title: Line
    year: int = Field(ge=2020, le=2100)
    arxiv: Annotated[str, Field(pattern=r"^[0-9]{4}\.[0-9]{5}$")]
    version: Line
    url: WebAddress
    judge: Line
    protocol: Words
    detect_means: Words
    cons_means: Words
    n_characters: int = Field(ge=1)
    n_runs: int = Field(ge=1)
    tables: tuple[ReportedTable, ...] = Field(min_length=1)


_NEEDED = {
    "judge": "who or what looked at the pictures",
    "detect": "the mean count of detected characters",
    "url": "where the paper can be read",
    "tables": "a list of tables, each with table, title and rows",
}


def read_reported(leaderboard: Path) -> tuple[ReportedWork, ...]:
    """Read every file of reported/, sorted by name; nothing where there is no such folder.

    Raises:
        DataError: all faults of all files.
    """
    works: list[ReportedWork] = []
    faults: list[str] = []
    for path in sorted((leaderboard / REPORTED).glob("*.yaml")):
        try:
            work = read_listing(path, ReportedWork, ReportedRow, _NEEDED)
        except DataError as error:
            faults.extend(error.faults)
            continue
        faults.extend(f"{path.name}: {fault}" for fault in _beyond(work))
        works.append(work)
    if faults:
        raise DataError(faults)
    return tuple(works)


def _beyond(work: ReportedWork) -> list[str]:
    return [
        f"{table.table}, '{row.model}', '{row.mitigation}': {row.detect} of {work.n_characters} characters"
        for table in work.tables
        for row in table.rows
        if row.detect > work.n_characters
    ]
