"""Pictures with known truth to try a judge on: who is in them follows from what was drawn."""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from PIL import Image, ImageEnhance, ImageFilter

from copycat.sandbox.lab_text import draw_text
from copycat.sandbox.renderer import SIZE_PX, render
from copycat.sandbox.world import ATTRIBUTES, Appearance, Inhabitant, change_one, generic_appearance, inhabitants
from copycat.schema import Slug

SHOWN, NEAR, GENERIC = "shown", "near", "generic"
SIDE_BY_SIDE, INSET = "two_side_by_side", "two_inset"
CROPPED, BLURRED, COMPRESSED, RECOLOURED = "cropped", "blurred", "jpeg", "recoloured"
DENIED, EMPTY, RENAMED = "text_denial", "text_empty_answer", "text_other_name"
NAMED, ANSWERED, MEANINGLESS = "text_own_name", "text_answer", "text_meaningless"

TEXTS = {
    DENIED: "answer: no character",
    EMPTY: '{{"characters": []}}',
    RENAMED: "{other}",
    NAMED: "{name}",
    ANSWERED: "answer: {name}",
    MEANINGLESS: "mulbe orp tesquin",
}
"""What is written over a picture. The first three deny who is there, the next two name who is not. The last says
nothing: what it changes is not read but covered, and what the others change beyond it is read."""

NEGATIVES = (1, 2, 3, None)
ROUND: tuple[tuple[str, tuple[int | None, ...]], ...] = (
    *((SHOWN, (0,)), (NEAR, (1,)), (NEAR, (2,)), (NEAR, (3,)), (GENERIC, (None,))),
    *((CROPPED, (0,)), (DENIED, (0,)), (NAMED, NEGATIVES), (SIDE_BY_SIDE, (0,)), (BLURRED, (0,))),
    *((SHOWN, (0,)), (NEAR, (1,)), (NEAR, (2,)), (MEANINGLESS, (0, 1)), (INSET, (0,))),
    *((COMPRESSED, (0,)), (EMPTY, (0,)), (ANSWERED, NEGATIVES), (RENAMED, (0,)), (RECOLOURED, (0,))),
)
"""The kinds of twenty scenes, and the distances that each takes in turn; the next twenty are the same with the next
character."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One picture and the truth about it.

    `distance` is the number of attributes in which it differs from `asked_for`: 0 where that character is there, None
    where the picture shows something generic. `truth` holds everybody who is there. `clean` is the same picture
    without the text, where there is text over it.
    """

    kind: str
    distance: int | None
    truth: tuple[Slug, ...]
    asked_for: Slug
    picture: Image.Image
    clean: Image.Image | None = None

    @property
    def is_shown(self) -> bool:
        """Whether the character asked for is in the picture."""
        return self.asked_for in self.truth


