"""The smaller commands: what they refuse before anything is written."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from copycat.commands import data, sandbox
from copycat.errors import UserError


@pytest.mark.parametrize("date", ["foo", "2026-13-31", "31-01-2026", "2026-1-1"])
def test_what_is_no_date_is_refused_and_nothing_is_written(tmp_path: Path, date: str) -> None:
    frozen = ["freeze", "unseen50", "--out", str(tmp_path / "a"), "--by", "us", "--date", date]
    exported = ["export", "--folder", str(tmp_path / "b"), "--date", date]

    answers = [CliRunner().invoke(data.app, frozen), CliRunner().invoke(sandbox.app, exported)]

    assert [answer.exit_code for answer in answers] == [2, 2]
    assert all(f"'{date}' is no date" in answer.output for answer in answers)
    assert not list(tmp_path.iterdir())


def test_the_sheet_of_characters_is_a_png(tmp_path: Path) -> None:
    answer = CliRunner().invoke(sandbox.app, ["render", "--out", str(tmp_path / "sheet.txt")])

    assert isinstance(answer.exception, UserError)
    assert "ends in .png" in str(answer.exception)
    assert not list(tmp_path.iterdir())


def test_the_sheet_of_characters_makes_its_folder(tmp_path: Path) -> None:
    answer = CliRunner().invoke(sandbox.app, ["render", "--out", str(tmp_path / "new" / "sheet.png")])

    assert answer.exit_code == 0
    assert (tmp_path / "new" / "sheet.png").is_file()


def test_a_changed_text_is_frozen_under_a_new_version(tmp_path: Path) -> None:
    options = ["freeze", "unseen50", "--out", str(tmp_path / "p"), "--by", "us", "--date", "2026-01-31"]
    CliRunner().invoke(data.app, options)

    answer = CliRunner().invoke(data.app, [*options, "--how", "anew", "--version", "1.1"])

    assert answer.exit_code == 0
    assert "version: '1.1'" in (tmp_path / "p" / "card.yaml").read_text(encoding="utf-8")
