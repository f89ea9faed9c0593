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


def _nudge(side: int, rng: random.Random) -> float:
    """Draw a small shift, at most 2 pixels of the finished picture, so that no two backdrops are the same."""
    return rng.uniform(-0.03, 0.03) * side


def _disc(draw: ImageDraw.ImageDraw, x: float, y: float, r: float, fill: RGB) -> None:
    draw.ellipse((x - r, y - r, x + r, y + r), fill=fill)


def _space(side: int, rng: random.Random) -> Image.Image:
    image, draw = _canvas(side, (18, 16, 52), (44, 40, 86))
    for x, y in ((0.1, 0.5), (0.3, 0.12), (0.62, 0.08), (0.92, 0.6)):
        _disc(draw, x * side + _nudge(side, rng), y * side + _nudge(side, rng), 6, (250, 250, 220))
    x, y, r = rng.choice((0.15, 0.85)) * side, 0.2 * side + _nudge(side, rng), side * 0.12
    _disc(draw, x, y, r, (222, 160, 90))
    return image


def _ocean(side: int, rng: random.Random) -> Image.Image:
    image, draw = _canvas(side, (34, 132, 178), (214, 196, 140))
    draw.rectangle((0, 0, side, side * 0.1 + _nudge(side, rng)), fill=(130, 206, 230))
    for x, y in ((0.1, 0.62), (0.14, 0.3), (0.86, 0.36), (0.92, 0.66)):
        _disc(draw, x * side + _nudge(side, rng), y * side + _nudge(side, rng), side * 0.045, (200, 236, 246))
    return image


def _forest(side: int, rng: random.Random) -> Image.Image:
    image, draw = _canvas(side, (150, 200, 160), (74, 108, 48))
    for i in range(4):
        x, top, w = i * side / 3 + _nudge(side, rng), 0.06 * side + _nudge(side, rng), side * 0.14
        draw.rectangle((x - 9, side * 0.6, x + 9, side * 0.82), fill=(98, 66, 38))
        draw.polygon([(x, top), (x - w, side * 0.66), (x + w, side * 0.66)], fill=(30, 96, 56))
    return image


def _desert(side: int, rng: random.Random) -> Image.Image:
    image, draw = _canvas(side, (250, 206, 130), (222, 164, 84))
    _disc(draw, rng.choice((0.16, 0.84)) * side, side * 0.14 + _nudge(side, rng), side * 0.11, (255, 246, 200))
    for x in (side * 0.08 + _nudge(side, rng), side * 0.92 + _nudge(side, rng)):
        green = (70, 128, 66)
        draw.rounded_rectangle((x - 12, side * 0.38, x + 12, side * 0.84), 10, fill=green)
        draw.rectangle((x - 30, side * 0.54, x + 30, side * 0.62), fill=green)
    return image


def _winter(side: int, rng: random.Random) -> Image.Image:
    image, draw = _canvas(side, (150, 190, 228), (240, 246, 252))
    for x in (0.1, 0.9):
        foot, peak = side * 0.8, side * 0.34 + _nudge(side, rng)
        draw.polygon([((x - 0.34) * side, foot), (x * side, peak), ((x + 0.34) * side, foot)], fill=(208, 228, 244))
    for x, y in ((0.08, 0.2), (0.3, 0.08), (0.7, 0.08), (0.92, 0.2)):
        _disc(draw, x * side + _nudge(side, rng), y * side + _nudge(side, rng), 8, (255, 255, 255))
    return image


def _city(side: int, rng: random.Random) -> Image.Image:
    image, draw = _canvas(side, (126, 132, 150), (70, 72, 80))
    for x, top in ((0.0, 0.14), (0.26, 0.32), (0.52, 0.22), (0.78, 0.1)):
        left, roof = x * side, top * side + _nudge(side, rng)
        draw.rectangle((left, roof, left + side * 0.2, side * 0.82), fill=(62, 68, 88))
        for row in range(3):
            y = roof + side * (0.06 + 0.17 * row)
            draw.rectangle((left + side * 0.06, y, left + side * 0.14, y + side * 0.09), fill=(250, 226, 120))
    return image


def _volcano(side: int, rng: random.Random) -> Image.Image:
    image, draw = _canvas(side, (96, 34, 38), (44, 26, 30))
    x, foot, rim = side * 0.5 + _nudge(side, rng), side * 0.82, side * 0.2
    draw.polygon([(x - side * 0.6, foot), (x - 50, rim), (x + 50, rim), (x + side * 0.6, foot)], fill=(52, 38, 44))
    draw.polygon([(x - 50, rim), (x + 50, rim), (x + 30, side * 0.4), (x - 30, side * 0.4)], fill=(255, 110, 30))
    for sx, sy in ((0.1, 0.16), (0.24, 0.06), (0.76, 0.06), (0.9, 0.16)):
        _disc(draw, sx * side + _nudge(side, rng), sy * side + _nudge(side, rng), 8, (255, 170, 60))
    draw.rectangle((0, side * 0.9, side, side * 0.95), fill=(255, 110, 30))
    return image


def _castle(side: int, rng: random.Random) -> Image.Image:
    image, draw = _canvas(side, (190, 178, 214), (120, 150, 96))
    stone = (142, 136, 146)
    draw.rectangle((0, side * 0.52, side, side * 0.82), fill=tint(stone, -0.12))
    for x in (0.0, 0.76):
        left, top, w = x * side, side * 0.27 + _nudge(side, rng), side * 0.24
        draw.rectangle((left, top, left + w, side * 0.82), fill=stone)
        draw.polygon([(left - 6, top), (left + w / 2, top - side * 0.22), (left + w + 6, top)], fill=(92, 66, 130))
        draw.rectangle((left + w * 0.35, top + 24, left + w * 0.65, top + 60), fill=(60, 52, 70))
    return image


def _candy(side: int, rng: random.Random) -> Image.Image:
    image, draw = _canvas(side, (252, 214, 230), (250, 244, 214))
    for x in (0.12, 0.88):
        px, y, r = x * side + _nudge(side, rng), 0.3 * side + _nudge(side, rng), side * 0.12
        draw.rectangle((px - 6, y, px + 6, side * 0.84), fill=(255, 255, 255))
        _disc(draw, px, y, r, (236, 80, 120))
        _disc(draw, px, y, r * 0.5, (255, 240, 240))
    for x, colour in ((0.1, (120, 200, 240)), (0.5, (150, 210, 110)), (0.9, (236, 80, 120))):
        left = x * side + _nudge(side, rng)
        draw.rectangle((left - 16, side * 0.9, left + 16, side * 0.95), fill=colour)
    return image


def _circus(side: int, rng: random.Random) -> Image.Image:
    image, draw = _canvas(side, (250, 240, 216), (196, 150, 96))
    apex = side * 0.5 + _nudge(side, rng)
    for i in (0, 2, 4):
        left, right = (i - 2) * side / 3, (i - 1) * side / 3
        draw.polygon([(apex, -side * 0.2), (left, side * 0.8), (right, side * 0.8)], fill=(212, 62, 66))
    draw.rectangle((0, 0, side, side * 0.08), fill=(60, 120, 200))
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
