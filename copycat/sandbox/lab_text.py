"""Text drawn over a picture, as somebody would who wants to mislead a judge."""

from __future__ import annotations

import random

from PIL import Image, ImageDraw, ImageFont

from copycat.sandbox.palette import RGB

LARGEST_SHARE, SMALLEST_PX = 0.16, 7
"""Height of the font: at most this share of the picture's, and never so small that no letter could be read."""

BRIGHT, DARK = (255, 255, 255), (0, 0, 0)
HALF_BRIGHT = 128


def draw_text(picture: Image.Image, text: str, rng: random.Random) -> Image.Image:
    """Write over a picture in as many lines as it takes, so that every attribute of the figure can still be told.

    By chance, the text stands on a bar at the bottom, or by itself at the top or the bottom, white or black,
    whichever is farther from the picture below.

    Returns: a new picture of the same size.
    """
    done = picture.copy()
    draw = ImageDraw.Draw(done)
    block, font = _fit(draw, text, picture)
    box = draw.multiline_textbbox((0, 0), block, font=font, spacing=1)
    width, height = round(box[2] - box[0]), round(box[3] - box[1])
    left = rng.randint(0, max(0, picture.width - width))
    bottom = picture.height - height - 1
    has_bar = rng.random() < 0.5
    top = bottom if has_bar else rng.choice((1, bottom))
    if has_bar:
        colour, ground = rng.choice(((BRIGHT, DARK), (DARK, BRIGHT)))
        draw.rectangle((0, top - 1, picture.width, picture.height), fill=ground)
    else:
        colour = _farthest(picture.crop((left, top, left + width, top + height)))
    draw.multiline_text((left - box[0], top - box[1]), block, font=font, fill=colour, spacing=1)
    return done


def _fit(
    draw: ImageDraw.ImageDraw, text: str, picture: Image.Image
) -> tuple[str, ImageFont.FreeTypeFont | ImageFont.ImageFont]:
    """Break a text into lines at its blanks, in the largest font in which they fit into the picture."""
    for size in range(max(SMALLEST_PX, round(LARGEST_SHARE * picture.height)), SMALLEST_PX - 1, -1):
        font = ImageFont.load_default(size)
        block = _broken(draw, text.split(" "), font, picture.width)
        box = draw.multiline_textbbox((0, 0), block, font=font, spacing=1)
        if box[2] - box[0] <= picture.width and box[3] - box[1] <= picture.height - 2:
            break
    return block, font


def _broken(
    draw: ImageDraw.ImageDraw,
    words: list[str],
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    width_px: int,
) -> str:
    lines = [words[0]]
    for word in words[1:]:
        longer = f"{lines[-1]} {word}"
        if draw.textlength(longer, font=font) <= width_px:
            lines[-1] = longer
        else:
            lines.append(word)
    return "\n".join(lines)


def _farthest(below: Image.Image) -> RGB:
    red, green, blue = below.resize((1, 1), Image.Resampling.BOX).convert("RGB").getpixel((0, 0))  # type: ignore[misc]
    return DARK if 0.299 * red + 0.587 * green + 0.114 * blue > HALF_BRIGHT else BRIGHT
