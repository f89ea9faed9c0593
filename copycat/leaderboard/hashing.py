"""What tells two pictures apart that differ by a few pixels: a perceptual hash of 256 bits."""

from __future__ import annotations

from PIL.Image import Image

HASH_SIDE = 16


def perceptual_hash(picture: Image) -> str:
    """Give 64 hex digits that hardly change when a picture is resized or compressed (signs of low frequencies)."""
    import imagehash
    import numpy as np

    signs = imagehash.phash(picture.convert("RGB"), hash_size=HASH_SIDE).hash
    return np.packbits(signs).tobytes().hex()


def distance(one: str, other: str) -> int:
    """Count the bits, of 256, in which two hashes differ."""
    return (int(one, 16) ^ int(other, 16)).bit_count()
