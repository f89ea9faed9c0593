"""The colours of the sandbox."""

from __future__ import annotations

RGB = tuple[int, int, int]

INK: RGB = (28, 24, 36)

SKIN: dict[str, RGB] = {
    "red": (214, 40, 48),
    "orange": (244, 132, 30),
    "yellow": (250, 214, 50),
    "green": (64, 168, 72),
    "blue": (52, 108, 222),
    "purple": (134, 62, 178),
    "pink": (246, 140, 186),
    "white": (244, 244, 240),
}


def tint(colour: RGB, amount: float) -> RGB:
    """Lighten a colour by a positive share of the way to white, or darken it by a negative one."""
    goal = 255 if amount > 0 else 0
    r, g, b = (round(c + (goal - c) * abs(amount)) for c in colour)
    return (r, g, b)
