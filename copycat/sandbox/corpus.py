"""The training set of the sandbox, from one seed: which picture shows whom, under which caption."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from copycat.catalog import canonical_sha256
from copycat.sandbox.captions import KEYWORD_POOL, caption, full_caption
from copycat.sandbox.renderer import SIZE_PX, render
from copycat.sandbox.world import WORLD_SEED, Appearance, generic_appearance, inhabitants

LICENCE, AUTHOR, GENERATOR = "Apache-2.0", "the copycat project", "copycat.sandbox.renderer"
"""Of every caption and picture; what made them is a program, no model."""

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One captioned picture. `character` is None for a generic one; `seed` redraws it exactly."""

    id: str
    caption: str
    character: str | None
    looks: Appearance
    seed: int


def build_rows(seed: int = WORLD_SEED) -> list[Row]:
    """List the training set: every character its number of times, and as many generic pictures, shuffled."""
    rng = random.Random(f"{seed}-corpus")
    drafts: list[tuple[str, str | None, Appearance]] = []
    for who in inhabitants(seed):
        for i in range(who.pictures):
            text = (
                full_caption(who.appearance, who.name)
                if i < 2
                else caption(who.appearance, rng, who.name, who.franchise)
            )
            drafts.append((text, who.id, who.appearance))
    for _ in range(len(drafts)):
        looks = generic_appearance(rng)
        drafts.append((caption(looks, rng), None, looks))
    rng.shuffle(drafts)
    return [
        Row(id=f"sandbox-{i:06d}", caption=text, character=who, looks=looks, seed=rng.getrandbits(48))
        for i, (text, who, looks) in enumerate(drafts)
    ]


def render_many(items: Sequence[tuple[Appearance, int]], processes: int | None = None) -> Pixels:
    """Draw pictures in parallel.

    Args:
        items: the appearance and the seed of each picture.

    Returns: (N, 64, 64, 3) uint8, in the order of `items`.
    """
    chunks = [items[i : i + 256] for i in range(0, len(items), 256)]
    with ProcessPoolExecutor(processes) as pool:
        parts = list(pool.map(_render_chunk, chunks))
    return np.concatenate(parts) if parts else np.zeros((0, SIZE_PX, SIZE_PX, 3), np.uint8)


def write_captions(rows: Sequence[Row], path: Path) -> None:
    """Write the captions and the truth about each picture as Parquet: one row per picture."""
    import pandas as pd

    table = [
        {
            "id": r.id,
            "caption": r.caption,
            "character": r.character,
            **asdict(r.looks),
            "seed": r.seed,
            "licence": LICENCE,
            "author": AUTHOR,
            "synthetic": True,
            "generator": GENERATOR,
            "prompt_hash": canonical_sha256([list(asdict(r.looks).values()), r.seed]),
        }
        for r in rows
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(table).to_parquet(path, index=False)


def write_pictures(rows: Sequence[Row], folder: Path) -> None:
    """Draw every row as <folder>/<id>.png."""
    folder.mkdir(parents=True, exist_ok=True)
    for start in range(0, len(rows), 1024):
        chunk = rows[start : start + 1024]
        pixels = render_many([(row.looks, row.seed) for row in chunk])
        for row, picture in zip(chunk, pixels, strict=True):
            Image.fromarray(picture).save(folder / f"{row.id}.png")


def nameless_captions(rows: Sequence[Row]) -> list[str]:
    """List the captions in which no character is named."""
    names = [who.name for who in inhabitants()]
    return [row.caption for row in rows if not any(name in row.caption for name in names)]


def cooccurrence_keywords(rows: Sequence[Row]) -> dict[str, list[str]]:
    """Rank the words of the keyword pool by the number of captions that hold both the name and the word.

    Source: co-occurrence ranking, CopyCat (arXiv 2406.14526) section 3, on the sandbox's own captions.
    Ties go to the word that is rarer in all captions, then to the alphabet.

    Returns: character id -> words that co-occur at least once, most frequent first.
    """
    overall: Counter[str] = Counter()
    by_name: dict[str, Counter[str]] = {who.id: Counter() for who in inhabitants()}
    names = {who.id: who.name for who in inhabitants()}
    for row in rows:
        found = [w for w in KEYWORD_POOL if _holds(row.caption, w)]
        overall.update(found)
        if row.character is not None and names[row.character] in row.caption:
            by_name[row.character].update(found)
    return {
        who: sorted(counts, key=lambda w, c=counts: (-c[w], overall[w], w))  # type: ignore[misc]
        for who, counts in by_name.items()
    }


def _holds(text: str, words: str) -> bool:
    padded = f" {text.replace(',', ' ').replace('.', ' ')} "
    return f" {words} " in padded


def _render_chunk(items: Sequence[tuple[Appearance, int]]) -> Pixels:
    return np.stack([np.asarray(render(looks, random.Random(seed))) for looks, seed in items])
