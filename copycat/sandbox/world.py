"""Who lives in the sandbox: attributes, 50 characters, and how often each appears in training.

Everything here is invented and pure: the same seed gives the same world.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from functools import cache

WORLD_SEED = 7

SPECIES = ("cat", "dog", "rabbit", "bear", "owl", "fish", "frog", "robot", "octopus", "snail")
THEMES = ("space", "ocean", "forest", "desert", "winter", "city", "volcano", "castle", "candy", "circus")
COLOURS = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "white")
PATTERNS = ("plain", "striped", "spotted", "patched")
ACCESSORIES = ("crown", "top hat", "wizard hat", "horns", "bow", "flower")
EYES = ("round", "sleepy", "single")

ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "species": SPECIES,
    "theme": THEMES,
    "body": COLOURS,
    "accent": COLOURS,
    "pattern": PATTERNS,
    "accessory": ACCESSORIES,
    "eyes": EYES,
}
"""Every attribute of an appearance and the values it takes. A plain background has theme None."""

FRANCHISES: dict[str, tuple[str, ...]] = {
    "Lantern Orbit": ("space", "city"),
    "Tidewhistle Tales": ("ocean", "winter"),
    "Emberwood": ("forest", "volcano"),
    "Dune Parade": ("desert", "circus"),
    "Sugarspire": ("castle", "candy"),
}

NAMES = (
    *("Zoravi", "Meklun", "Tabriko", "Quendal", "Vospari", "Jolvex", "Karumbo", "Nelwith", "Druvani", "Pelquor"),
    *("Ishtolu", "Brimzy", "Fandreth", "Gulvane", "Hexomi", "Wendiro", "Yaltok", "Civumba", "Orshel", "Ruvindo"),
    *("Mazqui", "Tolvera", "Sniddle", "Balgrum", "Keoluna", "Vextram", "Padilko", "Gwimble", "Juntaro", "Eskavi"),
    *("Lumbrex", "Doquinta", "Tharvel", "Nimzora", "Copwick", "Fyrlan", "Uvanko", "Skelda", "Arquimo", "Belthaz"),
    *("Wozandi", "Hulprek", "Imvara", "Zintock", "Molvaney", "Gadrulo", "Kipsera", "Yumbrath", "Ostiqua", "Plendor"),
)

FEWEST_PICTURES, MOST_PICTURES = 2, 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Appearance:
    """What a picture shows. `theme` is None for a plain background."""

    species: str
    theme: str | None
    body: str
    accent: str
    pattern: str
    accessory: str
    eyes: str

    def differences(self, other: Appearance) -> tuple[str, ...]:
        """Name the attributes in which two appearances differ."""
        return tuple(a for a in ATTRIBUTES if getattr(self, a) != getattr(other, a))


@dataclass(frozen=True, slots=True, kw_only=True)
class Inhabitant:
    """One invented character and the number of training pictures that show it."""

    id: str
    name: str
    franchise: str
    appearance: Appearance
    pictures: int


@cache
def inhabitants(seed: int = WORLD_SEED) -> tuple[Inhabitant, ...]:
    """Build the 50 characters: unique (theme, species) pairs, looks at least two attributes apart.

    Each theme owns five species and each species five themes, so that neither alone tells who
    is meant; the other fifty pairs are left to generic pictures.
    """
    rng = random.Random(seed)
    pairs = [(theme, SPECIES[(t + step) % 10]) for t, theme in enumerate(THEMES) for step in (0, 1, 3, 6, 8)]
    counts = _log_spaced_counts(len(pairs))
    rng.shuffle(counts)
    franchise_of = {theme: name for name, themes in FRANCHISES.items() for theme in themes}
    built: list[Inhabitant] = []
    for (theme, species), name, pictures in zip(pairs, NAMES, counts, strict=True):
        looks = _random_appearance(rng, species, theme)
        built.append(
            Inhabitant(id=name.lower(), name=name, franchise=franchise_of[theme], appearance=looks, pictures=pictures)
        )
    return tuple(built)


def owned_pairs(seed: int = WORLD_SEED) -> frozenset[tuple[str | None, str]]:
    """(theme, species) pairs that belong to a character and never occur in generic pictures."""
    return frozenset((i.appearance.theme, i.appearance.species) for i in inhabitants(seed))


def generic_appearance(rng: random.Random, plain_share: float = 0.5) -> Appearance:
    """Draw an appearance that is nobody's: a plain background, or a (theme, species) pair that is free."""
    if rng.random() < plain_share:
        return _random_appearance(rng, rng.choice(SPECIES), None)
    owned = owned_pairs()
    while True:
        theme, species = rng.choice(THEMES), rng.choice(SPECIES)
        if (theme, species) not in owned:
            return _random_appearance(rng, species, theme)


def change_one(rng: random.Random, looks: Appearance, attribute: str) -> Appearance:
    """Change one attribute of an appearance: a hard negative for a judge.

    The accent colour of a picture never equals its body colour, so those two keep apart.
    """
    taken = {getattr(looks, attribute)}
    if attribute in ("body", "accent"):
        taken |= {looks.body, looks.accent}
    value = rng.choice([v for v in ATTRIBUTES[attribute] if v not in taken])
    return replace(looks, **{attribute: value})


def _random_appearance(rng: random.Random, species: str, theme: str | None) -> Appearance:
    body, accent = rng.sample(COLOURS, 2)
    return Appearance(
        species=species,
        theme=theme,
        body=body,
        accent=accent,
        pattern=rng.choice(PATTERNS),
        accessory=rng.choice(ACCESSORIES),
        eyes=rng.choice(EYES),
    )


def _log_spaced_counts(n: int) -> list[int]:
    ratio = MOST_PICTURES / FEWEST_PICTURES
    return [round(FEWEST_PICTURES * ratio ** (i / (n - 1))) for i in range(n)]
