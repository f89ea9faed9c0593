"""What is said of a table that does not fit: once for the whole file, in words of the file and of the commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from copycat.errors import DataError, UserError
from copycat.imitation.tables import read_table
from copycat.imitation.threshold.points import GivenCount, GivenScore

COUNTS = ("concept",)


def refusal(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    with pytest.raises(UserError) as refused:
        read_table(path, GivenCount, COUNTS, needs=("count",))
    return str(refused.value)


def test_a_missing_column_is_told_once_with_the_columns_that_are_there(tmp_path: Path) -> None:
    told = refusal(tmp_path / "own.csv", b"name,n\n" + b"cat,3\n" * 40)

    assert "has no columns concept and count; it has: name, n" in told
    assert "with columns concept and count; `python -m copycat.imitation count` makes one" in told
    assert len(told.splitlines()) == 2
    assert "Given" not in told


@pytest.mark.parametrize(("mark", "name"), [(b";", "semicolons"), (b"\t", "tabs")])
def test_a_wrong_separator_is_named(tmp_path: Path, mark: bytes, name: str) -> None:
    told = refusal(tmp_path / "own.csv", b"concept,count\ncat,3\n".replace(b",", mark))

    assert f"its cells are separated by {name}, and have to be by commas" in told


@pytest.mark.parametrize("name", ["own.csv", "own.jsonl"])
def test_an_empty_file_is_called_empty(tmp_path: Path, name: str) -> None:
    assert "is empty" in refusal(tmp_path / name, b"")


@pytest.mark.parametrize(("name", "content"), [("own.csv", b"concept,count\n\xff\xfe,1\n"), ("own.parquet", b"junk")])
def test_what_cannot_be_read_is_no_crash(tmp_path: Path, name: str, content: bytes) -> None:
    assert "cannot be read" in refusal(tmp_path / name, content)


def test_columns_of_json_lines_are_those_of_all_rows(tmp_path: Path) -> None:
    assert "has no column count; it has: concept, n" in refusal(
        tmp_path / "own.jsonl", b'{"concept": "cat"}\n{"n": 3}\n'
    )


def test_a_file_that_is_not_there_is_told_with_the_command_that_makes_it(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"there is no file .*[^`]*`python -m copycat.imitation score` makes one"):
        read_table(tmp_path / "scores.csv", GivenScore, COUNTS, any_of=("raw", "score"))


def test_an_interval_the_wrong_way_round_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "counts.csv"
    path.write_text("concept,count,low,high\ncat,3,2,4\ndog,3,4,2\n")

    with pytest.raises(DataError) as refused:
        read_table(path, GivenCount, COUNTS)

    assert "counts.csv:3: low (4) is above high (2)" in str(refused.value)
    assert "counts.csv:2" not in str(refused.value)


def test_more_faults_than_are_listed_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "counts.csv"
    path.write_text("concept,count\n" + "".join(f"c{number},many\n" for number in range(25)))

    with pytest.raises(DataError, match="and 15 more"):
        read_table(path, GivenCount, COUNTS)
