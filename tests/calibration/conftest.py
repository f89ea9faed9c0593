"""A run of the fake model to label."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from harness import Cli
from run_folders import folder_of

from copycat.calibration.opened import OpenedRun, open_run

Write = Callable[..., Path]


@pytest.fixture
def opened(run: Cli, characters_file: Path) -> OpenedRun:
    """A finished and judged run of twelve pictures."""
    assert run().code == 0
    return open_run(folder_of("none"), str(characters_file))


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a CSV file from rows of key, label and whatever else."""

    def write_rows(name: str, rows: Sequence[dict[str, Any]], delimiter: str = ",") -> Path:
        path = tmp_path / name
        with path.open("w", encoding="utf-8", newline="") as file:
            columns = list(dict.fromkeys(column for row in rows for column in row))
            writer = csv.DictWriter(file, columns, restval="", delimiter=delimiter)
            writer.writeheader()
            writer.writerows(rows)
        return path

    return write_rows
