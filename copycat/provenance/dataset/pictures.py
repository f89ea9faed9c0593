"""Whether the bytes of a picture are one: its beginning, its header and its end, not every pixel, for many of them."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from typing import Any

from copycat.provenance.dataset.batches import Batch, python_values

BEGINNINGS = {
    b"\x89PNG\r\n\x1a\n": "png",
    b"\xff\xd8\xff": "jpeg",
    b"GIF87a": "gif",
    b"GIF89a": "gif",
}
ENDS = {"png": b"IEND", "jpeg": b"\xff\xd9", "gif": b"\x3b"}
"""What stands at the end of a picture (PNG, section 5.3; JPEG, B.1.1.3; GIF89a, section 27); more may follow it."""

LAST_BYTES = {"png": 1 << 20, "jpeg": 1 << 16, "gif": 16}
"""Among which the end is looked for: a small preview within a JPEG has an end of its own, and 0x3B may be anywhere."""

PLAIN = (b"\x00\x00\x00\x0cJXL ", b"\xff\x0a", b"<svg", b"<?xml")
"""Beginnings of forms that are taken as they are: JPEG XL and SVG."""


def picture_fault(raw: bytes) -> str:
    """Say why these bytes are no whole picture; "" where nothing of it is seen.

    A picture that is damaged within, and has a sound header and end, is not told: that would take decoding it.
    """
    if not raw:
        return "is empty"
    kind = next((kind for begin, kind in BEGINNINGS.items() if raw.startswith(begin)), None)
    if kind is not None:
        fault = _fault_of_header(raw)
        return fault or ("" if ENDS[kind] in raw[-LAST_BYTES[kind] :] else "ends early")
    if raw[:4] == b"RIFF" and raw[8:12] == b"WEBP":
        return "ends early" if len(raw) < 8 + int.from_bytes(raw[4:8], "little") else _fault_of_header(raw)
    if raw.startswith(PLAIN) or raw[4:8] == b"ftyp":
        return ""
    return _fault_of_header(raw)


def _fault_of_header(raw: bytes) -> str:
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            Image.open(io.BytesIO(raw)).close()
    except UnidentifiedImageError:
        return "is no picture"
    except Exception as error:  # noqa: BLE001 - damaged headers make Pillow raise anything
        return f"cannot be read: {' '.join(str(error).split())[:80]}"
    return ""


_last: list[tuple[Batch, dict[int, str]]] = []


def broken_pictures(batch: Batch) -> dict[int, str]:
    """Give row -> what is wrong with its picture; rules that see a batch one after the other get the same answer."""
    if not _last or _last[0][0] is not batch:
        told = {row: picture_fault(raw) for row, raw in pictures_of(batch.column("image"))}
        _last[:] = [(batch, {row: fault for row, fault in told.items() if fault})]
    return _last[0][1]


def pictures_of(column: Any) -> Iterator[tuple[int, bytes]]:
    """Yield row and bytes of the pictures of a column, of structs with `bytes` or of bytes; a path alone is none."""
    for row, value in enumerate([] if column is None else python_values(column)):
        raw = value.get("bytes") if isinstance(value, dict) else value
        if isinstance(raw, bytes):
            yield row, raw
