"""Pictures from outside: bytes that nobody vouches for -> pixels, or a reason why not."""

from __future__ import annotations

import io

from PIL import Image

MAX_PIXELS = 32_000_000
MAX_BYTES = 64 << 20
MAGIC = {"PNG": b"\x89PNG\r\n\x1a\n", "JPEG": b"\xff\xd8\xff", "WEBP": b"RIFF"}
READING_ERRORS = (OSError, SyntaxError, ValueError, EOFError, MemoryError, Image.DecompressionBombError)
"""What Pillow's readers raise."""


class UndecodableError(ValueError):
    """Bytes that are no whole picture of an allowed kind and size; the text is the reason."""


class TooManyPixelsError(UndecodableError):
    """A picture that says it has more pixels than can be meant; asking again would not help."""


def decode_picture(data: bytes, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """Decode a PNG, JPEG or WEBP file fully; of a moving one, the first picture.

    The size is read from the header, and nothing is decoded when it is too large: a PNG of 17 kB can
    stand for hundreds of megabytes of pixels. The readers of the three formats are called by name, so no other one
    and no mere warning of Pillow's stands between a large picture and us.

    Returns: an RGB picture; what was transparent lies on white.

    Raises:
        UndecodableError: another format, too many pixels or bytes (TooManyPixelsError), or damaged.
    """
    if not data:
        raise UndecodableError("no bytes")
    if len(data) > MAX_BYTES:
        raise TooManyPixelsError(f"{len(data)} bytes; at most {MAX_BYTES} bytes are decoded")
    try:
        image = _open(data)
        width, height = image.size
        if width * height > max_pixels:
            raise TooManyPixelsError(f"{width}x{height} pixels; at most {max_pixels} pixels are decoded")
        image.load()
        return _on_white(image)
    except UndecodableError:
        raise
    except READING_ERRORS as error:
        raise UndecodableError(f"damaged or cut off ({str(error)[:100] or type(error).__name__})") from error


def flaw_of(image: Image.Image, expected_size: tuple[int, int] | None = None) -> str | None:
    """Say why a picture cannot be what was asked for; None if nothing is wrong with it.

    Args:
        expected_size: width and height in pixels; None if any will do.
    """
    if expected_size is not None and image.size != expected_size:
        return "asked for {}x{}, got {}x{}".format(*expected_size, *image.size)
    extrema = [image.getchannel(band).getextrema() for band in image.getbands()]
    if image.mode == "RGB" and all(high == 0 for _, high in extrema):
        return "all black"
    if all(low == high for low, high in extrema):
        return "every pixel has the same colour"
    return None


def _open(data: bytes) -> Image.Image:
    """Read the header. Not with Image.open: that would warn of a large picture before we can refuse it."""
    from PIL.JpegImagePlugin import JpegImageFile
    from PIL.PngImagePlugin import PngImageFile
    from PIL.WebPImagePlugin import WebPImageFile

    if data.startswith(MAGIC["PNG"]):
        return PngImageFile(io.BytesIO(data))
    if data.startswith(MAGIC["JPEG"]):
        return JpegImageFile(io.BytesIO(data))
    if data.startswith(MAGIC["WEBP"]) and data[8:12] == b"WEBP":
        return WebPImageFile(io.BytesIO(data))
    raise UndecodableError("not a PNG, JPEG or WEBP file")


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):  # Pillow would cut every brightness above 255 off
        image = image.convert("I").point(lambda value: value * (1 / 257)).convert("L")
    if not image.has_transparency_data:
        return image.convert("RGB")
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image.convert("RGBA")).convert("RGB")
