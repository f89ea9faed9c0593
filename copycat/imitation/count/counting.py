"""Captions -> counts of concepts: whole names, the union over aliases, and pictures that are there twice discounted."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from copycat.corpus import Corpus, NamedRows, common_word_warnings, count_named_rows, picture_columns, shared_columns
from copycat.corpus.named_rows import HAS_ADDRESS, HAS_PHASH, HAS_SHA, HAS_STATUS, IS_DEAD, PICTURE_COLUMNS
from copycat.errors import UserError
from copycat.imitation.count.near import MAX_DISTANCE, group_near
from copycat.imitation.records import Concept, ConceptCount
from copycat.metrics.intervals import Z_95
from copycat.names import NameMatcher, words

Use = Literal["raw", "exact", "near"]
USES: tuple[Use, ...] = ("near", "exact", "raw")
MIN_SEEN = 0.2
"""Share of pictures that must be seen for their number to be estimated; of fewer, copies hardly meet."""
MAX_SPAN = 5.0
"""How many times its lower bound the upper bound of an estimate may be."""


class AliasCount(NamedTuple):
    """Captions that name a concept by one of its names, and those that the count would lose without it."""

    captions: int
    gain: int


class Links(NamedTuple):
    """Of the links that have a status, how many are dead, and how many captions have no status."""

    dead: int = 0
    known: int = 0
    unknown: int = 0


class Counted(NamedTuple):
    """What counting finds.

    `aliases`: concept -> name or alias -> its counts. `use` is which count later stages use, and `lacking` says why
    another cannot be had. `n_without` of `n_named` captions that name somebody have nothing to tell their picture by.
    `by` is what tells exact pictures, "sha256" or "address". `links` holds the links of all such captions, `links_of`
    those of each concept. `corpus` is read again for a sample, with the columns that tell pictures; `found` holds the
    rows that name a concept.
    """

    counts: tuple[ConceptCount, ...]
    aliases: dict[str, dict[str, AliasCount]]
    use: Use
    lacking: dict[str, str]
    by: str
    links: Links
    links_of: dict[str, Links]
    n_without: int
    n_named: int
    warnings: tuple[str, ...]
    corpus: Corpus
    found: NamedRows


class PictureEstimate(NamedTuple):
    """How many different pictures there are, estimated where some are missing; `low` and `high` bound it, at 95 %.

    No `value`: too few are seen to tell one.
    """

    value: float | None
    low: float
    high: float


def count_concepts(
    corpus: Corpus,
    concepts: Sequence[Concept],
    *,
    use: Use | None = None,
    processes: int | None = None,
    checkpoint: Path | None = None,
    advance: Callable[[int], object] = lambda _: None,
) -> Counted:
    """Count the captions that name each concept, and the different pictures among them.

    Args:
        corpus: its columns sha256, phash, url (or path) and status are used where every file has them.
        concepts: who is counted; the longest name wins where names overlap.
        use: which count later stages use; None means the last of raw, exact, near that the corpus allows.
        processes, checkpoint, advance: as of `copycat.corpus.count_documents`.

    Raises:
        UserError: `use` asks for what the corpus has no column for.
        DataError: the corpus has no rows, or a file is damaged.
    """
    chosen = picture_columns(shared_columns(corpus))
    meanings = {PICTURE_COLUMNS[name.lower()] for name in chosen}
    lacking = _lacking(meanings)
    best = next(each for each in USES if each not in lacking)
    if use is not None and use in lacking:
        raise UserError(f"--use {use}: {lacking[use]}\n  use --use {best}, or add the column")
    corpus = corpus.model_copy(update={"other_columns": chosen})
    found = count_named_rows(corpus, concepts, processes=processes, checkpoint=checkpoint, advance=advance)
    used = use or best
    by = HAS_SHA if "sha256" in meanings else HAS_ADDRESS
    per_concept = _by_concept(found.rows, len(concepts))
    counts = tuple(_count_of(concept, per_concept[place], by, used, lacking) for place, concept in enumerate(concepts))
    captions = _each_once(found.rows)
    has_status = "status" in meanings
    return Counted(
        counts=counts,
        aliases=_alias_counts(found, concepts),
        use=used,
        lacking=lacking,
        by=_told_by("exact", by),
        links=_links(captions) if has_status else Links(),
        links_of={concept.id: _links(own) for concept, own in zip(concepts, per_concept, strict=True) if has_status},
        n_without=_without_picture(captions, used, by),
        n_named=len(captions),
        warnings=(*collision_warnings(concepts), *common_word_warnings(found.counts)),
        corpus=corpus,
        found=found,
    )


def different_pictures(groups: Any, n_missing: int) -> PictureEstimate:
    """Estimate how many different pictures there are, of which `n_missing` could not be compared.

    Of m equal pictures, s are seen, each with chance p = seen / all. A group counts `1 - (-(1 - p) / p)^s`: whatever
    m >= 1 is, that comes to 1 on average, so neither pictures that are alone nor those that are there many times bend
    the sum. Its variance is the sum of `r^(2 s) - (-r)^s` with r = (1 - p) / p. The truth lies between the groups
    that are seen and those and every missing picture; estimate and interval are cut to that.

    All of this holds for any p: for pictures that are alone the sum is n / p, and with copies its variance grows as
    r^m: slowly while r is about 1, and soon beyond any use where most are missing. So the interval decides: one that
    spans more than MAX_SPAN tells no value, and where less than MIN_SEEN is seen there is none, and the interval is
    what is sure. Simulated with 1 to 20 copies of 20 to 1,000 pictures, p from 0.2 to 0.75, it holds the truth in 90 to
    100 % of cases.

    Assumes that pictures are missing at random.

    Shapes:
        groups: (N,) int, the group of each picture that is seen, N >= 1.

    Unit: pictures.

    Source: inverse probability weighting of a binomially thinned count; Good & Toulmin 1956, Biometrika 43:45, for the
        same alternating powers.
    """
    sizes = np.unique(np.asarray(groups), return_counts=True)[1].astype(np.float64)
    n_seen, n_groups = int(sizes.sum()), len(sizes)
    if n_missing == 0:
        return PictureEstimate(n_groups, n_groups, n_groups)
    least, most = float(n_groups), float(n_groups + n_missing)
    p = n_seen / (n_seen + n_missing)
    if p < MIN_SEEN:
        return PictureEstimate(None, least, most)
    r = (1 - p) / p
    with np.errstate(over="ignore", invalid="ignore"):  # very many copies where most are missing: an endless interval
        powers, signs = r**sizes, (-1.0) ** sizes
        value = min(most, max(least, float(np.sum(1 - powers * signs))))
        half = Z_95 * math.sqrt(max(0.0, float(np.sum(powers * (powers - signs)))))
    low, high = max(least, value - half), min(most, value + half)
    return PictureEstimate(value if high <= MAX_SPAN * low else None, low, high)


def collision_warnings(concepts: Sequence[Concept]) -> list[str]:
    """Say which names two concepts share, and which are part of a longer name of another concept."""
    told = [
        f"'{collision.alias}' is a name of {' and of '.join(collision.character_ids)}: its captions count for each"
        for collision in NameMatcher(concepts).collisions()
    ]
    owners: dict[tuple[str, ...], list[tuple[str, str]]] = {}
    for concept in concepts:
        for alias in (concept.name, *concept.aliases):
            owners.setdefault(tuple(words(alias)), []).append((concept.id, alias))
    for longer, owned in owners.items():
        for inner in _inner(longer):
            for who, alias in owners.get(inner, ()):
                if other := next((each for each in owned if each[0] != who), None):
                    told.append(
                        f"'{alias}' of {who} is part of '{other[1]}' of {other[0]}: where the longer name stands, "
                        "it alone counts"
                    )
    return told


def scaled(count: float | None, here: int, there: int) -> tuple[float | None, str]:
    """Carry a count from one corpus to another by the captions that name the concept in each.

    `count * there / here`; None with a reason where no caption here names it, as nothing says how the two compare.

    Returns:
        The count in the other corpus, and why there is none.
    """
    if count is None:
        return None, "not estimable: there is no count to scale"
    if here == 0:
        return None, "not estimable: no caption of the counted corpus names it, so nothing says how it scales"
    return count * there / here, ""


# ----------------------------------------------------------------------------------------- one concept


def _count_of(concept: Concept, rows: Any, by: int, use: Use, lacking: Mapping[str, str]) -> ConceptCount:
    """Count one concept from its rows."""
    found: dict[str, PictureEstimate | None] = {"raw": PictureEstimate(len(rows), len(rows), len(rows))}
    if "exact" not in lacking:
        known = rows[(rows["has"] & by) > 0]
        found["exact"] = _pictures(known["sha" if by == HAS_SHA else "address"], len(rows))
    if "near" not in lacking:
        known = rows[(rows["has"] & HAS_PHASH) > 0]
        found["near"] = _pictures(group_near(known["phash"]), len(rows))
    used = found[use]
    is_exact = used is not None and used.low == used.high
    return ConceptCount(
        concept=concept.id,
        count=used.value if used is not None else None,
        low=None if used is None or is_exact else used.low,
        high=None if used is None or is_exact else used.high,
        raw=len(rows),
        exact=_rounded(found.get("exact")),
        near=_rounded(found.get("near")),
        reason=_why_no_count(used, len(rows), _told_by(use, by)),
    )


def _why_no_count(used: PictureEstimate | None, n: int, column: str) -> str:
    if used is None:
        return f"not estimable: of {n:,} captions none has its {column}"
    if used.value is None:
        return f"not estimable: too few of {n:,} captions have their {column}; {used.low:,.0f} to {used.high:,.0f}"
    return ""


def _pictures(groups: Any, n: int) -> PictureEstimate | None:
    if n == 0:
        return PictureEstimate(0, 0, 0)
    return different_pictures(groups, n - len(groups)) if len(groups) else None


def _rounded(pictures: PictureEstimate | None) -> int | None:
    return None if pictures is None or pictures.value is None else round(pictures.value)


def _told_by(use: Use, by: int) -> str:
    return "phash" if use == "near" else "sha256" if by == HAS_SHA else "address"


def _lacking(meanings: set[str]) -> dict[str, str]:
    lacking = {}
    if "phash" not in meanings:
        lacking["near"] = f"no column phash (64 bits; near duplicates differ in at most {MAX_DISTANCE})"
    if not meanings & {"sha256", "url"}:
        lacking["exact"] = "no column sha256, url or path, which tell whether two captions have the same picture"
    return lacking


def _links(rows: Any) -> Links:
    known = (rows["has"] & HAS_STATUS) > 0
    dead = (rows["has"] & IS_DEAD) > 0
    return Links(int(dead.sum()), int(known.sum()), int(len(rows) - known.sum()))


def _without_picture(captions: Any, use: Use, by: int) -> int:
    """Count the captions with nothing to tell their picture by; a raw count needs nothing."""
    if use == "raw":
        return 0
    return int(((captions["has"] & (HAS_PHASH if use == "near" else by)) == 0).sum())


def _by_concept(rows: Any, n: int) -> list[Any]:
    order = np.argsort(rows["who"], kind="stable")
    bounds = np.searchsorted(rows["who"][order], np.arange(n + 1))
    return [rows[order[bounds[place] : bounds[place + 1]]] for place in range(n)]


def _each_once(rows: Any) -> Any:
    """Leave one entry of each caption: those of one that names several stand together."""
    is_first = np.ones(len(rows), dtype=bool)
    is_first[1:] = (rows["row"][1:] != rows["row"][:-1]) | (rows["file"][1:] != rows["file"][:-1])
    return rows[is_first]


def _alias_counts(found: NamedRows, concepts: Sequence[Concept]) -> dict[str, dict[str, AliasCount]]:
    """Give captions and gain of each name; a name that holds a shorter one of its concept gains nothing."""
    whole: dict[str, dict[str, AliasCount]] = {}
    for concept in concepts:
        names = dict.fromkeys((concept.name, *concept.aliases))
        spelt = {tuple(words(name)) for name in names}
        captions, sole = found.counts.aliases[concept.id], found.sole[concept.id]
        whole[concept.id] = {
            name: AliasCount(
                captions.get(name, 0),
                0 if any(inner in spelt for inner in _inner(tuple(words(name)))) else sole.get(name, 0),
            )
            for name in names
        }
    return whole


def _inner(name: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Give the shorter runs of words within a name."""
    n = len(name)
    return [name[i:j] for i in range(n) for j in range(i + 1, n + 1) if j - i < n]
