"""The body of each species, as shapes in unit coordinates, and where its face and hat go."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Shape:
    """An ellipse (centre, radii), a polygon (corners) or a stroke (line with a width)."""

    kind: Literal["ellipse", "polygon", "stroke"]
    points: tuple[Point, ...]
    width: float = 0.0

    @classmethod
    def ellipse(cls, cx: float, cy: float, rx: float, ry: float) -> Shape:
        """Make an ellipse."""
        return cls("ellipse", ((cx, cy), (rx, ry)))

    @classmethod
    def polygon(cls, points: list[Point]) -> Shape:
        """Make a polygon."""
        return cls("polygon", tuple(points))

    @classmethod
    def stroke(cls, points: list[Point], width: float) -> Shape:
        """Make a line with round ends."""
        return cls("stroke", tuple(points), width)

    def mirrored(self) -> Shape:
        """Flip left and right."""
        if self.kind == "ellipse":
            (cx, cy), radii = self.points
            return Shape("ellipse", ((-cx, cy), radii))
        return Shape(self.kind, tuple((-x, y) for x, y in self.points), self.width)


@dataclass(frozen=True, slots=True, kw_only=True)
class Anatomy:
    """A species: body shapes, lighter parts, trimmings, lines, and where eyes and hat sit."""

    shapes: tuple[Shape, ...]
    face: Point
    crown: Point
    light_shapes: tuple[Shape, ...] = ()
    trim_shapes: tuple[Shape, ...] = ()
    ink_lines: tuple[tuple[Point, ...], ...] = ()
    eye_gap: float = 0.21
    eye_radius: float = 0.14
    crown_scale: float = 1.0


@cache
def anatomy_of(species: str) -> Anatomy:
    """Give the drawing of a species."""
    return {
        "cat": _cat,
        "dog": _dog,
        "rabbit": _rabbit,
        "bear": _bear,
        "owl": _owl,
        "fish": _fish,
        "frog": _frog,
        "robot": _robot,
        "octopus": _octopus,
        "snail": _snail,
    }[species]()


def _both(*shapes: Shape) -> tuple[Shape, ...]:
    return tuple(s for shape in shapes for s in (shape, shape.mirrored()))


def _cat() -> Anatomy:
    ear = Shape.polygon([(-0.5, -0.18), (-0.52, -0.72), (-0.1, -0.44)])
    tail = Shape.stroke([(0.25, 0.74), (0.58, 0.68), (0.7, 0.42), (0.64, 0.2)], 0.13)
    return Anatomy(
        shapes=(tail, *_both(ear), Shape.ellipse(0, 0.55, 0.36, 0.34), Shape.ellipse(0, -0.08, 0.52, 0.42)),
        ink_lines=(((-0.1, 0.14), (0, 0.22), (0.1, 0.14)),),
        face=(0, -0.08),
        crown=(0, -0.5),
    )


def _dog() -> Anatomy:
    ear = Shape.ellipse(-0.56, 0.04, 0.16, 0.36)
    tail = Shape.stroke([(0.3, 0.7), (0.62, 0.5)], 0.12)
    return Anatomy(
        shapes=(
            tail,
            *_both(Shape.ellipse(-0.2, 0.84, 0.16, 0.1)),
            Shape.ellipse(0, 0.55, 0.36, 0.34),
            Shape.ellipse(0, -0.1, 0.5, 0.42),
            *_both(ear),
        ),
        light_shapes=(Shape.ellipse(0, 0.16, 0.24, 0.17),),
        ink_lines=(((-0.07, 0.08), (0.07, 0.08), (0, 0.15), (-0.07, 0.08)), ((0, 0.15), (0, 0.26))),
        face=(0, -0.14),
        crown=(0, -0.5),
    )


def _rabbit() -> Anatomy:
    return Anatomy(
        shapes=(
            *_both(Shape.ellipse(-0.36, -0.6, 0.13, 0.36)),
            Shape.ellipse(0, 0.6, 0.34, 0.3),
            *_both(Shape.ellipse(-0.22, 0.84, 0.18, 0.1)),
            Shape.ellipse(0, 0.06, 0.46, 0.38),
        ),
        light_shapes=(*_both(Shape.ellipse(-0.36, -0.6, 0.05, 0.24)), Shape.ellipse(0, 0.62, 0.18, 0.18)),
        ink_lines=(((-0.06, 0.24), (0, 0.3), (0.06, 0.24)), ((0, 0.3), (0, 0.38))),
        face=(0, 0.06),
        crown=(0, -0.32),
        crown_scale=0.9,
    )


def _bear() -> Anatomy:
    return Anatomy(
        shapes=(
            *_both(Shape.ellipse(-0.42, -0.42, 0.17, 0.17)),
            Shape.ellipse(0, 0.56, 0.5, 0.38),
            *_both(Shape.ellipse(-0.5, 0.5, 0.14, 0.24)),
            Shape.ellipse(0, -0.1, 0.52, 0.43),
        ),
        light_shapes=(Shape.ellipse(0, 0.62, 0.27, 0.24), Shape.ellipse(0, 0.13, 0.2, 0.14)),
        ink_lines=(((-0.08, 0.07), (0.08, 0.07), (0, 0.14), (-0.08, 0.07)),),
        face=(0, -0.13),
        crown=(0, -0.52),
    )


def _owl() -> Anatomy:
    tuft = Shape.polygon([(-0.48, -0.1), (-0.52, -0.62), (-0.16, -0.42)])
    return Anatomy(
        shapes=(*_both(tuft), *_both(Shape.ellipse(-0.54, 0.26, 0.15, 0.42)), Shape.ellipse(0, 0.14, 0.52, 0.64)),
        light_shapes=(Shape.ellipse(0, 0.48, 0.28, 0.26),),
        trim_shapes=(
            Shape.polygon([(-0.1, 0.08), (0.1, 0.08), (0, 0.26)]),
            *_both(Shape.ellipse(-0.2, 0.82, 0.13, 0.06)),
        ),
        face=(0, -0.1),
        crown=(0, -0.48),
        eye_gap=0.23,
        eye_radius=0.17,
    )


def _fish() -> Anatomy:
    return Anatomy(
        shapes=(
            Shape.polygon([(0.3, 0.1), (0.86, -0.32), (0.78, 0.1), (0.86, 0.52)]),
            Shape.polygon([(0.0, 0.4), (0.36, 0.36), (0.3, 0.76)]),
            Shape.polygon([(0.1, -0.24), (0.44, -0.44), (0.46, -0.02)]),
            Shape.ellipse(-0.12, 0.1, 0.62, 0.44),
        ),
        ink_lines=(((-0.62, 0.26), (-0.5, 0.32), (-0.38, 0.26)),),
        face=(-0.36, 0.02),
        crown=(-0.24, -0.34),
        eye_gap=0.19,
        eye_radius=0.15,
    )


def _frog() -> Anatomy:
    return Anatomy(
        shapes=(
            *_both(Shape.ellipse(-0.52, 0.66, 0.26, 0.2)),
            Shape.ellipse(0, 0.58, 0.42, 0.3),
            *_both(Shape.ellipse(-0.36, -0.26, 0.2, 0.2)),
            Shape.ellipse(0, 0.08, 0.62, 0.36),
        ),
        light_shapes=(Shape.ellipse(0, 0.64, 0.26, 0.18),),
        ink_lines=(((-0.36, 0.16), (-0.16, 0.26), (0.16, 0.26), (0.36, 0.16)),),
        face=(0, -0.24),
        crown=(0, -0.28),
        eye_gap=0.36,
        eye_radius=0.14,
        crown_scale=0.85,
    )


def _robot() -> Anatomy:
    return Anatomy(
        shapes=(
            *_both(Shape.stroke([(-0.4, 0.36), (-0.66, 0.56)], 0.13)),
            *_both(Shape.stroke([(-0.18, 0.7), (-0.18, 0.86)], 0.16)),
            Shape.polygon([(-0.38, 0.18), (0.38, 0.18), (0.38, 0.74), (-0.38, 0.74)]),
            *_both(Shape.polygon([(-0.64, -0.24), (-0.5, -0.24), (-0.5, 0.02), (-0.64, 0.02)])),
            Shape.polygon([(-0.52, -0.48), (0.52, -0.48), (0.52, 0.2), (-0.52, 0.2)]),
        ),
        light_shapes=(Shape.polygon([(-0.2, 0.36), (0.2, 0.36), (0.2, 0.6), (-0.2, 0.6)]),),
        ink_lines=(((-0.52, 0.2), (0.52, 0.2)), ((-0.24, 0.07), (0.24, 0.07))),
        face=(0, -0.2),
        crown=(0, -0.5),
    )


def _octopus() -> Anatomy:
    def arm(x: float, reach: float) -> Shape:
        return Shape.stroke([(x, 0.2), (x * 1.25, 0.52), (x * 1.6 + reach, 0.66), (x * 1.6 + 2 * reach, 0.84)], 0.16)

    return Anatomy(
        shapes=(*_both(arm(-0.4, -0.05), arm(-0.16, -0.02)), Shape.ellipse(0, -0.1, 0.52, 0.5)),
        ink_lines=(((-0.1, 0.18), (0, 0.24), (0.1, 0.18)),),
        face=(0, -0.06),
        crown=(0, -0.56),
    )


def _snail() -> Anatomy:
    spiral = ((0.62, 0.18), (0.5, -0.16), (0.14, -0.14), (0.08, 0.2), (0.34, 0.3), (0.42, 0.1), (0.28, 0.04))
    return Anatomy(
        shapes=(
            Shape.stroke([(-0.5, 0.7), (0.0, 0.74), (0.74, 0.74)], 0.24),
            Shape.stroke([(-0.48, 0.1), (-0.5, 0.7)], 0.3),
            Shape.ellipse(0.3, 0.1, 0.48, 0.48),
            Shape.ellipse(-0.42, -0.08, 0.4, 0.32),
        ),
        ink_lines=(spiral, ((-0.52, 0.12), (-0.42, 0.17), (-0.32, 0.12))),
        face=(-0.42, -0.1),
        crown=(-0.42, -0.36),
        eye_gap=0.18,
        eye_radius=0.15,
        crown_scale=0.95,
    )
