"""Which rung of the ladder finds which copy: recall on changed renders of the sandbox, at a stated rate.

    python benchmarks/image_ladder.py [--fpr 0.001] [--encoder sandbox] [--per-character 4]

References are renders of 40 characters. A copy is one of them after a change. Below the copies stand pictures that are
none: other drawings of the same characters, and of strangers: the other 10 characters and generic figures that share
their attributes. Prints the share of pictures that each rung counts, and how many pictures a second it compares.
A figure of 64x64 drawings: it says which changes a rung survives, and nothing of photographs.
"""

from __future__ import annotations

import argparse
import io
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageEnhance, ImageOps

from copycat.measures.descriptors import descriptor_of
from copycat.measures.ladder import EXACT, Ladder, read_gallery, see
from copycat.sandbox.renderer import render
from copycat.sandbox.world import generic_appearance, inhabitants

N_CHARACTERS = 40


def as_jpeg(picture: Image.Image, quality: int) -> Image.Image:
    """Compress a picture."""
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer).convert("RGB")


def cropped(picture: Image.Image, share: float) -> Image.Image:
    """Cut a share of the side off at each edge, and bring the rest to the old size."""
    width, height = picture.size
    box = (round(width * share), round(height * share), round(width * (1 - share)), round(height * (1 - share)))
    return picture.crop(box).resize((width, height), Image.Resampling.BICUBIC)


CHANGES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "as it is": lambda picture: picture,
    "4 times as large": lambda picture: picture.resize((256, 256), Image.Resampling.BICUBIC),
    "half as large": lambda picture: picture.resize((32, 32), Image.Resampling.BICUBIC),
    "JPEG, quality 75": lambda picture: as_jpeg(picture, 75),
    "JPEG, quality 30": lambda picture: as_jpeg(picture, 30),
    "crop, 3 % of each edge": lambda picture: cropped(picture, 0.03),
    "crop, 10 % of each edge": lambda picture: cropped(picture, 0.10),
    "crop, 20 % of each edge": lambda picture: cropped(picture, 0.20),
    "mirrored": ImageOps.mirror,
    "mirrored, JPEG 50": lambda picture: as_jpeg(ImageOps.mirror(picture), 50),
    "a third brighter": lambda picture: ImageEnhance.Brightness(picture).enhance(1.33),
    "grey": lambda picture: ImageOps.grayscale(picture).convert("RGB"),
    "turned by 5 degrees": lambda picture: picture.rotate(5, Image.Resampling.BICUBIC),
}


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--fpr", type=float, default=0.001)
    options.add_argument("--encoder", default="sandbox")
    options.add_argument("--per-character", type=int, default=4)
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        originals = []
        for number, who in enumerate(inhabitants()[:N_CHARACTERS]):
            (Path(folder) / who.id).mkdir()
            for seed in range(asked.per_character):
                originals.append(render(who.appearance, random.Random(f"reference {number}/{seed}")))
                originals[-1].save(Path(folder) / who.id / f"{seed}.png")
        gallery = read_gallery(Path(folder), "the benchmark")
        ladder = Ladder(gallery, None, descriptor_of(asked.encoder, "cpu").embed, asked.fpr)
        report(ladder, originals)


def report(ladder: Ladder, originals: list[Image.Image]) -> None:
    """Print thresholds, recall of each change, and what of other pictures counts."""
    for rung in ladder.rungs:
        if rung not in EXACT:
            found = ladder.threshold(rung)
            print(
                f"{rung:<11} limit {found.limit:.4g}, {found.passed} of {found.pairs:,} unrelated pairs count, "
                f"rate at most {100 * found.at_most:.3g} %; {found.touched} of {found.pictures} pictures touched"
            )
    rungs = [rung for rung in ladder.rungs if rung != "bytes"]
    print(f"\n{'share that counts, in %':<36}{'n':>5}" + "".join(f"{rung:>12}" for rung in rungs))
    for name, change in CHANGES.items():
        print_row(f"copy, {name}", [change(picture) for picture in originals], ladder)
    cast = inhabitants()
    again = [
        render(who.appearance, random.Random(f"again {who.id}/{i}")) for who in cast[:N_CHARACTERS] for i in range(4)
    ]
    others = [render(who.appearance, random.Random(f"{who.id}/{i}")) for who in cast[N_CHARACTERS:] for i in range(16)]
    dice = random.Random("generic")
    generic = [render(generic_appearance(dice), dice) for _ in range(160)]
    print_row("the same character, drawn anew", again, ladder)
    print_row("another character", others, ladder)
    print_row("a generic figure", generic, ladder)
    start = time.perf_counter()
    seen = [see(picture, "") for picture in originals]
    hashed = time.perf_counter()
    ladder.nearest("phash", seen, originals)
    looked = time.perf_counter()
    ladder.nearest("descriptor", seen, originals)
    end = time.perf_counter()
    n = len(originals)
    print(
        f"\npictures a second: {n / (hashed - start):,.0f} hashed, {n / (looked - hashed):,.0f} compared by a hash, "
        f"{n / (end - looked):,.0f} by descriptor, with {len(ladder.references.names)} references"
    )


def print_row(name: str, pictures: list[Image.Image], ladder: Ladder) -> None:
    """Print the share of pictures that each rung counts."""
    seen = [see(picture, "") for picture in pictures]
    cells = []
    for rung in ladder.rungs:
        if rung != "bytes":
            found = ladder.nearest(rung, seen, pictures)
            cells.append(100 * sum(near is not None and near.is_copy for near in found) / len(pictures))
    print(f"{name:<36}{len(pictures):>5}" + "".join(f"{cell:>12.1f}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()
