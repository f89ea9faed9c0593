"""Pictures of submissions -> pictures/ of the site: looked at with limits, named by their hash, written once.

Bytes come from strangers. A PNG that holds nothing but its pixels and is no larger than 128 px is copied byte for byte,
so that its sha256 can be checked; anything else is drawn anew, which leaves metadata and what else hides in a file
behind.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import zlib
from pathlib import Path
from typing import NamedTuple

from PIL import Image, UnidentifiedImageError

from copycat.leaderboard.reading import LIMITS
from copycat.runs.report_pictures import KEPT_SIDE_PX, draw_thumbnail

PICTURES_FOLDER, RUNS_FOLDER = "pictures", "runs"
FORMATS = ("PNG", "JPEG", "WEBP")

_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
_PIXEL_CHUNKS = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"sRGB", b"gAMA", b"cHRM", b"pHYs", b"sBIT"})
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""By the colour type of a PNG."""
_NAMED = re.compile(rb"[0-9a-f]{64}\.(?:png|webp)")
_UNREADABLE = (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError)


class PlacedPicture(NamedTuple):
    """A picture of the site; `href` is relative to its root, the size is in pixels."""

    href: str
    width: int
    height: int


def place_picture(content: bytes, sha256: str, site: Path, columns: int = 1) -> PlacedPicture | None:
    """Put a picture into the site, unless it is there; null if the bytes are not those that may be shown.

    The file is named by the sha256 of the bytes that came in, whatever is made of them.

    Args:
        content: a PNG, JPEG or WebP file; larger ones than `SizeLimits` allows are not looked at.
        sha256: of the picture that was judged; any other is not shown.
        site: the root of the site.
        columns: frames side by side, of the sheet of a clip.
    """
    digest = hashlib.sha256(content).hexdigest()
    if len(content) > LIMITS.picture_bytes or digest != sha256:
        return None
    is_kept = _is_small_bare_png(content)
    href = f"{PICTURES_FOLDER}/{digest[:2]}/{digest}.{'png' if is_kept else 'webp'}"
    path = site / href
    try:
        if is_kept:
            size = _png_size(content)
            _keep(path, content)
        elif path.exists():
            size = _size_of(path)
        else:
            written, size = _drawn_anew(content, columns)
            _write_once(path, written)
    except _UNREADABLE:
        return None
    return PlacedPicture(href, *size)


def _is_small_bare_png(content: bytes) -> bool:
    """Whether it is a whole PNG of at most 128 px a side without text, time, profile, animation or anything after it.

    That is told without decoding it, which would take longer than all else.
    """
    if not content.startswith(_PNG_MAGIC) or max(_png_size(content)) > KEPT_SIDE_PX:
        return False
    at, name, rows = len(_PNG_MAGIC), b"", b""
    while at + 12 <= len(content) and name != b"IEND":
        end = at + 12 + int.from_bytes(content[at : at + 4])
        name, chunk = content[at + 4 : at + 8], content[at + 4 : end - 4]
        if name not in _PIXEL_CHUNKS or zlib.crc32(chunk) != int.from_bytes(content[end - 4 : end]):
            return False
        at, rows = end, rows + (chunk[4:] if name == b"IDAT" else b"")
    return name == b"IEND" and at == len(content) and _holds_all_rows(content, rows)


def _holds_all_rows(content: bytes, packed: bytes) -> bool:
    """Whether the pixels of a PNG that is not interlaced are as many as its header says."""
    (width, height), (depth, colour, _, _, interlaced) = _png_size(content), content[24:29]
    if colour not in _CHANNELS or interlaced:
        return False
    n_bytes = height * (1 + (width * depth * _CHANNELS[colour] + 7) // 8)
    try:
        return len(zlib.decompressobj().decompress(packed, n_bytes + 1)) == n_bytes
    except zlib.error:
        return False


def _png_size(content: bytes) -> tuple[int, int]:
    return int.from_bytes(content[16:20]), int.from_bytes(content[20:24])


def _size_of(path: Path) -> tuple[int, int]:
    with Image.open(path) as picture:
        return picture.size


def _drawn_anew(content: bytes, columns: int) -> tuple[bytes, tuple[int, int]]:
    with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
        width, height = picture.size
        if width * height > LIMITS.picture_pixels:
            raise ValueError(f"{width} x {height} pixels, at most {LIMITS.picture_pixels:,} are allowed")
        return draw_thumbnail(picture, columns)


def _keep(path: Path, content: bytes) -> None:
    """Write content that its name says, in place: renaming costs ten times as much as writing.

    A size other than that of the content tells that the writer of the file was stopped.
    """
    try:
        _create(path, content)
    except FileExistsError:
        if path.stat().st_size != len(content):
            path.write_bytes(content)


def _write_once(path: Path, content: bytes) -> None:
    """Write under a name of this process first: others may write the same picture at the same time."""
    unfinished = path.with_name(f".{os.getpid()}.{path.name}")
    unfinished.unlink(missing_ok=True)
    _create(unfinished, content)
    unfinished.replace(path)


def _create(path: Path, content: bytes) -> None:
    """Write a new file, and its folder where there is none.

    Raises:
        FileExistsError: the file is there.
    """
    try:
        file = path.open("xb", buffering=0)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("xb", buffering=0)
    with file:
        file.write(content)


def remove_unused_pictures(site: Path) -> int:
    """Remove the pictures that no run shows any more, as when one was withdrawn; gives how many those were.

    Runs name all their pictures in data.js.
    """
    used = {name for data in (site / RUNS_FOLDER).glob("*/*/*/data.js") for name in _NAMED.findall(data.read_bytes())}
    gone = [path for path in (site / PICTURES_FOLDER).glob("*/*.*") if path.name.encode() not in used]
    for path in gone:
        path.unlink()
    return len(gone)