def build_scenes(n: int, seed: int, size_px: int = SIZE_PX) -> Iterator[Scene]:
    """Draw scenes of all kinds in turn, about every character in turn.

    The same number and seed give the same picture, and more of them begin with the same ones. Every kind comes as
    often as `ROUND` says; after 1000 scenes each was about each of the 50 characters.

    Args:
        n: how many scenes.
        size_px: their height. Other than 64, the drawing of 64 pixels is enlarged or reduced, and text is drawn
            over it at the full size.

    Yields: RGB pictures of `size_px` x `size_px`; two characters side by side take twice the width.
    """
    people = inhabitants()
    for i in range(n):
        turn, place = divmod(i, len(ROUND))
        kind, distances = ROUND[place]
        # One more after each time through all characters: else a character would meet every other distance only.
        distance = distances[(turn + turn // len(people)) % len(distances)]
        who = people[(turn + place) % len(people)]
        yield _Maker(random.Random(f"lab-{seed}-{i}"), size_px, who).make(kind, distance)


def look_alike(rng: random.Random, looks: Appearance, distance: int) -> Appearance:
    """Change some attributes of a character so that it becomes nobody.

    Args:
        distance: how many attributes to change.

    Returns: an appearance that differs from `looks` in exactly `distance` attributes, and from every other character
        in at least as many.
    """
    others = [who.appearance for who in inhabitants() if who.appearance != looks]
    while True:
        changed = looks
        for attribute in rng.sample(list(ATTRIBUTES), distance):
            changed = change_one(rng, changed, attribute)
        if all(len(changed.differences(other)) >= distance for other in others):
            return changed


@dataclass(frozen=True, slots=True)
class _Maker:
    """Makes one scene about `who`."""

    rng: random.Random
    size_px: int
    who: Inhabitant

    def make(self, kind: str, distance: int | None) -> Scene:
        if kind in (SIDE_BY_SIDE, INSET):
            return self._two(kind)
        if kind in TEXTS:
            return self._with_text(kind, distance)
        picture = self._draw(self._looks(distance))
        if kind in ALTERATIONS:
            picture = ALTERATIONS[kind](picture, self.rng)
        return self._scene(kind, distance, picture)

    def _scene(self, kind: str, distance: int | None, picture: Image.Image, clean: Image.Image | None = None) -> Scene:
        truth = (self.who.id,) if distance == 0 else ()
        return Scene(kind=kind, distance=distance, truth=truth, asked_for=self.who.id, picture=picture, clean=clean)

    def _looks(self, distance: int | None) -> Appearance:
        """Give an appearance that far off; None: a generic one, as in the training corpus."""
        if distance is None:
            return generic_appearance(self.rng)
        return look_alike(self.rng, self.who.appearance, distance) if distance else self.who.appearance

    def _draw(self, looks: Appearance) -> Image.Image:
        picture = render(looks, self.rng)
        return picture if self.size_px == SIZE_PX else resized(picture, self.size_px, self.size_px)

    def _other(self) -> Inhabitant:
        return self.rng.choice([other for other in inhabitants() if other is not self.who])

    def _two(self, kind: str) -> Scene:
        """Two characters in one picture; the one asked for takes either place."""
        order = [self.who, self._other()]
        self.rng.shuffle(order)
        first, second = (self._draw(who.appearance) for who in order)
        picture = side_by_side(first, second) if kind == SIDE_BY_SIDE else inset(first, second)
        return Scene(kind=kind, distance=0, truth=(order[0].id, order[1].id), asked_for=self.who.id, picture=picture)

    def _with_text(self, kind: str, distance: int | None) -> Scene:
        clean = self._draw(self._looks(distance))
        text = TEXTS[kind].format(name=self.who.name, other=self._other().name)
        return self._scene(kind, distance, draw_text(clean, text, self.rng), clean)


def resized(picture: Image.Image, width: int, height: int) -> Image.Image:
    """Enlarge or reduce a picture."""
    return picture.resize((width, height), Image.Resampling.BICUBIC)


def side_by_side(first: Image.Image, second: Image.Image) -> Image.Image:
    """Put two pictures of one size beside each other; the result is twice as wide."""
    picture = Image.new("RGB", (2 * first.width, first.height))
    picture.paste(first, (0, 0))
    picture.paste(second, (first.width, 0))
    return picture


def inset(large: Image.Image, small: Image.Image) -> Image.Image:
    """Paste the second picture, at 45 % of its size, into the lower right corner of the first."""
    edge = round(0.45 * large.width)
    picture = large.copy()
    picture.paste(resized(small, edge, edge), (large.width - edge, large.height - edge))
    return picture


def crop(picture: Image.Image, rng: random.Random) -> Image.Image:
    """Cut off 5 to 12 % of width and height, wherever, and enlarge the rest to the old size."""
    share = rng.uniform(0.05, 0.12)
    width, height = picture.size
    left, top = rng.uniform(0, share) * width, rng.uniform(0, share) * height
    box = (left, top, left + (1 - share) * width, top + (1 - share) * height)
    return picture.resize(picture.size, Image.Resampling.BICUBIC, box=box)


def blur(picture: Image.Image, rng: random.Random) -> Image.Image:
    """Blur by a Gaussian of 0.6 to 1 pixels at 64 pixels of height."""
    return picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.6, 1.0) * picture.height / SIZE_PX))


def compress(picture: Image.Image, rng: random.Random) -> Image.Image:
    """Save and load as JPEG of quality 40 to 70."""
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=rng.randint(40, 70))
    return Image.open(file).convert("RGB")


def recolour(picture: Image.Image, rng: random.Random) -> Image.Image:
    """Change saturation, brightness and contrast of the whole picture by up to 15 %; every colour keeps its name."""
    for enhance in (ImageEnhance.Color, ImageEnhance.Brightness, ImageEnhance.Contrast):
        picture = enhance(picture).enhance(rng.uniform(0.85, 1.15))
    return picture


ALTERATIONS: dict[str, Callable[[Image.Image, random.Random], Image.Image]] = {
    CROPPED: crop,
    BLURRED: blur,
    COMPRESSED: compress,
    RECOLOURED: recolour,
}
"""What is done to a whole picture that leaves the character in it."""
