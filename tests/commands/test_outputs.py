"""Outputs are refused before any work begins."""

from __future__ import annotations

from pathlib import Path

import pytest

from copycat.commands.fairuse_shown import require_page
from copycat.commands.outputs import require_output
from copycat.errors import UserError


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("", "--out . cannot be written: it is a folder"),
        ("there/x.csv", "there is a file"),
        ("/proc/x.csv", "--out /proc/x.csv cannot be written: no file can be made in /proc"),
        ("/proc/new/x.csv", "no file can be made in /proc"),
        ("/dev/null", "it is no regular file"),
        (f"{'x' * 300}.csv", "File name too long"),
        (f"{'x' * 247}.csv", "File name too long"),
    ],
)
def test_a_file_that_cannot_be_written_is_refused_with_what_is_wrong(
    path: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").write_bytes(b"")

    with pytest.raises(UserError) as error:
        require_output("--out", Path(path))

    assert said in str(error.value)
    assert "needed: the name of a file" in str(error.value)


def test_a_folder_is_refused_where_a_file_is_and_nothing_is_made_where_it_is_fine(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(UserError, match="it is a file"):
        require_output("--out", tmp_path / "file", is_folder=True)
    require_output("--out", tmp_path / "new" / "deeper", is_folder=True)
    require_output("--out", tmp_path / "new" / "x.csv")
    require_output("--out", tmp_path / "file")
    require_output("--out", None)

    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_page_must_end_in_html_and_be_writable() -> None:
    with pytest.raises(UserError, match="is no name of a page"):
        require_page("--html", Path("x.txt"))
    with pytest.raises(UserError, match="no file can be made in /proc"):
        require_page("--html", Path("/proc/x.html"))
