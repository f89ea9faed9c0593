"""From what a user names to works."""

from __future__ import annotations

from pathlib import Path

import pytest

from copycat.errors import DataError, UnknownNameError, UserError
from copycat.fairuse.records import Work
from copycat.fairuse.works import load_works
from copycat.fairuse.works.loading import sha256_of

TEXT = "The keeper wound the tide clock, and the lamps came on."


def test_the_public_domain_works_come_with_the_project() -> None:
    works = load_works(["public-domain"])
    assert len(works) >= 6
    for loaded in works:
        assert loaded.work.status == "public-domain"
        assert loaded.work.source
        assert loaded.work.year is not None and loaded.work.year < 1900
        assert loaded.work.sha256 == sha256_of(loaded.readable)


def test_a_file_is_a_work_named_after_it(tmp_path: Path) -> None:
    path = tmp_path / "Tide Clock (draft).txt"
    path.write_text(TEXT, encoding="utf-8")
    (loaded,) = load_works([str(path)])
    assert (loaded.work.id, loaded.work.status, loaded.text) == ("tide-clock-draft", "unknown", TEXT)


def test_a_folder_without_a_list_is_its_text_files(tmp_path: Path) -> None:
    for name in ("b.txt", "a.md", "c.pdf"):
        (tmp_path / name).write_text(TEXT, encoding="utf-8")
    assert [loaded.work.id for loaded in load_works([str(tmp_path)])] == ["a", "b"]


def test_a_list_tells_all_its_faults_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TEXT, encoding="utf-8")
    (tmp_path / "works.yaml").write_text(
        "works:\n- {id: Bad Id, title: A, file: a.txt}\n- {id: b, title: B, file: none.txt}\n- {id: c, title: C}\n"
        f"- {{id: d, title: D, file: a.txt, sha256: {'a' * 64}}}\n",
        encoding="utf-8",
    )
    with pytest.raises(DataError) as caught:
        load_works([str(tmp_path)])
    said = str(caught.value)
    assert all(f"work {number}" in said for number in (1, 2, 3, 4))
    assert "is not the text that the list was made for" in said


@pytest.mark.parametrize("content", ["- a", "works: 3", ": :", "words: []"])
def test_a_list_that_is_none_is_told(tmp_path: Path, content: str) -> None:
    (tmp_path / "works.yaml").write_text(content, encoding="utf-8")
    with pytest.raises(DataError):
        load_works([str(tmp_path)])


def test_an_unknown_name_lists_the_shipped_works() -> None:
    with pytest.raises(UnknownNameError, match="public-domain"):
        load_works(["public-domian"])


def test_two_works_with_one_id_are_refused(tmp_path: Path) -> None:
    for name in ("a b.txt", "a-b.txt"):
        (tmp_path / name).write_text(TEXT, encoding="utf-8")
    with pytest.raises(UserError, match="two works have the id 'a-b'"):
        load_works([str(tmp_path)])


def test_a_text_without_a_word_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(" \n…\u200b", encoding="utf-8")
    with pytest.raises(UserError, match="holds no word"):
        load_works([str(tmp_path / "a.txt")])


def test_an_empty_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no text file"):
        load_works([str(tmp_path)])


def test_a_withheld_work_names_no_file() -> None:
    with pytest.raises(ValueError, match="names no file"):
        Work(id="a", title="A", sha256="0" * 64, file="a.txt", withheld=True)
