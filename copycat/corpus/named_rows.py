"""What is kept of a row that names a character: where it stands, and what tells its picture from others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from copycat.corpus.sieve import fold_texts

if TYPE_CHECKING:
    import polars as pl

    from copycat.corpus.batches import Batch

PICTURE_COLUMNS = {"sha256": "sha256", "phash": "phash", "url": "url", "path": "url", "status": "status"}
"""Columns (in capitals, too) that are used where a corpus has them, and what each tells: the picture's bytes, its
looks, its address, how its link is."""

ROW = [
    ("file", "<u4"),  # its place in the corpus
    ("row", "<i8"),  # from 0, in the file
    ("who", "<i4"),
    ("sha", "<u8"),  # a hash of the column sha256
    ("address", "<u8"),  # a hash of the folded caption and the address
    ("phash", "<u8"),
    ("has", "u1"),
]
"""An entry for each row and character that it names. `has` adds up the `HAS_...` of what the row has."""

HAS_SHA, HAS_ADDRESS, HAS_PHASH, HAS_STATUS, IS_DEAD = 1, 2, 4, 8, 16

ALIVE_WORDS = ("success", "ok", "alive", "true", "1")
ALIVE = frozenset(ALIVE_WORDS) | {str(code) for code in range(200, 300)}
"""Words of a status that stand for a link that works: those of img2dataset and of HTTP; any other is a dead one."""


def picture_columns(columns: Iterable[str]) -> tuple[str, ...]:
    """Choose the columns that tell pictures apart, the first of each meaning."""
    chosen: dict[str, str] = {}
    for name in columns:
        if name.lower() in PICTURE_COLUMNS:
            chosen.setdefault(PICTURE_COLUMNS[name.lower()], name)
    return tuple(chosen.values())


def named_rows(batch: Batch, named: Mapping[int, set[str]], numbers: Mapping[str, int]) -> Any:
    """Give an array of `ROW`, in the order of rows and then of characters.

    Args:
        batch: its `others` may hold columns of `PICTURE_COLUMNS`, one for each meaning.
        named: row of the batch -> ids of the characters that it names.
        numbers: id -> place of the character.
    """
    import numpy as np

    places = sorted(named)
    whom = [sorted(numbers[who] for who in named[place]) for place in places]
    each = np.repeat(np.arange(len(places)), [len(ones) for ones in whom]).astype(np.intp)
    found = np.zeros(len(each), dtype=ROW)
    found["file"] = batch.file
    found["row"] = np.asarray(places, dtype=np.int64)[each] + batch.first
    found["who"] = [number for ones in whom for number in ones]
    if batch.others is not None and places:
        for name, values in _told_by(batch.texts.gather(places), batch.others[places]).items():
            found[name] = values[each]
    return found


def parse_phash(text: str) -> int | None:
    """Read a perceptual hash of 64 bits: 16 hexadecimal digits, or a whole number; None if it is neither.

    Sixteen digits are hexadecimal even where none is a letter. Negative numbers are those of signed 64-bit columns.
    """
    text = text.strip().lower().removeprefix("0x")
    try:
        number = int(text, 16 if len(text) == 16 or not text.lstrip("-").isdecimal() else 10)
    except ValueError:
        return None
    if not -(2**63) <= number < 2**64:
        return None
    return number % 2**64


def _told_by(texts: pl.Series, others: pl.DataFrame) -> dict[str, Any]:
    """Give the fields of `ROW` that other columns fill, for rows that name somebody."""
    import numpy as np
    import polars as pl

    columns = {PICTURE_COLUMNS[name.lower()]: as_texts(others[name]) for name in others.columns}
    found: dict[str, Any] = {"has": np.zeros(len(texts), dtype=np.uint8)}
    if "sha256" in columns:
        found["sha"] = _hashes(columns["sha256"].str.to_lowercase())
        found["has"] |= HAS_SHA * _is_there(columns["sha256"])
    if "url" in columns:
        found["address"] = _hashes(pl.select(fold_texts(texts) + pl.lit("\n") + columns["url"]).to_series())
        found["has"] |= HAS_ADDRESS * _is_there(columns["url"])
    if "phash" in columns:
        read = [parse_phash(text) if text else None for text in columns["phash"]]
        found["phash"] = np.array([number or 0 for number in read], dtype=np.uint64)
        found["has"] |= HAS_PHASH * np.array([number is not None for number in read], dtype=np.uint8)
    if "status" in columns:
        there = _is_there(columns["status"])
        is_dead = np.array([text.lower().removesuffix(".0") not in ALIVE for text in columns["status"]], dtype=np.uint8)
        found["has"] |= HAS_STATUS * there + IS_DEAD * (there & is_dead)
    return found


def as_texts(values: pl.Series) -> pl.Series:
    """Give any column as texts without spaces around; nothing is an empty text, bytes are hexadecimal."""
    import polars as pl

    texts = values.bin.encode("hex") if values.dtype == pl.Binary else values.cast(pl.String, strict=False)
    return texts.fill_null("").str.strip_chars()


def _hashes(texts: pl.Series) -> Any:
    return texts.hash().to_numpy()


def _is_there(texts: pl.Series) -> Any:
    import numpy as np

    return (texts != "").to_numpy().astype(np.uint8)
