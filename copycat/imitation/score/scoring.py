"""Vectors of pictures -> scores of concepts. Pure.

References are fixed before any picture is looked at: choosing those that resemble the very pictures that are scored
lifts the score of whoever has many, without any imitation.

Source: FIT / MIMETIC² (arXiv 2410.15002), rebuilt: all of a fixed number of references count, and impostors tell what a
cosine is worth.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]

CHUNK = 8192
"""Vectors whose cosines to all concepts are held at once: 8,192 x 400 float32 are 13 MB."""
MIN_IMPOSTORS = 5
"""Impostors that a z needs: the standard deviation of fewer is mostly chance, and a z may come to any size."""
MIN_STRATUM = MIN_IMPOSTORS + 1
"""Other concepts of a stratum from which on impostors are taken from it alone; one may be asked for in the prompt."""
NOUNS = ("other concept has", "other concepts have")
DIGITS = 6
"""Digits of a score: beyond them, machines and batches differ."""
FALSE_MATCH_RATE = 0.01


class Gallery(NamedTuple):
    """The references of all concepts.

    `references` is (C, m, D) float32, each row of length 1; `means` (C, D) float32 their mean by concept, so that the
    mean cosine to a concept's references is one product. `strata` are the labels by concept, or None.
    """

    concepts: tuple[str, ...]
    references: Floats
    means: Floats
    strata: tuple[str | None, ...]

    def place_of(self, concept: str) -> int:
        """Give the row of a concept.

        Raises:
            ValueError: it has no references here.
        """
        return self.concepts.index(concept)


class Match(NamedTuple):
    """The cosine above which a picture counts as a match, and what it lets through.

    `false_match` is the share of `pairs` (a reference, another concept) that it takes for the same; `true_match` the
    share of references that match the others of their own concept, None where m is 1.
    """

    threshold: float
    false_match: float
    true_match: float | None
    pairs: int


class Figures(NamedTuple):
    """The scores of `n` pictures; see `records.Score`. `lacking` says why figures are None."""

    raw: float
    z: float | None
    identified: float | None
    matched: float | None
    n: int
    lacking: str = ""


def build_gallery(references: Mapping[str, Floats], strata: Mapping[str, str | None] | None = None) -> Gallery:
    """Put references together.

    Args:
        references: concept -> (m, D), each row of length 1; the same m and D for every concept.

    Raises:
        ValueError: there are none, or their shapes differ.
    """
    shapes = {np.shape(vectors) for vectors in references.values()}
    if len(shapes) != 1:
        raise ValueError(f"references of one shape (m, D) are needed, not {sorted(shapes)}")
    stacked = np.stack([np.asarray(vectors, np.float32) for vectors in references.values()])
    means = stacked.mean(axis=1, dtype=np.float64).astype(np.float32)
    return Gallery(tuple(references), stacked, means, tuple((strata or {}).get(concept) for concept in references))


def match_threshold(gallery: Gallery, rate: float = FALSE_MATCH_RATE) -> Match | None:
    """Find the smallest cosine above which at most `rate` of all pairs (a reference, another concept) lie.

    The cosine of a pair is the mean over the other concept's references. How many references match their own concept is
    told from the others of it: a reference is never compared with itself. None with fewer than two concepts.

    Unit: rate as a share in (0, 1). Holds the largest `rate * pairs` cosines in memory, never all.
    """
    n_concepts, m, _ = gallery.references.shape
    if n_concepts < 2:
        return None
    pairs = n_concepts * m * (n_concepts - 1)
    kept = math.floor(rate * pairs + 1e-9) + 1
    top = np.empty(0, np.float32)
    for place in range(n_concepts):
        others = np.delete(gallery.references[place] @ gallery.means.T, place, axis=1).ravel()
        top = np.concatenate([top, others])
        if len(top) > 2 * kept + 1_000_000:
            top = _largest(top, kept)
    threshold = _largest(top, kept).min()
    true_match = None
    if m > 1:
        whole = gallery.means.astype(np.float64)[:, None, :] * m
        rest = (whole - gallery.references) / (m - 1)
        true_match = float(np.mean(np.einsum("cmd,cmd->cm", gallery.references, rest) > threshold))
    return Match(float(threshold), float(np.sum(top > threshold)) / pairs, true_match, pairs)


def score_pictures(
    vectors: Floats, gallery: Gallery, concept: str, match: Match | None, asked: str | None = None
) -> Figures:
    """Score pictures against the references of one concept.

    raw: the mean, over pictures and references, of the cosine.
    z: (raw - mean) / standard deviation of the same figure against every impostor; `n - 1` in the deviation.
    identified: share of pictures whose mean cosine to this concept's references is larger than to any other's. A tie is
        nobody's.
    matched: share of pictures whose mean cosine to them is larger than `match.threshold`.

    Args:
        vectors: (N, D), N at least 1, each row of length 1.
        asked: whose name was in the prompt, where it was another's: no impostor, for its pictures may well imitate it.

    Unit: cosine in [-1, 1]; z in standard deviations; shares in [0, 1]. Higher is more alike.
    """
    place = gallery.place_of(concept)
    sums = np.zeros(len(gallery.concepts))
    identified = matched = 0
    for start in range(0, len(vectors), CHUNK):
        cosines = np.asarray(vectors[start : start + CHUNK], np.float32) @ gallery.means.T
        sums += cosines.sum(axis=0, dtype=np.float64)
        own = cosines[:, place].copy()
        if match is not None:
            matched += int(np.sum(own > match.threshold))
        cosines[:, place] = -np.inf
        identified += int(np.sum(own > cosines.max(axis=1)))
    n = len(vectors)
    means = sums / n
    z, lacking = _standardised(means, place, impostors_of(gallery, concept, asked))
    is_alone = len(gallery.concepts) < 2
    return Figures(
        raw=_rounded(means[place]),
        z=z,
        identified=None if is_alone else _rounded(identified / n),
        matched=None if match is None else _rounded(matched / n),
        n=n,
        lacking=lacking,
    )


def impostors_of(gallery: Gallery, concept: str, asked: str | None = None) -> list[int]:
    """Give the rows of the concepts whose references stand for chance.

    Those of the same stratum where the concept has one and at least MIN_STRATUM others have it, else all others; the
    same in every arm, but for the one that was asked for.
    """
    place = gallery.place_of(concept)
    others = [n for n in range(len(gallery.concepts)) if n != place]
    label = gallery.strata[place]
    alike = [n for n in others if label is not None and gallery.strata[n] == label]
    pool = alike if len(alike) >= MIN_STRATUM else others
    return [n for n in pool if gallery.concepts[n] != asked]


def norms_of(vectors: Floats) -> Floats:
    """Give the length of each row of (N, D), as (N,) float64; NaN where any value of the row is NaN, inf where inf."""
    parts = [
        np.sqrt(np.einsum("nd,nd->n", part, part, dtype=np.float64)) for part in _parts(vectors)
    ] or [np.empty(0)]  # fmt: skip
    return np.concatenate(parts)


def unit_rows(vectors: Floats) -> Floats:
    """Give rows of length 1, as float32; no row may be zero or hold NaN, which `norms_of` tells."""
    return (vectors / norms_of(vectors)[:, None]).astype(np.float32)


def _parts(vectors: Floats) -> Iterator[Floats]:
    return (vectors[start : start + CHUNK] for start in range(0, len(vectors), CHUNK))


def _standardised(means: Floats, place: int, impostors: Sequence[int]) -> tuple[float | None, str]:
    if len(impostors) < MIN_IMPOSTORS:
        n = len(impostors)
        return None, f"no z: {n} {NOUNS[n != 1]} references, and {MIN_IMPOSTORS} are needed"
    against = means[impostors]
    deviation = against.std(ddof=1)
    if not deviation > 1e-9:
        return None, "no z: the references of all other concepts are equally alike"
    return _rounded((means[place] - against.mean()) / deviation), ""


def _largest(values: Floats, k: int) -> Floats:
    return values if len(values) <= k else np.partition(values, len(values) - k)[len(values) - k :]


def _rounded(value: float | np.floating) -> float:
    return round(float(value), DIGITS)
