"""The backdrop of each theme, with positions jittered by the picture's own random numbers."""

from __future__ import annotations

import random
from collections.abc import Callable

from PIL import Image, ImageDraw

from copycat.sandbox.palette import RGB, tint

PLAIN: tuple[RGB, ...] = ((226, 226, 222), (206, 218, 228), (232, 220, 204), (214, 226, 210), (224, 210, 224))


def draw_backdrop(theme: str | None, side: int, rng: random.Random) -> Image.Image:
    """Paint a backdrop of `side` x `side` pixels; None gives a plain pale one."""
    if theme is None:
        return _canvas(side, tint(rng.choice(PLAIN), rng.uniform(-0.06, 0.06)), None)[0]
    return _PAINTERS[theme](side, rng)


def _canvas(side: int, sky: RGB, ground: RGB | None) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("RGB", (side, side), sky)
    draw = ImageDraw.Draw(image)
    floor = ground or tint(sky, -0.12)
    draw.rectangle((0, side * 0.8, side, side), fill=floor)
    return image, draw


def _disc(draw: ImageDraw.ImageDraw, x: float, y: float, r: float, fill: RGB) -> None:
    draw.ellipse((x - r, y - r, x + r, y + r), fill=fill)


def _space(side: int, rng: random.Random) -> Image.Image:
    image, draw = _canvas(side, (18, 16, 52), (44, 40, 86))
    for _ in range(11):
        _disc(draw, rng.random() * side, rng.random() * side * 0.8, rng.uniform(3, 5), (250, 250, 220))
    x, y, r = rng.choice((0.14, 0.86)) * side, rng.uniform(0.12, 0.26) * side, side * 0.1
    _disc(draw, x, y, r, (222, 160, 90))
    draw.ellipse((x - r * 1.7, y - r * 0.35, x + r * 1.7, y + r * 0.35), outline=(240, 220, 170), width=4)
    return image


def _ocean(side: int, rng: random.Random) -> Image.Image:
    image, draw = _canvas(side, (34, 132, 178), (214, 196, 140))
    for row in range(2):
        shift = rng.random() * side * 0.25
        for i in range(-1, 5):
            x, y = i * side * 0.25 + shift, side * (0.08 + 0.22 * row)
            draw.arc((x, y, x + side * 0.25, y + side * 0.12), 0, 180, fill=(120, 200, 226), width=7)
    for _ in range(5):
        x, y, r = rng.random() * side, rng.random() * side * 0.8, rng.uniform(8, 12)
        draw.ellipse((x - r, y - r, x + r, y + r), outline=(220, 244, 250), width=5)
    return image


def _forest(side: int, rng: random.Random) -> Image.Image:
    image, draw = _canvas(side, (150, 200, 160), (74, 108, 48))
    for i in range(5):
        x, top = (i + rng.uniform(-0.15, 0.15)) * side / 4, rng.uniform(0.04, 0.16) * side
        draw.rectangle((x - 6, side * 0.6, x + 6, side * 0.82), fill=(98, 66, 38))
        for level in range(3):
            y, w = top + level * side * 0.17, side * (0.07 + 0.035 * level)
            draw.polygon([(x, y), (x - w, y + side * 0.24), (x + w, y + side * 0.24)], fill=(30, 96, 56))
    return image


def _desert(side: int, rng: random.Random) -> Image.Image:
    image, draw = _canvas(side, (250, 206, 130), (222, 164, 84))
    _disc(draw, rng.uniform(0.12, 0.88) * side, side * 0.14, side * 0.09, (255, 244, 190))
    for x in (rng.uniform(0.02, 0.14) * side, rng.uniform(0.86, 0.98) * side):
        green = (70, 128, 66)
        draw.rounded_rectangle((x - 10, side * 0.4, x + 10, side * 0.84), 10, fill=green)
        draw.rounded_rectangle((x - 28, side * 0.48, x - 14, side * 0.62), 6, fill=green)
        draw.rectangle((x - 24, side * 0.58, x, side * 0.62), fill=green)
        draw.rounded_rectangle((x + 14, side * 0.44, x + 28, side * 0.58), 6, fill=green)
        draw.rectangle((x, side * 0.54, x + 24, side * 0.58), fill=green)
    return image


def _winter(side: int, rng: random.Random) -> Image.Image:
    image, draw = _canvas(side, (172, 204, 232), (240, 246, 252))
    for x in (0.1, 0.5, 0.9):
        draw.polygon(
            [((x - 0.3) * side, side * 0.8), (x * side, rng.uniform(0.3, 0.45) * side), ((x + 0.3) * side, side * 0.8)],
            fill=(206, 226, 242),
        )
    for _ in range(12):
        _disc(draw, rng.random() * side, rng.random() * side * 0.85, rng.uniform(4, 7), (255, 255, 255))
    return image


