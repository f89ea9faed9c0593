"""The bytes of a picture file, walked before anything decodes them: nothing may be inside but the picture.

Sources: PNG (W3C, third edition), sections 5 and 11; JPEG (ITU-T T.81), annex B; WebP container (RFC 9649).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

PNG_MAGIC, JPEG_MAGIC = b"\x89PNG\r\n\x1a\n", b"\xff\xd8"
PNG_CHUNKS = {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS"}
PNG_MOVING = {b"acTL", b"fcTL", b"fdAT"}
MAX_CHUNKS = 20_000
"""Of a PNG: encoders write pieces of 8 kB or more."""
PNG_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Samples per pixel, by colour type."""

WEBP_CHUNKS = {b"VP8 ", b"VP8L", b"VP8X", b"ALPH"}
WEBP_MOVING = {b"ANIM", b"ANMF"}

JFIF_BYTES, ADOBE_BYTES = 16, 14
"""Lengths of the two application segments that hold nothing but how to decode."""
ADOBE = 0xEE
MAX_SCANS = 30
"""Of a progressive JPEG: each is decoded over all pixels; encoders write 10."""
FRAME_MARKERS = {0xC4, 0xDB, 0xDD, 0xDA, *range(0xC0, 0xC3)}
"""Tables, restart interval, scan, and the frames that Pillow decodes."""


class PictureError(ValueError):
    """Why a picture is refused; `kind` is the kind of the fault."""

    def __init__(self, kind: str, what: str) -> None:
        self.kind = kind
        super().__init__(what)


def require_plain(content: bytes) -> str:
    """Check that a file is one still picture and nothing else, and give its format: PNG, JPEG or WEBP.

    Raises:
        PictureError: with kind "picture-format", "picture-damaged", "picture-animated", "picture-metadata" or
            "picture-payload" (bytes that are no part of the picture).
    """
    walkers: tuple[tuple[str, bool, Callable[[bytes], None]], ...] = (
        ("PNG", content.startswith(PNG_MAGIC), _walk_png),
        ("JPEG", content.startswith(JPEG_MAGIC), _walk_jpeg),
        ("WEBP", content[:4] == b"RIFF" and content[8:12] == b"WEBP", _walk_webp),
    )
    for name, is_it, walk in walkers:
        if is_it:
            try:
                walk(content)
            except (struct.error, IndexError, zlib.error) as error:
                raise _damaged() from error
            return name
    raise PictureError("picture-format", "is not a PNG, JPEG or WEBP file")


def _damaged() -> PictureError:
    return PictureError("picture-damaged", "is damaged or cut off")


def _metadata(name: str) -> PictureError:
    return PictureError("picture-metadata", f"holds {name}, which is no part of the picture; needed: pixels alone")


def _walk_png(content: bytes) -> None:
    place, packed, header = len(PNG_MAGIC), bytearray(), b""
    for _ in range(MAX_CHUNKS):
        size, name = struct.unpack_from(">I4s", content, place)
        end = place + 12 + size
        if end > len(content):
            raise _damaged()
        if name in PNG_MOVING:
            raise PictureError("picture-animated", "is a moving picture")
        if name not in PNG_CHUNKS:
            raise _metadata(f"a chunk {name.decode('latin-1')!a}")
        body = content[place + 8 : place + 8 + size]
        if (name == b"IHDR") != (place == len(PNG_MAGIC)):
            raise PictureError("picture-damaged", "has not one header, at its beginning")
        if name == b"IHDR":
            header = body
        if name == b"IDAT":
            packed += body
        if name == b"IEND":
            break
        place = end
    else:
        raise PictureError("picture-format", f"is a PNG of more than {MAX_CHUNKS:,} chunks")
    if size or end != len(content):
        raise PictureError("picture-payload", f"has {len(content) - end + size:,} bytes behind the end of the picture")
    _require_full_of_pixels(header, bytes(packed))


def _require_full_of_pixels(header: bytes, packed: bytes) -> None:
    """Unpack no more than the pixels that the header speaks of, and see that nothing lies behind them."""
    width, height, depth, colour, _, _, is_interlaced = struct.unpack(">IIBBBBB", header)
    if is_interlaced:
        raise PictureError("picture-format", "is an interlaced PNG; needed: one that is not")
    bits = width * depth * PNG_CHANNELS.get(colour, 4)
    expected = height * (1 + (bits + 7) // 8)
    unpacker, found, rest = zlib.decompressobj(), 0, packed
    while rest and not unpacker.eof and found <= expected:
        found += len(unpacker.decompress(rest, 1 << 20))
        rest = unpacker.unconsumed_tail
    if found < expected:
        raise _damaged()
    if found > expected or unpacker.unused_data:
        raise PictureError("picture-payload", "has bytes behind its last pixel")


def _walk_jpeg(content: bytes) -> None:
    place, scans = len(JPEG_MAGIC), 0
    while True:
        if content[place] != 0xFF:
            raise _damaged()
        marker = content[place + 1]
        if marker == 0xD9:
            break
        (size,) = struct.unpack_from(">H", content, place + 2)
        is_how = (marker, size) in ((0xE0, JFIF_BYTES), (ADOBE, ADOBE_BYTES))
        if not is_how and marker not in FRAME_MARKERS:
            raise _metadata(f"a segment {marker:02X}")
        place += 2 + size
        if marker == 0xDA:
            scans += 1
            if scans > MAX_SCANS:
                raise PictureError("picture-format", f"is a JPEG of more than {MAX_SCANS} scans")
            place = _behind_scan(content, place)
    if place + 2 != len(content):
        raise PictureError("picture-payload", f"has {len(content) - place - 2:,} bytes behind the end of the picture")


def _behind_scan(content: bytes, place: int) -> int:
    """Give the place of the next marker: within a scan, FF is followed by 00 or by a restart marker."""
    while True:
        place = content.find(b"\xff", place)
        if place < 0:
            raise _damaged()
        if content[place + 1] != 0 and not 0xD0 <= content[place + 1] <= 0xD7:
            return place
        place += 2


def _walk_webp(content: bytes) -> None:
    (size,) = struct.unpack_from("<I", content, 4)
    if size + 8 > len(content):
        raise _damaged()
    if size + 8 < len(content):
        raise PictureError("picture-payload", f"has {len(content) - size - 8:,} bytes behind the end of the picture")
    place, seen = 12, set[bytes]()
    while place < len(content):
        name, size = struct.unpack_from("<4sI", content, place)
        if name in seen:
            raise PictureError("picture-payload", f"has more than one chunk {name.decode('latin-1')!a}")
        seen.add(name)
        if name in WEBP_MOVING:
            raise PictureError("picture-animated", "is a moving picture")
        if name not in WEBP_CHUNKS:
            raise _metadata(f"a chunk {name.decode('latin-1')!a}")
        place += 8 + size + size % 2
    if place != len(content):
        raise _damaged()
