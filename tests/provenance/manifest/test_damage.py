"""A sidecar that is damaged, or cannot be written, is told of and left as it is."""

from __future__ import annotations

import errno
import json
from typing import Any

import pyarrow.parquet as pq
import pytest
from manifests import Make, Manifested, greetings

from copycat.errors import DataError, UserError
from copycat.provenance.records import RECORDS_FILE


def test_records_of_a_lost_manifest_are_not_overwritten(make: Make, manifested: Manifested) -> None:
    folder = make(greetings())
    manifested(folder)
    (folder / "provenance" / "manifest.json").unlink()
    before = (folder / "provenance" / RECORDS_FILE).read_bytes()
    with pytest.raises(DataError, match=r"has records\.parquet and no manifest\.json\n  restore it from a copy"):
        manifested(folder)
    assert (folder / "provenance" / RECORDS_FILE).read_bytes() == before


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([0, 1, 2], "gives another root than manifest.json states for version 1"),
        ([5, 4, 3, 2, 1, 0], "its ids do not rise from row to row"),
        ([0, 0, 1, 2, 3, 4, 5], "its ids do not rise from row to row"),
    ],
)
def test_no_version_is_made_from_a_table_that_is_not_that_of_the_manifest(
    make: Make, manifested: Manifested, rows: list[int], said: str
) -> None:
    path = make(greetings()) / "provenance" / RECORDS_FILE
    manifested(path.parent.parent)
    pq.write_table(pq.read_table(path).take(rows), path)
    before = path.read_bytes()
    make(greetings(7))
    with pytest.raises(DataError, match=said):
        manifested(path.parent.parent)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda file: file | {"schema_version": 99}, "is of form 99, and this copycat knows forms up to 1"),
        (lambda file: file | {"versions": file["versions"] * 2}, "has version 1 twice"),
    ],
)
def test_a_manifest_of_later_form_or_that_contradicts_itself_is_left_alone(
    make: Make, manifested: Manifested, change: Any, said: str
) -> None:
    folder = make(greetings())
    manifested(folder)
    path = folder / "provenance" / "manifest.json"
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    with pytest.raises(DataError, match=said):
        manifested(folder)


def test_what_else_lies_in_the_folder_stays(make: Make, manifested: Manifested) -> None:
    sidecar = make(greetings()) / "provenance"
    sidecar.mkdir()
    (sidecar / ".note.next").write_text("somebody's")
    manifested(sidecar.parent)
    assert (sidecar / ".note.next").read_text() == "somebody's"
    (sidecar / "history.parquet").mkdir()
    with pytest.raises(UserError, match=r"history\.parquet: a folder is in the way"):
        manifested(sidecar.parent)


@pytest.mark.parametrize("step", ["describe", "dataset_files", "publish"])
def test_a_full_disk_leaves_the_version_before(
    make: Make, manifested: Manifested, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    sidecar = make(greetings()) / "provenance"
    manifested(sidecar.parent)
    before = {path.name: path.read_bytes() for path in sidecar.iterdir()}
    make(greetings(7))

    def full(*given: Any, **named: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(f"copycat.provenance.manifest.writing.{step}", full)
    with pytest.raises(OSError, match="No space left"):
        manifested(sidecar.parent)
    assert {path.name: path.read_bytes() for path in sidecar.iterdir()} == before


@pytest.mark.parametrize("broken", [b"", b"[]", b'{"versions": []}', b'{"versions": [{"version": "1"}]}', b"\xff\xfe"])
def test_a_manifest_that_cannot_be_read_is_an_error_that_says_where(
    make: Make, manifested: Manifested, broken: bytes
) -> None:
    folder = make(greetings())
    manifested(folder)
    (folder / "provenance" / "manifest.json").write_bytes(broken)
    with pytest.raises(DataError, match=r"manifest\.json"):
        manifested(folder)


def test_a_table_that_cannot_be_read_is_an_error_that_says_where(make: Make, manifested: Manifested) -> None:
    folder = make(greetings())
    manifested(folder)
    (folder / "provenance" / RECORDS_FILE).write_bytes(b"PAR1 and no more")
    with pytest.raises(DataError, match=r"records\.parquet: cannot be read"):
        manifested(folder)
