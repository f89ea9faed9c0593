"""Who gets how many pictures in which training run: worlds whose counts are set by hand.

Permuted worlds deal the same doses to the characters anew. A series changes the dose of one character, its probe, and
nothing else: where the probe gives up a picture, a generic one takes its place, so that every other picture keeps its
place in every batch. The series belongs to the first permuted world, which dealt the most pictures to the probe, and is
that world where the probe has them all.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import Field

from copycat.sandbox.world import Inhabitant, inhabitants
from copycat.schema import Record

Kind = Literal["permuted", "series"]


class Setting(Record):
    """How large the worlds are and how long each is trained.

    `characters` is how many take part: one with no picture, the others with 1 to `most`, spaced logarithmically.
    `generic` pictures show nobody. `widths` are the channels of the UNet, `tokens` the length of a caption, `samples`
    the pictures generated of each character, `references` the held-out ones that they are compared with.
    """

    name: str
    characters: int = Field(ge=3, le=50)
    most: int = Field(ge=2)
    generic: int = Field(ge=1)
    worlds: int = Field(ge=1)
    series: tuple[int, ...]
    steps: int = Field(ge=1)
    batch: int = Field(ge=1)
    peak_lr: float = Field(gt=0)
    ema: float = Field(gt=0, lt=1)
    widths: tuple[int, int, int]
    tokens: int = Field(ge=8, le=77)
    samples: int = Field(ge=1)
    references: int = Field(ge=1)


class World(Record):
    """One training run: its seed, and the dose of each character by id. `probe` is the character of a series."""

    id: str
    kind: Kind
    seed: int
    doses: Mapping[str, int]
    probe: str | None = None


def cast(setting: Setting) -> tuple[Inhabitant, ...]:
    """Give the characters that take part: every second of the sandbox's first, so that every franchise is there."""
    everybody = inhabitants()
    step = 2 if 2 * setting.characters <= len(everybody) else 1
    return everybody[: step * setting.characters : step]


def doses_of(setting: Setting) -> list[int]:
    """List the doses that a permuted world deals: none, then 1 to `most`, spaced logarithmically."""
    n = setting.characters - 1
    return [0] + [round(setting.most ** (i / (n - 1))) for i in range(n)]


def plan(setting: Setting, seed: int) -> list[World]:
    """List the worlds in the order in which they are trained: permuted ones among those of the series.

    Whatever is finished is of use: the series goes through its doses in the order in which the setting lists them.
    """
    permuted = [_permuted(setting, seed, number) for number in range(setting.worlds)]
    first = permuted[0]
    probe = max(first.doses, key=lambda who: first.doses[who])
    series = [_in_series(first, probe, dose) for dose in setting.series if dose != setting.most]
    return interleave(permuted, series)


def interleave(permuted: Sequence[World], series: Sequence[World]) -> list[World]:
    """Mix two lists: a permuted world, three of the series, and so on; what is left over comes last."""
    mixed: list[World] = []
    left = list(series)
    for world in permuted:
        mixed += [world, *left[:3]]
        left = left[3:]
    return mixed + left


def _permuted(setting: Setting, seed: int, number: int) -> World:
    doses = doses_of(setting)
    random.Random(f"{seed}-deal-{number}").shuffle(doses)
    dealt = {who.id: dose for who, dose in zip(cast(setting), doses, strict=True)}
    return World(id=f"permuted-{seed}-{number}", kind="permuted", seed=1000 * seed + number, doses=dealt)


def _in_series(first: World, probe: str, dose: int) -> World:
    return World(
        id=f"series-{first.seed}-{probe}-{dose}",
        kind="series",
        seed=first.seed,
        doses={**first.doses, probe: dose},
        probe=probe,
    )
