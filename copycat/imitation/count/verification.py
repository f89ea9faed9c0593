"""What a sample of pictures shows: the share of a count that really is the concept, with what a matcher's errors cost.

A caption that names a concept need not stand beside its picture. A sample of the pictures of a concept is looked at, by
a person or by a matcher whose errors were counted on labelled pictures; the count is multiplied by the share.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from copycat.errors import DataError, UserError
from copycat.imitation.generate.pictures import OTHER_SUFFIXES, SUFFIXES, pictures_in
from copycat.imitation.records import ConceptCount
from copycat.imitation.tables import FORMS, read_table
from copycat.metrics.corrected import UncorrectableError, judge_errors, rogan_gladen
from copycat.metrics.intervals import wilson
from copycat.paths import shown
from copycat.schema import CalibrationCell, Record
from copycat.schema.base import Slug

SORTED_SUFFIXES = (*SUFFIXES, *OTHER_SUFFIXES)
"""Of all pictures, for a sorted sample is counted and not decoded: a share of some formats would be another share."""
SHOWN, OTHER = "shown", "other"
"""Folders of a sample that was sorted: of pictures that show their concept, and of those that do not."""


class VerifiedPicture(Record):
    """A picture of a sample: whether the matcher says that it shows the concept, and whether it does, by a person.

    One of the two may be missing. Pictures with both tell the matcher's errors.
    """

    concept: Slug
    picture: str
    matched: bool | None = None
    shown: bool | None = None


class Sampled(NamedTuple):
    """Of `n` sampled pictures of a concept, `k` were said to show it."""

    k: int
    n: int


class Sample(NamedTuple):
    """What a sample says: by concept; and the matcher's errors, none where people looked."""

    by_concept: dict[str, Sampled]
    errors: tuple[CalibrationCell, ...] = ()


class Share(NamedTuple):
    """The share of pictures that show a concept, with a 95 % interval."""

    value: float
    low: float
    high: float


def read_sample(path: Path, id_of: Callable[[str], str] = lambda name: name) -> Sample:
    """Read a sample: a table with columns concept, picture, matched, shown; or a folder that was sorted.

    A folder holds STUDY's concepts as folders, and in each `shown/` and `other/` with the pictures; or labels.csv.

    Args:
        id_of: makes the id of a concept of what stands there; see `whose.Naming`.

    Raises:
        UserError: there is no such file or folder.
        DataError: it holds no picture, or rows do not fit.
    """
    if path.is_dir():
        inside = path / "labels.csv"
        return read_sample(inside, id_of) if inside.is_file() else _read_sorted(path, id_of)
    if path.suffix not in FORMS:
        raise UserError(
            f"--verify {shown(path)}: there is no such folder or table\n"
            f"  needed: FOLDER/<concept>/{SHOWN}/ and FOLDER/<concept>/{OTHER}/ with pictures, "
            "or a table with the columns concept, picture, matched (or shown)"
        )
    rows = read_table(path, VerifiedPicture, key=("concept", "picture"), id_of=id_of)
    silent = [row.picture for row in rows if row.matched is None and row.shown is None]
    if silent or not rows:
        what = f"'{silent[0]}' has neither matched nor shown" if silent else "holds no row"
        raise DataError(
            [f"{shown(path)}: {what}"], "  needed: true or false in one of the two columns, for each picture"
        )
    return build_sample(rows)


def build_sample(rows: Sequence[VerifiedPicture]) -> Sample:
    """Put a sample together: what the matcher says where it looked at any picture, else what people say.

    Raises:
        DataError: a matcher looked at some pictures and not at others.
    """
    if all(row.matched is None for row in rows):
        return Sample(_by_concept((row.concept, bool(row.shown)) for row in rows))
    unmatched = [row.picture for row in rows if row.matched is None]
    if unmatched:
        raise DataError(
            [f"'{unmatched[0]}' and {len(unmatched) - 1:,} others have no value in the column matched"],
            "  needed: the matcher's word on every picture, or on none",
        )
    kinds: dict[str, Counter[tuple[bool, bool]]] = {}
    for row in rows:
        if row.shown is not None:
            kinds.setdefault(row.concept, Counter())[bool(row.matched), row.shown] += 1
    cells = tuple(
        CalibrationCell(
            character=who,
            tp=each[True, True],
            fn=each[False, True],
            fp=each[True, False],
            tn=each[False, False],
        )
        for who, each in sorted(kinds.items())
    )
    return Sample(_by_concept((row.concept, bool(row.matched)) for row in rows), cells)


def errors_of_labels(sensitivity: Sampled, specificity: Sampled) -> tuple[CalibrationCell, ...]:
    """Make of "k of n" labelled pictures what a correction reads; every picture counts by itself."""
    kinds = (
        ("yes", "tp", sensitivity.k),
        ("miss", "fn", sensitivity.n - sensitivity.k),
        ("no", "tn", specificity.k),
        ("alarm", "fp", specificity.n - specificity.k),
    )
    none = dict.fromkeys(("tp", "fn", "fp", "tn"), 0)
    return tuple(
        CalibrationCell(character=f"{name}-{number}", **{**none, kind: 1})
        for name, kind, n in kinds
        for number in range(n)
    )


