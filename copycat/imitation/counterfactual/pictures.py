"""The bank of pictures that every world of a counterfactual draws from: the sandbox's captions and renderer.

Picture i of a character is the same in every world, so that a dose of 50 holds the pictures of a dose of 20.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from copycat.sandbox.captions import caption, full_caption
from copycat.sandbox.corpus import Pixels, render_many
from copycat.sandbox.world import WORLD_SEED, Appearance, Inhabitant, generic_appearance

FULL_CAPTIONS = 2
"""The first pictures of a character carry its name and every attribute, as in the sandbox's own training set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One captioned picture. `character` is None for a generic one; `seed` redraws it exactly."""

    caption: str
    character: str | None
    looks: Appearance
    seed: int

    def names(self, name: str) -> bool:
        """Whether the caption holds a name."""
        return name in self.caption


class Bank:
    """All pictures that any world of a counterfactual may hold, in one order.

    Args:
        characters: who is drawn; `most` pictures of each.
        generic: pictures of nobody.
    """

    def __init__(self, characters: Sequence[Inhabitant], most: int, generic: int) -> None:
        self.most = most
        self._starts = {who.id: i * most for i, who in enumerate(characters)}
        self.pictures = [picture_of(who, i) for who in characters for i in range(most)]
        self._generic_start = len(self.pictures)
        self.pictures += [generic_picture(i) for i in range(generic)]

    def of(self, character: str, dose: int) -> list[int]:
        """Give the places of a character's first `dose` pictures."""
        start = self._starts[character]
        return list(range(start, start + dose))

    def generic(self, first: int, last: int) -> list[int]:
        """Give the places of the generic pictures from `first` up to `last`, without it."""
        return list(range(self._generic_start + first, self._generic_start + last))

    def draw(self) -> Pixels:
        """Draw every picture: (N, 64, 64, 3) uint8."""
        return render_many([(picture.looks, picture.seed) for picture in self.pictures])


def picture_of(who: Inhabitant, i: int) -> Picture:
    """Give picture i of a character: its caption and its drawing depend on the character and i alone."""
    rng = random.Random(f"{WORLD_SEED}-counterfactual-{who.id}-{i}")
    if i < FULL_CAPTIONS:
        text = full_caption(who.appearance, who.name)
    else:
        text = caption(who.appearance, rng, who.name, who.franchise)
    return Picture(caption=text, character=who.id, looks=who.appearance, seed=rng.getrandbits(48))


def generic_picture(i: int) -> Picture:
    """Give generic picture i: all attributes of the sandbox, no (theme, species) pair of a character."""
    rng = random.Random(f"{WORLD_SEED}-counterfactual-generic-{i}")
    looks = generic_appearance(rng)
    return Picture(caption=caption(looks, rng), character=None, looks=looks, seed=rng.getrandbits(48))
