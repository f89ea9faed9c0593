"""What a user brings as a text, and what is wrong with it."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from copycat.errors import UserError
from copycat.fairuse.text import read_text


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    "content",
    [b"tide", "tide".encode("utf-8-sig"), "tide".encode("utf-16")],
    ids=["utf-8", "utf-8 with mark", "utf-16"],
)
def test_a_text_is_read_in_its_encoding(tmp_path: Path, content: bytes) -> None:
    assert read_text(written(tmp_path / "a.txt", content)) == "tide"


def test_a_binary_file_is_no_text(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is no text"):
        read_text(written(tmp_path / "a.docx", b"PK\x03\x04\x00\x00"))


def test_another_encoding_is_said_with_the_place_and_how_to_convert(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"0xe9 at place 3[\s\S]*iconv"):
        read_text(written(tmp_path / "a.txt", "café".encode("latin-1")))


def test_a_text_that_is_too_long_is_refused_before_it_is_read_whole(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="more than 10 bytes"):
        read_text(written(tmp_path / "a.txt", b"x" * 11), max_bytes=10)


def test_a_missing_file_and_a_folder_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no file"):
        read_text(tmp_path / "none.txt")
    with pytest.raises(UserError, match="is a folder"):
        read_text(tmp_path)


def test_a_dash_reads_what_is_piped_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"tide")))
    assert read_text(Path("-")) == "tide"
