"""Held-out pictures of every character of the sandbox: what a model's pictures are compared with.

They are drawn as the training pictures are, with poses and backdrops of seeds that no training picture has.
"""

from __future__ import annotations

import random
from pathlib import Path

from PIL import Image

from copycat.sandbox.corpus import build_rows, render_many
from copycat.sandbox.world import Appearance, inhabitants

PER_CHARACTER = 20


def reference_seeds(per_character: int, seed: int = 0) -> dict[str, list[int]]:
    """Give the seeds of each character's references, none of which drew a training picture.

    More of them begin with the same ones.
    """
    trained = {row.seed for row in build_rows()}
    found: dict[str, list[int]] = {}
    for who in inhabitants():
        dice = random.Random(f"sandbox-references-{seed}-{who.id}")
        seeds: list[int] = []
        while len(seeds) < per_character:
            drawn = dice.getrandbits(48)
            if drawn not in trained:
                seeds.append(drawn)
        found[who.id] = seeds
    return found


def write_references(folder: Path, per_character: int = PER_CHARACTER, seed: int = 0) -> int:
    """Draw them as <folder>/<character>/NN.png; the same arguments give the same bytes.

    Returns: how many.
    """
    seeds = reference_seeds(per_character, seed)
    places: list[Path] = []
    items: list[tuple[Appearance, int]] = []
    for who in inhabitants():
        (folder / who.id).mkdir(parents=True, exist_ok=True)
        for number, one in enumerate(seeds[who.id]):
            places.append(folder / who.id / f"{number:02d}.png")
            items.append((who.appearance, one))
    for path, picture in zip(places, render_many(items), strict=True):
        Image.fromarray(picture).save(path)
    return len(places)
