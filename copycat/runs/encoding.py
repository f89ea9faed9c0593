"""Pictures as the bytes of their files: the same whoever encodes them, here or on another machine."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import NamedTuple, cast

import numpy as np
from PIL import Image

from copycat.models import Picture
from copycat.schema import Sampling, Status

VIDEO_CODEC = "libx264"
VIDEO_QUALITY = "18"
"""Constant rate factor of x264: nothing is seen to be lost."""
VIDEO_STEADY = "mbtree=0:asm=sse2"
"""Of x264: its macroblock tree reads memory that nobody has set, and faster instructions round otherwise."""


class EncodedPicture(NamedTuple):
    """A `Picture` with files instead of images; `width` and `height` are of the picture, or of one frame."""

    status: Status
    detail: str = ""
    truncated_tokens: int = 0
    truncated_negative_tokens: int = 0
    png: bytes | None = None
    mp4: bytes | None = None
    width: int | None = None
    height: int | None = None
    charges: int = 0
    rejected: tuple[str, ...] = ()


def encode_picture(picture: Picture, sampling: Sampling) -> EncodedPicture:
    """Encode a picture as PNG without metadata, and a clip as MP4 besides."""
    told = (picture.detail, picture.truncated_tokens, picture.truncated_negative_tokens)
    if picture.status != "ok" or picture.image is None:
        status: Status = "failed" if picture.status == "ok" else picture.status
        return EncodedPicture(status, *told, charges=picture.charges, rejected=picture.rejected)
    width, height = picture.clip[0].size if picture.clip else picture.image.size
    mp4 = encode_clip(picture.clip, sampling.fps or 1) if picture.clip else None
    png, charges, rejected = encode_png(picture.image), picture.charges, picture.rejected
    return EncodedPicture("ok", *told, png, mp4, width, height, charges, rejected)


def encode_png(image: Image.Image) -> bytes:
    """Encode as RGB PNG, with no metadata inside."""
    buffer, plain = io.BytesIO(), image.convert("RGB")
    plain.info = {}  # Pillow would write a colour profile or a resolution that the picture came with
    plain.save(buffer, format="PNG")
    return buffer.getvalue()


def encode_clip(frames: Sequence[Image.Image], fps: int) -> bytes:
    """Encode frames as H.264 in MP4, on one thread so that the bytes are the same each time."""
    import av

    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = cast(av.VideoStream, container.add_stream(VIDEO_CODEC, rate=fps))
        stream.width, stream.height = (side + side % 2 for side in frames[0].size)  # H.264 halves the colour planes
        stream.pix_fmt = "yuv420p"
        stream.codec_context.thread_count = 1
        stream.options = {"crf": VIDEO_QUALITY, "x264-params": VIDEO_STEADY}
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.asarray(_even(frame)), format="rgb24")))
        container.mux(stream.encode())
    return buffer.getvalue()


def _even(frame: Image.Image) -> Image.Image:
    """Repeat the last row or column where a side is odd."""
    width, height = frame.size
    if width % 2 == 0 and height % 2 == 0:
        return frame.convert("RGB")
    even = frame.convert("RGB").crop((0, 0, width + width % 2, height + height % 2))
    even.paste(frame.convert("RGB").crop((width - 1, 0, width, height)), (even.width - 1, 0))
    even.paste(even.crop((0, height - 1, even.width, height)), (0, even.height - 1))
    return even
