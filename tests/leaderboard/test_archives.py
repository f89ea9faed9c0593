"""Archives of strangers: what is not plain files with plain names is refused before a byte of it is written."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from copycat.leaderboard.archives import unpacked
from copycat.leaderboard.layout import SizeLimits
from copycat.leaderboard.verify import verify_submission

LIMITS = SizeLimits()
FILES = {"submission.json": b"{}\n", "samples.jsonl": b"{}\n"}


def zipped(path: Path, *entries: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return path


def kinds_in(path: Path, limits: SizeLimits = LIMITS) -> list[str]:
    with unpacked(path, limits) as archive:
        assert archive.folder is None
        return [fault.kind for fault in archive.faults]


def entry(name: str, mode: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    return info


@pytest.mark.parametrize("top", ["", "my-submission/"])
def test_the_files_may_lie_at_the_top_or_in_one_folder(tmp_path: Path, top: str) -> None:
    path = zipped(tmp_path / "a.zip", *((top + name, content) for name, content in FILES.items()))

    with unpacked(path, LIMITS) as archive:
        assert archive.folder is not None
        assert {file.name: file.read_bytes() for file in archive.folder.iterdir()} == FILES


def test_a_submission_two_folders_deep_is_one_fault(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", *((f"a/b/{name}", content) for name, content in FILES.items()))

    with unpacked(path, LIMITS) as archive:
        (fault,) = archive.faults

    assert (fault.kind, fault.where) == ("archive-path", "a/b/submission.json")
    assert "lies in a folder of a folder, as do 1 others; needed: a .zip of the submission's own folder" in fault.what


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    with unpacked(zipped(tmp_path / "a.zip", *FILES.items()), LIMITS) as archive:
        folder = archive.folder
        assert folder is not None

    assert not folder.exists()


BAD_NAMES = [
    "../samples.jsonl",
    "a/../../samples.jsonl",
    "/etc/passwd",
    "..\\samples.jsonl",
    "C:\\samples.jsonl",
    "C:samples.jsonl",
    "a/b/samples.jsonl",
    "sam\u202eples.jsonl",
    "sam\nples.jsonl",
    "n" * 300,
]


@pytest.mark.parametrize("name", BAD_NAMES, ids=ascii)
def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    assert set(kinds_in(zipped(tmp_path / "a.zip", (name, b"x")))) == {"archive-path"}
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK])
def test_links_and_devices_are_refused(tmp_path: Path, kind: int) -> None:
    assert kinds_in(zipped(tmp_path / "a.zip", (entry("samples.jsonl", kind | 0o777), b"/etc/passwd"))) == [
        "archive-link"
    ]


def test_a_name_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        path = zipped(tmp_path / "a.zip", ("samples.jsonl", b"1"), ("samples.jsonl", b"2"))

    assert kinds_in(path) == ["archive-repeated"]


def test_names_that_differ_in_case_alone_are_one_name(tmp_path: Path) -> None:
    assert kinds_in(zipped(tmp_path / "a.zip", ("samples.jsonl", b"1"), ("Samples.jsonl", b"2"))) == [
        "archive-repeated"
    ]


def test_an_archive_within_the_archive_is_refused(tmp_path: Path) -> None:
    assert kinds_in(zipped(tmp_path / "a.zip", ("pictures.tar.gz", b"1"))) == ["archive-nested"]


def test_an_uncommon_way_of_packing_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", ("samples.jsonl", b"1"), method=zipfile.ZIP_LZMA)

    assert kinds_in(path) == ["archive-method"]


def test_an_encrypted_archive_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", ("samples.jsonl", b"1"))
    _patch(path, lambda local, central: (local[:6] + b"\x01" + local[7:], central[:8] + b"\x01" + central[9:]))

    assert kinds_in(path) == ["archive-encrypted"]


def test_more_entries_than_a_submission_has_are_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", *((f"{number}.json", b"1") for number in range(21)))

    assert kinds_in(path) == ["archive-count"]


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", ("samples.jsonl", bytes(20_000_000)))

    assert path.stat().st_size < 50_000
    assert kinds_in(path) == ["archive-bomb"]


def test_more_bytes_in_all_than_allowed_are_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", ("a.json", b"ab" * 40), ("b.json", b"cd" * 40))

    assert kinds_in(path, LIMITS._replace(archive_bytes=159)) == ["too-large"]
    stored = zipped(tmp_path / "b.zip", ("a.json", bytes(3_000)), ("b.json", bytes(3_000)))
    assert kinds_in(stored, LIMITS._replace(archive_bytes=5_000)) == ["archive-bomb"]


def test_a_header_that_lies_about_the_size_is_noticed_while_unpacking(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", ("samples.jsonl", bytes(5_000_000)))
    less = (1000).to_bytes(4, "little")
    _patch(path, lambda local, central: (local[:22] + less + local[26:], central[:24] + less + central[28:]))

    assert kinds_in(path) in (["archive-damaged"], ["archive-bomb"])


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"<html>", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(content)

    assert kinds_in(path) == ["archive-damaged"]


def test_a_damaged_archive_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", ("samples.jsonl", b"abc" * 1000), method=zipfile.ZIP_STORED)
    path.write_bytes(path.read_bytes().replace(b"abcabc", b"abXabc", 1))

    assert kinds_in(path) == ["archive-damaged"]


def test_all_faults_of_an_archive_are_told_at_once(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", ("../a.json", b"1"), (entry("b.json", stat.S_IFLNK), b"2"), ("c.zip", b"3"))

    report = verify_submission(path)

    assert [(fault.kind, fault.where) for fault in report.faults] == [
        ("archive-path", "../a.json"),
        ("archive-link", "b.json"),
        ("archive-nested", "c.zip"),
    ]


def _patch(path: Path, change: Callable[[bytes, bytes], tuple[bytes, bytes]]) -> None:
    """Change the local and the central header of the only entry."""
    content = path.read_bytes()
    place = content.index(b"PK\x01\x02")
    local, central = change(content[:place], content[place:])
    path.write_bytes(local + central)
