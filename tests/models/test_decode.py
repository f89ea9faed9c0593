"""Bytes from outside: decoded, or refused with a reason and without harm."""

from __future__ import annotations

import io
import struct
import tracemalloc
import warnings
import zlib

import pytest
from image_server import bomb, encoded, picture
from PIL import Image

from copycat.models.decode import MAX_PIXELS, UndecodableError, decode_picture, flaw_of

SIZE = (96, 64)


@pytest.fixture
def image() -> Image.Image:
    return Image.open(io.BytesIO(picture("a cat", *SIZE))).convert("RGB")


def test_a_png_comes_back_pixel_by_pixel(image: Image.Image) -> None:
    decoded = decode_picture(encoded(image))
    assert (decoded.mode, decoded.size) == ("RGB", SIZE)
    assert decoded.tobytes() == image.tobytes()


@pytest.mark.parametrize(("form", "options"), [("JPEG", {"quality": 95}), ("WEBP", {"lossless": True})])
def test_jpeg_and_webp_are_read(image: Image.Image, form: str, options: dict[str, object]) -> None:
    decoded = decode_picture(encoded(image, form, **options))
    assert (decoded.mode, decoded.size) == ("RGB", SIZE)


@pytest.mark.parametrize("mode", ["L", "P", "1", "CMYK"])
def test_pictures_of_other_modes_become_rgb(image: Image.Image, mode: str) -> None:
    form = "JPEG" if mode == "CMYK" else "PNG"
    assert decode_picture(encoded(image.convert(mode), form)).mode == "RGB"


def test_what_is_transparent_lies_on_white() -> None:
    decoded = decode_picture(encoded(Image.new("RGBA", (8, 8), (200, 0, 0, 0))))
    assert decoded.getpixel((3, 3)) == (255, 255, 255)


@pytest.mark.parametrize("form", ["GIF", "BMP", "TIFF", "PPM"])
def test_other_formats_are_refused(image: Image.Image, form: str) -> None:
    with pytest.raises(UndecodableError, match="not a PNG, JPEG or WEBP"):
        decode_picture(encoded(image, form))


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.9])
def test_a_picture_that_is_cut_off_is_refused(image: Image.Image, form: str, share: float) -> None:
    noisy = Image.effect_noise((64, 64), 90).convert("RGB")
    whole = encoded(noisy, form)
    with pytest.raises(UndecodableError):
        decode_picture(whole[: int(share * len(whole))])


@pytest.mark.parametrize("data", [b"", b"<html>", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF\0\0\0\0WEBPVP8 "])
def test_bytes_that_are_no_picture_are_refused(data: bytes) -> None:
    with pytest.raises(UndecodableError):
        decode_picture(data)


def test_a_picture_whose_bytes_were_changed_is_refused(image: Image.Image) -> None:
    data = bytearray(encoded(image))
    data[len(data) // 2] ^= 0xFF
    with pytest.raises(UndecodableError, match="damaged or cut off"):
        decode_picture(bytes(data))


def test_the_reason_is_a_value_error() -> None:
    assert issubclass(UndecodableError, ValueError)


# ------------------------------------------------------------------------------------- too large


def test_a_small_file_that_stands_for_hundreds_of_megabytes_is_refused_undecoded() -> None:
    assert len(bomb()) < 20_000
    tracemalloc.start()
    try:
        with warnings.catch_warnings(), pytest.raises(UndecodableError, match="12000x12000 pixels"):
            warnings.simplefilter("error")
            decode_picture(bomb())
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 5_000_000


def header_only(width: int, height: int) -> bytes:
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = b"IDAT" + zlib.compress(b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in (chunk, data)
    )


@pytest.mark.parametrize("side", [5657, 20_000, 2**31 - 1])
def test_a_size_above_the_limit_is_refused_whatever_pillow_thinks_of_it(side: int) -> None:
    with pytest.raises(UndecodableError, match=f"{side}x{side} pixels; at most {MAX_PIXELS}"):
        decode_picture(header_only(side, side))


def test_a_webp_above_the_limits_of_pillow_is_refused() -> None:
    side = (16_383).to_bytes(3, "little")
    body = b"WEBPVP8X" + struct.pack("<I", 10) + b"\0\0\0\0" + side + side
    with pytest.raises(UndecodableError):
        decode_picture(b"RIFF" + struct.pack("<I", len(body)) + body)


def test_the_limit_itself_is_allowed(image: Image.Image) -> None:
    data = encoded(image)
    assert decode_picture(data, max_pixels=96 * 64).size == SIZE
    with pytest.raises(UndecodableError):
        decode_picture(data, max_pixels=96 * 64 - 1)


# ------------------------------------------------------------------------------------- the flaws


def test_an_ordinary_picture_has_no_flaw(image: Image.Image) -> None:
    assert flaw_of(image, SIZE) is None
    assert flaw_of(image) is None


@pytest.mark.parametrize(
    ("flawed", "size", "flaw"),
    [
        (Image.new("RGB", (8, 8)), None, "all black"),
        (Image.new("RGB", (8, 8), "grey"), None, "every pixel has the same colour"),
        (Image.new("L", (8, 8), 7), None, "every pixel has the same colour"),
        (Image.new("RGB", (8, 8)), (16, 8), "asked for 16x8, got 8x8"),
    ],
)
def test_a_flaw_is_named(flawed: Image.Image, size: tuple[int, int] | None, flaw: str) -> None:
    assert flaw_of(flawed, size) == flaw


def test_one_pixel_that_differs_is_enough() -> None:
    image = Image.new("RGB", (8, 8), "grey")
    image.putpixel((0, 0), (129, 128, 128))
    assert flaw_of(image) is None


def test_a_file_of_too_many_bytes_is_refused_unread(monkeypatch: pytest.MonkeyPatch, image: Image.Image) -> None:
    monkeypatch.setattr("copycat.models.decode.MAX_BYTES", 1000)
    with pytest.raises(UndecodableError, match="at most 1000 bytes"):
        decode_picture(encoded(image) + b" " * 1000)


def test_sixteen_bits_of_grey_are_scaled_and_not_cut_off() -> None:
    grey = Image.linear_gradient("L")
    deep = Image.frombytes("I;16", grey.size, b"".join(struct.pack("<H", 257 * value) for value in grey.tobytes()))
    assert decode_picture(encoded(deep)).tobytes() == grey.convert("RGB").tobytes()
