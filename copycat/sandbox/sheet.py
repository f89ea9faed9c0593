"""All characters on one sheet."""

from __future__ import annotations

import random

from PIL import Image

from copycat.sandbox.renderer import SIZE_PX, render
from copycat.sandbox.world import inhabitants

COLUMNS, MARGIN_PX = 10, 2


def draw_sheet(seed: int, scale: int = 2) -> Image.Image:
    """Draw every character once, ten in a row, in the order of the registry."""
    cell = SIZE_PX * scale + MARGIN_PX
    people = inhabitants()
    sheet = Image.new("RGB", (COLUMNS * cell, -(-len(people) // COLUMNS) * cell), "white")
    for i, who in enumerate(people):
        picture = render(who.appearance, random.Random(f"{seed}-{who.id}"))
        enlarged = picture.resize((SIZE_PX * scale, SIZE_PX * scale), Image.Resampling.NEAREST)
        sheet.paste(enlarged, (i % COLUMNS * cell, i // COLUMNS * cell))
    return sheet
