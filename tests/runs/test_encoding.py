"""Pictures as files: the same bytes each time, and nothing that is seen is lost."""

from __future__ import annotations

import io
import random

import av
import numpy as np
import pytest
from copycat_doubles import MODEL, VIDEO
from PIL import Image, ImageFilter

from copycat.models import Picture
from copycat.runs.encoding import EncodedPicture, encode_clip, encode_picture, encode_png

SIZES = [(16, 16), (17, 16), (16, 17), (33, 21), (8, 8)]
COLOURS = [(200, 40, 40), (40, 200, 40), (40, 40, 200), (255, 255, 255), (0, 0, 0), (128, 128, 128)]


def noise(size: tuple[int, int], seed: int = 0) -> Image.Image:
    return Image.frombytes("RGB", size, random.Random(seed).randbytes(size[0] * size[1] * 3))


def soft_clip(size: tuple[int, int], count: int = 9) -> list[Image.Image]:
    """Frames without fine detail, each unlike the one before."""
    return [noise(size, seed).filter(ImageFilter.GaussianBlur(6)) for seed in range(count)]


def decoded(mp4: bytes) -> list[Image.Image]:
    with av.open(io.BytesIO(mp4)) as container:
        return [frame.to_image() for frame in container.decode(video=0)]


def distance(one: Image.Image, other: Image.Image) -> float:
    """The mean difference of a channel, of 255."""
    return float(np.abs(np.asarray(one, dtype=float) - np.asarray(other, dtype=float)).mean())


# ------------------------------------------------------------------------------------------- png


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_a_png_has_the_same_bytes_each_time_and_every_pixel(size: tuple[int, int]) -> None:
    image = noise(size)
    png = encode_png(image)
    assert png == encode_png(image.copy())
    assert Image.open(io.BytesIO(png)).tobytes() == image.tobytes()


def test_a_png_holds_no_metadata_whatever_the_picture_brought_along() -> None:
    image = noise((16, 16))
    image.info |= {"parameters": "a prompt", "dpi": (72, 72), "icc_profile": b"x", "exif": b"Exif\x00\x00"}
    assert encode_png(image) == encode_png(noise((16, 16)))
    assert Image.open(io.BytesIO(encode_png(image))).info == {}


@pytest.mark.parametrize("mode", ["RGBA", "L", "P", "CMYK"])
def test_a_png_is_plain_rgb_whatever_the_picture_was(mode: str) -> None:
    png = Image.open(io.BytesIO(encode_png(noise((16, 16)).convert(mode))))
    assert (png.mode, png.size) == ("RGB", (16, 16))


# ------------------------------------------------------------------------------------------- mp4


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("count", [1, 2, 9])
def test_a_clip_decodes_to_as_many_frames_of_the_same_size_but_for_odd_sides(size: tuple[int, int], count: int) -> None:
    frames = decoded(encode_clip(soft_clip(size, count), 8))
    assert len(frames) == count
    assert {frame.size for frame in frames} == {(size[0] + size[0] % 2, size[1] + size[1] % 2)}


@pytest.mark.parametrize("size", [*SIZES, (130, 70)], ids=str)
def test_a_clip_has_the_same_bytes_each_time_whatever_lay_in_memory_before(size: tuple[int, int]) -> None:
    clip, dice = soft_clip(size), np.random.default_rng(1)
    encoded = set()
    for _ in range(20):
        used = [dice.bytes(length) for length in dice.integers(10, 200_000, 10)]
        del used
        encoded.add(encode_clip(clip, 8))
    assert len(encoded) == 1


@pytest.mark.parametrize("fps", [1, 8, 24])
def test_a_clip_plays_at_the_speed_that_was_asked_for(fps: int) -> None:
    with av.open(io.BytesIO(encode_clip(soft_clip((16, 16)), fps))) as container:
        assert container.streams.video[0].average_rate == fps


@pytest.mark.parametrize("size", [(64, 48), (33, 21)], ids=str)
def test_the_frames_of_a_clip_look_like_the_originals_and_come_in_their_order(size: tuple[int, int]) -> None:
    originals = soft_clip(size)
    for place, frame in enumerate(decoded(encode_clip(originals, 8))):
        far = [distance(frame.crop((0, 0, *size)), original) for original in originals]
        assert far[place] < 5
        assert min(far) == far[place]


@pytest.mark.parametrize("colour", COLOURS, ids=str)
def test_the_colours_of_a_clip_stay_what_they_are(colour: tuple[int, int, int]) -> None:
    (frame,) = decoded(encode_clip([Image.new("RGB", (32, 32), colour)], 8))
    assert np.abs(np.asarray(frame, dtype=int) - colour).max() <= 4


def test_an_odd_side_is_filled_up_with_the_last_row_or_column_and_not_with_black() -> None:
    (frame,) = decoded(encode_clip([Image.new("RGB", (15, 17), (255, 255, 255))], 8))
    assert frame.size == (16, 18)
    assert np.asarray(frame).min() > 245


# -------------------------------------------------------------------------------------- pictures


def test_a_picture_becomes_a_png_and_no_clip() -> None:
    made = encode_picture(Picture("ok", noise((20, 12)), "rewritten", 3, 4), MODEL.sampling)
    assert made == EncodedPicture("ok", "rewritten", 3, 4, encode_png(noise((20, 12))), None, 20, 12)


def test_a_clip_becomes_the_png_of_its_sheet_and_an_mp4_and_its_size_is_that_of_a_frame() -> None:
    clip = tuple(soft_clip((20, 12), 4))
    made = encode_picture(Picture("ok", noise((40, 12)), clip=clip), VIDEO.sampling)
    assert made == EncodedPicture("ok", "", 0, 0, encode_png(noise((40, 12))), encode_clip(clip, 8), 20, 12)


@pytest.mark.parametrize("status", ["refused", "blocked", "invalid", "failed"])
def test_what_has_no_picture_keeps_its_status_and_reason(status: str) -> None:
    made = encode_picture(Picture(status, None, "why"), MODEL.sampling)  # type: ignore[arg-type]
    assert made == EncodedPicture(status, "why")  # type: ignore[arg-type]


def test_a_model_that_says_ok_and_gives_no_picture_has_failed() -> None:
    assert encode_picture(Picture("ok", None), MODEL.sampling).status == "failed"
