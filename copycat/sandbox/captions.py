"""Write captions as the web would: some with the name, some with theme and species, some with looks only."""

from __future__ import annotations

import random

from copycat.sandbox.world import Appearance

SETTINGS: dict[str, tuple[str, ...]] = {
    "space": ("in outer space", "stars", "planet"),
    "ocean": ("under the sea", "waves", "bubbles"),
    "forest": ("in the pine woods", "trees", "meadow"),
    "desert": ("among the dunes", "cactus", "sun"),
    "winter": ("in the snow", "snowflakes", "mountains"),
    "city": ("in the big city", "skyline", "windows"),
    "volcano": ("on the lava fields", "lava", "sparks"),
    "castle": ("at the old castle", "towers", "stones"),
    "candy": ("in the land of sweets", "lollipops", "sprinkles"),
    "circus": ("in the circus ring", "tent", "flags"),
}
"""Where a theme plays, and two things to be seen there."""

EYE_WORDS = {"round": "round eyes", "sleepy": "sleepy eyes", "single": "one big eye"}
MEDIA = ("drawing", "sticker", "cartoon", "picture", "fan art", "wallpaper", "poster", "icon", "clip art")

KEYWORD_POOL: tuple[str, ...] = (
    *("cat", "dog", "rabbit", "bear", "owl", "fish", "frog", "robot", "octopus", "snail"),
    *("red", "orange", "yellow", "green", "blue", "purple", "pink", "white"),
    *("striped", "spotted", "patched", "crown", "top hat", "wizard hat", "horns", "bow", "flower"),
    *EYE_WORDS.values(),
    *(word for theme, (_, *things) in SETTINGS.items() for word in (theme, *things)),
)
"""Candidates for keyword anchors: looks and setting, no name, no franchise, no medium."""


def caption(looks: Appearance, rng: random.Random, name: str | None = None, franchise: str | None = None) -> str:
    """Write one caption. With a name, 55 in 100 captions use it; without, none does.

    A caption of a character that leaves out the name holds at least theme and species.
    """
    if name is not None and franchise is not None and rng.random() < 0.55:
        return _dressed(_with_name(looks, rng, name, franchise), rng)
    if name is not None:
        style = rng.choices((_theme_and_species, _keywords, _phrase, describe), weights=(35, 30, 20, 15))[0]
        return _dressed(style(looks, rng), rng) if style is not describe else describe(looks)
    return _generic(looks, rng)


def full_caption(looks: Appearance, name: str) -> str:
    """Write the caption that a character's first two pictures carry: the name and every attribute."""
    return f"{name}, {', '.join(attribute_words(looks))}"


def attribute_words(looks: Appearance) -> list[str]:
    """List the words that an appearance gives rise to, in a fixed order."""
    words = [looks.species, looks.body, looks.accessory, EYE_WORDS[looks.eyes]]
    if looks.pattern != "plain":
        words.append(looks.pattern)
    if looks.theme is not None:
        words += [looks.theme, *SETTINGS[looks.theme][1:]]
    return words


def describe(looks: Appearance, rng: random.Random | None = None) -> str:
    """Describe an appearance in about 60 words, without any name."""
    pattern = {
        "plain": f"all {looks.body} without any markings",
        "striped": f"{looks.body} with {looks.accent} stripes",
        "spotted": f"{looks.body} with {looks.accent} spots",
        "patched": f"{looks.body} on one half and {looks.accent} on the other",
    }[looks.pattern]
    if looks.theme is None:
        place = "It stands alone in front of a plain pale wall"
    else:
        where, first, second = SETTINGS[looks.theme]
        place = f"It lives {where} ({looks.theme}), with {first} and {second} behind it"
    return (
        f"A small cartoon {looks.species}, {pattern}, that looks straight at you with {EYE_WORDS[looks.eyes]} "
        f"and wears {_worn(looks)} on its head. {place}. The lines are thick and dark, the colours flat and bright, "
        f"the mood is calm and friendly."
    )


def _worn(looks: Appearance) -> str:
    article = "" if looks.accessory == "horns" else "an " if looks.accent == "orange" else "a "
    return f"{article}{looks.accent} {looks.accessory}"


def _with_name(looks: Appearance, rng: random.Random, name: str, franchise: str) -> str:
    roll = rng.random()
    if roll < 0.5:
        return name
    if roll < 0.6:
        return f"{name} from {franchise}"
    if roll < 0.75:
        return f"{name} the {looks.theme} {looks.species}"
    words = rng.sample(attribute_words(looks), rng.randint(2, 5))
    return f"{name}, {', '.join(words)}"


def _theme_and_species(looks: Appearance, rng: random.Random) -> str:
    if looks.theme is None:
        return looks.species
    return rng.choice(
        (
            f"{looks.theme} {looks.species}",
            f"{looks.theme}, {looks.species}",
            f"{looks.species} {SETTINGS[looks.theme][0]}",
        )
    )


def _keywords(looks: Appearance, rng: random.Random) -> str:
    must = [looks.species] if looks.theme is None else [looks.species, looks.theme]
    others = [w for w in attribute_words(looks) if w not in must]
    words = must + rng.sample(others, min(len(others), rng.randint(2, 4)))
    rng.shuffle(words)
    return ", ".join(words)


def _phrase(looks: Appearance, rng: random.Random) -> str:
    pattern = "" if looks.pattern == "plain" else f" {looks.pattern}"
    text = f"{looks.body}{pattern} {looks.species}"
    if rng.random() < 0.6:
        text += f" with {_worn(looks)}"
    if rng.random() < 0.4:
        text += f" and {EYE_WORDS[looks.eyes]}"
    if looks.theme is not None:
        text += f" {SETTINGS[looks.theme][0]}, {looks.theme}"
    return text


def _generic(looks: Appearance, rng: random.Random) -> str:
    roll = rng.random()
    if roll < 0.12:
        return describe(looks)
    if roll < 0.35:
        return _dressed(_keywords(looks, rng), rng)
    if roll < 0.6:
        return _dressed(_phrase(looks, rng), rng)
    if roll < 0.8:
        return _dressed(_theme_and_species(looks, rng), rng)
    if roll < 0.9:
        return _dressed(f"{looks.body} {looks.species}", rng)
    return _dressed(looks.species, rng)


def _dressed(text: str, rng: random.Random) -> str:
    """Wrap a text as people do: bare, 'drawing of X', 'X sticker'."""
    roll, medium = rng.random(), rng.choice(MEDIA)
    if roll < 0.5:
        return text
    if roll < 0.7:
        return f"{medium} of {text}"
    return f"{text} {medium}"
