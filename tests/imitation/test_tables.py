"""What is said of a table that does not fit: once for the whole file, in words of the file and of the commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from copycat.errors import DataError, UserError
from copycat.imitation.tables import read_table, without_figures
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


def test_rows_of_one_key_are_told_with_their_lines_and_no_column_that_the_file_lacks(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    key = ("concept", "arm", "prompt")
    path.write_text("concept,score\nk03,1\nk04,1\nk03,2\n")
    with pytest.raises(DataError) as told:
        read_table(path, GivenScore, key, any_of=("score",))
    assert [fault.partition("own.csv")[2] for fault in told.value.faults] == [
        ":4: concept k03 has 2 rows, the first on line 2"
    ]
    path.write_text("concept,arm,prompt,score\nk03,zero,a b,1\nk03,zero,a b,1\nk03,zero,,1\nk03,zero,,1\n")
    with pytest.raises(DataError) as told:
        read_table(path, GivenScore, key, any_of=("score",))
    assert [fault.partition("own.csv")[2] for fault in told.value.faults] == [
        ":3: concept k03, arm zero, prompt a b has 2 rows, the first on line 2",
        ":5: concept k03, arm zero has 2 rows, the first on line 4",
    ]


@pytest.mark.parametrize(("cell", "what"), [("nan", "is not a number"), ("NaN", "is not a number"), ("", "is empty")])
def test_a_row_without_a_figure_says_where_it_stands(tmp_path: Path, cell: str, what: str) -> None:
    path = tmp_path / "own.csv"
    path.write_text(f"concept,score,reason\ncat,1,\ndog,{cell},\nfox,{cell},no face\n")

    rows = read_table(path, GivenScore, ("concept",), any_of=("raw", "score"))

    assert [row.score for row in rows] == [1, None, None]
    assert rows[0].reason == ""
    assert rows[1].reason.startswith(f"its score {what} (")
    assert rows[1].reason.endswith("own.csv:3)")
    assert rows[2].reason == "no face"
    assert without_figures(path, rows) == [f"dog: {rows[1].reason}"]


def test_more_faults_than_are_listed_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "counts.csv"
    path.write_text("concept,count\n" + "".join(f"c{number},many\n" for number in range(25)))

    with pytest.raises(DataError, match="and 15 more"):
        read_table(path, GivenCount, COUNTS)


@pytest.mark.parametrize("row", [b"cat,1,101", b"cat,0,35"])
def test_a_number_with_a_comma_is_refused_and_not_cut(tmp_path: Path, row: bytes) -> None:
    told = refusal(tmp_path / "own.csv", b"concept,count\ndog,3\n" + row + b"\n")

    assert "own.csv:3: has 1 cell more than there are columns" in told


def test_empty_cells_beyond_the_columns_and_spaces_around_their_names_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_bytes(b"concept, count\ncat,3,,\n")

    assert [(row.concept, row.count) for row in read_table(path, GivenCount, COUNTS, needs=("count",))] == [("cat", 3)]
