"""Footers of Parquet are read as pyarrow reads sound ones, and no damaged one raises anything but ValueError."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from copycat.corpus import open_corpus
from copycat.corpus.batches import read_batches, units_of
from copycat.corpus.footers import read_chunks
from copycat.errors import DataError

ENDING_THE_PROCESS = [(at, value) for at in (*range(16, 24), 40, 71) for value in (0, 0x15)]
"""Bytes of a footer, counted from its start, some of which make pyarrow 26 end the process."""


def damaged_footers(whole: bytes) -> list[bytes]:
    start = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")
    return [whole[: start + at] + bytes([value]) + whole[start + at + 1 :] for at, value in ENDING_THE_PROCESS]


@pytest.mark.parametrize("codec", ["none", "snappy", "gzip", "brotli", "lz4", "zstd"])
def test_a_sound_footer_says_what_pyarrow_says(tmp_path: Path, codec: str) -> None:
    table = pa.table(
        {
            "text": ["one", None, "three"] * 20,
            "parts": [[{"name": "x", "value": 1.5}], [], None] * 20,
            "day": [date(2026, 1, 1)] * 60,
            "is": [True, False, None] * 20,
        }
    )
    pq.write_table(table, tmp_path / "x.parquet", compression=codec, row_group_size=17, use_dictionary=["text"])
    facts = pq.read_metadata(tmp_path / "x.parquet")
    groups = [facts.row_group(n) for n in range(facts.num_row_groups)]
    columns = [[group.column(n) for n in range(group.num_columns)] for group in groups]

    assert [[tuple(chunk) for chunk in group] for group in read_chunks(tmp_path / "x.parquet")] == [
        [
            (
                each.path_in_schema,
                each.compression,
                frozenset(each.encodings),
                each.total_compressed_size,
                each.total_uncompressed_size,
            )
            for each in group
        ]
        for group in columns
    ]


def test_no_damaged_footer_raises_anything_but_a_value_error(tmp_path: Path) -> None:
    pq.write_table(pa.table({"caption": ["a", "b"], "n": [1, 2]}), tmp_path / "x.parquet")
    whole = (tmp_path / "x.parquet").read_bytes()
    start = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")
    path, n_refused = tmp_path / "damaged.parquet", 0

    for at in range(start, len(whole), 3):
        for value in (0, 0xFF):
            path.write_bytes(whole[:at] + bytes([value]) + whole[at + 1 :])
            try:
                read_chunks(path)
            except ValueError:
                n_refused += 1

    assert n_refused > 50


@pytest.mark.parametrize(
    "raw", [b"", b"PAR1", b"\xff\xff\xff\x7fPAR1", b"PAR1\0\0\0\0PAR1", b"\x19" * 99 + b"c\0\0\0PAR1"]
)
def test_what_is_no_footer_is_told(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "x.parquet").write_bytes(raw)

    with pytest.raises(ValueError, match="footer"):
        read_chunks(tmp_path / "x.parquet")


def test_a_damaged_footer_does_not_end_the_counting_of_a_corpus(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"caption": ["a", "b"]}), path)
    corpus, n_told = open_corpus([path], text_column="caption"), 0

    for raw in damaged_footers(path.read_bytes()):
        path.write_bytes(raw)
        try:
            for unit in units_of(corpus):
                list(read_batches(corpus, unit))
        except DataError:
            n_told += 1

    assert n_told
