"""Which pictures of a run people are asked to label: a random sample that holds every character in proportion."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence

from copycat.schema import Sample


def draw_pictures(samples: Sequence[Sample], n: int, seed: int) -> list[Sample]:
    """Draw `n` pictures, of each character its share; the same call gives the same pictures.

    A character with N_c of all N pictures gets `n * N_c / N` of the n, rounded so that they add up to n (largest
    remainder, ties by chance). Which of its pictures, and in which order all of them are shown, is decided by
    the hash of seed and key. So nobody sees all pictures of one character in a row, and every picture has nearly
    the same chance to be drawn.

    Args:
        samples: of a run; those without a picture are left out.
        n: pictures wanted; all of them if there are fewer.
        seed: another seed gives other pictures.
    """
    by_character: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        if sample.status == "ok":
            by_character[sample.character].append(sample)
    chosen = []
    for character, share in _shares({name: len(rows) for name, rows in by_character.items()}, n, seed).items():
        chosen += sorted(by_character[character], key=lambda sample: _lot(seed, sample.key))[:share]
    return sorted(chosen, key=lambda sample: _lot(seed, f"order/{sample.key}"))


def _shares(sizes: dict[str, int], n: int, seed: int) -> dict[str, int]:
    total = sum(sizes.values())
    n = min(n, total)
    shares = {name: n * size // total for name, size in sizes.items()}
    remainders = sorted(sizes, key=lambda name: (-(n * sizes[name] % total), _lot(seed, name)))
    for name in remainders[: n - sum(shares.values())]:
        shares[name] += 1
    return shares


def _lot(seed: int, text: str) -> str:
    return hashlib.sha256(f"{seed}/{text}".encode()).hexdigest()
