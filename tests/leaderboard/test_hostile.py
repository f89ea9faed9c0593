"""What strangers send costs little: limits hold before much is read, and a page is never made of wild numbers."""

from __future__ import annotations

import json
import shutil
import struct
import time
from pathlib import Path

import pytest
from drafts import Draft
from submissions import make_submission

from copycat.errors import DataError
from copycat.leaderboard import board
from copycat.leaderboard.board import Trace, compare_submissions
from copycat.leaderboard.reading import LIMITS, load_submission, read_submission
from copycat.leaderboard.verify import verify_submission

SOON_S = 10


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Not to be changed, copy it."""
    return make_submission(tmp_path_factory.mktemp("board"), model="some-model", is_withheld=True)


@pytest.fixture
def draft(made: Path, tmp_path: Path) -> Draft:
    shutil.copytree(made, tmp_path / "submission")
    return Draft(tmp_path / "submission")


def test_an_archive_with_a_list_of_many_entries_is_not_listed(tmp_path: Path) -> None:
    entry = b"PK\x01\x02" + struct.pack("<HHHHHHIIIHHHHHII", 20, 20, *(0,) * 7, 1, *(0,) * 6) + b"a"
    count = 100_000
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 65_535, 65_535, count * len(entry), 0, 0)
    (tmp_path / "many.zip").write_bytes(entry * count + end)

    assert [fault.kind for fault in verify_submission(tmp_path / "many.zip").faults] == ["archive-damaged"]


def test_a_journal_that_is_nothing_but_wrong_is_not_read_to_its_end(draft: Draft) -> None:
    line = b"{" + b",".join(b'"%d":1' % number for number in range(10_000)) + b"}\n"
    (draft.folder / "samples.jsonl").write_bytes(line * 500)
    begun = time.monotonic()

    loaded, faults = read_submission(draft.folder)

    assert loaded is None
    assert any("read up to line 1 of 500" in fault.what for fault in faults)
    assert time.monotonic() - begun < SOON_S


def test_lists_without_end_are_not_kept_in_memory(draft: Draft) -> None:
    many = {**draft.judgements[0], "answers": [{"question": "", "text": ""}] * 1_000}
    (draft.folder / "judgements.jsonl").write_text(f"{json.dumps(many)}\n" * 10, encoding="utf-8")

    _, faults = read_submission(draft.folder, LIMITS._replace(list_items=5_000))

    assert [fault.what for fault in faults] == ["more than 5,000 entries in the lists of its lines"]


@pytest.mark.parametrize("number", [1e308, float("inf"), float("nan")])
def test_no_page_is_made_of_wild_numbers(draft: Draft, number: float) -> None:
    draft.samples[0]["seconds"] = number
    draft.metrics["estimates"][0]["low"] = number

    with pytest.raises(DataError) as refused:
        load_submission(draft.write())

    assert [fault.partition(":")[0] for fault in refused.value.faults] == ["metrics.json", "samples.jsonl"]


def test_pairs_without_end_are_not_all_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board, "MAX_PAIRS", 100)
    traces = [
        Trace(f"1.0/{model}", line, model, f"request-{line}", f"{model}-{line}", f"{1 << line:064x}")
        for model in ("one", "other")
        for line in range(1, 31)
    ]

    faults, notes = compare_submissions(traces)

    assert {fault.kind for fault in faults} == {"copied-picture"}
    assert "more than 100 pairs of pictures are nearly alike" in str(notes[0])
