"""Pictures of a run as data URIs, small enough that a page of 900 stays under about 10 MB."""

from __future__ import annotations

import base64
import io

from PIL import Image, UnidentifiedImageError

KEPT_SIDE_PX = 128
"""Pictures up to this side are embedded byte for byte, so that their sha256 can be checked."""

THUMBNAIL_SIDE_PX = 256
SHEET_COLUMN_PX = 160
"""Width of one frame in the sheet of a clip."""

_WEBP_QUALITY = 70
_NO_PICTURE = (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError)
_MIME_OF_FORMAT = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp", "GIF": "image/gif"}


def picture_data_uri(content: bytes, columns: int = 1) -> str | None:
    """Give a picture file as a data URI; null if the bytes are no picture that a browser shows.

    Pictures of at most 128 px are kept as they are; larger ones become WebP thumbnails of at most
    256 px, twice the size at which the page shows them.

    Args:
        columns: frames side by side, of the sheet of a clip; it gets 160 px for each.
    """
    try:
        with Image.open(io.BytesIO(content)) as picture:
            mime = _MIME_OF_FORMAT.get(picture.format or "")
            if mime and max(picture.size) <= KEPT_SIDE_PX:
                picture.verify()
            else:
                (content, _), mime = draw_thumbnail(picture, columns), "image/webp"
    except _NO_PICTURE:
        return None
    return _data_uri(mime, content)


def thumbnail_data_uri(content: bytes, side_px: int) -> str | None:
    """Give a picture file as the data URI of a small WebP, drawn anew: of its metadata nothing is left.

    Null if the bytes are no picture.
    """
    try:
        with Image.open(io.BytesIO(content)) as picture:
            picture.info.pop("icc_profile", None)
            drawn, _ = draw_thumbnail(picture, side_px=side_px)
    except _NO_PICTURE:
        return None
    return _data_uri("image/webp", drawn)


def draw_thumbnail(
    picture: Image.Image, columns: int = 1, side_px: int = THUMBNAIL_SIDE_PX
) -> tuple[bytes, tuple[int, int]]:
    """Draw a picture as WebP of at most `side_px` a side, and give the file and its size in pixels.

    Args:
        columns: frames side by side, of the sheet of a clip; it gets 160 px for each.
    """
    has_alpha = "A" in picture.getbands() or "transparency" in picture.info
    small = picture.convert("RGBA" if has_alpha else "RGB")
    side = max(side_px, columns * SHEET_COLUMN_PX) if columns > 1 else side_px
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    written = io.BytesIO()
    small.save(written, "WEBP", quality=_WEBP_QUALITY, method=4)
    return written.getvalue(), small.size


def _data_uri(mime: str, content: bytes) -> str:
    return f"data:{mime};base64,{base64.b64encode(content).decode('ascii')}"
