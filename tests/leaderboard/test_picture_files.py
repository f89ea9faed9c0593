"""The bytes of picture files: what is one picture and nothing else, and what is not."""

from __future__ import annotations

import io
import random
import struct

import numpy as np
import pytest
from PIL import Image
from submissions import draw_noise

from copycat.leaderboard.layout import SizeLimits
from copycat.leaderboard.picture_files import PictureError, require_plain
from copycat.leaderboard.pictures import open_picture, sheet_size
from copycat.models.frames import build_sheet
from copycat.schema import Sampling

LIMITS = SizeLimits()
KINDS = {
    "PNG": [{}, {"compress_level": 0}, {"optimize": True}],
    "JPEG": [{"quality": 95}, {"progressive": True}, {"subsampling": 0}, {"optimize": True}],
    "WEBP": [{"quality": 80}, {"lossless": True}, {"method": 6}],
}
FORMATS = [(kind, options) for kind, many in KINDS.items() for options in many]


def encoded(kind: str, mode: str = "RGB", **options: object) -> bytes:
    buffer = io.BytesIO()
    draw_noise("a").convert(mode).save(buffer, kind, **options)
    return buffer.getvalue()


def kind_of(content: bytes, limits: SizeLimits = LIMITS) -> str:
    with pytest.raises(PictureError) as refused:
        open_picture(content, limits)
    return refused.value.kind


@pytest.mark.parametrize(("kind", "options"), FORMATS, ids=str)
def test_a_picture_as_pillow_writes_it_is_plain(kind: str, options: dict[str, object]) -> None:
    content = encoded(kind, **options)

    assert require_plain(content) == kind
    assert open_picture(content, LIMITS).size == (64, 64)


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "LA", "1"])
def test_a_png_of_any_kind_of_pixels_is_plain(mode: str) -> None:
    assert require_plain(encoded("PNG", mode)) == "PNG"


@pytest.mark.parametrize(("kind", "options"), FORMATS, ids=str)
@pytest.mark.parametrize("tail", [b"\0", b"PK\x03\x04 an archive", b"<script>alert(1)</script>"])
def test_nothing_may_come_behind_a_picture(kind: str, options: dict[str, object], tail: bytes) -> None:
    assert kind_of(encoded(kind, **options) + tail) == "picture-payload"


@pytest.mark.parametrize(("kind", "options"), FORMATS, ids=str)
def test_a_picture_that_is_cut_off_anywhere_is_refused(kind: str, options: dict[str, object]) -> None:
    content = encoded(kind, **options)

    for size in range(0, len(content), max(1, len(content) // 40)):
        assert kind_of(content[:size]) in {"picture-damaged", "picture-format", "picture-payload"}, size


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("PNG", {"dpi": (300, 300)}),
        ("PNG", {"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"}),
        ("PNG", {"icc_profile": b"a profile"}),
        ("JPEG", {"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"}),
        ("JPEG", {"icc_profile": b"a profile"}),
        ("JPEG", {"comment": b"said by nobody"}),
        ("WEBP", {"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"}),
        ("WEBP", {"xmp": b"<x:xmpmeta/>"}),
        ("WEBP", {"icc_profile": b"a profile"}),
    ],
    ids=str,
)
def test_metadata_is_refused_in_every_format(kind: str, options: dict[str, object]) -> None:
    assert kind_of(encoded(kind, **options)) == "picture-metadata"


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_a_moving_picture_is_refused(kind: str) -> None:
    assert kind_of(encoded(kind, save_all=True, append_images=[draw_noise("b")])) == "picture-animated"


@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF", "ICO"])
def test_other_formats_are_refused(kind: str) -> None:
    assert kind_of(encoded(kind)) == "picture-format"


def test_a_picture_of_too_many_bytes_is_not_even_walked() -> None:
    assert kind_of(bytes(LIMITS.picture_bytes + 1)) == "picture-too-large"


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_picture_of_too_many_pixels_is_not_decoded(kind: str) -> None:
    assert kind_of(encoded(kind), LIMITS._replace(picture_pixels=64 * 64 - 1)) == "picture-too-large"


def test_a_png_that_unpacks_to_less_than_it_says_is_damaged() -> None:
    content = bytearray(encoded("PNG"))
    content[16:24] = struct.pack(">II", 64, 6400)

    assert kind_of(bytes(content)) == "picture-damaged"


@pytest.mark.parametrize("kind", list(KINDS))
def test_no_change_of_any_byte_raises_anything_else(kind: str) -> None:
    content, dice = encoded(kind), random.Random(kind)

    for _ in range(150):
        changed = bytearray(content)
        for _ in range(dice.randint(1, 4)):
            changed[dice.randrange(len(changed))] = dice.randrange(256)
        try:
            assert open_picture(bytes(changed), LIMITS).mode == "RGB"
        except PictureError:
            continue


def test_the_picture_of_a_clip_is_the_sheet_of_its_frames() -> None:
    for count in (1, 3, 4, 5, 8):
        sampling = Sampling(width_px=16, height_px=8, frames=20, kept_frames=tuple(range(count)))
        sheet = build_sheet([Image.fromarray(np.zeros((8, 16, 3), dtype=np.uint8))] * count)

        assert sheet_size(sampling, 16, 8) == sheet.size

    assert sheet_size(Sampling(width_px=16, height_px=8), 16, 8) == (16, 8)