def parse_k_of_n(option: str, text: str) -> Sampled:
    """Read "80/100".

    Raises:
        UserError: it has another form, or is no share.
    """
    k, slash, n = text.partition("/")
    if not (slash and k.strip().isdecimal() and n.strip().isdecimal() and 0 <= int(k) <= int(n) and int(n) > 0):
        raise UserError(f"{option} '{text}' has the wrong form\n  needed: labelled pictures as K/N, such as 80/100")
    return Sampled(int(k), int(n))


def share_shown(sampled: Sampled, errors: Sequence[CalibrationCell]) -> Share:
    """Give the share of a concept's pictures that show it.

    Without errors: people looked, `k / n` with Wilson's interval. Of a matcher: `(q + specificity - 1) / (sensitivity +
    specificity - 1)` with q = k / n, cut to [0, 1]; its interval holds the uncertainty of all three shares.

    Unit: share in [0, 1].

    Raises:
        UncorrectableError: nothing was sampled; or the labels do not support a correction (no picture that shows its
            concept, or none that does not; a matcher no better than chance; a share that fits no such matcher).

    Source: Rogan & Gladen 1978, Am. J. Epidemiol. 107:71; see `copycat.metrics.corrected.rogan_gladen`.
    """
    k, n = sampled
    if n == 0:
        raise UncorrectableError("no picture of it was sampled")
    if not errors:
        interval = wilson(k, n)
        return Share(k / n, interval.low, interval.high)
    verdicts = [place < k for place in range(n)]
    found = rogan_gladen(verdicts, [str(place) for place in range(n)], errors)
    return Share(found.value, found.low, found.high)


def why_no_correction(errors: Sequence[CalibrationCell]) -> str | None:
    """Say why labels support no correction of any concept; None if they do, or none is needed."""
    if not errors:
        return None
    try:
        judge_errors(errors)
    except UncorrectableError as error:
        return str(error)
    return None


def verify_counts(
    counts: Sequence[ConceptCount], by_concept: Mapping[str, Sampled], errors: Sequence[CalibrationCell]
) -> tuple[ConceptCount, ...]:
    """Multiply counts by the shares that show their concepts; what cannot be estimated has no count and a reason.

    A count of 0 stays 0. A concept of which no picture was sampled is not estimable: beside verified counts its own
    would say something else. See `share_shown` and `multiplied`.
    """
    return tuple(_verified(count, by_concept.get(count.concept, Sampled(0, 0)), errors) for count in counts)


def multiplied(count: float, low: float, high: float, share: Share) -> tuple[float, float]:
    """Give the interval of count * share, both uncertain and independent of each other.

    The lower bound is `v - sqrt((p (c - c_low))^2 + (c (p - p_low))^2)`, the upper alike; not below 0.

    Source: Zou & Donner 2008, Stat. Med. 27:1693 (variances recovered from limits), first order.
    """
    value = count * share.value
    below = math.hypot(share.value * (count - low), count * (share.value - share.low))
    above = math.hypot(share.value * (high - count), count * (share.high - share.value))
    return max(0.0, value - below), value + above


def _verified(count: ConceptCount, sampled: Sampled, errors: Sequence[CalibrationCell]) -> ConceptCount:
    if not count.count:
        return count
    try:
        share = share_shown(sampled, errors)
    except UncorrectableError as error:
        return count.model_copy(update={"count": None, "low": None, "high": None, "reason": f"not estimable: {error}"})
    least, most = (count.count if bound is None else bound for bound in (count.low, count.high))
    low, high = multiplied(count.count, least, most, share)
    return count.model_copy(update={"count": count.count * share.value, "low": low, "high": high})


def _by_concept(said: Iterable[tuple[str, bool]]) -> dict[str, Sampled]:
    whole: dict[str, Sampled] = {}
    for who, is_shown in said:
        k, n = whole.get(who, (0, 0))
        whole[who] = Sampled(k + is_shown, n + 1)
    return whole


def _read_sorted(folder: Path, id_of: Callable[[str], str]) -> Sample:
    said = [
        (id_of(concept.name), kind == SHOWN)
        for concept in sorted(folder.iterdir())
        for kind in (SHOWN, OTHER)
        if (concept / kind).is_dir()
        for _ in pictures_in(concept / kind, SORTED_SUFFIXES)
    ]
    if not said:
        raise DataError(
            [f"{shown(folder)}: holds no sorted picture"],
            f"  needed: {shown(folder)}/<concept>/{SHOWN}/ and {OTHER}/ with pictures, or {shown(folder)}/labels.csv",
        )
    return Sample(_by_concept(said))
