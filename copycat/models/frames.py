"""Which frames of a clip are looked at, and the sheet that holds them. Pure but for Pillow."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PIL import Image

KEPT_FRAMES = 8
MAX_COLUMNS = 4


def spread_frames(frames: int, kept: int = KEPT_FRAMES) -> tuple[int, ...]:
    """Give positions spread evenly over a clip, the first and the last frame among them.

    The i-th of k positions is i (frames - 1) / (k - 1), rounded half up: for 16 frames and k = 8
    it is (0, 2, 4, 6, 9, 11, 13, 15).
    """
    if frames <= kept:
        return tuple(range(frames))
    return tuple(math.floor(i * (frames - 1) / (kept - 1) + 0.5) for i in range(kept))


def columns_of(count: int) -> int:
    """Say how many frames stand in one row of a sheet."""
    return min(count, MAX_COLUMNS)


def build_sheet(frames: Sequence[Image.Image]) -> Image.Image:
    """Lay frames of one size out row by row, without a gap or a change of a pixel."""
    width, height = frames[0].size
    columns = columns_of(len(frames))
    sheet = Image.new("RGB", (columns * width, math.ceil(len(frames) / columns) * height))
    for place, frame in enumerate(frames):
        sheet.paste(frame.convert("RGB"), (place % columns * width, place // columns * height))
    return sheet


def cut_sheet(sheet: Image.Image, count: int) -> list[Image.Image]:
    """Cut a sheet of `count` frames into the frames that `build_sheet` was given."""
    columns = columns_of(count)
    width, height = sheet.width // columns, sheet.height // math.ceil(count / columns)
    corners = [(place % columns * width, place // columns * height) for place in range(count)]
    return [sheet.crop((x, y, x + width, y + height)) for x, y in corners]