def _city(side: int, rng: random.Random) -> Image.Image:
    image, draw = _canvas(side, (126, 132, 150), (70, 72, 80))
    for i in range(5):
        x, top = i * side / 5, rng.uniform(0.05, 0.4) * side
        draw.rectangle((x + 3, top, x + side / 5 - 3, side * 0.82), fill=(62, 68, 88))
        for wy in range(int((side * 0.76 - top) // 36)):
            if rng.random() < 0.8:
                px, py = x + 14, top + 14 + wy * 36
                draw.rectangle((px, py, px + 22, py + 16), fill=(250, 226, 120))
    return image


def _volcano(side: int, rng: random.Random) -> Image.Image:
    image, draw = _canvas(side, (84, 30, 36), (44, 26, 30))
    x = rng.uniform(0.3, 0.7) * side
    draw.polygon(
        [(x - side * 0.6, side * 0.82), (x - 24, side * 0.16), (x + 24, side * 0.16), (x + side * 0.6, side * 0.82)],
        fill=(58, 40, 44),
    )
    draw.polygon(
        [(x - 24, side * 0.16), (x + 24, side * 0.16), (x + 12, side * 0.5), (x, side * 0.3), (x - 14, side * 0.6)],
        fill=(255, 110, 30),
    )
    for _ in range(7):
        _disc(draw, x + rng.gauss(0, 0.28) * side, rng.uniform(0.02, 0.4) * side, rng.uniform(4, 7), (255, 170, 60))
    for i in range(3):
        lx = (i + rng.random()) * side / 3
        draw.ellipse((lx - 26, side * 0.88, lx + 26, side * 0.94), fill=(255, 110, 30))
    return image


def _castle(side: int, rng: random.Random) -> Image.Image:
    image, draw = _canvas(side, (190, 178, 214), (120, 150, 96))
    stone = tint((142, 136, 146), rng.uniform(-0.08, 0.08))
    for x in (0.0, 0.78):
        left, top = x * side, rng.uniform(0.22, 0.3) * side
        draw.rectangle((left, top, left + side * 0.22, side * 0.82), fill=stone)
        draw.polygon(
            [(left - 6, top), (left + side * 0.11, top - side * 0.2), (left + side * 0.22 + 6, top)], fill=(92, 66, 130)
        )
        draw.rectangle((left + side * 0.08, top + 24, left + side * 0.14, top + 50), fill=(60, 52, 70))
    draw.rectangle((side * 0.2, side * 0.52, side * 0.8, side * 0.82), fill=tint(stone, -0.1))
    for i in range(6):
        draw.rectangle(
            (side * (0.2 + 0.1 * i), side * 0.46, side * (0.25 + 0.1 * i), side * 0.53), fill=tint(stone, -0.1)
        )
    return image


def _candy(side: int, rng: random.Random) -> Image.Image:
    image, draw = _canvas(side, (252, 214, 230), (250, 244, 214))
    for x in (rng.uniform(0.06, 0.16), rng.uniform(0.84, 0.94)):
        y, r = rng.uniform(0.2, 0.4) * side, side * 0.11
        draw.rectangle((x * side - 4, y, x * side + 4, side * 0.84), fill=(255, 255, 255))
        for ring, colour in enumerate(((236, 80, 120), (255, 240, 240), (236, 80, 120), (255, 240, 240))):
            _disc(draw, x * side, y, r * (1 - ring * 0.25), colour)
    for _ in range(8):
        px, py = rng.random() * side, rng.uniform(0.82, 0.94) * side
        colour = rng.choice(((120, 200, 240), (236, 80, 120), (150, 210, 110)))
        draw.rectangle((px, py, px + 16, py + 9), fill=colour)
    return image


def _circus(side: int, rng: random.Random) -> Image.Image:
    image, draw = _canvas(side, (250, 240, 216), (196, 150, 96))
    apex, turn = side * rng.uniform(0.4, 0.6), rng.choice((0, 1))
    for i in range(8):
        if (i + turn) % 2:
            a, b = (i - 2.5) / 3 * side, (i - 1.5) / 3 * side
            draw.polygon([(apex, -side * 0.15), (a, side * 0.8), (b, side * 0.8)], fill=(212, 62, 66))
    for i in range(6):
        x = i * side / 5
        draw.polygon([(x - 24, 0), (x + 24, 0), (x, 34)], fill=(60, 120, 200))
    return image


_PAINTERS: dict[str, Callable[[int, random.Random], Image.Image]] = {
    "space": _space,
    "ocean": _ocean,
    "forest": _forest,
    "desert": _desert,
    "winter": _winter,
    "city": _city,
    "volcano": _volcano,
    "castle": _castle,
    "candy": _candy,
    "circus": _circus,
}
