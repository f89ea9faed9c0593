"""Draw an appearance: vector shapes at four times the size, reduced to 64x64.

Coordinates are in the unit square: x to the right, y down, both from -1 to 1.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

from PIL import Image, ImageDraw

from copycat.sandbox.anatomy import Anatomy, Shape, anatomy_of
from copycat.sandbox.backdrop import draw_backdrop
from copycat.sandbox.palette import INK, RGB, SKIN, tint
from copycat.sandbox.world import Appearance

SIZE_PX = 64
SUPERSAMPLING = 4
OUTLINE = 0.035


def render(looks: Appearance, rng: random.Random) -> Image.Image:
    """Draw one picture, with the pose and the backdrop jittered by `rng`.

    Returns: an RGB image of 64x64 pixels.
    """
    side = SIZE_PX * SUPERSAMPLING
    picture = draw_backdrop(looks.theme, side, rng)
    figure = _draw_figure(looks, side)
    figure = figure.rotate(rng.uniform(-7, 7), resample=Image.Resampling.BILINEAR)
    scale = rng.uniform(0.9, 1.0)
    edge = round(side * scale)
    figure = figure.resize((edge, edge), Image.Resampling.BILINEAR)
    x = round((side - edge) / 2 + rng.uniform(-0.04, 0.04) * side)
    y = round((side - edge) / 2 + rng.uniform(-0.01, 0.05) * side)
    picture.paste(figure, (x, y), figure)
    return picture.resize((SIZE_PX, SIZE_PX), Image.Resampling.BOX)


def _draw_figure(looks: Appearance, side: int) -> Image.Image:
    pen = Pen(side)
    body, accent = SKIN[looks.body], SKIN[looks.accent]
    anatomy = anatomy_of(looks.species)
    pen.outlined(anatomy.shapes, body)
    _draw_pattern(pen, looks.pattern, anatomy, accent)
    pen.filled(anatomy.light_shapes, tint(body, 0.45))
    pen.outlined(anatomy.trim_shapes, (250, 180, 60))
    pen.lines(anatomy.ink_lines)
    _draw_eyes(pen, looks.eyes, anatomy, body)
    _draw_accessory(pen, looks.accessory, anatomy, accent)
    return pen.image


class Pen:
    """Draws shapes given in unit coordinates on a transparent square."""

    def __init__(self, side: int) -> None:
        self.side = side
        self.image = Image.new("RGBA", (side, side), (0, 0, 0, 0))
        self.draw = ImageDraw.Draw(self.image)

    def outlined(self, shapes: Sequence[Shape], colour: RGB) -> None:
        """Fill shapes, with one dark outline around their union."""
        for shape in shapes:
            self._paint(self.draw, shape, INK, grow=OUTLINE)
        self.filled(shapes, colour)

    def filled(self, shapes: Sequence[Shape], colour: RGB) -> None:
        """Fill shapes without an outline."""
        for shape in shapes:
            self._paint(self.draw, shape, colour, grow=0.0)

    def lines(self, lines: Sequence[Sequence[tuple[float, float]]], width: float = 0.06) -> None:
        """Draw dark lines."""
        for points in lines:
            self.draw.line(self._px(points), fill=INK, width=self._len(width), joint="curve")

    def clipped(self, inside: Sequence[Shape], shapes: Sequence[Shape], colour: RGB) -> None:
        """Fill `shapes` only where `inside` covers."""
        mask = Image.new("L", self.image.size, 0)
        drawing = ImageDraw.Draw(mask)
        for shape in inside:
            self._paint(drawing, shape, 255, grow=0.0)
        stencil = Image.new("L", self.image.size, 0)
        drawing = ImageDraw.Draw(stencil)
        for shape in shapes:
            self._paint(drawing, shape, 255, grow=0.0)
        both = Image.composite(stencil, Image.new("L", self.image.size, 0), mask)
        self.image.paste((*colour, 255), (0, 0), both)

    def _paint(self, draw: ImageDraw.ImageDraw, shape: Shape, fill: RGB | int, grow: float) -> None:
        points = self._px(shape.points)
        if shape.kind == "ellipse":
            (cx, cy), (rx, ry) = shape.points
            box = self._px([(cx - rx - grow, cy - ry - grow), (cx + rx + grow, cy + ry + grow)])
            draw.ellipse(box, fill=fill)
        elif shape.kind == "polygon":
            draw.polygon(points, fill=fill)
            if grow:
                draw.line([*points, points[0], points[1]], fill=fill, width=self._len(2 * grow), joint="curve")
        else:
            width = self._len(shape.width + 2 * grow)
            draw.line(points, fill=fill, width=width, joint="curve")
            for x, y in (points[0], points[-1]):
                draw.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=fill)

    def _px(self, points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
        half = self.side / 2
        return [((x * 0.92 + 1) * half, (y * 0.92 + 1) * half) for x, y in points]

    def _len(self, length: float) -> int:
        return max(1, round(length * 0.92 * self.side / 2))


def _draw_pattern(pen: Pen, pattern: str, anatomy: Anatomy, accent: RGB) -> None:
    if pattern == "striped":
        marks = [Shape.stroke([(-1.2, y + 0.12), (1.2, y - 0.12)], 0.17) for y in (-0.84, -0.44, -0.04, 0.36, 0.76)]
    elif pattern == "spotted":
        marks = [
            Shape.ellipse(0.44 * col + (0.22 if row % 2 else 0.0), 0.31 * row, 0.12, 0.12)
            for row in range(-3, 4)
            for col in range(-3, 4)
        ]
    elif pattern == "patched":
        marks = [Shape.polygon([(0.0, -1.2), (1.2, -1.2), (1.2, 1.2), (0.0, 1.2)])]
    else:
        return
    pen.clipped(anatomy.shapes, marks, accent)


def _draw_eyes(pen: Pen, eyes: str, anatomy: Anatomy, body: RGB) -> None:
    cx, cy = anatomy.face
    if eyes == "single":
        r = anatomy.eye_radius * 1.55
        pen.outlined([Shape.ellipse(cx, cy, r, r)], (255, 255, 255))
        pen.filled([Shape.ellipse(cx, cy, r * 0.5, r * 0.5)], INK)
        return
    r = anatomy.eye_radius
    for side in (-1, 1):
        x, y = cx + side * anatomy.eye_gap, cy
        pen.outlined([Shape.ellipse(x, y, r, r)], (255, 255, 255))
        if eyes == "round":
            pen.filled([Shape.ellipse(x + 0.02, y + 0.01, r * 0.55, r * 0.55)], INK)
        else:
            pen.filled([Shape.ellipse(x, y, r, r)], tint(body, -0.45))
            pen.lines([[(x - r, y + r * 0.2), (x + r, y + r * 0.2)]], 0.07)


def _draw_accessory(pen: Pen, accessory: str, anatomy: Anatomy, colour: RGB) -> None:
    x, y = anatomy.crown
    s = anatomy.crown_scale

    def at(points: Sequence[tuple[float, float]]) -> Shape:
        return Shape.polygon([(x + px * s, y + py * s) for px, py in points])

    if accessory == "crown":
        zigzag = [(-0.3, 0.08), (-0.34, -0.3), (-0.15, -0.12), (0, -0.36), (0.15, -0.12), (0.34, -0.3), (0.3, 0.08)]
        pen.outlined([at(zigzag)], colour)
    elif accessory == "top hat":
        brim = at([(-0.4, -0.02), (0.4, -0.02), (0.4, 0.1), (-0.4, 0.1)])
        pen.outlined([brim, at([(-0.24, 0.0), (-0.24, -0.42), (0.24, -0.42), (0.24, 0.0)])], colour)
        pen.filled([at([(-0.24, -0.04), (-0.24, -0.14), (0.24, -0.14), (0.24, -0.04)])], INK)
    elif accessory == "wizard hat":
        pen.outlined([at([(-0.34, 0.08), (0.06, -0.56), (0.34, 0.08)])], colour)
        pen.outlined([Shape.ellipse(x, y + 0.08 * s, 0.44 * s, 0.08 * s)], colour)
    elif accessory == "horns":
        for side in (-1, 1):
            horn = [(side * a, b) for a, b in ((0.12, 0.08), (0.36, 0.08), (0.5, -0.2), (0.44, -0.44), (0.32, -0.14))]
            pen.outlined([at(horn)], colour)
    elif accessory == "bow":
        for side in (-1, 1):
            pen.outlined([at([(0, 0), (side * 0.36, -0.22), (side * 0.36, 0.2)])], colour)
        pen.outlined([Shape.ellipse(x, y, 0.09 * s, 0.09 * s)], colour)
    else:
        petals = [(0.17 * math.cos(a), 0.17 * math.sin(a) - 0.08) for a in (i * 2 * math.pi / 5 for i in range(5))]
        pen.outlined([Shape.ellipse(x + px * s, y + py * s, 0.13 * s, 0.13 * s) for px, py in petals], colour)
        pen.filled([Shape.ellipse(x, y - 0.08 * s, 0.09 * s, 0.09 * s)], (255, 220, 60) if colour[2] > 120 else INK)
