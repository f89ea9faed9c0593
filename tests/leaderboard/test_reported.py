"""Published figures agree with the grids, and lists that people keep tell all their faults."""

from __future__ import annotations

from pathlib import Path

import pytest

from copycat.errors import DataError
from copycat.grids.tables import GRIDS
from copycat.leaderboard.reported import read_reported
from copycat.leaderboard.verified import manifest_sha256, read_verified

LEADERBOARD = Path(__file__).resolve().parents[2] / "leaderboard"
GOOD = (LEADERBOARD / "reported" / "copycat.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(("place", "grid"), [(0, "table1"), (1, "table2"), (2, "table8")])
def test_published_figures_are_those_of_the_grids(place, grid):
    (work,) = read_reported(LEADERBOARD)

    cells = [cell for row in GRIDS.get(grid).rows for cell in row.cells]
    cited = [(row.detect, row.detect_std, row.cons) for row in work.tables[place].rows]
    assert cited == [(cell.detect, cell.detect_spread, cell.cons) for cell in cells]
    assert (work.n_characters, work.n_runs, work.arxiv) == (50, 3, "2406.14526")


def test_all_faults_of_a_file_of_published_figures_are_told_with_their_lines(tmp_path):
    wrong = GOOD.replace("judge: GPT-4V", "juge: GPT-4V", 1).replace("detect: 30.33,", "detect: 70.33,", 1)
    wrong = wrong.replace("url: https://", "url: javascript:", 1).replace("cons: 0.75", "cons: 75", 1)
    (tmp_path / "reported").mkdir()
    (tmp_path / "reported" / "copycat.yaml").write_text(wrong, encoding="utf-8")

    with pytest.raises(DataError) as refused:
        read_reported(tmp_path)

    text = str(refused.value)
    assert "field 'judge': is missing; needed: who or what looked at the pictures" in text
    assert "there is no such field" in text
    assert "field 'url'" in text
    assert "cons" in text


def test_more_characters_than_there_are_cannot_have_been_detected(tmp_path):
    (tmp_path / "reported").mkdir()
    (tmp_path / "reported" / "copycat.yaml").write_text(GOOD.replace("detect: 30.33,", "detect: 70.33,", 1), "utf-8")

    with pytest.raises(DataError, match=r"Table 1, 'Playground v2.5', 'none': 70.33 of 50 characters"):
        read_reported(tmp_path)


def test_the_list_of_what_is_verified_can_be_read():
    assert isinstance(read_verified(LEADERBOARD), dict)


def test_a_submission_is_verified_only_in_the_state_that_was_verified(tmp_path):
    (tmp_path / "MANIFEST.sha256").write_text("0 a\n", encoding="utf-8")
    before = manifest_sha256(tmp_path)

    (tmp_path / "MANIFEST.sha256").write_text("1 a\n", encoding="utf-8")

    assert manifest_sha256(tmp_path) != before
    assert manifest_sha256(tmp_path / "nowhere") == ""


def test_all_faults_of_the_list_of_what_is_verified_are_told(tmp_path):
    entry = "  - {id: 1.0/a/b, manifest_sha256: XYZ, date: yesterday, by: somebody}\n"
    (tmp_path / "verified.yaml").write_text("verified:\n" + entry, encoding="utf-8")

    with pytest.raises(DataError) as refused:
        read_verified(tmp_path)

    assert len(refused.value.faults) == 3
    assert all(fault.split(":")[1] == "2" for fault in refused.value.faults)


def test_no_submission_is_verified_twice(tmp_path):
    entry = f"  - {{id: 1.0/a/b, manifest_sha256: '{'0' * 64}', date: 2026-01-31, by: somebody, how: so}}\n"
    (tmp_path / "verified.yaml").write_text("verified:\n" + 2 * entry, encoding="utf-8")

    with pytest.raises(DataError, match=r"'1\.0/a/b' is listed more than once"):
        read_verified(tmp_path)
